//! The page of a cause: the same words by the command line and by the API, without a token.

use std::process::Command;

use backline::{
    Supervisor,
    config::Config,
    http::{Access, Token, listen},
    model::Code,
    notices::Page,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

async fn get(address: std::net::SocketAddr, path: &str, headers: &str) -> (u16, String, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), head.to_ascii_lowercase(), body.to_owned())
}

#[tokio::test]
async fn every_cause_has_its_page_and_a_misspelt_one_a_suggestion() {
    let supervisor = Supervisor::builder().config(Config::new()).start().await.unwrap();
    let listening = listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let server = listening.serve(supervisor.handle(), Access::token(Token::random()));
    let (status, head, index) = get(server.address, "/help", "").await;
    assert!(status == 200 && head.contains("content-security-policy: default-src 'none'"), "{head}");
    for code in Code::ALL {
        assert!(index.contains(&format!("href=\"help/{code}\"")), "{code}");
        let (status, head, body) = get(server.address, &format!("/help/{code}"), "").await;
        assert_eq!(status, 200, "{code}");
        assert!(head.contains("text/html") && !head.contains("set-cookie"), "{head}");
        let page = Page::of(*code);
        assert!(body.contains(&format!("<h1>{}</h1>", page.title.replace('&', "&amp;"))), "{code}");
        // Nothing that the policy would refuse.
        assert!(!body.contains("<script") && !body.contains("style=") && !body.contains("onclick"), "{code}");
    }
    let (status, _, body) = get(server.address, "/help/conection_refused", "").await;
    assert!(status == 404 && body.contains("connection_refused"), "{body}");
    let hostile = get(server.address, "/help/%3Cscript%3Ealert(1)%3C%2Fscript%3E", "").await;
    assert!(hostile.0 == 404 && !hostile.2.contains("<script"), "{}", hostile.2);
    let (_, _, json) = get(server.address, "/help/dns", "Accept: application/json\r\n").await;
    assert!(json.contains("\"code\":\"dns\"") && json.contains("\"steps\""), "{json}");
    let foreign = get(server.address, "/help/dns", "Origin: http://evil.test\r\n").await;
    assert_eq!(foreign.0, 403);
    let (status, head, _) = get(server.address, "/help.css", "").await;
    assert!(status == 200 && head.contains("text/css"), "{head}");
}

#[test]
fn the_command_line_says_the_same() {
    let explained = Command::new(env!("CARGO_BIN_EXE_backline")).args(["explain", "tls"]).output().unwrap();
    assert_eq!(String::from_utf8(explained.stdout).unwrap(), Page::of(Code::Tls).to_string());
}
