//! The access matrix: method, name, origin, kind of body and token, in every combination.

use crate::api::{Api, READER, TOKEN};

struct Ask {
    method: &'static str,
    path: &'static str,
}

const ASKS: [Ask; 6] = [
    Ask { method: "GET", path: "/api/v1/snapshot" },
    Ask { method: "GET", path: "/api/v1/events" },
    Ask { method: "POST", path: "/api/v1/notices/n1/dismiss" },
    Ask { method: "PUT", path: "/api/v1/config" },
    Ask { method: "PATCH", path: "/api/v1/backends/none" },
    Ask { method: "DELETE", path: "/api/v1/backends/none" },
];

/// Whether somebody is one of ours.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Is {
    Ours,
    Foreign,
}

/// What is to come of a request, by the rules as a person would say them.
fn expected(ask: &Ask, host: Is, from: Is, body: Option<Is>, token: Option<Is>) -> &'static [u16] {
    match (host, from, body, token) {
        (Is::Foreign, ..) => &[421],
        (_, Is::Foreign, ..) => &[403],
        (_, _, Some(Is::Foreign), _) if ask.method != "GET" => &[415],
        (_, _, _, None) => &[401],
        // It may look, and no more.
        (_, _, _, Some(Is::Foreign)) if ask.method != "GET" => &[403],
        _ if ask.method == "GET" => &[200],
        // It was let in; there is no such thing, or it says nothing.
        _ => &[400, 404, 412],
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_combination_that_must_be_refused_is_refused() {
    let api = Api::start().await;
    let own = api.host();
    let hosts = [
        (own.as_str(), Is::Ours),
        ("LOCALHOST:7717", Is::Ours),
        ("[::1]", Is::Ours),
        ("Studio.Example", Is::Ours),
        ("evil.test", Is::Foreign),
        ("", Is::Foreign),
        ("localhost.", Is::Foreign),
        ("127.0.0.1.evil.test", Is::Foreign),
        ("[::ffff:127.0.0.1]:7717", Is::Foreign),
        ("0.0.0.0:7717", Is::Foreign),
    ];
    let froms = [
        ("", Is::Ours),
        ("Origin: http://{host}\r\nSec-Fetch-Site: same-origin\r\n", Is::Ours),
        ("Sec-Fetch-Site: none\r\n", Is::Ours),
        ("Origin: https://{host}\r\n", Is::Ours),
        ("Origin: http://evil.test\r\n", Is::Foreign),
        ("Origin: null\r\n", Is::Foreign),
        // Another port of this machine, as ComfyUI's page: the same site, not the same origin.
        ("Origin: http://127.0.0.1:8188\r\nSec-Fetch-Site: same-site\r\n", Is::Foreign),
        ("Sec-Fetch-Site: cross-site\r\n", Is::Foreign),
        ("Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n", Is::Foreign),
        ("Origin: http://{host}\r\nOrigin: http://evil.test\r\n", Is::Foreign),
        ("Origin: file://\r\n", Is::Foreign),
    ];
    let bodies = [
        ("", None),
        ("Content-Type: application/json; charset=utf-8\r\nContent-Length: 2\r\n", Some(Is::Ours)),
        ("Content-Type: text/plain\r\nContent-Length: 2\r\n", Some(Is::Foreign)),
        ("Content-Length: 2\r\n", Some(Is::Foreign)),
    ];
    let tokens = [
        (format!("Authorization: Bearer {TOKEN}\r\n"), Some(Is::Ours)),
        (format!("authorization: bearer {TOKEN}\r\n"), Some(Is::Ours)),
        (format!("Authorization: Bearer {READER}\r\n"), Some(Is::Foreign)),
        (format!("Authorization: Bearer {TOKEN}x\r\n"), None),
        (format!("Authorization: Basic {TOKEN}\r\n"), None),
        (format!("Cookie: token={TOKEN}\r\n"), None),
        (String::new(), None),
    ];
    let mut asked = 0;
    for ask in &ASKS {
        for (host, is_host) in hosts {
            for (from, is_from) in froms {
                for (body, is_body) in bodies {
                    for (token, is_token) in &tokens {
                        // One foreign thing is enough, and what comes first decides.
                        let many = is_host == Is::Foreign && (!from.is_empty() || !body.is_empty());
                        let late = is_from == Is::Foreign && is_body == Some(Is::Ours);
                        if many || late {
                            continue;
                        }
                        let from = from.replace("{host}", host);
                        let content = if is_body.is_some() { "{}" } else { "" };
                        let request = format!(
                            "{} {} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{from}{body}{token}\r\n{content}",
                            ask.method, ask.path
                        );
                        let wanted = expected(ask, is_host, is_from, is_body, *is_token);
                        let answer = api.raw(&request).await;
                        assert!(
                            wanted.contains(&answer.status),
                            "{request}\n{} {}",
                            answer.head,
                            answer.body
                        );
                        asked += 1;
                    }
                }
            }
        }
    }
    assert!(asked > 3_000, "{asked}");
}

#[tokio::test]
async fn a_name_that_is_said_twice_or_in_the_request_line_is_refused_where_one_is_foreign() {
    let api = Api::start().await;
    let host = api.host();
    let lines = [
        (format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\nHost: evil.test\r\n"), 421),
        (format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\nHost: {host}\r\n"), 421),
        ("GET /healthz HTTP/1.1\r\n".to_owned(), 421),
        (format!("GET http://evil.test/healthz HTTP/1.1\r\nHost: {host}\r\n"), 421),
        (format!("GET http://{host}/healthz HTTP/1.1\r\nHost: evil.test\r\n"), 421),
        (format!("GET http://{host}/healthz HTTP/1.1\r\nHost: {host}\r\n"), 200),
        (format!("GET /healthz HTTP/1.1\r\nHost: user@{host}\r\n"), 421),
        (format!("GET /metrics HTTP/1.1\r\nHost: {host}\r\n"), 200),
        ("GET /metrics HTTP/1.1\r\nHost: evil.test\r\n".to_owned(), 421),
        ("GET / HTTP/1.1\r\nHost: evil.test\r\n".to_owned(), 421),
    ];
    for (lines, status) in lines {
        let answer = api.raw(&format!("{lines}Connection: close\r\n\r\n")).await;
        assert_eq!(answer.status, status, "{lines}");
    }
    // A link from elsewhere opens the page, and nothing else.
    let link = "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nConnection: close\r\n\r\n";
    let page = api.raw(&format!("GET / HTTP/1.1\r\nHost: {host}\r\n{link}")).await;
    assert_eq!(page.status, 200);
    let stolen = api.raw(&format!("GET /api/v1/snapshot HTTP/1.1\r\nHost: {host}\r\n{link}")).await;
    assert_eq!(stolen.status, 403);
}
