//! One value of the configuration, read and typed.

use std::{
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use secrecy::ExposeSecret;
use serde::{Serialize, Serializer};
use url::Url;

use crate::{
    config::{
        Adopt, Secret,
        duration::{parse_duration, show_duration},
        schema::FieldType,
        size::{parse_size, show_size},
        suggest::suggestion,
    },
    discovery::{Host, PortRange},
    model::{BackendId, Capability, Kind},
    net::Address,
};

/// One value, typed by its field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Leaf {
    Flag(bool),
    Count(u64),
    Span(Duration),
    Size(u64),
    Text(String),
    Texts(Vec<String>),
    Url(Address),
    Secret(Secret),
    /// An address that was written out is no secret: see [`hook`].
    Hook(Secret),
    /// Hidden only where it carries a user or a password.
    Proxy(Secret),
    File(PathBuf),
    Socket(SocketAddr),
    Id(BackendId),
    Ids(Vec<BackendId>),
    Kind(Kind),
    Capability(Capability),
    Adopt(Adopt),
    Ports(Vec<PortRange>),
    Hosts(Vec<Host>),
}

/// What is wrong with a value, and what to do; the path and the place are the reader's to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Complaint {
    pub(crate) message: String,
    pub(crate) fix: String,
}

impl Complaint {
    pub(crate) fn new(message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { message: message.into(), fix: fix.into() }
    }

    /// The value has the wrong form.
    pub(crate) fn expected(kind: FieldType, why: impl fmt::Display) -> Self {
        Self::new(why.to_string(), format!("Write {}.", kind.expected()))
    }
}

impl FieldType {
    /// Reads one value of this type from plain text, as it stands in a variable or between the quotes of a file.
    /// Paths are relative to `directory`. A list is separated by commas.
    pub(crate) fn read(self, text: &str, directory: &Path) -> Result<Leaf, Complaint> {
        let shown: String = if self.is_secret() { "the value".to_owned() } else { quoted(text) };
        let wrong = |why: &dyn fmt::Display| Complaint::expected(self, format!("{shown} {why}"));
        match self {
            Self::Flag => match text {
                "true" => Ok(Leaf::Flag(true)),
                "false" => Ok(Leaf::Flag(false)),
                _ => Err(wrong(&"is neither true nor false")),
            },
            Self::Count(low, high) => match text.parse::<u64>() {
                Ok(count) if (low..=high).contains(&count) => Ok(Leaf::Count(count)),
                Ok(_) => Err(wrong(&"is out of range")),
                Err(_) => Err(wrong(&"is no whole number")),
            },
            Self::Span(low, high) => match parse_duration(text) {
                Ok(span) if (low..=high).contains(&span) => Ok(Leaf::Span(span)),
                Ok(_) => Err(wrong(&"is out of range")),
                Err(why) => Err(wrong(&why)),
            },
            Self::Size(low) => match parse_size(text) {
                Ok(size) if size >= low => Ok(Leaf::Size(size)),
                Ok(_) => Err(wrong(&"is too small")),
                Err(why) => Err(wrong(&why)),
            },
            Self::Text if text.trim().is_empty() => Err(wrong(&"is empty")),
            Self::Text => Ok(Leaf::Text(text.to_owned())),
            Self::Url => Address::parse(text).map(Leaf::Url).map_err(|e| Complaint::expected(self, e)),
            Self::Secret => Secret::parse(text, directory).map(Leaf::Secret).map_err(|why| wrong(&why)),
            Self::Hook => hook(text, directory).map(Leaf::Hook).map_err(|why| wrong(&why)),
            Self::Header => header_value(text, directory).map(Leaf::Secret).map_err(|why| wrong(&why)),
            Self::Proxy => proxy(text, directory).map(Leaf::Proxy).map_err(|why| wrong(&why)),
            Self::File => file(text, directory).map(Leaf::File).map_err(|why| wrong(&why)),
            Self::Socket => {
                text.parse().map(Leaf::Socket).map_err(|_| wrong(&"is no IP address with a port"))
            }
            Self::Pin => pin(text).map(Leaf::Text).ok_or_else(|| wrong(&"is no SHA-256")),
            Self::Id => BackendId::new(text).map(Leaf::Id).map_err(|e| Complaint::expected(self, e)),
            Self::Kind => choice(self, text, Kind::ALL, Kind::as_str).map(Leaf::Kind),
            Self::Capability => choice(self, text, Capability::ALL, Capability::as_str).map(Leaf::Capability),
            Self::Adopt => choice(self, text, Adopt::ALL, Adopt::as_str).map(Leaf::Adopt),
            Self::Texts | Self::Ids | Self::Ports | Self::Hosts => {
                self.join(text.split(',').map(str::trim).filter(|part| !part.is_empty()))
            }
            Self::Group | Self::Pair | Self::Entries => Err(wrong(&"is a single value")),
        }
    }

    /// Makes a list of this type from its parts.
    pub(crate) fn join<'a>(self, parts: impl Iterator<Item = &'a str>) -> Result<Leaf, Complaint> {
        match self {
            Self::Texts => Ok(Leaf::Texts(parts.map(str::to_owned).collect())),
            Self::Ports => parts.map(|part| self.part(part)).collect::<Result<_, _>>().map(Leaf::Ports),
            Self::Hosts => parts.map(|part| self.part(part)).collect::<Result<_, _>>().map(Leaf::Hosts),
            _ => {
                let ids = parts.map(BackendId::new).collect::<Result<Vec<_>, _>>();
                ids.map(Leaf::Ids).map_err(|e| Complaint::expected(self, e))
            }
        }
    }

    fn part<T: std::str::FromStr<Err = String>>(self, text: &str) -> Result<T, Complaint> {
        text.parse().map_err(|why| Complaint::expected(self, format!("{} {why}", quoted(text))))
    }
}

/// A value as a message shows it: cut, in backticks.
pub(crate) fn quoted(text: &str) -> String {
    let cut: String = text.chars().take(60).collect();
    if cut.len() < text.len() { format!("`{cut}…`") } else { format!("`{cut}`") }
}

fn choice<T: Copy, const N: usize>(
    kind: FieldType,
    text: &str,
    all: [T; N],
    name: fn(T) -> &'static str,
) -> Result<T, Complaint> {
    let text = text.trim();
    all.into_iter().find(|item| name(*item) == text).ok_or_else(|| {
        let message = format!("{} is not known{}", quoted(text), suggestion(text, all.map(name)));
        Complaint::expected(kind, message)
    })
}

/// The address of a webhook. Written out it has nothing that is one's secret to guess: user, password, query.
fn hook(text: &str, directory: &Path) -> Result<Secret, String> {
    let secret = Secret::parse(text, directory)?;
    if secret.is_inline() {
        let url = hook_url(text)?;
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
            return Err("carries a user, a password or a query; refer to it by `env:` or `file:`".to_owned());
        }
    }
    Ok(secret)
}

/// Reads the address of a webhook.
pub(crate) fn hook_url(text: &str) -> Result<Url, String> {
    match Url::parse(text.trim()) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.host().is_some() => Ok(url),
        _ => Err("is no http or https address".to_owned()),
    }
}

fn shown_hook(hook: &Secret) -> String {
    match hook {
        Secret::Inline(text) => text.expose_secret().trim().to_owned(),
        reference => reference.to_string(),
    }
}

fn header_value(text: &str, directory: &Path) -> Result<Secret, String> {
    let secret = Secret::parse(text, directory)?;
    let fits = !secret.is_inline() || ::http::HeaderValue::from_str(text).is_ok();
    if fits { Ok(secret) } else { Err("has letters that no header has".to_owned()) }
}

fn proxy(text: &str, directory: &Path) -> Result<Secret, String> {
    let secret = Secret::parse(text, directory)?;
    if secret.is_inline() {
        proxy_url(text)?;
    }
    Ok(secret)
}

/// Reads the address of a proxy.
pub(crate) fn proxy_url(text: &str) -> Result<Url, String> {
    let text = text.trim();
    let url = if text.contains("://") { Url::parse(text) } else { Url::parse(&format!("http://{text}")) };
    match url {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.host().is_some() => Ok(url),
        _ => Err("is no address of an http proxy".to_owned()),
    }
}

/// Whether a user, a password or a query is written out in the address of a proxy.
pub(crate) fn carries_login(proxy: &Secret) -> bool {
    let Secret::Inline(text) = proxy else { return false };
    let plain = |url: &Url| url.username().is_empty() && url.password().is_none() && url.query().is_none();
    !proxy_url(text.expose_secret()).is_ok_and(|url| plain(&url))
}

fn shown_proxy(proxy: &Secret) -> String {
    match proxy {
        Secret::Inline(text) if !carries_login(proxy) => text.expose_secret().trim().to_owned(),
        _ => proxy.to_string(),
    }
}

fn file(text: &str, directory: &Path) -> Result<PathBuf, String> {
    match text {
        _ if text.trim().is_empty() => Err("is empty".to_owned()),
        "~" => Err("is no path: `~` is the shell's word, write the whole path".to_owned()),
        _ if text.starts_with("~/") => {
            Err("is no path: `~` is the shell's word, write the whole path".to_owned())
        }
        _ => Ok(directory.join(text)),
    }
}

fn pin(text: &str) -> Option<String> {
    let text = text.trim();
    let text = text.strip_prefix("sha256:").unwrap_or(text);
    let digits: String = text.chars().filter(|c| *c != ':').map(|c| c.to_ascii_lowercase()).collect();
    (digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_hexdigit())).then_some(digits)
}

fn joined(items: &[impl fmt::Display]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Leaf {
    /// Plain text that [`FieldType::read`] reads back; a secret that was written out is hidden.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Count(count) => write!(f, "{count}"),
            Self::Span(span) => f.write_str(&show_duration(*span)),
            Self::Size(size) => f.write_str(&show_size(*size)),
            Self::Text(text) => f.write_str(text),
            Self::Texts(texts) => f.write_str(&texts.join(", ")),
            Self::Url(url) => write!(f, "{url}"),
            Self::Secret(secret) => write!(f, "{secret}"),
            Self::Hook(hook) => f.write_str(&shown_hook(hook)),
            Self::Proxy(proxy) => f.write_str(&shown_proxy(proxy)),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Socket(socket) => write!(f, "{socket}"),
            Self::Id(id) => write!(f, "{id}"),
            Self::Ports(ports) => f.write_str(&joined(ports)),
            Self::Hosts(hosts) => f.write_str(&joined(hosts)),
            Self::Ids(ids) => f.write_str(&ids.iter().map(BackendId::as_str).collect::<Vec<_>>().join(", ")),
            Self::Kind(kind) => write!(f, "{kind}"),
            Self::Capability(capability) => f.write_str(capability.as_str()),
            Self::Adopt(adopt) => write!(f, "{adopt}"),
        }
    }
}

impl Serialize for Leaf {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::Count(count) => serializer.serialize_u64(*count),
            Self::Texts(texts) => texts.serialize(serializer),
            Self::Ids(ids) => ids.serialize(serializer),
            Self::Ports(ports) => ports.serialize(serializer),
            Self::Hosts(hosts) => hosts.serialize(serializer),
            _ => serializer.collect_str(self),
        }
    }
}
