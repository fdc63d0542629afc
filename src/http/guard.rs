//! What stands before the routes: foreign names and pages are refused, the token is asked for, and every answer gets
//! its headers.

use axum::{
    extract::{OriginalUri, Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

use super::{
    Context,
    access::{Access, Scope},
    answer::{refusal, shaped},
};
use crate::model::Class;

/// Nothing but our own scripts and styles; media from our own files, or what the page itself made of bytes.
const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                   img-src 'self' blob: data:; media-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// The headers of every answer.
const HEADERS: [(HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, CSP),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
];

/// Refuses what comes from elsewhere, before it is routed; sets the headers that every answer has.
pub(crate) async fn from_here(State(context): State<Context>, request: Request, next: Next) -> Response {
    let refused = foreign(&context.access, &request).or_else(|| unreadable(&request));
    let mut answer = match refused {
        Some(refusal) => refusal,
        None => shaped(next.run(request).await).await,
    };
    let headers = answer.headers_mut();
    for (name, value) in HEADERS {
        // A route that is stricter (a sandbox for media) says so itself.
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    answer
}

fn foreign(access: &Access, request: &Request) -> Option<Response> {
    let headers = request.headers();
    let host = single(headers, &header::HOST).unwrap_or_default();
    // An absolute request line overrules the header, for whoever routes by it: both have to be ours.
    let authority = request.uri().authority().map(|a| a.as_str());
    if !access.is_ours(host) || authority.is_some_and(|a| !access.is_ours(a)) {
        let message = "this name is not one of Backline's";
        let fix = "Ask by 127.0.0.1 or localhost, or add the name to `http: (hosts: […])`.";
        return Some(refusal(StatusCode::MISDIRECTED_REQUEST, "foreign_host", Class::Auth, message, fix));
    }
    let own = |origin: &str| {
        origin.split_once("://").is_some_and(|(scheme, rest)| {
            matches!(scheme, "http" | "https") && rest.eq_ignore_ascii_case(host)
        })
    };
    let origin =
        headers.contains_key(header::ORIGIN).then(|| single(headers, &header::ORIGIN).unwrap_or("null"));
    let foreign_origin = origin.is_some_and(|origin| !own(origin));
    if foreign_origin || foreign_site(request) {
        let message = "a page of another origin sent this";
        let fix = "Use Backline's own page, or a program with the token.";
        return Some(refusal(StatusCode::FORBIDDEN, "foreign_origin", Class::Auth, message, fix));
    }
    None
}

/// A browser says by itself from where a request comes. Another port of this machine is the same site.
fn foreign_site(request: &Request) -> bool {
    let headers = request.headers();
    let site = HeaderName::from_static("sec-fetch-site");
    if !headers.contains_key(&site) {
        return false;
    }
    // A link or a typed address opens the page; nothing else of another site gets anything.
    let navigates = headers.get("sec-fetch-mode").is_some_and(|m| m == "navigate")
        && request.method() == Method::GET
        && !request.uri().path().contains("/api/");
    !matches!(single(headers, &site), Some("same-origin" | "none")) && !navigates
}

/// A header that is there once, as text.
fn single<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let mut all = headers.get_all(name).iter();
    match (all.next(), all.next()) {
        (Some(one), None) => one.to_str().ok(),
        _ => None,
    }
}

/// A form of another page can send all but JSON. Uploads are bytes, and carry the token.
fn unreadable(request: &Request) -> Option<Response> {
    let headers = request.headers();
    let path = request.uri().path();
    let empty = match headers.get(header::CONTENT_LENGTH) {
        Some(length) => length == "0",
        None => !headers.contains_key(header::TRANSFER_ENCODING),
    };
    if empty || request.method() == Method::GET || path.ends_with("/api/v1/files") {
        return None;
    }
    let kind = single(headers, &header::CONTENT_TYPE).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/json") {
        return None;
    }
    let message = "the body is not said to be JSON";
    let fix = "Send it with `Content-Type: application/json`.";
    Some(refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", Class::Usage, message, fix))
}

/// Lets in who has the token, or a ticket for what is asked; who may only look changes nothing.
pub(crate) async fn with_token(State(context): State<Context>, request: Request, next: Next) -> Response {
    let looks = matches!(*request.method(), Method::GET | Method::HEAD);
    // The address as it was asked for: a host may have taken off what stands before ours.
    let asked = request.extensions().get::<OriginalUri>().map_or(request.uri(), |original| &original.0);
    if looks && context.tickets.admit(asked) {
        return next.run(request).await;
    }
    match context.access.admits(request.headers()) {
        Some(Scope::Full) => next.run(request).await,
        Some(Scope::Read) if looks => next.run(request).await,
        Some(Scope::Read) => {
            let fix = "Use a token that may change things.";
            refusal(StatusCode::FORBIDDEN, "read_only", Class::Auth, "this token may only look", fix)
        }
        None => unknown(),
    }
}

fn unknown() -> Response {
    let fix =
        "Send `Authorization: Bearer TOKEN`; `backline open` prints an address that carries a one-time code.";
    let mut answer =
        refusal(StatusCode::UNAUTHORIZED, "token_needed", Class::Auth, "the token is missing or wrong", fix);
    answer.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    answer
}
