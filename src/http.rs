//! The HTTP API: a router that a host mounts, and the binary's own server.
//!
//! Everything under `/api` wants `Authorization: Bearer TOKEN`. A request whose `Host` is not one of ours is refused
//! before it is routed (DNS rebinding), as is one that a web page of another origin sent.

pub mod access;
mod answer;
mod backends;
mod control;
mod discover;
mod events;
mod history;
mod notices;
mod page;
mod serve;
mod session;
mod status;

use axum::{
    Router, middleware,
    routing::{get, post},
};
use tower_http::{limit::RequestBodyLimitLayer, timeout::TimeoutLayer};

pub use self::{
    access::{Access, Token},
    serve::{Listening, ServeError, Server, listen},
};
use crate::Handle;

/// Largest body of a request.
const BODY_CAP: usize = 1024 * 1024;
/// Longest time until the head of an answer; an event stream has its head at once.
const LIMIT: std::time::Duration = std::time::Duration::from_secs(30);

/// What the routes work with.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) handle: Handle,
    pub(crate) access: Access,
}

/// The API and the status page over a supervisor, to be mounted where the host likes.
///
/// ```no_run
/// # fn mount(supervisor: &backline::Supervisor) -> axum::Router {
/// use backline::http::{Access, Token};
///
/// let access = Access::token(Token::random());
/// axum::Router::new().nest("/backline", backline::http::router(supervisor.handle(), access))
/// # }
/// ```
pub fn router(handle: Handle, access: Access) -> Router {
    let context = Context { handle, access };
    let api = Router::new()
        .route("/snapshot", get(status::snapshot))
        .route("/events", get(events::events))
        .route("/backends", post(backends::add))
        .route("/backends/{id}", get(backends::show).patch(backends::change).delete(backends::remove))
        .route("/backends/{id}/revert", post(backends::revert))
        .route("/backends/{id}/history", get(history::history))
        .route("/backends/{id}/reconnect", post(control::reconnect))
        .route("/backends/{id}/check", post(control::check))
        .route("/backends/{id}/pause", post(control::pause))
        .route("/backends/{id}/resume", post(control::resume))
        .route("/notices", get(notices::list))
        .route("/notices/{id}/dismiss", post(notices::dismiss))
        .route("/notices/{id}/mute", post(notices::mute))
        .route("/discover", post(discover::discover))
        .route("/session/code", post(session::code))
        .layer(middleware::from_fn_with_state(context.clone(), access::with_token))
        // The one-time code is what this route is paid with.
        .route("/session", post(session::trade));
    Router::new()
        .nest("/api/v1", api)
        .route("/healthz", get(status::healthz))
        .route("/readyz", get(status::readyz))
        .route("/metrics", get(status::metrics))
        .route("/", get(page::page))
        .route("/page.js", get(page::script))
        .route("/page.css", get(page::style))
        .fallback(answer::not_found)
        .layer(middleware::from_fn_with_state(context.clone(), access::from_here))
        .layer(RequestBodyLimitLayer::new(BODY_CAP))
        .layer(TimeoutLayer::with_status_code(http::StatusCode::GATEWAY_TIMEOUT, LIMIT))
        .with_state(context)
}
