//! Statuses that the protocol does not have.

use crate::model::{Code, Fault};

/// The fault behind a status that the protocol does not have there.
pub(super) fn unexpected(status: http::StatusCode, path: &str) -> Fault {
    let code = match status.as_u16() {
        401 => Code::AuthRequired,
        403 => Code::Forbidden,
        404 => Code::NotFound,
        429 => Code::RateLimited,
        502..=504 => Code::ProxyInTheWay,
        500..=599 => Code::BackendError,
        _ => Code::Protocol,
    };
    Fault::new(code, format!("/{path} is answered with {status}"))
}
