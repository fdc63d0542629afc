//! Which cause an error of the network has: from the libraries' errors to our codes.

use std::{error::Error, io};

use crate::{
    model::{Code, Fault},
    net::certificate,
};

/// What an error of the network is, as far as its chain says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// Its name.
    pub code: Code,
    /// What happened, without where.
    pub what: String,
    /// What to do, where that is narrower than the catalogue's remedy.
    pub fix: Option<String>,
}

impl Cause {
    /// One whose remedy is the catalogue's.
    pub fn new(code: Code, what: impl Into<String>) -> Self {
        Self { code, what: what.into(), fix: None }
    }

    /// The fault at a place; an error in the middle of a body names none.
    pub fn at(self, place: &str) -> Fault {
        let what = if place.is_empty() { self.what } else { format!("{place}: {}", self.what) };
        let fault = Fault::new(self.code, what);
        match self.fix {
            Some(fix) => fault.with_fix(fix),
            None => fault,
        }
    }
}

/// The fault behind a failed HTTP request. The URL is named without its query.
pub fn request(error: &reqwest::Error) -> Fault {
    let place = error.url().map(place_of).unwrap_or_default();
    let cause = if error.is_timeout() {
        let code = if error.is_connect() { Code::ConnectTimeout } else { Code::RequestTimeout };
        Cause::new(code, "no answer in time")
    } else {
        cause_of(error).unwrap_or_else(|| {
            let code = if error.is_connect() { Code::NoRoute } else { Code::ConnectionReset };
            Cause::new(code, innermost(error))
        })
    };
    cause.at(&place)
}

/// The fault behind an I/O error at an address.
pub fn io(error: &io::Error, place: &str) -> Fault {
    of_io(error).at(place)
}

/// The cause behind any error whose chain of sources ends in the network.
pub fn cause_of(error: &(dyn Error + 'static)) -> Option<Cause> {
    let mut next = Some(error);
    let mut found = None;
    while let Some(error) = next {
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            let (what, fix) = certificate::told(tls);
            return Some(Cause { code: Code::Tls, what, fix });
        }
        if let Some(io) = error.downcast_ref::<io::Error>() {
            found = Some(of_io(io));
        }
        // hyper-util names a failed look-up in its text only.
        if error.to_string().contains("dns error") {
            return Some(Cause::new(Code::Dns, "the name does not resolve"));
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

fn of_io(error: &io::Error) -> Cause {
    use io::ErrorKind as Kind;
    match error.kind() {
        Kind::ConnectionRefused => {
            Cause::new(Code::ConnectionRefused, "nothing is listening (connection refused)")
        }
        Kind::ConnectionReset | Kind::ConnectionAborted | Kind::BrokenPipe | Kind::UnexpectedEof => {
            Cause::new(Code::ConnectionReset, "the connection was cut")
        }
        Kind::TimedOut => Cause::new(Code::ConnectTimeout, "no answer in time"),
        Kind::HostUnreachable | Kind::NetworkUnreachable | Kind::AddrNotAvailable => {
            Cause::new(Code::NoRoute, format!("no route ({error})"))
        }
        _ if error.to_string().contains("failed to lookup address") => {
            Cause::new(Code::Dns, "the name does not resolve")
        }
        _ => Cause::new(Code::ConnectionReset, error.to_string()),
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
            assert_eq!(cause_of(&error).map(|cause| cause.code), Some(Code::Tls), "{error:?}");
        }
    }

    #[test]
    fn the_deepest_error_of_the_network_is_the_cause() {
        let refused = io::Error::other(io::Error::from(io::ErrorKind::ConnectionRefused));
        assert_eq!(cause_of(&refused).map(|cause| cause.code), Some(Code::ConnectionRefused));
    }
}
