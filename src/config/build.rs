//! From merged layers to the typed configuration.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use http::HeaderName;
use indexmap::IndexMap;

use crate::{
    config::{
        Adopt, BackendConfig, Config, DiscoveryConfig, Login, PoolConfig, Problem, Problems, Secret,
        Thresholds, Trust, WebhookConfig,
        environment::url_aliases,
        layer::{Layer, Origin},
        leaf::Leaf,
        schema::FieldType,
    },
    discovery::{Host, PortRange},
    model::{BackendId, Capability, Kind},
    net::Address,
};

/// Builds what can be built; the problems name the rest. `unnamed` is the file that nobody named or trusted, where
/// the values come from one.
pub(crate) fn build(layer: &Layer, unnamed: Option<&Arc<PathBuf>>) -> (Config, Problems) {
    let (mut config, mut problems) = (Config::new(), Problems::default());
    let root = Group { layer, path: String::new() };
    config.state_dir = root.file("state_dir");
    for (name, _) in layer.names_in("backends") {
        let Ok(id) = BackendId::new(name) else { continue };
        let group = root.inside("backends").inside(name);
        problems.0.extend(missing(&group));
        if let Some(backend) = backend(&group, id, unnamed) {
            config = config.backend(backend);
        }
    }
    for (name, _) in layer.names_in("pools") {
        let Ok(id) = BackendId::new(name) else { continue };
        let group = root.inside("pools").inside(name);
        let mut pool = PoolConfig::new(id, group.ids("members").unwrap_or_default());
        pool.capability = group.capability("capability");
        pool.slots = group.inside("limits").count("slots");
        config = config.pool(pool);
    }
    config.discovery = discovery(&root.inside("discovery"));
    problems.0.extend(unheard(&root.inside("discovery"), &config.discovery));
    let http = root.inside("http");
    config.http.listen = http.socket("listen");
    config.http.hosts = http.texts("hosts").unwrap_or_default();
    config.http.token = http.secret("token");
    config.http.reader = http.secret("reader");
    let history = root.inside("history");
    put(&mut config.history.seconds, history.span("seconds"));
    put(&mut config.history.tens, history.span("tens"));
    put(&mut config.history.minutes, history.span("minutes"));
    let jobs = root.inside("jobs");
    put(&mut config.jobs.keep, jobs.span("keep"));
    put(&mut config.jobs.ended, jobs.count("ended"));
    put(&mut config.jobs.outputs, jobs.size("outputs"));
    put(&mut config.jobs.open, jobs.count("open"));
    config.thresholds = thresholds(&root.inside("thresholds"));
    config.notices.webhook = webhook(&root.inside("notices").inside("webhook"), unnamed);
    problems.0.extend(addressless(&root.inside("notices").inside("webhook")));
    let log = root.inside("log");
    put(&mut config.log.size, log.size("size"));
    put(&mut config.log.files, log.count("files"));
    (config, problems)
}

/// A configuration that was loaded looks for backends unless it says otherwise; one made in code does when it says so.
fn discovery(group: &Group<'_>) -> DiscoveryConfig {
    let mut discovery = DiscoveryConfig::on();
    put(&mut discovery.enabled, group.flag("enabled"));
    put(&mut discovery.adopt, group.adopt("adopt"));
    put(&mut discovery.ports, group.ports("ports"));
    put(&mut discovery.hosts, group.hosts("hosts"));
    put(&mut discovery.browse, group.flag("browse"));
    put(&mut discovery.announce, group.flag("announce"));
    put(&mut discovery.interval, group.span("interval"));
    discovery
}

/// What this build cannot do.
fn unheard(group: &Group<'_>, discovery: &DiscoveryConfig) -> Vec<Problem> {
    let wanted = [("browse", discovery.browse), ("announce", discovery.announce)];
    let missing = wanted.into_iter().filter(|(_, wanted)| *wanted && cfg!(not(feature = "mdns")));
    let fix = "Take it out, or build Backline with `--features mdns`.";
    let problem = |(name, _)| Problem::new(format!("{}.{name}", group.path), "this build knows no mDNS", fix);
    missing.map(problem).collect()
}

fn thresholds(group: &Group<'_>) -> Thresholds {
    Thresholds {
        latency: group.span("latency"),
        queue: group.count("queue"),
        success: group.count("success"),
        vram_free: group.size("vram_free"),
    }
}

fn webhook(group: &Group<'_>, unnamed: Option<&Arc<PathBuf>>) -> Option<WebhookConfig> {
    let mut webhook = WebhookConfig::new(group.hook("url")?);
    webhook.headers = headers(group);
    if let Some(file) =
        unnamed.filter(|_| matches!(group.layer.origin(&group.join("url")), Some(Origin::File(_))))
    {
        webhook.trust = Trust::LoopbackOnly { file: file.clone() };
    }
    Some(webhook)
}

/// A webhook whose headers are named and whose address is not.
fn addressless(group: &Group<'_>) -> Option<Problem> {
    let is_begun = group.layer.names_in(&group.join("headers")).next().is_some();
    let fix = format!("Add `url`: {}.", FieldType::Hook.expected());
    (is_begun && group.get("url").is_none()).then(|| Problem::new(&group.path, "there is no `url`", fix))
}

fn headers(group: &Group<'_>) -> IndexMap<HeaderName, Secret> {
    let headers = group.inside("headers");
    let mut read = IndexMap::new();
    for (name, _) in group.layer.names_in(&headers.path) {
        if let (Ok(header), Some(value)) = (name.parse(), headers.secret(name)) {
            read.insert(header, value);
        }
    }
    read
}

fn backend(group: &Group<'_>, id: BackendId, unnamed: Option<&Arc<PathBuf>>) -> Option<BackendConfig> {
    let mut backend = BackendConfig::new(id, group.kind("kind")?, group.url("url")?);
    put(&mut backend.required, group.flag("required"));
    put(&mut backend.enabled, group.flag("enabled"));
    backend.source = group.source().kind();
    backend.api_key = group.secret("api_key");
    let login = group.inside("login");
    if let (Some(user), Some(password)) = (login.text("user"), login.secret("password")) {
        backend.login = Some(Login { user, password });
    }
    backend.headers = headers(group);
    backend.thresholds = thresholds(&group.inside("thresholds"));
    let tls = group.inside("tls");
    backend.tls.ca = tls.file("ca");
    backend.tls.pin = tls.text("pin");
    put(&mut backend.tls.danger_accept_invalid, tls.flag("danger_accept_invalid"));
    put(&mut backend.danger_plain_key, group.flag("danger_plain_key"));
    backend.proxy = group.proxy("proxy");
    waits(group, &mut backend);
    put(&mut backend.limits.slots, group.inside("limits").count("slots"));
    put(&mut backend.limits.weight, group.inside("limits").count("weight"));
    backend.depends_on = group.ids("depends_on").unwrap_or_default();
    backend.exclusive = group.id("exclusive");
    put(&mut backend.unload, group.flag("unload"));
    if let Some(file) = unnamed.filter(|_| group.is_addressed_by_file()) {
        backend.trust = Trust::LoopbackOnly { file: file.clone() };
    }
    Some(backend)
}

fn waits(group: &Group<'_>, backend: &mut BackendConfig) {
    let timeouts = group.inside("timeouts");
    put(&mut backend.timeouts.connect, timeouts.span("connect"));
    put(&mut backend.timeouts.request, timeouts.span("request"));
    put(&mut backend.timeouts.idle_stream, timeouts.span("idle_stream"));
    let probe = group.inside("probe");
    put(&mut backend.probe.interval, probe.span("interval"));
    put(&mut backend.probe.fast, probe.span("fast"));
    put(&mut backend.probe.timeout, probe.span("timeout"));
    put(&mut backend.probe.rise, probe.count("rise"));
    put(&mut backend.probe.fall, probe.count("fall"));
    let keepalive = group.inside("keepalive");
    put(&mut backend.keepalive.interval, keepalive.span("interval"));
    put(&mut backend.keepalive.deadline, keepalive.span("deadline"));
    put(&mut backend.hang_limit, group.span("hang_limit"));
}

fn put<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}

/// What a backend cannot be without.
fn missing(group: &Group<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let kind = group.kind("kind");
    if kind.is_none() {
        let fix = format!("Add `kind`: {}.", FieldType::Kind.expected());
        problems.push(Problem::new(&group.path, "there is no `kind`", fix));
    }
    if group.url("url").is_none() {
        let aliases = kind.map(url_aliases).unwrap_or_default();
        let or =
            if aliases.is_empty() { String::new() } else { format!(", or set {}", aliases.join(" or ")) };
        problems.push(Problem::new(
            &group.path,
            "there is no `url`",
            format!("Add `url`, like \"http://127.0.0.1:8188\"{or}."),
        ));
    }
    let login = group.inside("login");
    for (here, lacks) in [("user", "password"), ("password", "user")] {
        if login.get(here).is_some() && login.get(lacks).is_none() {
            let fix = format!("Write {}.", FieldType::Pair.expected());
            problems.push(Problem::new(&login.path, format!("there is no `{lacks}`"), fix));
        }
    }
    problems
}

/// The values below one path, typed by the table.
struct Group<'a> {
    layer: &'a Layer,
    path: String,
}

macro_rules! typed {
    ($($name:ident: $variant:ident -> $type:ty;)*) => {$(
        fn $name(&self, name: &str) -> Option<$type> {
            match self.get(name)? {
                Leaf::$variant(value) => Some(value.clone()),
                // The table types a value when it is read, and a test sets every field.
                other => {
                    debug_assert!(false, "{}.{name} holds {other:?}", self.path);
                    None
                }
            }
        }
    )*};
}

impl<'a> Group<'a> {
    typed! {
        flag: Flag -> bool;
        span: Span -> Duration;
        size: Size -> u64;
        text: Text -> String;
        texts: Texts -> Vec<String>;
        url: Url -> Address;
        secret: Secret -> Secret;
        proxy: Proxy -> Secret;
        hook: Hook -> Secret;
        file: File -> PathBuf;
        socket: Socket -> SocketAddr;
        id: Id -> BackendId;
        ids: Ids -> Vec<BackendId>;
        kind: Kind -> Kind;
        capability: Capability -> Capability;
        adopt: Adopt -> Adopt;
        ports: Ports -> Vec<PortRange>;
        hosts: Hosts -> Vec<Host>;
        number: Count -> u64;
    }

    fn count(&self, name: &str) -> Option<u32> {
        // The ranges of the table fit.
        self.number(name).and_then(|number| u32::try_from(number).ok())
    }

    fn inside(&self, name: &str) -> Group<'a> {
        Group { layer: self.layer, path: self.join(name) }
    }

    fn join(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    fn get(&self, name: &str) -> Option<&'a Leaf> {
        self.layer.values.get(&self.join(name)).map(|value| &value.leaf)
    }

    /// Where its address came from: the layer that decides where we connect to.
    fn source(&self) -> &Origin {
        self.layer.origin(&self.join("url")).unwrap_or(&Origin::Default)
    }

    /// Whether a file decides where its secrets go, or who can read them.
    fn is_addressed_by_file(&self) -> bool {
        ["url", "proxy", "danger_plain_key", "tls.ca", "tls.pin", "tls.danger_accept_invalid"]
            .iter()
            .any(|field| matches!(self.layer.origin(&self.join(field)), Some(Origin::File(_))))
    }
}
