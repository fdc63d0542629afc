//! The tokens of the API: the user's, the configuration's, or a new one.

use std::net::SocketAddr;

use secrecy::ExposeSecret;

use super::super::outcome::Stop;
use crate::{
    config::{Config, Secret},
    http::Token,
};

/// The token that may do everything. Off loopback only one that somebody chose.
pub(super) fn token(config: &Config, address: SocketAddr) -> Result<Token, Stop> {
    let chosen = match (std::env::var("BACKLINE_TOKEN"), &config.http.token) {
        (Ok(text), _) => Some(("BACKLINE_TOKEN", text)),
        (Err(_), Some(secret)) => Some(("http.token", resolved("http.token", secret)?)),
        (Err(_), None) => None,
    };
    match chosen {
        Some((place, text)) => fixed(place, &text),
        None if address.ip().is_loopback() => Ok(Token::random()),
        None => Err(Stop::usage(
            format!("{address} is not this machine alone, and no token is set"),
            "Set BACKLINE_TOKEN, or listen on 127.0.0.1.",
        )),
    }
}

/// The token that may only look, where one is configured.
pub(super) fn reader(config: &Config) -> Result<Option<Token>, Stop> {
    let Some(secret) = &config.http.reader else { return Ok(None) };
    fixed("http.reader", &resolved("http.reader", secret)?).map(Some)
}

fn resolved(place: &str, secret: &Secret) -> Result<String, Stop> {
    let text = secret.resolve(&|name| std::env::var(name).ok());
    let text =
        text.map_err(|e| Stop::usage(format!("`{place}`: {e}"), "Correct the reference, or leave it out."))?;
    Ok(text.expose_secret().to_owned())
}

fn fixed(place: &str, text: &str) -> Result<Token, Stop> {
    Token::fixed(text).ok_or_else(|| {
        Stop::usage(
            format!("`{place}` is too weak"),
            "Choose at least 16 letters and digits, without spaces.",
        )
    })
}
