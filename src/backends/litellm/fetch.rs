//! The pictures of a finished request: out of our stash, or from where the server says that they are.

use futures_util::{StreamExt, stream};
use http::{Method, StatusCode};
use url::{Host, Url};

use crate::{
    backends::{
        Download, RemoteFile,
        litellm::{image::Place, stash::Stash, wire::Wire},
    },
    model::{Code, Fault},
    net::{Address, Http, address::AddressError, http::HttpSettings, pieces},
};

/// Opens a picture for reading, from byte `from` on.
pub(super) async fn fetch(
    wire: &Wire,
    stash: &Stash,
    file: RemoteFile,
    from: u64,
) -> Result<Download, Fault> {
    let place = serde_json::from_str(&file.locator).map_err(|_| {
        Fault::new(Code::NotFound, format!("{} has no file `{}`", wire.target.kind.title(), file.name))
    })?;
    match place {
        Place::Stash(name) => kept(stash, name, from),
        Place::Url(url) => away(wire, &url).await,
    }
}

fn kept(stash: &Stash, name: String, from: u64) -> Result<Download, Fault> {
    let Some(bytes) = stash.get(&name) else {
        let message =
            "the picture came in an answer to a process that has ended since, or was let go for newer ones";
        return Err(Fault::new(Code::NotFound, message));
    };
    let total = bytes.len() as u64;
    let from = usize::try_from(from.min(total)).unwrap_or(usize::MAX);
    let (rest, stash) = (bytes.slice(from..), stash.clone());
    // It is let go once the reader has come to the end.
    let end = stream::once(async move { stash.drop(&name) }).filter_map(async |()| None);
    let bytes = stream::iter([Ok(rest)]).chain(end).boxed();
    Ok(Download { total: Some(total), offset: from as u64, bytes })
}

async fn away(wire: &Wire, text: &str) -> Result<Download, Fault> {
    let url = allowed(&wire.http, text)?;
    let flight = wire.tie.fly();
    let limit = wire.target.timeouts.request;
    // Never with the key: who holds the picture is not the server that has our trust.
    let http = match wire.http.address().is_origin_of(&url) {
        true => wire.http.clone(),
        false => outside(wire, &url)?,
    };
    let request = http.request_url(Method::GET, url);
    let answer = wire.tie.bound(http.send(request, limit)).await?;
    match answer.status() {
        StatusCode::OK => {}
        StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::FORBIDDEN => {
            let message = format!("the picture is not handed out ({})", answer.status());
            return Err(Fault::new(Code::NotFound, message));
        }
        status => {
            let code = if status.is_server_error() { Code::BackendError } else { Code::Protocol };
            return Err(Fault::new(code, format!("the picture's address answers {status}")));
        }
    }
    let total = answer.content_length();
    let bytes = pieces::pieces(answer, flight, wire.target.timeouts.idle_stream, "a picture");
    Ok(Download { total, offset: 0, bytes })
}

/// Where a picture may be: at the backend's own host, or out in the world. A server must not make us ask whom it likes
/// on this machine or its network: what has no name, or no certificate for it, is not asked.
fn allowed(http: &Http, text: &str) -> Result<Url, Fault> {
    let refused = |why: &str| {
        let message = format!("the server says that the picture is at an address {why}");
        Err(Fault::new(Code::Protocol, message).with_fix("Ask with `response_format: \"b64_json\"`."))
    };
    let Ok(url) = Url::parse(text) else { return refused("that is none") };
    let own = url.host_str() == http.address().url("").host_str();
    match (url.scheme(), url.host()) {
        ("http" | "https", Some(_)) if own => Ok(url),
        ("https", Some(Host::Domain(name))) if name != "localhost" => Ok(url),
        ("http", _) => refused("without TLS at another host"),
        _ => refused("that is no named host"),
    }
}

/// A client for another origin: without the key, the configured headers and the exceptions from TLS.
fn outside(wire: &Wire, url: &Url) -> Result<Http, Fault> {
    let bad = |e: AddressError| Fault::new(Code::Protocol, format!("the picture's address: {e}"));
    let address = Address::parse(&url.origin().ascii_serialization()).map_err(bad)?;
    let http = &wire.target.http;
    let settings =
        HttpSettings { connect: http.connect, proxy: http.proxy.clone(), ..HttpSettings::default() };
    Http::new(address, &settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_sends_us_to_its_own_host_or_out_into_the_world() {
        let http =
            Http::new(Address::parse("http://127.0.0.1:4000").unwrap(), &HttpSettings::default()).unwrap();
        for yes in ["http://127.0.0.1:4000/a.png", "http://127.0.0.1:9100/a.png", "https://cdn.example/a"] {
            assert!(allowed(&http, yes).is_ok(), "{yes}");
        }
        for no in [
            "http://cdn.example/a.png",
            "http://10.0.0.1/a",
            "https://10.0.0.1/a",
            "https://localhost/a",
            "https://169.254.169.254/latest",
            "https://[::1]/a",
            "https://[::ffff:10.0.0.1]/a",
            "https://100.64.0.1/a",
            "file:///etc/passwd",
            "data:image/png;base64,AA==",
            "a.png",
            "",
        ] {
            let fault = allowed(&http, no).unwrap_err();
            assert_eq!(fault.code(), Code::Protocol, "{no}");
        }
    }
}
