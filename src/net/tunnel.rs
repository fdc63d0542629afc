//! A TCP stream through an http proxy (`CONNECT`, RFC 9110 section 9.3.6), for what reqwest does not carry: ComfyUI's
//! WebSocket. For `ws` as for `wss`, since a proxy that forwards a plain upgrade is rare.

use base64::{Engine, prelude::BASE64_STANDARD};
use percent_encoding::percent_decode_str;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use url::Url;

use crate::{
    model::{Code, Fault},
    net::{Address, blame},
};

/// Longest head of a proxy's answer, in bytes.
const HEAD_CAP: usize = 16 * 1024;

/// What became of asking a proxy.
#[derive(Debug)]
pub(crate) enum Tunnel {
    /// What is written now reaches the server.
    Open(TcpStream),
    /// The proxy answers, and does not connect us: plain requests may still go through it.
    Refused(Fault),
}

/// Asks a proxy for a stream to an address. The name is looked up by the proxy. The deadline is the caller's.
///
/// # Cancel safety
/// Dropping the future closes the connection.
///
/// # Errors
/// The proxy cannot be reached, or ends the connection.
pub(crate) async fn through(proxy: &Url, to: &Address) -> Result<Tunnel, Fault> {
    let place = place_of(proxy);
    if proxy.scheme() != "http" {
        let what = format!("{place}: a WebSocket goes through an http proxy only, not through an https one");
        return Ok(Tunnel::Refused(Fault::new(Code::ProxyInTheWay, what)));
    }
    let failed = |e: std::io::Error| blame::io(&e, &place);
    let host = proxy.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = proxy.port_or_known_default().unwrap_or(80);
    let mut tcp = TcpStream::connect((host, port)).await.map_err(failed)?;
    tcp.write_all(request(proxy, to).as_bytes()).await.map_err(failed)?;
    let mut head = Vec::new();
    loop {
        if tcp.read_buf(&mut head).await.map_err(failed)? == 0 {
            let what = format!("{place}: the proxy ended the connection in its answer to CONNECT");
            return Err(Fault::new(Code::ConnectionClosed, what));
        }
        match judge(&head) {
            Verdict::Unended => {}
            Verdict::Open => return Ok(Tunnel::Open(tcp)),
            Verdict::Refused(why) => return Ok(Tunnel::Refused(refusal(&place, to, why))),
        }
    }
}

/// What a proxy's answer says, as far as it came.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Unended,
    Open,
    Refused(Why),
}

#[derive(Debug, PartialEq, Eq)]
enum Why {
    Status(u16),
    NoHttp,
    TooLong,
    /// Neither TLS nor HTTP lets the server speak first, so what came is not from it.
    Surplus,
}

fn judge(head: &[u8]) -> Verdict {
    const END: &[u8] = b"\r\n\r\n";
    let Some(end) = head.windows(END.len()).position(|part| part == END) else {
        return if head.len() > HEAD_CAP { Verdict::Refused(Why::TooLong) } else { Verdict::Unended };
    };
    match status(head) {
        None => Verdict::Refused(Why::NoHttp),
        Some(200..=299) if head.len() > end + END.len() => Verdict::Refused(Why::Surplus),
        Some(200..=299) => Verdict::Open,
        Some(status) => Verdict::Refused(Why::Status(status)),
    }
}

/// The status of `HTTP/1.1 200 …`.
fn status(head: &[u8]) -> Option<u16> {
    let rest = head.strip_prefix(b"HTTP/1.1 ").or_else(|| head.strip_prefix(b"HTTP/1.0 "))?;
    let (digits, after) = rest.split_at_checked(3)?;
    let fits = digits.iter().all(u8::is_ascii_digit) && matches!(after.first(), Some(b' ' | b'\r'));
    std::str::from_utf8(digits).ok().filter(|_| fits)?.parse().ok()
}

fn request(proxy: &Url, to: &Address) -> String {
    let to = to.authority();
    let agent = concat!("backline/", env!("CARGO_PKG_VERSION"));
    let mut text = format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\nUser-Agent: {agent}\r\n");
    if !proxy.username().is_empty() || proxy.password().is_some() {
        let mut pair: Vec<u8> = percent_decode_str(proxy.username()).collect();
        pair.push(b':');
        pair.extend(percent_decode_str(proxy.password().unwrap_or_default()));
        text.push_str(&format!("Proxy-Authorization: Basic {}\r\n", BASE64_STANDARD.encode(pair)));
    }
    text.push_str("\r\n");
    text
}

fn refusal(place: &str, to: &Address, why: Why) -> Fault {
    let what = match why {
        Why::Status(407) => {
            let what = format!("{place}: the proxy wants a user and a password");
            return Fault::new(Code::ProxyInTheWay, what).with_fix(
                "Write them into `proxy` (http://user:password@host:port), best by a variable: `env:NAME`.",
            );
        }
        Why::Status(status) => format!("the proxy does not connect to {} ({status})", to.authority()),
        Why::NoHttp => "the proxy's answer to CONNECT is no HTTP".to_owned(),
        Why::TooLong => format!("the head of the proxy's answer is longer than {HEAD_CAP} bytes"),
        Why::Surplus => "the proxy speaks before the server may".to_owned(),
    };
    Fault::new(Code::ProxyInTheWay, format!("{place}: {what}"))
}

/// Without its user and password.
fn place_of(proxy: &Url) -> String {
    let port = proxy.port_or_known_default().unwrap_or(80);
    format!("{}:{port}", proxy.host_str().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_judged_once_its_head_is_whole() {
        let whole = b"HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n";
        for cut in 0..whole.len() {
            assert_eq!(judge(&whole[..cut]), Verdict::Unended, "{cut}");
        }
        assert_eq!(judge(whole), Verdict::Open);
        assert_eq!(judge(b"HTTP/1.0 200\r\n\r\n"), Verdict::Open);
        assert_eq!(judge(b"HTTP/1.1 407 Who\r\n\r\n<html>"), Verdict::Refused(Why::Status(407)));
        assert_eq!(judge(b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 101 "), Verdict::Refused(Why::Surplus));
        for none in ["SSH-2.0-x\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 2\r\n\r\n", "\r\n\r\n"] {
            assert_eq!(judge(none.as_bytes()), Verdict::Refused(Why::NoHttp), "{none:?}");
        }
        assert_eq!(judge(&vec![b'x'; HEAD_CAP]), Verdict::Unended);
        assert_eq!(judge(&vec![b'x'; HEAD_CAP + 1]), Verdict::Refused(Why::TooLong));
    }

    #[test]
    fn a_log_in_is_decoded_sent_and_never_shown() {
        let proxy = Url::parse("http://us%40er:p%3Aw%20d@proxy.example:3128").unwrap();
        let to = Address::parse("http://[2001:db8::1]:8188/base").unwrap();
        let text = request(&proxy, &to);
        assert!(
            text.starts_with("CONNECT [2001:db8::1]:8188 HTTP/1.1\r\nHost: [2001:db8::1]:8188\r\n"),
            "{text}"
        );
        let pair = BASE64_STANDARD.encode("us@er:p:w d");
        assert!(text.ends_with(&format!("Proxy-Authorization: Basic {pair}\r\n\r\n")), "{text}");
        assert_eq!(place_of(&proxy), "proxy.example:3128");
        let plain = request(&Url::parse("http://p:1").unwrap(), &to);
        assert!(!plain.contains("Authorization"), "{plain}");
    }
}
