//! HTTP/1.1 by hand, so that the framing and the end of an answer are seen.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Longest silence: the slowest scene waits four seconds for a time-out of the server's.
const SILENCE: Duration = Duration::from_secs(30);

/// What came back.
pub struct Reply {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
    pub end: End,
}

/// How the body ended.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// With all its bytes, or its last chunk.
    Whole,
    /// Before that.
    Cut,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// Sends one request on a connection of its own and reads to the end.
pub async fn ask(address: &str, line: &str, headers: &[(&str, &str)], body: &str) -> Reply {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut request = format!("{line} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    let typed = headers.iter().any(|(name, _)| *name == "Content-Type");
    if line.starts_with("POST") && typed {
        request.push_str(&format!("Content-Length: {}\r\n", body.len()));
    } else if line.starts_with("POST") {
        request.push_str(&format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len()));
    }
    request.push_str("\r\n");
    request.push_str(body);
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    loop {
        let read = tokio::time::timeout(SILENCE, stream.read_buf(&mut bytes)).await;
        match read.unwrap_or_else(|_| panic!("{line}: silent for {SILENCE:?}")) {
            Ok(n) if n > 0 => {}
            // A reset ends it as well; whether all came is told by the framing.
            _ => break,
        }
    }
    parse(&bytes, line)
}

fn parse(bytes: &[u8], line: &str) -> Reply {
    let split = bytes.windows(4).position(|w| w == b"\r\n\r\n").unwrap_or_else(|| panic!("{line}: no head"));
    let head = std::str::from_utf8(&bytes[..split]).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers: Vec<(String, String)> = lines
        .map(|l| l.split_once(": ").unwrap_or((l, "")))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let mut reply = Reply { status, headers, body: String::new(), end: End::Whole };
    let rest = &bytes[split + 4..];
    let (body, end) = if reply.header("transfer-encoding") == Some("chunked") {
        dechunked(rest)
    } else {
        let length: usize = reply.header("content-length").unwrap_or("0").parse().unwrap();
        (rest.to_vec(), if rest.len() == length { End::Whole } else { End::Cut })
    };
    reply.body = String::from_utf8(body).unwrap();
    reply.end = end;
    reply
}

fn dechunked(mut rest: &[u8]) -> (Vec<u8>, End) {
    let mut body = Vec::new();
    loop {
        let Some(line) = rest.windows(2).position(|w| w == b"\r\n") else { return (body, End::Cut) };
        let length = usize::from_str_radix(std::str::from_utf8(&rest[..line]).unwrap(), 16).unwrap();
        rest = &rest[line + 2..];
        if length == 0 {
            return (body, End::Whole);
        }
        if rest.len() < length + 2 {
            body.extend_from_slice(&rest[..rest.len().min(length)]);
            return (body, End::Cut);
        }
        body.extend_from_slice(&rest[..length]);
        rest = &rest[length + 2..];
    }
}
