//! What a person is told of a TLS handshake that failed: which of the reasons it was, and what to do about that one.

use rustls::{CertificateError, Error, pki_types::UnixTime};

/// The end of what the verifier of a pinned certificate says.
pub(super) const NOT_PINNED: &str = "not the pinned one";

/// What happened, and the remedy where it is narrower than the catalogue's.
pub(super) fn told(error: &Error) -> (String, Option<String>) {
    let (what, fix) = match error {
        Error::InvalidCertificate(why) => match certificate(why) {
            Some(told) => told,
            None => return (error.to_string(), None),
        },
        // A plain http server answers the hello with a line of text.
        Error::InvalidMessage(_) => (
            "the port answers, but not in TLS".to_owned(),
            "Write http:// in `url` if the server has no TLS; else correct the port.".to_owned(),
        ),
        Error::General(text) if text.ends_with(NOT_PINNED) => (
            text.clone(),
            "If the server's certificate was renewed, set `tls: (pin: …)` to its SHA-256; else find out who answers there."
                .to_owned(),
        ),
        other => return (other.to_string(), None),
    };
    (what, Some(fix))
}

fn certificate(why: &CertificateError) -> Option<(String, String)> {
    let told = match why {
        CertificateError::ExpiredContext { not_after, .. } => (
            format!("the certificate expired {}", day(*not_after)),
            "Renew the server's certificate; if it should still be valid, set this machine's clock.".to_owned(),
        ),
        CertificateError::NotValidYetContext { not_before, .. } => (
            format!("the certificate is not valid before {}", day(*not_before)),
            "Set this machine's clock if it is behind; else make the server's certificate anew.".to_owned(),
        ),
        CertificateError::UnknownIssuer => (
            "the certificate is self-signed, or of an authority that this machine does not know".to_owned(),
            "Name the authority's certificate in `tls: (ca: \"FILE\")`, or pin a self-signed one with `tls: (pin: \"SHA-256\")`."
                .to_owned(),
        ),
        CertificateError::NotValidForNameContext { expected, presented } => {
            let names = presented.iter().map(|name| plain(name)).collect::<Vec<_>>().join(", ");
            let names = if names.is_empty() { "no name at all".to_owned() } else { names };
            let expected = expected.to_str();
            (
                format!("the certificate is for {names}, not for {expected}"),
                format!("Write a name in `url` that the certificate is for, or renew it for {expected}."),
            )
        }
        // The verifier's own type is no part of its public names; `openssl req -x509` makes such a one.
        other if other.to_string().contains("CaUsedAsEndEntity") => (
            "the server shows an authority's own certificate, as a self-signed one of openssl is".to_owned(),
            "Pin it with `tls: (pin: \"SHA-256\")`, or make one with `basicConstraints=CA:FALSE`.".to_owned(),
        ),
        _ => return None,
    };
    Some(told)
}

/// `DnsName("box.lan")` or `IpAddress(10.0.0.1)`, without what stands around it.
fn plain(name: &str) -> &str {
    let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(name);
    inner.trim_matches('"')
}

fn day(at: UnixTime) -> String {
    let at = i64::try_from(at.as_secs()).ok().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    at.map_or("at an unreadable date".to_owned(), |at| at.strftime("%Y-%m-%d").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_the_certificate_is_told_without_its_wrapping() {
        for (given, shown) in
            [("DnsName(\"box.lan\")", "box.lan"), ("IpAddress(10.0.0.1)", "10.0.0.1"), ("box", "box")]
        {
            assert_eq!(plain(given), shown);
        }
    }

    #[test]
    fn what_is_not_known_keeps_the_librarys_words_and_the_catalogues_remedy() {
        let (what, fix) = told(&Error::HandshakeNotComplete);
        assert!(!what.is_empty());
        assert_eq!(fix, None);
    }
}
