//! Strings that a hostile backend gives are text in JSON, whatever they would be in a page.

use backline::{
    Supervisor,
    config::Config,
    model::{Code, Fault, Severity},
    notices::Draft,
};
use reqwest::Method;

use crate::api::Api;

#[tokio::test]
async fn what_a_backend_says_stays_text() {
    let api = Api::over(Supervisor::builder().config(Config::new())).await;
    let nasty = "</script><script>alert(1)</script>\u{1b}]52;c;x\u{7}\u{202e}\r\nSet-Cookie: a=b<svg onload=alert(1)>";
    let fault = Fault::new(Code::BackendError, nasty).with_detail("x".repeat(1 << 20));
    assert!(fault.detail().unwrap().len() < 9_000);
    api.supervisor.desk().raise(Draft::of(&fault, Severity::Error));
    let (_, shown) = api.ask(Method::GET, "/api/v1/notices", None).await;
    let message = shown["notices"][0]["message"].as_str().unwrap();
    assert!(message.contains("<script>alert(1)</script>"), "{message}");
    assert!(!message.contains(['\u{1b}', '\u{202e}', '\r', '\n', '\u{7}']), "{message:?}");
    let request = format!(
        "GET /api/v1/notices HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nAuthorization: Bearer {}\r\n\r\n",
        api.host(),
        crate::api::TOKEN
    );
    let answer = api.raw(&request).await;
    assert!(answer.head.contains("content-type: application/json") && answer.head.contains("nosniff"));
    assert!(!answer.head.contains("set-cookie"), "{}", answer.head);
}
