//! Files of a finished call, by `file=`.

use futures_util::{StreamExt, stream};
use http::{Method, StatusCode, header};

use crate::{
    backends::{
        Download, RemoteFile,
        gradio::{refusal::Refusal, session::Session},
    },
    model::{Code, Fault},
    net::pieces,
};

/// Opens a file for reading, from byte `from` on. Where the app cannot resume (4.44.1 with the Starlette of its time
/// ignores an open range) it begins anew, and the download says so.
pub(super) async fn fetch(session: &Session, file: RemoteFile, from: u64) -> Result<Download, Fault> {
    let path = session.path(&format!("file={}", escape(&file.locator)?));
    let mut request = session.admit(session.http().keyed(Method::GET, &path));
    if from > 0 {
        request = request.header(header::RANGE, format!("bytes={from}-"));
    }
    let flight = session.fly();
    let answer = session.bounded(session.limit(), session.http().send(request, session.limit())).await?;
    let (offset, total) = match answer.status() {
        StatusCode::OK => (0, answer.content_length()),
        StatusCode::PARTIAL_CONTENT => {
            let (first, total) = range_of(&answer).unwrap_or((from, None));
            (first, total)
        }
        // All of it is here already.
        StatusCode::RANGE_NOT_SATISFIABLE => {
            return Ok(Download { total: Some(from), offset: from, bytes: stream::empty().boxed() });
        }
        // A file that is gone is 404 in 4.44.1 and 403, as one that is not handed out, in 5.29.0 and 6.31.0.
        StatusCode::NOT_FOUND | StatusCode::FORBIDDEN => {
            let message = format!("the app does not hand out the file `{}`", file.name);
            return Err(Fault::new(Code::NotFound, message));
        }
        _ => return Err(Refusal::of(answer).await.fault),
    };
    let idle = session.target().timeouts.idle_stream;
    let bytes = pieces::pieces(answer, flight, idle, "a file of the app");
    Ok(Download { total, offset, bytes })
}

/// The first byte and the whole size in `bytes 5-9/10`.
fn range_of(answer: &reqwest::Response) -> Option<(u64, Option<u64>)> {
    let range = answer.headers().get(header::CONTENT_RANGE)?.to_str().ok()?;
    let (span, total) = range.trim().strip_prefix("bytes")?.trim().rsplit_once('/')?;
    let (first, _) = span.split_once('-')?;
    Some((first.trim().parse().ok()?, total.parse().ok()))
}

/// A path of the app's machine as part of a URL: everything is escaped but slashes and plain letters. One that climbs
/// would name another route of the app, with our cookies on it.
fn escape(path: &str) -> Result<String, Fault> {
    if path.split(['/', '\\']).any(|part| part == "..") {
        return Err(Fault::new(Code::Protocol, "the app names a file by a path that climbs"));
    }
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(char::from(byte))
            }
            _ => {
                use std::fmt::Write;
                write!(out, "%{byte:02X}").expect("a String takes all");
            }
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_any_system_becomes_one_part_of_a_url() {
        let escaped = escape("/tmp/gradio/a b?#%é.png").unwrap();
        assert_eq!(escaped, "/tmp/gradio/a%20b%3F%23%25%C3%A9.png");
        assert_eq!(escape("C:\\Temp\\x.png").unwrap(), "C%3A%5CTemp%5Cx.png");
        let address = crate::net::Address::parse("http://h:1/base").unwrap();
        let url = address.url(&format!("/gradio_api/file={escaped}"));
        assert_eq!(url.path(), "/base/gradio_api/file=/tmp/gradio/a%20b%3F%23%25%C3%A9.png");
        assert!(url.query().is_none() && url.fragment().is_none());
    }

    #[test]
    fn a_path_that_climbs_is_refused() {
        for path in ["/tmp/../../queue/status", "..", "C:\\a\\..\\b"] {
            assert!(escape(path).is_err(), "{path}");
        }
        assert!(escape("/tmp/a..b/x").is_ok());
    }
}
