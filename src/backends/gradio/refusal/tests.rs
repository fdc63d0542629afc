use http::HeaderValue;

use super::*;

fn read(status: u16, text: &str) -> Refusal {
    Refusal::read(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), "/queue/join", text)
}

#[test]
fn the_apps_own_answers_are_told_by_their_status() {
    let places = r#"{"detail":[{"type":"missing","loc":["body","data"],"msg":"Field required"}]}"#;
    let cases = [
        (503, r#"{"detail":"Queue is full. Max size is 4 and size is 4."}"#, Code::QueueFull),
        (503, r#"{"detail":"Queue is stopped."}"#, Code::BackendError),
        (500, "Internal Server Error", Code::BackendError),
        (422, places, Code::BadRequest),
        (400, r#"{"detail":"Session hash not found."}"#, Code::BadRequest),
        (401, r#"{"detail":"Not authenticated"}"#, Code::AuthRequired),
        (403, r#"{"detail":"File not allowed: /x."}"#, Code::Forbidden),
        (404, r#"{"detail":"Not Found"}"#, Code::NotFound),
        (429, "slow down", Code::RateLimited),
    ];
    for (status, text, code) in cases {
        let refusal = read(status, text);
        assert_eq!((refusal.fault.code(), refusal.author), (code, Author::App), "{status} {text}");
    }
    assert!(read(422, places).fault.message().ends_with("Field required"));
}

#[test]
fn a_proxys_page_is_not_the_apps() {
    for (status, text) in [(502, "<html>nginx"), (503, ""), (504, "upstream timed out"), (500, "<html>oops")]
    {
        let refusal = read(status, text);
        assert_eq!((refusal.fault.code(), refusal.author), (Code::ProxyInTheWay, Author::Proxy), "{status}");
    }
    let refusal = read(403, "<html>403 Forbidden");
    assert_eq!((refusal.fault.code(), refusal.author), (Code::Forbidden, Author::Proxy));
}

#[test]
fn a_trace_shows_its_last_line() {
    let fault = read(500, "Traceback (most recent call last):\n  File \"x\"\nKeyError: 999\n").fault;
    assert!(fault.message().ends_with(": KeyError: 999"), "{fault}");
}

#[test]
fn a_wait_that_is_asked_for_is_kept() {
    let mut headers = HeaderMap::new();
    headers.insert(header::RETRY_AFTER, HeaderValue::from_static("7"));
    let refusal = Refusal::read(StatusCode::TOO_MANY_REQUESTS, &headers, "/x", "");
    assert_eq!(refusal.fault.retry_after(), Some(Duration::from_secs(7)));
}

#[test]
fn both_shapes_of_the_locked_door_are_known() {
    assert!(wants_login(r#"{"detail":"Not authenticated"}"#));
    assert!(wants_login(r#"{"detail":{"error":"Not authenticated","auth_message":null}}"#));
    for other in ["", "{}", r#"{"detail":"Go away"}"#, "<html>", r#"{"detail":{"error":5}}"#] {
        assert!(!wants_login(other), "{other}");
    }
}
