//! The HTTP API: a router that a host mounts, and the binary's own server.
//!
//! Everything under `/api` wants `Authorization: Bearer TOKEN`. A request whose `Host` is not one of ours is refused
//! before it is routed (DNS rebinding), as is one that a web page of another origin sent.
//!
//! # Behind nginx, with TLS
//! Backline stays on loopback. The name by which people ask goes into the configuration, `http: (hosts:
//! ["studio.example"])` (with `:8443` behind it where that is the port), and nginx passes it on as it came:
//!
//! ```nginx
//! server {
//!     listen 443 ssl;
//!     server_name studio.example;
//!     ssl_certificate     /etc/ssl/studio.pem;
//!     ssl_certificate_key /etc/ssl/studio.key;
//!     location / {
//!         proxy_pass http://127.0.0.1:7717;
//!         proxy_http_version 1.1;
//!         proxy_set_header Host $http_host;  # not nginx's own, which would be refused as the page's origin
//!         proxy_set_header Connection "";
//!         proxy_buffering off;               # events come as they happen
//!         proxy_read_timeout 1h;
//!     }
//! }
//! ```
//!
//! # Where to add a route
//! A route under `/api/v1` is a function under `#[utoipa::path(..)]` in the file of its noun, and one line in
//! `routes!`. Its `responses` name what it answers itself: a body that is `ToSchema`, and refusals by their markers
//! (`describe::Missing` and its like). What any request may be refused for, `describe::complete` adds.

pub mod access;
mod answer;
mod backends;
mod bounds;
mod config;
mod control;
pub(crate) mod dashboard;
mod describe;
mod discover;
mod events;
mod files;
mod guard;
mod help;
mod history;
mod jobs;
pub mod logs;
mod notices;
mod piece;
mod preflight;
mod press;
mod probe;
mod registry;
mod schema;
mod serve;
mod session;
mod sessions;
mod status;
mod tickets;
mod token;

use std::sync::Arc;

use axum::{Router, middleware, routing::get};
use tokio::sync::Semaphore;
use tower_http::{limit::RequestBodyLimitLayer, timeout::TimeoutLayer};
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

pub use self::{
    access::Access,
    bounds::Bounds,
    schema::TreeNode,
    serve::{Listening, ServeError, Server, listen},
    token::Token,
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
    pub(crate) description: describe::Description,
    pub(crate) press: Arc<press::Press>,
    /// Places for readers of the events.
    pub(crate) readers: Arc<Semaphore>,
    /// Ways to files for what cannot send the token.
    pub(crate) tickets: Arc<tickets::Tickets>,
}

impl Context {
    pub(crate) fn new(handle: Handle, access: Access, bounds: &Bounds) -> Self {
        let readers = Arc::new(Semaphore::new(bounds.readers));
        let (description, press, tickets) = Default::default();
        Self { handle, access, description, press, readers, tickets }
    }
}

/// The API and the dashboard over a supervisor, to be mounted where the host likes.
///
/// ```no_run
/// # fn mount(supervisor: &backline::Supervisor) -> axum::Router {
/// use backline::http::{Access, Token};
///
/// let access = Access::token(Token::random());
/// axum::Router::new().nest_service("/backline", backline::http::router(supervisor.handle(), access))
/// # }
/// ```
///
/// `nest` works as well, except that axum then has no route for the path with a slash at its end, `/backline/`.
pub fn router(handle: Handle, access: Access) -> Router {
    router_within(handle, access, &Bounds::default())
}

fn router_within(handle: Handle, access: Access, bounds: &Bounds) -> Router {
    let context = Context::new(handle, access, bounds);
    let (api, mut description) = api(&context).split_for_parts();
    describe::complete(&mut description);
    // It is the first and only one to set it.
    let _ = context.description.set(description);
    let pages = Router::new()
        .route("/healthz", get(status::healthz))
        .route("/readyz", get(status::readyz))
        .route("/metrics", get(status::metrics))
        .route("/help", get(help::index))
        .route("/help/{code}", get(help::cause))
        .route("/help.css", get(help::style))
        .merge(dashboard::routes())
        .layer(small())
        .layer(soon());
    pages
        .merge(api)
        .fallback(answer::not_found)
        .layer(middleware::from_fn_with_state(context.clone(), guard::from_here))
        .with_state(context)
}

/// Everything under `/api/v1`, with its description.
fn api(context: &Context) -> OpenApiRouter<Context> {
    // The one-time code is what this route is paid with.
    let trade = OpenApiRouter::new().routes(routes!(session::trade)).layer(small()).layer(soon());
    let api = routes().layer(middleware::from_fn_with_state(context.clone(), guard::with_token)).merge(trade);
    OpenApiRouter::with_openapi(describe::Base::openapi()).nest("/api/v1", api)
}

fn small() -> RequestBodyLimitLayer {
    RequestBodyLimitLayer::new(BODY_CAP)
}

fn soon() -> TimeoutLayer {
    TimeoutLayer::with_status_code(http::StatusCode::GATEWAY_TIMEOUT, LIMIT)
}

/// All that wants the token.
fn routes() -> OpenApiRouter<Context> {
    plain().layer(small()).layer(soon()).merge(wide())
}

/// What takes large bodies, and has limits of its own.
fn wide() -> OpenApiRouter<Context> {
    OpenApiRouter::new()
        .routes(routes!(files::upload))
        .routes(routes!(jobs::submit::submit))
        .routes(routes!(preflight::preflight))
}

fn plain() -> OpenApiRouter<Context> {
    OpenApiRouter::new()
        .routes(routes!(describe::openapi))
        .routes(routes!(status::snapshot))
        .routes(routes!(events::events))
        .routes(routes!(backends::add))
        .routes(routes!(backends::show, backends::change, backends::remove))
        .routes(routes!(backends::revert))
        .routes(routes!(history::history))
        .routes(routes!(control::reconnect))
        .routes(routes!(control::check))
        .routes(routes!(control::pause))
        .routes(routes!(control::resume))
        .routes(routes!(control::cordon))
        .routes(routes!(control::uncordon))
        .routes(routes!(notices::list))
        .routes(routes!(notices::dismiss))
        .routes(routes!(notices::mute))
        .routes(routes!(discover::discover))
        .routes(routes!(jobs::list))
        .routes(routes!(jobs::show, jobs::command::erase))
        .routes(routes!(jobs::events::events))
        .routes(routes!(jobs::outputs::output))
        .routes(routes!(jobs::outputs::ticket))
        .routes(routes!(jobs::outputs::preview))
        .routes(routes!(jobs::command::cancel))
        .routes(routes!(jobs::command::retry))
        .routes(routes!(registry::registry))
        .routes(routes!(session::code))
        .routes(routes!(session::show, session::end))
        .routes(routes!(session::list))
        .routes(routes!(session::revoke))
        .routes(routes!(logs::logs))
        .routes(routes!(probe::test))
        .routes(routes!(probe::candidate))
        .routes(routes!(config::show, config::replace, config::change, config::reset))
        .routes(routes!(config::undo))
        .routes(routes!(config::fields))
        .routes(routes!(config::check))
        .routes(routes!(config::presets))
        .routes(routes!(config::save, config::erase))
        .routes(routes!(config::export))
        .routes(routes!(config::import))
}
