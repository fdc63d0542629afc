//! Which settings would give a key away. A promise of the product, so one rule for files, for code and for dialling.

use crate::config::{BackendConfig, Trust};

/// What to do about a file that nobody named.
pub(crate) const TRUST_IT: &str =
    "Look at the file, then run `backline config trust`, or name it with `--config`.";

/// The field, what is wrong, and the remedy, where a key would meet a network in the clear or an unchecked
/// certificate.
pub(crate) fn of(backend: &BackendConfig) -> Option<(String, String, &'static str)> {
    let (field, _) = backend.secrets().next().filter(|_| leaves(backend))?;
    if backend.tls.danger_accept_invalid {
        return Some((
            "tls.danger_accept_invalid".to_owned(),
            format!("`{field}` and `danger_accept_invalid` do not go together off loopback"),
            "Pin the certificate with `tls: (pin: …)`, or name its authority with `tls: (ca: …)`, in its place.",
        ));
    }
    if backend.url.scheme() == "http" && !backend.danger_plain_key {
        let message = format!("`{field}` would cross the network in the clear, over plain http");
        let fix = "Use https, or allow it for this backend with `danger_plain_key: true`.";
        return Some((field, message, fix));
    }
    None
}

/// The field and what is wrong, where a secret would follow the address of a file that nobody named.
pub(crate) fn untrusted(backend: &BackendConfig) -> Option<(String, String)> {
    let Trust::LoopbackOnly { file } = &backend.trust else { return None };
    let (field, _) = backend.secrets().next().filter(|_| leaves(backend))?;
    let message = format!(
        "`{field}` stays on this machine, since nobody named {}, where the address comes from",
        file.display()
    );
    Some((field, message))
}

/// Whether what is sent to a backend leaves this machine. No proxy is asked for an address on it.
fn leaves(backend: &BackendConfig) -> bool {
    !backend.url.is_loopback()
}
