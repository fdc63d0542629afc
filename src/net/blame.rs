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
    Fault::new(code, format!("{place}: {what}"))
}

/// The fault behind an I/O error at an address.
pub fn io(error: &io::Error, place: &str) -> Fault {
    let (code, what) = of_io(error);
    Fault::new(code, format!("{place}: {what}"))
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
            // rustls arrives inside an io::Error, which hides it from source().
            if let Some(tls) = io.get_ref().and_then(|e| e.downcast_ref::<rustls::Error>()) {
                return Some((Code::Tls, tls.to_string()));
            }
        }
        // hyper-util names a failed look-up in its text only.
        if error.to_string().contains("dns error") {
            return Some((Code::Dns, "the name does not resolve".to_owned()));
        }
        next = error.source();
    }
    found
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
    while let Some(next) = last.source() {
        last = next;
    }
    last.to_string()
}
