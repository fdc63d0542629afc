//! How a simulated upstream's stream fails in the middle.

use crate::sim::litellm::models::Conduct;

/// How an upstream's stream fails in the middle.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    /// In order, without an end: LiteLLM invents one.
    Ends,
    Breaks(&'static str),
    Silent(&'static str),
}

/// The fault of a model's streams.
pub(super) fn in_the_middle(conduct: Conduct) -> Fault {
    match conduct {
        Conduct::MidClose => Fault::Ends,
        Conduct::MidCut => Fault::Breaks(
            "Response payload is not completed: <TransferEncodingError: 400, message='Not enough data to satisfy transfer length header.'>",
        ),
        Conduct::MidErr => Fault::Breaks("stub mid-stream failure"),
        Conduct::MidHang => Fault::Silent("Timeout on reading data from socket"),
        _ => Fault::None,
    }
}
