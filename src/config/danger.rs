//! Which settings would give a key away. A promise of the product, so one rule for files, for code and for dialling.

use secrecy::ExposeSecret;

use crate::{
    config::{BackendConfig, Secret, Trust, WebhookConfig, leaf::hook_url},
    net::is_loopback,
};

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

/// The same for the webhook of the notices, as far as its address is written out; where it is a reference, whoever
/// sends asks [`clear_webhook`].
pub(crate) fn of_webhook(webhook: &WebhookConfig) -> Option<(String, String, &'static str)> {
    let Secret::Inline(text) = &webhook.url else { return None };
    clear_webhook(webhook, &hook_url(text.expose_secret()).ok()?)
}

/// The header that would cross a network in the clear on its way to this address.
pub(crate) fn clear_webhook(
    webhook: &WebhookConfig,
    url: &url::Url,
) -> Option<(String, String, &'static str)> {
    let (field, _) = webhook.secrets().next().filter(|_| !is_loopback(url) && url.scheme() == "http")?;
    let message = format!("`{field}` would cross the network in the clear, over plain http");
    Some((field, message, "Use https, or take the header out."))
}

/// Why the webhook of a file that nobody named is not used, where its address is written out.
pub(crate) fn untrusted_webhook(webhook: &WebhookConfig) -> Option<String> {
    let Secret::Inline(text) = &webhook.url else { return None };
    withheld(webhook, &hook_url(text.expose_secret()).ok()?)
}

/// The same for the address that a reference led to.
pub(crate) fn withheld(webhook: &WebhookConfig, url: &url::Url) -> Option<String> {
    let Trust::LoopbackOnly { file } = &webhook.trust else { return None };
    let message = || {
        format!(
            "notices stay on this machine, since nobody named {}, where the address comes from",
            file.display()
        )
    };
    (!is_loopback(url)).then(message)
}
