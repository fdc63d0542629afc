//! Which headers may be configured, and which of them are secrets.

use http::HeaderName;

use crate::config::leaf::quoted;

/// Headers that the protocols set themselves. ComfyUI 0.3.64 and 0.24.0 refuse a foreign `Origin` with 403.
const OURS: [&str; 9] = [
    "host",
    "content-length",
    "content-type",
    "connection",
    "upgrade",
    "transfer-encoding",
    "origin",
    "te",
    "expect",
];

/// The name of a header in small letters.
///
/// # Errors
/// Where it is no name, or the protocol's own.
pub(crate) fn name(text: &str) -> Result<String, String> {
    let parsed =
        text.parse::<HeaderName>().map_err(|_| format!("{} is no name of a header", quoted(text)))?;
    let name = parsed.as_str();
    if OURS.contains(&name) || name.starts_with("sec-websocket-") {
        return Err(format!("the header {} is the protocol's own", quoted(name)));
    }
    Ok(name.to_owned())
}

/// Whether a header authenticates, so that its value is a secret even where it is written out.
pub(crate) fn is_secret(name: &HeaderName) -> bool {
    let name = name.as_str();
    ["authorization", "cookie", "token", "secret", "api-key", "apikey"].iter().any(|part| name.contains(part))
}
