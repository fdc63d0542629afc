//! A chat with whichever member of a pool serves it.

use tokio::time::Instant;

use super::Handle;
use crate::{
    backends::litellm::{ChatCompletion, ChatRequest, ChatStream, Session},
    connection::Lease,
    error::Error,
    model::{Class, Code, Fault, Kind},
    pool::{Ask, Kinds},
};

/// Members that are asked, at most.
const TRIES: usize = 8;

/// Until when an answer that failed may be asked for elsewhere.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    /// Somebody has answered, or may have begun to.
    Answered,
    /// The first part of it came.
    FirstByte,
}

impl Handle {
    /// Sends a chat to a backend, a pool or `text.chat`, and waits for its whole answer. What a member refuses (a fault
    /// of its own, a limit of its rate, nobody there) another one is asked, within the budget of retries; what may have
    /// run is not asked again.
    ///
    /// # Cancel safety
    /// Dropping the future closes the connection; the server may finish the answer, and charge for it.
    ///
    /// # Errors
    /// As [`Self::lease`]; the fault of the last member that was asked.
    pub async fn chat(&self, target: &str, request: ChatRequest) -> Result<ChatCompletion, Error> {
        let ask = async |lease: &Lease<Session>| lease.chat(request.clone()).await;
        self.first_that_serves(target, request.model_name(), Until::Answered, ask)
            .await
            .map(|(_, answer)| answer)
    }

    /// As [`Self::chat`], with the answer as it comes: another member is asked as long as no part of it has come. The
    /// lease holds the slot for as long as the stream is read.
    ///
    /// # Cancel safety
    /// As [`Self::chat`].
    ///
    /// # Errors
    /// As [`Self::chat`]; what fails after the first part comes out of the stream.
    pub async fn chat_stream(
        &self,
        target: &str,
        request: ChatRequest,
    ) -> Result<(Lease<Session>, ChatStream), Error> {
        let ask = async |lease: &Lease<Session>| lease.chat_stream(request.clone()).await;
        self.first_that_serves(target, request.model_name(), Until::FirstByte, ask).await
    }

    async fn first_that_serves<T>(
        &self,
        target: &str,
        model: Option<String>,
        until: Until,
        work: impl AsyncFn(&Lease<Session>) -> Result<T, Fault>,
    ) -> Result<(Lease<Session>, T), Error> {
        let mut ask = Ask::new().kinds(Kinds::of(&[Kind::Litellm, Kind::Openai]));
        ask.model = model.map(Into::into);
        let route = self.0.roster.route(target)?;
        route.budget().ask(Instant::now());
        let most = route.members().len().clamp(1, TRIES);
        for turn in 1.. {
            let lease = self.lease_for(target, &ask, self.0.lease_timeout).await?;
            let life = (lease.backend().clone(), lease.epoch());
            let lease = lease.of("litellm")?;
            let fault = match work(&lease).await {
                Ok(answer) => {
                    if turn > 1 {
                        route.budget().give_back();
                    }
                    return Ok((lease, answer));
                }
                Err(fault) => fault,
            };
            if turn >= most || !goes_elsewhere(&fault, until) || !route.budget().try_retry(Instant::now()) {
                return Err(fault.into());
            }
            tracing::info!(target, backend = %life.0, code = %fault.code(), cause = %fault, "a chat goes elsewhere");
            ask.avoid = Some(life);
        }
        unreachable!("there are more numbers than members")
    }
}

fn goes_elsewhere(fault: &Fault, until: Until) -> bool {
    let refused =
        [Code::BackendError, Code::ConnectionRefused, Code::ConnectTimeout, Code::NoRoute, Code::Dns];
    let class = fault.class();
    match until {
        _ if class == Class::Busy || refused.contains(&fault.code()) => true,
        Until::Answered => false,
        Until::FirstByte => matches!(class, Class::Unreachable | Class::Timeout | Class::Protocol),
    }
}
