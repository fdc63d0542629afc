//! Whether the API may be reached from other machines.

use std::net::SocketAddr;

use super::super::{outcome::Stop, print::errln};

/// Off loopback only where somebody said so on the command line (or by BACKLINE_LISTEN), and not without a word.
pub(super) fn ask(named: Option<SocketAddr>, address: SocketAddr) -> Result<(), Stop> {
    if address.ip().is_loopback() {
        return Ok(());
    }
    if named.is_none() {
        return Err(Stop::usage(
            format!("`http.listen` is {address}, which other machines can reach"),
            format!(
                "Say so: `backline run --listen {address}`; or listen on 127.0.0.1 behind a proxy with TLS."
            ),
        ));
    }
    errln!(
        "backline: warning: {address} is reached by other machines, and what goes there is not encrypted: whoever reads \
         it on the way has the token. A proxy with TLS in front is better."
    );
    Ok(())
}
