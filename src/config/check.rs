//! What no single value shows: names that collide, members that do not exist, circles, keys in danger.

use indexmap::{IndexMap, IndexSet};

use crate::{
    config::{
        BackendConfig, Config, Problem, Problems, Secret, WebhookConfig, danger, leaf::carries_login,
        suggest::suggestion,
    },
    model::BackendId,
};

/// The names that a configuration gives, those of backends that could not be built included.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) backends: IndexSet<BackendId>,
    pub(crate) pools: IndexSet<BackendId>,
}

impl Config {
    /// Checks what no single value shows: names that collide, members that do not exist, circles, keys in danger.
    /// A loaded configuration has passed it; one that was made in code has not.
    ///
    /// # Errors
    /// Every problem.
    pub fn validate(&self) -> Result<(), Problems> {
        let names = Names {
            backends: self.backends.keys().cloned().collect(),
            pools: self.pools.keys().cloned().collect(),
        };
        let problems = problems(self, &names);
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }
}

pub(crate) fn problems(config: &Config, names: &Names) -> Problems {
    let mut found = Problems::default();
    collisions(names, &mut found);
    for backend in config.backends.values() {
        let path = format!("backends.{}", backend.id);
        for needed in &backend.depends_on {
            unknown(format!("{path}.depends_on"), needed, &names.backends, &mut found);
        }
        if let Some((field, message, fix)) = danger::of(backend) {
            found.push(Problem::new(format!("{path}.{field}"), message, fix));
        }
    }
    if let Some((field, message, fix)) = config.notices.webhook.as_ref().and_then(danger::of_webhook) {
        found.push(Problem::new(format!("notices.webhook.{field}"), message, fix));
    }
    circles(config, &mut found);
    for pool in config.pools.values() {
        let path = format!("pools.{}", pool.id);
        for member in &pool.members {
            unknown(format!("{path}.members"), member, &names.backends, &mut found);
        }
        if pool.members.is_empty() && pool.capability.is_none() {
            let fix = "Add `members`, a list of backends, or a `capability`.";
            found.push(Problem::new(path, "the pool has neither members nor a capability", fix));
        }
    }
    found
}

fn collisions(names: &Names, found: &mut Problems) {
    let mut taken: IndexMap<String, String> = IndexMap::new();
    let all =
        names.backends.iter().map(|id| ("backends", id)).chain(names.pools.iter().map(|id| ("pools", id)));
    for (map, id) in all {
        let path = format!("{map}.{id}");
        let Some(first) = taken.get(&id.env_name()) else {
            taken.insert(id.env_name(), path);
            continue;
        };
        let message = if first.ends_with(&format!(".{id}")) {
            format!("`{first}` has the same id")
        } else {
            format!("`{first}` has the same name in the environment, {}", id.env_name())
        };
        found.push(Problem::new(path, message, "Choose another id."));
    }
}

fn unknown(path: String, id: &BackendId, known: &IndexSet<BackendId>, found: &mut Problems) {
    if !known.contains(id) {
        let hint = suggestion(id.as_str(), known.iter().map(BackendId::as_str));
        let fix = "Name a backend of this configuration, or take the name out.";
        found.push(Problem::new(path, format!("there is no backend `{id}`{hint}"), fix));
    }
}

/// Backends that wait for each other for ever: a search in depth, in which a way that meets itself is a circle.
fn circles(config: &Config, found: &mut Problems) {
    let mut done: IndexSet<&BackendId> = IndexSet::new();
    for start in config.backends.keys() {
        if done.contains(start) {
            continue;
        }
        let mut way: IndexSet<&BackendId> = IndexSet::new();
        let mut left: Vec<(&BackendId, usize)> = vec![(start, 0)];
        while let Some((at, tried)) = left.pop() {
            way.insert(at);
            let Some(needed) = config.backends.get(at).and_then(|backend| backend.depends_on.get(tried))
            else {
                way.pop();
                done.insert(at);
                continue;
            };
            left.push((at, tried + 1));
            if let Some(first) = way.get_index_of(needed) {
                let names: Vec<_> = way[first..].iter().chain([&needed]).map(|id| id.as_str()).collect();
                let message = format!("the backends wait for each other: {}", names.join(" -> "));
                let fix = "Take one of them out of `depends_on`.";
                found.push(Problem::new(format!("backends.{}.depends_on", way[first]), message, fix));
            } else if !done.contains(needed) {
                left.push((needed, 0));
            }
        }
    }
}

/// References that lead nowhere, of the backends that are to be connected and of the API.
pub(crate) fn references(config: &Config, env: &dyn Fn(&str) -> Option<String>) -> Problems {
    let mut found = Problems::default();
    let mut check = |path: String, secret: &Secret| {
        if let Err(why) = secret.resolve(env) {
            let fix = match secret {
                Secret::Env(name) => format!("Set {name}, or refer to another variable or file."),
                _ => "Write the secret into that file, or refer to another.".to_owned(),
            };
            found.push(Problem::new(path, why, fix));
        }
    };
    for backend in config.backends.values().filter(|backend| backend.enabled) {
        for (field, secret) in backend.secrets() {
            check(format!("backends.{}.{field}", backend.id), secret);
        }
        if let Some(proxy) = &backend.proxy {
            check(format!("backends.{}.proxy", backend.id), proxy);
        }
    }
    for (path, token) in [("http.token", &config.http.token), ("http.reader", &config.http.reader)] {
        if let Some(token) = token {
            check(path.to_owned(), token);
        }
    }
    for (field, secret) in config.notices.webhook.iter().flat_map(WebhookConfig::references) {
        check(format!("notices.webhook.{field}"), secret);
    }
    for backend in config.backends.values().filter(|backend| backend.enabled) {
        if let Some(ca) = backend.tls.ca.as_ref().filter(|ca| !ca.is_file()) {
            let message = format!("the file {} does not exist", ca.display());
            found.push(Problem::new(format!("backends.{}.tls.ca", backend.id), message, "Correct the path."));
        }
    }
    found
}

/// What works, and what a person should still look at.
pub(crate) fn warnings(config: &Config) -> Problems {
    let mut found = written_out(config);
    for backend in config.backends.values() {
        let path = format!("backends.{}", backend.id);
        if let Some((field, message)) = danger::untrusted(backend) {
            found.push(Problem::new(format!("{path}.{field}"), message, danger::TRUST_IT));
        }
        if backend.proxy.is_some() && backend.url.is_loopback() {
            let message = "the backend's address is on this machine, so the proxy is not used";
            found.push(Problem::new(format!("{path}.proxy"), message, "Take the proxy out."));
        }
        if backend.required && !backend.enabled {
            let fix = "Enable it, or take `required` out.";
            found.push(Problem::new(path, "it is required and not enabled, so nothing waits for it", fix));
        }
    }
    if let Some(message) = config.notices.webhook.as_ref().and_then(danger::untrusted_webhook) {
        found.push(Problem::new("notices.webhook.url", message, danger::TRUST_IT));
    }
    if let Some(listen) = config.http.listen.filter(|listen| !listen.ip().is_loopback()) {
        let message = format!("the API listens on {listen}, for the whole network to reach");
        found.push(Problem::new(
            "http.listen",
            message,
            "Listen on 127.0.0.1 unless others are to reach it.",
        ));
    }
    twins(config, &mut found);
    found
}

/// Secrets that stand in the configuration itself.
pub(crate) fn written_out(config: &Config) -> Problems {
    let mut found = Problems::default();
    let mut tell = |path: String| found.push(Problem::new(path, INLINE.0, INLINE.1));
    for backend in config.backends.values() {
        for (field, _) in backend.secrets().filter(|(_, secret)| secret.is_inline()) {
            tell(format!("backends.{}.{field}", backend.id));
        }
        if backend.proxy.as_ref().is_some_and(carries_login) {
            tell(format!("backends.{}.proxy", backend.id));
        }
    }
    for (field, _) in
        config.notices.webhook.iter().flat_map(WebhookConfig::secrets).filter(|(_, s)| s.is_inline())
    {
        tell(format!("notices.webhook.{field}"));
    }
    for (path, token) in [("http.token", &config.http.token), ("http.reader", &config.http.reader)] {
        if token.as_ref().is_some_and(Secret::is_inline) {
            tell(path.to_owned());
        }
    }
    found
}

const INLINE: (&str, &str) = (
    "the secret is written out",
    "Keep it in a variable or a file, and refer to it by \"env:NAME\" or \"file:PATH\".",
);

fn twins(config: &Config, found: &mut Problems) {
    let mut seen: IndexMap<String, &BackendConfig> = IndexMap::new();
    for backend in config.backends.values().filter(|backend| backend.enabled) {
        if let Some(first) = seen.get(&backend.url.to_string()) {
            let message = format!("backend `{}` has the same address", first.id);
            found.push(Problem::new(format!("backends.{}.url", backend.id), message, "Keep one of them."));
        } else {
            seen.insert(backend.url.to_string(), backend);
        }
    }
}
