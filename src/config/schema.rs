//! The table of all fields: what the reader accepts, what `config show` lists, what a form is built from. One table,
//! so that they cannot drift apart.

use std::time::Duration;

use crate::{
    config::Adopt,
    model::{Capability, Kind},
};

/// What may stand in a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldType {
    /// Named fields in parentheses: those of the table that have this path before theirs.
    Group,
    /// As [`Self::Group`], and also by position, in the table's order.
    Pair,
    /// A map with names of the user's; `*` in the paths of its fields.
    Entries,
    /// `true` or `false`.
    Flag,
    /// A whole number between these.
    Count(u64, u64),
    /// A duration between these.
    Span(Duration, Duration),
    /// A size in bytes, not below this.
    Size(u64),
    /// Any text that is not empty.
    Text,
    /// Several texts.
    Texts,
    /// The address of a server.
    Url,
    /// The address of an http proxy, or a reference to it.
    Proxy,
    /// The address of a webhook, or a reference to it.
    Hook,
    /// A reference, `env:NAME` or `file:PATH`.
    Secret,
    /// The value of a header, or a reference to it.
    Header,
    /// A file or directory, relative to the file that names it.
    File,
    /// An IP address with a port.
    Socket,
    /// The SHA-256 of a certificate, hexadecimal.
    Pin,
    /// An id.
    Id,
    /// Several ids.
    Ids,
    /// The kind of a backend.
    Kind,
    /// A capability.
    Capability,
    /// What becomes of a find.
    Adopt,
    /// Ports and ranges of ports.
    Ports,
    /// Machines: names, addresses, small networks.
    Hosts,
}

impl FieldType {
    /// What is expected, for a message and for a form.
    pub fn expected(self) -> String {
        use crate::config::{duration::show_duration as show, size::show_size};
        match self {
            Self::Group => "named fields in parentheses, like `(field: value)`".to_owned(),
            Self::Pair => "`(user: \"NAME\", password: \"env:NAME\")`".to_owned(),
            Self::Entries => "a map in braces, like `{ \"name\": value }`".to_owned(),
            Self::Flag => "`true` or `false`".to_owned(),
            Self::Count(low, high) => format!("a whole number from {low} to {high}"),
            Self::Span(low, high) => {
                format!("a duration from {} to {}, like \"5s\" or \"250ms\"", show(low), show(high))
            }
            Self::Size(low) => format!("a size of at least {}, like \"20GiB\"", show_size(low)),
            Self::Text => "a text in quotes".to_owned(),
            Self::Texts => "a list of texts, like `[\"a\", \"b\"]`".to_owned(),
            Self::Url => "an address, like \"http://127.0.0.1:8188\"".to_owned(),
            Self::Proxy => "the address of an http proxy, like \"http://127.0.0.1:3128\"".to_owned(),
            Self::Hook => {
                "an address, like \"https://hooks.example/abc\", or \"env:NAME\" or \"file:PATH\"".to_owned()
            }
            Self::Secret => "a reference, \"env:NAME\" or \"file:PATH\"".to_owned(),
            Self::Header => "the header's value in quotes, or \"env:NAME\" or \"file:PATH\"".to_owned(),
            Self::File => "a path in quotes".to_owned(),
            Self::Socket => "an IP address with a port, like \"127.0.0.1:7717\"".to_owned(),
            Self::Pin => "the SHA-256 of a certificate, 64 hexadecimal digits in quotes".to_owned(),
            Self::Id => "an id, like \"comfy-a\"".to_owned(),
            Self::Ids => "a list of ids, like `[\"comfy-a\"]`".to_owned(),
            Self::Ports => "a list of ports in quotes, like `[\"9000\", \"9100-9110\"]`".to_owned(),
            Self::Hosts => "a list of hosts, like `[\"render-box\", \"10.0.0.0/24\"]`".to_owned(),
            Self::Kind | Self::Capability | Self::Adopt => format!("one of {}", self.choices().join(", ")),
        }
    }

    /// The values to choose from, where there are only so many.
    pub fn choices(self) -> Vec<&'static str> {
        match self {
            Self::Kind => Kind::ALL.map(Kind::as_str).to_vec(),
            Self::Capability => Capability::ALL.map(Capability::as_str).to_vec(),
            Self::Adopt => Adopt::ALL.map(Adopt::as_str).to_vec(),
            Self::Flag => vec!["true", "false"],
            _ => Vec::new(),
        }
    }

    /// Whether it holds fields in place of a value.
    pub fn is_group(self) -> bool {
        matches!(self, Self::Group | Self::Pair | Self::Entries)
    }

    /// Whether the value may be a secret, and is never shown when written out.
    pub fn is_secret(self) -> bool {
        matches!(self, Self::Secret | Self::Header | Self::Proxy)
    }

    /// Whether it holds several values.
    pub fn is_list(self) -> bool {
        matches!(self, Self::Texts | Self::Ids | Self::Ports | Self::Hosts)
    }
}

/// One field of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldDoc {
    /// Its path, `*` for a name of the user's: `backends.*.probe.interval`.
    pub path: &'static str,
    /// What may stand in it.
    pub kind: FieldType,
    /// The default as it would be written; empty where there is none, or where it depends on the backend's kind.
    pub default: &'static str,
    /// What it does, one sentence.
    pub sentence: &'static str,
}

impl FieldDoc {
    /// The last part of the path.
    pub fn name(&self) -> &'static str {
        self.path.rsplit('.').next().unwrap_or(self.path)
    }

    fn parent(&self) -> &'static str {
        self.path.rsplit_once('.').map_or("", |(parent, _)| parent)
    }
}

/// Every field, groups before what is in them.
pub fn schema() -> &'static [FieldDoc] {
    FIELDS
}

/// The fields of a group, in the table's order.
pub(crate) fn children(pattern: &str) -> impl Iterator<Item = &'static FieldDoc> {
    FIELDS.iter().filter(move |field| field.parent() == pattern)
}

/// The field of a group with this name; `*` takes every name.
pub(crate) fn child(pattern: &str, name: &str) -> Option<&'static FieldDoc> {
    children(pattern).find(|field| field.name() == name || field.name() == "*")
}

/// The field of a value's path, like `backends.comfyui.url`. The names of headers may hold dots.
pub(crate) fn field_at(path: &str) -> Option<&'static FieldDoc> {
    let (mut pattern, mut rest) = ("", path);
    loop {
        if child(pattern, "*").is_some_and(|field| field.name() == "*" && !field.kind.is_group()) {
            return child(pattern, rest);
        }
        let (name, tail) = rest.split_once('.').map_or((rest, None), |(name, tail)| (name, Some(tail)));
        let field = child(pattern, name)?;
        match tail {
            None => return Some(field),
            Some(tail) => (pattern, rest) = (field.path, tail),
        }
    }
}

const fn row(path: &'static str, kind: FieldType, default: &'static str, sentence: &'static str) -> FieldDoc {
    FieldDoc { path, kind, default, sentence }
}

const fn span(low_ms: u64, high_s: u64) -> FieldType {
    FieldType::Span(Duration::from_millis(low_ms), Duration::from_secs(high_s))
}

use FieldType::{
    Adopt as AdoptType, Capability as CapabilityType, Count, Entries, File, Flag, Group, Header, Hook, Hosts,
    Id, Ids, Kind as KindType, Pair, Pin, Ports, Proxy, Secret, Size, Socket, Text, Texts, Url,
};

#[rustfmt::skip]
const FIELDS: &[FieldDoc] = &[
    row("version", Count(0, 1_000_000), "1", "The version of the configuration's format."),
    row("extends", File, "", "Another file that this one builds on; what stands here wins, lists and values as a whole."),
    row("state_dir", File, "", "Where state is kept; the binary's default is the user's own directory."),
    row("backends", Entries, "", "The servers to stay connected to, each under an id of your own."),
    row("backends.*", Group, "", "One server."),
    row("backends.*.kind", KindType, "", "Which protocol it speaks; `openai` is any other compatible server."),
    row("backends.*.url", Url, "", "Where it listens; a path before it (a reverse proxy's) is kept."),
    row("backends.*.required", Flag, "false", "Whether the application cannot do without it: `/readyz` and the overall state wait for it."),
    row("backends.*.enabled", Flag, "true", "Whether it is connected at all."),
    row("backends.*.api_key", Secret, "", "The key, sent as a bearer token, and only once the server proved to be of this kind."),
    row("backends.*.login", Pair, "", "The log-in of a Gradio app that was started with `auth`."),
    row("backends.*.login.user", Text, "", "The user's name."),
    row("backends.*.login.password", Secret, "", "The password."),
    row("backends.*.headers", Entries, "", "Headers for every request to it, the first included (a gateway's, a team's)."),
    row("backends.*.headers.*", Header, "", "One header."),
    row("backends.*.tls", Group, "", "How its certificate is checked; the machine's own authorities by default."),
    row("backends.*.tls.ca", File, "", "A PEM file with further authorities to trust."),
    row("backends.*.tls.pin", Pin, "", "The SHA-256 of its certificate; then this one and no other is accepted."),
    row("backends.*.tls.danger_accept_invalid", Flag, "false", "Accepts any certificate; refused together with a key, except on loopback."),
    row("backends.*.danger_plain_key", Flag, "false", "Lets the key cross a network over plain http, for all on the way to read."),
    row("backends.*.timeouts", Group, "", "Longest waits."),
    row("backends.*.timeouts.connect", span(10, 600), "2s", "For a connection."),
    row("backends.*.timeouts.request", span(10, 86_400), "30s", "For the head of an answer to an ordinary request."),
    row("backends.*.timeouts.idle_stream", span(100, 86_400), "5m", "For the next part of a streamed answer; a model may load first."),
    row("backends.*.probe", Group, "", "How its health is watched, with requests that cost nothing."),
    row("backends.*.probe.interval", span(100, 3_600), "5s", "Between probes while it is healthy."),
    row("backends.*.probe.fast", span(50, 3_600), "1s", "Between probes after a missed one."),
    row("backends.*.probe.timeout", span(50, 600), "2s", "Longest wait for the answer of a probe."),
    row("backends.*.probe.rise", Count(1, 100), "2", "Probes in a row that must succeed before it counts as healthy again."),
    row("backends.*.probe.fall", Count(1, 100), "3", "Probes in a row that must fail before it counts as unhealthy."),
    row("backends.*.keepalive", Group, "", "Our pings on a live channel (ComfyUI's WebSocket)."),
    row("backends.*.keepalive.interval", span(100, 3_600), "5s", "Between pings."),
    row("backends.*.keepalive.deadline", span(100, 600), "5s", "Until the answer to a ping."),
    row("backends.*.hang_limit", span(1_000, 86_400), "2m", "How long a silent server with a job in flight keeps its session: slow is not dead."),
    row("backends.*.limits", Group, "", "How much it is given at once."),
    row("backends.*.limits.slots", Count(1, 10_000), "", "Leases at a time: 3 for comfyui, 4 for gradio, 2 for wan2gp, 32 for litellm, 8 for openai."),
    row("backends.*.limits.weight", Count(1, 100), "1", "Its share of a pool's work: one of 3 gets three times what one of 1 gets."),
    row("backends.*.proxy", Proxy, "", "An http proxy for it alone, not used on loopback; HTTP_PROXY is never obeyed."),
    row("backends.*.depends_on", Ids, "", "Backends that this one needs: dialed all the same, it is shown as degraded while one is not ready."),
    row("backends.*.exclusive", Id, "", "A name that backends on one graphics card share: they take turns on it."),
    row("backends.*.unload", Flag, "false", "Whether a ComfyUI unloads its models before another one of its `exclusive` group gets work."),
    row("backends.*.thresholds", Group, "", "Limits of its own, in place of those for all."),
    row("backends.*.thresholds.latency", span(1, 600), "", "As for all."),
    row("backends.*.thresholds.queue", Count(1, 1_000_000), "", "As for all."),
    row("backends.*.thresholds.success", Count(1, 100), "", "As for all."),
    row("backends.*.thresholds.vram_free", Size(1), "", "As for all."),
    row("pools", Entries, "", "Sets of interchangeable backends, each under an id of your own."),
    row("pools.*", Group, "", "One pool."),
    row("pools.*.members", Ids, "", "Its backends; without them, every backend with the capability."),
    row("pools.*.capability", CapabilityType, "", "What its members are used for."),
    row("pools.*.limits", Group, "", "How much it gives at once."),
    row("pools.*.limits.slots", Count(1, 100_000), "", "Leases at a time, over all members; without it, as many as they have slots."),
    row("discovery", Group, "", "How backends are found on this machine."),
    row("discovery.adopt", AdoptType, "when_empty", "What becomes of a find: a backend while none is configured, always, or never."),
    row("discovery.enabled", Flag, "true", "Whether it looks for backends by itself; asked, it looks either way."),
    row("discovery.ports", Ports, "", "Ports to look at after the known ones."),
    row("discovery.hosts", Hosts, "", "Other machines to look at; without them nothing but this one is."),
    row("discovery.browse", Flag, "false", "Whether it looks at what the local network announces by mDNS, too."),
    row("discovery.announce", Flag, "false", "Whether our own API is announced there."),
    row("discovery.interval", span(30_000, 86_400), "1m", "Between looks in the background, more or less."),
    row("http", Group, "", "The API and the dashboard."),
    row("http.listen", Socket, "127.0.0.1:7717", "Where they are served."),
    row("http.hosts", Texts, "", "Names beside the loopback ones by which they may be asked."),
    row("http.token", Secret, "", "The token; without one, each start makes its own."),
    row("http.reader", Secret, "", "A second token, which may look and change nothing."),
    row("history", Group, "", "How long what was is remembered of each backend."),
    row("history.seconds", span(60_000, 3_600), "5m", "In buckets of a second."),
    row("history.tens", span(600_000, 86_400), "1h", "In buckets of ten seconds."),
    row("history.minutes", span(3_600_000, 2_592_000), "1d", "In buckets of a minute."),
    row("jobs", Group, "", "How much is kept of jobs; the oldest ended one is erased first, an open one never."),
    row("jobs.keep", span(60_000, 315_360_000), "30d", "How long an ended job, its files and its key are kept."),
    row("jobs.ended", Count(1, 10_000_000), "100000", "Ended jobs that are kept."),
    row("jobs.outputs", Size(1024), "20GiB", "Files that jobs may leave in the state directory; a notice comes before the oldest are erased."),
    row("jobs.open", Count(1, 1_000_000), "10000", "Jobs that may wait or be under way at once; one more is refused."),
    row("thresholds", Group, "", "Limits for every backend; a notice tells when one is passed for ten seconds."),
    row("thresholds.latency", span(1, 600), "", "Longest time that 95 of 100 probes may take."),
    row("thresholds.queue", Count(1, 1_000_000), "", "Most that may wait in the backend's own queue."),
    row("thresholds.success", Count(1, 100), "", "Least share of probes that are to be answered, in per cent."),
    row("thresholds.vram_free", Size(1), "", "Least free memory of the backend's card."),
    row("notices", Group, "", "What becomes of notices beside being shown."),
    row("notices.webhook", Group, "", "A server that is told when a notice is raised and when it ends."),
    row("notices.webhook.url", Hook, "", "Its address, which gets a POST of JSON; one that is itself a secret goes by reference."),
    row("notices.webhook.headers", Entries, "", "Headers for it, its key among them."),
    row("notices.webhook.headers.*", Header, "", "One header."),
    row("log", Group, "", "The rolling log in the state directory."),
    row("log.size", Size(1024), "10MiB", "Largest size of one file before the next is begun."),
    row("log.files", Count(1, 1_000), "3", "Files that are kept, the current one included."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_stands_in_a_group_and_says_what_it_does() {
        for (at, field) in FIELDS.iter().enumerate() {
            let parent = field.parent();
            let group =
                parent.is_empty() || FIELDS[..at].iter().any(|f| f.path == parent && f.kind.is_group());
            assert!(group, "{} stands before its group", field.path);
            assert!(field.sentence.ends_with('.') && field.sentence.len() < 110, "{}", field.path);
            assert_eq!(FIELDS.iter().filter(|f| f.path == field.path).count(), 1, "{}", field.path);
        }
    }

    #[test]
    fn the_slots_of_each_kind_are_those_of_the_type() {
        let sentence = field_at("backends.a.limits.slots").unwrap().sentence;
        let said = |kind: Kind| {
            let before = sentence.split(kind.as_str()).next().unwrap();
            before.split(' ').filter_map(|word| word.parse::<u32>().ok()).next_back()
        };
        for kind in Kind::ALL {
            assert_eq!(said(kind), Some(crate::config::Limits::of(kind).slots), "{kind}");
        }
    }

    #[test]
    fn a_form_gets_type_range_and_choices() {
        let field = |path: &str| serde_json::to_value(field_at(path).unwrap()).unwrap();
        let interval = field("backends.a.probe.interval");
        assert_eq!(
            (&interval["type"], &interval["min"], &interval["max"]),
            (&"duration".into(), &"100ms".into(), &"1h".into())
        );
        assert_eq!(field("backends.a.kind")["choices"][0], "comfyui");
        assert_eq!(field("backends.a.api_key")["secret"], true);
        assert_eq!(field("log.size")["default"], "10MiB");
    }

    #[test]
    fn a_path_finds_its_field() {
        for (path, pattern) in [
            ("backends.a.probe.rise", "backends.*.probe.rise"),
            ("backends.a.headers.x.y", "backends.*.headers.*"),
            ("http.listen", "http.listen"),
        ] {
            assert_eq!(field_at(path).map(|f| f.path), Some(pattern));
        }
        for none in ["", "backend", "backends.a.prob.rise", "http.listen.x", "version.x"] {
            assert_eq!(field_at(none), None, "{none}");
        }
    }
}
