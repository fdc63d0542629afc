//! Takes secrets out of what leaves the machine: those that are known, and what looks like one.

use secrecy::ExposeSecret;
use serde_json::Value;

use crate::config::{Config, Secret};

const HIDDEN: &str = "(hidden)";
/// Shorter ones would blank half of every text; nothing of ours prints a secret to begin with.
const SHORTEST: usize = 4;
/// What a secret is announced by; what follows up to the next mark is hidden.
const MARKS: [&str; 10] = [
    "bearer ",
    "basic ",
    "token=",
    "api_key=",
    "apikey=",
    "api-key=",
    "password=",
    "secret=",
    "key=",
    "authorization: ",
];

/// The secrets that are known here.
pub(crate) struct Secrets(Vec<String>);

impl Secrets {
    /// Every secret of a configuration, as far as it can be read, and the instance's token.
    pub(crate) fn of(config: &Config, token: Option<&str>) -> Self {
        let mut known: Vec<String> = token.map(str::to_owned).into_iter().collect();
        let env = |name: &str| std::env::var(name).ok();
        let mut add = |secret: &Secret| {
            // One that cannot be read cannot be shown either.
            if let Ok(text) = secret.resolve(&env) {
                known.push(text.expose_secret().to_owned());
            }
        };
        for backend in config.backends.values() {
            let login = backend.login.as_ref().map(|login| &login.password);
            backend.api_key.iter().chain(login).chain(&backend.proxy).for_each(&mut add);
            backend.headers.values().for_each(&mut add);
        }
        config.http.token.iter().for_each(&mut add);
        if let Some(webhook) = &config.notices.webhook {
            if !webhook.url.is_inline() {
                add(&webhook.url);
            }
            webhook.headers.values().for_each(&mut add);
        }
        known.extend(std::env::var("BACKLINE_TOKEN"));
        // Of an address with a log-in each part is a secret.
        let parts: Vec<_> =
            known.iter().filter_map(|text| text.split_once("://")?.1.split_once('@')).collect();
        let parts: Vec<String> =
            parts.iter().flat_map(|(user, _)| user.split(':')).map(str::to_owned).collect();
        known.extend(parts);
        known.retain(|text| text.trim().len() >= SHORTEST);
        // A longer one may hold a shorter one.
        known.sort_by_key(|text| std::cmp::Reverse(text.len()));
        known.dedup();
        Self(known)
    }

    /// Every text of a document, without them.
    pub(crate) fn strip(&self, document: &mut Value) {
        match document {
            Value::String(text) => *text = self.clean(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.strip(item)),
            Value::Object(fields) => fields.values_mut().for_each(|field| self.strip(field)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn clean(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.0 {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), HIDDEN);
            }
        }
        let text = without_log_ins(&text);
        MARKS.iter().fold(text, |text, mark| without_what_follows(&text, mark))
    }
}

/// `http://user:password@host` becomes `http://(hidden)@host`.
fn without_log_ins(text: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        let end = after.find(['/', ' ', '"', '\'', '\\', '?', '#']).unwrap_or(after.len());
        match after[..end].rfind('@') {
            Some(user) => {
                out.push_str(HIDDEN);
                rest = &after[user..];
            }
            None => rest = after,
        }
    }
    out.push_str(rest);
    out
}

fn without_what_follows(text: &str, mark: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    // As ASCII: the marks are, and the offsets stay those of the text.
    while let Some(at) = rest.to_ascii_lowercase().find(mark) {
        let (before, after) = rest.split_at(at + mark.len());
        out.push_str(before);
        let end = after.find([' ', '&', '"', '\'', '\\', ',', ';', ')', '\n']).unwrap_or(after.len());
        if end > 0 && !after.starts_with(HIDDEN) && !after.starts_with("env:") && !after.starts_with("file:")
        {
            out.push_str(HIDDEN);
            rest = &after[end..];
        } else {
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_secrets_and_what_looks_like_one_are_taken_out() {
        let secrets = Secrets(vec!["sk-known-long".to_owned(), "sk-known".to_owned()]);
        for (text, clean) in [
            ("a sk-known-long b sk-known", "a (hidden) b (hidden)"),
            ("at http://me:pw@host:1/x and http://host/@y", "at http://(hidden)@host:1/x and http://host/@y"),
            ("Authorization: Bearer abc.def, done", "Authorization: (hidden) (hidden), done"),
            ("https://h/?token=abc&b=1", "https://h/?token=(hidden)&b=1"),
            ("api_key=env:NAME", "api_key=env:NAME"),
            ("äöü Bearer Käse", "äöü Bearer (hidden)"),
            ("nothing here", "nothing here"),
        ] {
            assert_eq!(secrets.clean(text), clean);
        }
        let mut document = serde_json::json!({ "a": ["sk-known", { "b": "x sk-known" }], "n": 1 });
        secrets.strip(&mut document);
        assert_eq!(document, serde_json::json!({ "a": ["(hidden)", { "b": "x (hidden)" }], "n": 1 }));
    }
}
