//! The headers of every route, and what a hostile one may not do.

use std::fmt::Write as _;

use crate::api::{Api, TOKEN};

#[tokio::test]
async fn every_answer_carries_the_same_guards() {
    let api = Api::start().await;
    let described = api.ask(reqwest::Method::GET, "/api/v1/openapi.json", None).await.1;
    let mut paths: Vec<_> =
        described["paths"].as_object().unwrap().keys().map(|path| path.replace("{id}", "none")).collect();
    paths.extend(["/", "/healthz", "/readyz", "/metrics", "/nothing", "/help"].map(str::to_owned));
    let mut seen = std::collections::BTreeSet::new();
    for path in &paths {
        for token in ["", TOKEN] {
            let request = format!(
                "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\r\n",
                api.host()
            );
            let answer = api.raw(&request).await;
            assert!(!answer.head.contains("access-control-"), "{path}: {}", answer.head);
            assert!(!answer.head.contains("set-cookie"), "{path}: {}", answer.head);
            seen.insert(guards(&answer.head));
        }
    }
    assert_eq!(seen.len(), 1, "some answers are guarded otherwise: {seen:#?}");
    insta::assert_snapshot!(seen.first().unwrap(), @r"
    content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'
    cross-origin-opener-policy: same-origin
    cross-origin-resource-policy: same-origin
    permissions-policy: camera=(), geolocation=(), microphone=()
    referrer-policy: no-referrer
    x-content-type-options: nosniff
    x-frame-options: deny
    ");
}

fn guards(head: &str) -> String {
    let varying = [
        "content-type",
        "content-length",
        "date",
        "connection",
        "cache-control",
        "etag",
        "allow",
        "www-authenticate",
        "transfer-encoding",
    ];
    let mut lines: Vec<_> =
        head.lines().skip(1).filter(|line| !varying.iter().any(|name| line.starts_with(name))).collect();
    lines.sort_unstable();
    lines.iter().fold(String::new(), |mut text, line| {
        let _ = writeln!(text, "{line}");
        text
    })
}

#[tokio::test]
async fn what_the_framework_refuses_has_the_one_shape_too() {
    let api = Api::start().await;
    let of = |line: &str| {
        format!(
            "{line} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nAuthorization: Bearer {TOKEN}\r\n",
            api.host()
        )
    };
    for (request, status, code) in [
        (format!("{}\r\n", of("GET /api/v1/backends/%ff")), 400, "bad_request"),
        (format!("{}\r\n", of("GET /api/v1/notices?all=maybe")), 400, "bad_request"),
        (format!("{}\r\n", of("DELETE /api/v1/snapshot")), 405, "bad_method"),
        (format!("{}\r\n", of("GET /api/v1/nothing")), 404, "not_found"),
        (
            format!(
                "{}Content-Type: application/json\r\nContent-Length: 9999999\r\n\r\n",
                of("POST /api/v1/backends")
            ),
            413,
            "too_large",
        ),
    ] {
        let answer = api.raw(&request).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{request}\n{}", answer.body);
    }
    let refused = api.raw(&format!("{}\r\n", of("DELETE /api/v1/snapshot"))).await;
    assert!(refused.head.contains("allow: get"), "{}", refused.head);
}
