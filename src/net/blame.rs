//! Which cause an error of the network has: from the libraries' errors to our codes.

use std::{error::Error, io};

use crate::model::{Code, Fault};

/// The fault behind a failed HTTP request. The URL is named without its query.
pub fn request(error: &reqwest::Error) -> Fault {
    let place = error.url().map(place_of).unwrap_or_default();
    let (code, what) = if error.is_timeout() {
        let code = if error.is_connect() { Code::ConnectTimeout } else { Code::RequestTimeout };
        (code, "no answer in time".to_owned())
    } else {
        cause_of(error).unwrap_or_else(|| {
            let code = if error.is_connect() { Code::NoRoute } else { Code::ConnectionReset };
            (code, innermost(error))
        })
    };
    Fault::new(code, at(&place, &what))
}

/// The fault behind an I/O error at an address.
pub fn io(error: &io::Error, place: &str) -> Fault {
    let (code, what) = of_io(error);
    Fault::new(code, at(place, &what))
}

/// What happened, and where, as far as that is known: an error in the middle of a body names no address.
fn at(place: &str, what: &str) -> String {
    if place.is_empty() { what.to_owned() } else { format!("{place}: {what}") }
}

/// The cause behind any error whose chain of sources ends in the network.
pub fn cause_of(error: &(dyn Error + 'static)) -> Option<(Code, String)> {
    let mut next = Some(error);
    let mut found = None;
    while let Some(error) = next {
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return Some((Code::Tls, tls.to_string()));
        }
        if let Some(io) = error.downcast_ref::<io::Error>() {
            found = Some(of_io(io));
        }
        // hyper-util names a failed look-up in its text only.
        if error.to_string().contains("dns error") {
            return Some((Code::Dns, "the name does not resolve".to_owned()));
        }
        next = below(error);
    }
    found
}

/// What an error is made of. An `io::Error` hides what it wraps from `source()`, and rustls arrives inside two of them.
fn below<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}

fn of_io(error: &io::Error) -> (Code, String) {
    use io::ErrorKind as Kind;
    match error.kind() {
        Kind::ConnectionRefused => {
            (Code::ConnectionRefused, "nothing is listening (connection refused)".to_owned())
        }
        Kind::ConnectionReset | Kind::ConnectionAborted | Kind::BrokenPipe | Kind::UnexpectedEof => {
            (Code::ConnectionReset, "the connection was cut".to_owned())
        }
        Kind::TimedOut => (Code::ConnectTimeout, "no answer in time".to_owned()),
        Kind::HostUnreachable | Kind::NetworkUnreachable | Kind::AddrNotAvailable => {
            (Code::NoRoute, format!("no route ({error})"))
        }
        _ if error.to_string().contains("failed to lookup address") => {
            (Code::Dns, "the name does not resolve".to_owned())
        }
        _ => (Code::ConnectionReset, error.to_string()),
    }
}

fn place_of(url: &url::Url) -> String {
    format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(0))
}

fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut last = error;
    while let Some(next) = below(last) {
        last = next;
    }
    last.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tls_error_is_found_however_deep_it_is_wrapped() {
        let tls = || rustls::Error::General("bad certificate".to_owned());
        let once = io::Error::new(io::ErrorKind::InvalidData, tls());
        let twice = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, tls()));
        for error in [once, twice] {
            assert_eq!(cause_of(&error).map(|(code, _)| code), Some(Code::Tls), "{error:?}");
        }
    }

    #[test]
    fn the_deepest_error_of_the_network_is_the_cause() {
        let refused = io::Error::other(io::Error::from(io::ErrorKind::ConnectionRefused));
        assert_eq!(cause_of(&refused).map(|(code, _)| code), Some(Code::ConnectionRefused));
    }
}
