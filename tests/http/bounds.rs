//! What a client may hold open or send.

use std::fmt::Write as _;

use crate::api::Api;

#[tokio::test]
async fn a_head_that_is_too_long_or_has_too_many_headers_is_refused() {
    let api = Api::start().await;
    let many = (0..200).fold(String::new(), |mut all, n| {
        let _ = write!(all, "X-{n}: y\r\n");
        all
    });
    let long = format!("X-Long: {}\r\n", "y".repeat(100_000));
    for headers in [many, long] {
        let request = format!("GET /healthz HTTP/1.1\r\nHost: {}\r\n{headers}\r\n", api.host());
        assert_eq!(api.raw(&request).await.status, 431);
    }
    let fine = format!("GET /healthz HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", api.host());
    assert_eq!(api.raw(&fine).await.status, 200);
}
