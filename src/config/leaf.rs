//! Values of one field, read and typed.

use url::Url;

/// Reads the address of a proxy.
pub(crate) fn proxy_url(text: &str) -> Result<Url, String> {
    let text = text.trim();
    let url = if text.contains("://") { Url::parse(text) } else { Url::parse(&format!("http://{text}")) };
    match url {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.host().is_some() => Ok(url),
        _ => Err("is no address of an http proxy".to_owned()),
    }
}
