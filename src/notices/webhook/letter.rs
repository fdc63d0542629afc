//! One notice on its way to the webhook.

use std::time::Duration;

use http::{HeaderMap, header};
use secrecy::ExposeSecret;

use crate::{
    config::{WebhookConfig, danger, hook_url},
    model::{Code, Event, Fault},
    net::http::client,
};

/// All that one attempt may take.
const LIMIT: Duration = Duration::from_secs(10);
const CONNECT: Duration = Duration::from_secs(5);

/// Sends one event. What it is sent to and with is read anew each time, so a rotated key needs no restart.
///
/// # Errors
/// [`Code::BadConfig`] where the settings forbid it, the network's faults, and the status of an answer that is not a
/// success. No message repeats the address beyond host and port: it may be a secret.
pub(super) async fn send(webhook: &WebhookConfig, event: &Event) -> Result<(), Fault> {
    let (url, headers) = resolve(webhook)?;
    let place =
        format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(0));
    let body = serde_json::to_vec(event)
        .map_err(|e| Fault::new(Code::Internal, format!("a notice cannot be written as JSON: {e}")))?;
    let request = client(CONNECT)?
        .post(url)
        .header(header::CONTENT_TYPE, "application/json")
        .headers(headers)
        .body(body);
    let answer = match tokio::time::timeout(LIMIT, request.send()).await {
        Err(_) => {
            return Err(Fault::new(
                Code::RequestTimeout,
                format!("the webhook {place} gave no answer in {LIMIT:?}"),
            ));
        }
        Ok(Err(error)) => {
            let fault = crate::net::blame::request(&error);
            return Err(Fault::new(fault.code(), format!("the webhook {}", fault.message())));
        }
        Ok(Ok(answer)) => answer,
    };
    let status = answer.status();
    let code = match status.as_u16() {
        200..=299 => return Ok(()),
        300..=399 => Code::WrongProgram,
        401 | 403 => Code::AuthWrong,
        408 | 429 => Code::RateLimited,
        400..=499 => Code::BadRequest,
        _ => Code::BackendError,
    };
    let why = if status.is_redirection() { ", which is not followed" } else { "" };
    Err(Fault::new(code, format!("the webhook {place} answered {status}{why}")))
}

fn resolve(webhook: &WebhookConfig) -> Result<(url::Url, HeaderMap), Fault> {
    let bad = |message: String, fix: &str| Fault::new(Code::BadConfig, message).with_fix(fix);
    let env = |name: &str| std::env::var(name).ok();
    let text = webhook.url.resolve(&env).map_err(|why| {
        bad(
            format!("`notices.webhook.url`: {why}"),
            "Correct the reference in `notices: (webhook: (url: …))`.",
        )
    })?;
    let url = hook_url(text.expose_secret())
        .map_err(|why| bad(format!("`notices.webhook.url` {why}"), "Write an http or https address."))?;
    if let Some(message) = danger::withheld(webhook, &url) {
        return Err(bad(message, danger::TRUST_IT));
    }
    if let Some((_, message, fix)) = danger::clear_webhook(webhook, &url) {
        return Err(bad(message, fix));
    }
    let mut headers = HeaderMap::new();
    for (name, value) in &webhook.headers {
        let unread = |why: String| {
            bad(
                format!("`notices.webhook.headers.{name}`: {why}"),
                "Correct the reference in `notices: (webhook: (headers: …))`.",
            )
        };
        let value = value.resolve(&env).map_err(unread)?;
        let mut value = http::HeaderValue::from_str(value.expose_secret())
            .map_err(|_| unread("it has letters that no header has".to_owned()))?;
        value.set_sensitive(true);
        headers.insert(name.clone(), value);
    }
    Ok((url, headers))
}
