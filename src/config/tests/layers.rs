//! Layers: which value counts, and where it came from.

use std::time::Duration;

use super::*;
use crate::model::status::Source;

const LOCAL: &str = r#"(backends: {
    "comfyui": (kind: comfyui, url: "http://127.0.0.1:8188"),
    "llm": (kind: litellm),
}, http: (listen: "127.0.0.1:1"))"#;

fn row(loaded: &Loaded, path: &str) -> (String, String, Option<String>) {
    let row = loaded.values().into_iter().find(|row| row.path == path).unwrap_or_else(|| panic!("no {path}"));
    (row.value.to_string(), row.source, row.masks)
}

fn backend<'a>(config: &'a Config, id: &str) -> &'a BackendConfig {
    &config.backends[id]
}

#[test]
fn the_command_line_wins_over_the_environment_and_that_over_the_file() {
    let file = directory(LOCAL);
    let path = format!("file:{}", file.path().join(FILE_NAME).display());
    let loader = env(
        named(&file),
        &[
            ("BACKLINE_COMFYUI_URL", "127.0.0.1:9"),
            ("BACKLINE_LISTEN", "127.0.0.1:2"),
            ("LITELLM_BASE_URL", "127.0.0.1:4000/v1"),
        ],
    );
    let loaded = loader.clone().set("http.listen", "127.0.0.1:3").load().unwrap();
    let masked = Some("env:BACKLINE_LISTEN".to_owned());
    assert_eq!(row(&loaded, "http.listen"), ("127.0.0.1:3".to_owned(), "command line".to_owned(), masked));
    let url = ("http://127.0.0.1:9".to_owned(), "env:BACKLINE_COMFYUI_URL".to_owned(), Some(path.clone()));
    assert_eq!(row(&loaded, "backends.comfyui.url"), url);
    assert_eq!(row(&loaded, "backends.comfyui.kind"), ("comfyui".to_owned(), path, None));
    assert_eq!(
        row(&loaded, "backends.comfyui.probe.interval"),
        ("5s".to_owned(), "default".to_owned(), None)
    );
    assert_eq!(row(&loaded, "backends.llm.limits.slots"), ("32".to_owned(), "default".to_owned(), None));
    assert_eq!(backend(&loaded.config, "comfyui").source, Source::Env);
    assert_eq!(backend(&loaded.config, "llm").url.to_string(), "http://127.0.0.1:4000");
    assert_eq!(loader.load().unwrap().config.http.listen().to_string(), "127.0.0.1:2");
}

#[test]
fn an_id_with_a_dash_has_a_variable_with_an_underscore() {
    let file = directory(r#"(backends: { "comfy-a": (kind: comfyui, url: "http://127.0.0.1:1") })"#);
    let loaded =
        env(named(&file), &[("BACKLINE_COMFY_A_ENABLED", "0"), ("BACKLINE_COMFY_A_URL", "")]).load().unwrap();
    assert!(!backend(&loaded.config, "comfy-a").enabled, "0 is false");
    assert_eq!(backend(&loaded.config, "comfy-a").url.port(), 1, "an empty variable is none");
    let loaded = env(named(&file), &[("BACKLINE_COMFYA_URL", "127.0.0.1:2")]).load().unwrap();
    assert_eq!(
        loaded.warnings.to_string(),
        "env:BACKLINE_COMFYA_URL: no backend has the id that BACKLINE_COMFYA_URL names; did you mean `comfy_a`? \
         Correct the variable's name, or add the backend to the file."
    );
}

#[test]
fn a_backend_without_an_address_takes_the_one_of_its_kind() {
    let file = directory(
        r#"(backends: { "a": (kind: comfyui), "b": (kind: wan2gp), "c": (kind: openai), "d": (kind: comfyui, url: "http://127.0.0.1:5") })"#,
    );
    let variables = [
        ("COMFYUI_URL", "http://127.0.0.1:1"),
        ("WAN2GP_URL", "http://127.0.0.1:2"),
        ("OPENAI_BASE_URL", "https://api.example/v1"),
        ("OPENAI_API_KEY", "sk-1"),
    ];
    let config = env(named(&file), &variables).load().unwrap().config;
    let urls: Vec<_> = config.backends.values().map(|b| b.url.to_string()).collect();
    assert_eq!(
        urls,
        ["http://127.0.0.1:1", "http://127.0.0.1:2", "https://api.example", "http://127.0.0.1:5"]
    );
    assert_eq!(backend(&config, "c").api_key, Some(Secret::Env("OPENAI_API_KEY".to_owned())));
}

#[test]
fn a_key_of_the_environment_goes_only_with_the_address_that_it_belongs_to() {
    let file = directory(
        r#"(backends: {
            "ollama": (kind: openai, url: "http://127.0.0.1:11434"),
            "far": (kind: litellm, url: "https://llm.example"),
            "near": (kind: litellm, url: "http://127.0.0.1:4000"),
        })"#,
    );
    let config = env(named(&file), &[("OPENAI_API_KEY", "sk-1"), ("LITELLM_MASTER_KEY", "sk-2")])
        .load()
        .unwrap()
        .config;
    assert_eq!(
        backend(&config, "ollama").api_key,
        None,
        "a provider's key is not for every compatible server"
    );
    assert_eq!(backend(&config, "far").api_key, None);
    assert_eq!(backend(&config, "near").api_key, Some(Secret::Env("LITELLM_MASTER_KEY".to_owned())));
}

#[test]
fn a_file_builds_on_another() {
    let loaded = loader("derived.ron", &[]).load().unwrap();
    let ids: Vec<_> = loaded.config.backends.keys().map(|id| id.as_str()).collect();
    assert_eq!(ids, ["comfyui", "llm", "wan2gp"], "the base comes first");
    let comfyui = backend(&loaded.config, "comfyui");
    assert_eq!(comfyui.url.port(), 9000);
    assert_eq!(comfyui.headers.len(), 2, "maps are joined");
    assert!(comfyui.depends_on.is_empty(), "lists are replaced");
    assert_eq!(loaded.config.http.hosts, ["c"]);
    let (_, source, masks) = row(&loaded, "backends.comfyui.headers.x-b");
    assert_eq!(source, "file:tests/fixtures/config/derived.ron");
    assert_eq!(masks.as_deref(), Some("file:tests/fixtures/config/base.ron"));
    assert_eq!(loaded.files.len(), 2);
}

#[test]
fn a_file_of_the_previous_version_is_read_and_told_of() {
    let loaded = loader("version-0.ron", &[]).load().unwrap();
    let comfyui = backend(&loaded.config, "comfyui");
    assert_eq!(comfyui.url.to_string(), "http://127.0.0.1:8188");
    assert_eq!(comfyui.timeouts.request, Duration::from_secs(10));
    assert_eq!(loaded.config.discovery.adopt, Adopt::Never);
    assert_eq!(loaded.warnings.len(), 3);
    assert_eq!(
        loaded.warnings.0[0].to_string(),
        "tests/fixtures/config/version-0.ron:5:36: backends.comfyui.url: version 0 called it \
         `backends.comfyui.address`. It was read; `backline config export` writes version 1."
    );
    // The old name is an error in the new version.
    let now = directory(r#"(version: 1, backends: { "a": (kind: comfyui, address: "http://127.0.0.1:1") })"#);
    assert!(named(&now).load().is_err());
    let exported = directory(&loaded.export().text);
    assert_eq!(named(&exported).load().unwrap().config, loaded.config);
}

#[test]
fn the_file_is_the_first_that_somebody_named_or_that_lies_there() {
    let here = directory("(log: (files: 1))");
    let users = directory("(log: (files: 2))");
    let other = directory("(log: (files: 4))");
    let files = |loader: &Loader| loader.load().unwrap().config.log.files;
    let nowhere = tempfile::tempdir().unwrap();
    let loader = Loader::new().directory(nowhere.path());
    assert_eq!(files(&loader), LogConfig::default().files);
    let loader = loader.user_directory(users.path());
    assert_eq!(files(&loader), 2);
    let loader = loader.directory(here.path());
    assert_eq!(files(&loader), 1);
    let path = other.path().join(FILE_NAME);
    let loader = env(loader, &[("BACKLINE_CONFIG", path.to_str().unwrap())]);
    assert_eq!(files(&loader), 4);
    let gone = env(loader.clone(), &[("BACKLINE_CONFIG", "gone.ron")]);
    assert_eq!(gone.load().unwrap_err().0[0].place.as_deref(), Some("env:BACKLINE_CONFIG"));
    assert_eq!(files(&loader.file(users.path().join(FILE_NAME))), 2);
}

#[test]
fn nothing_configured_is_the_default() {
    let nowhere = tempfile::tempdir().unwrap();
    let loaded = Loader::new().directory(nowhere.path()).load().unwrap();
    assert_eq!(loaded.config, Config::new().discovery(DiscoveryConfig::on()));
    assert!(loaded.warnings.is_empty() && loaded.files.is_empty());
    assert!(loaded.values().iter().all(|row| row.source == "default"));
}

#[test]
fn the_table_s_defaults_are_those_of_the_types() {
    let file = directory(r#"(backends: { "a": (kind: gradio, url: "http://127.0.0.1:1") })"#);
    let loaded = named(&file).load().unwrap();
    let mut made = BackendConfig::new(
        "a".parse().unwrap(),
        crate::model::Kind::Gradio,
        crate::net::Address::loopback(1),
    );
    made.source = Source::File;
    assert_eq!(loaded.config, Config::new().backend(made).discovery(DiscoveryConfig::on()));
    // Every default of the table, set explicitly, changes nothing.
    let mut loader = named(&file);
    for row in loaded.values().into_iter().filter(|row| row.source == "default" && row.path != "version") {
        loader = loader.set(row.path, row.value.to_string());
    }
    let mut explicit = loader.load().unwrap().config;
    assert_eq!(explicit.http.listen, Some(HttpConfig::DEFAULT_LISTEN));
    explicit.http.listen = None;
    assert_eq!(explicit, loaded.config);
}

#[test]
fn options_may_be_written_out_or_taken_back() {
    let file = directory(
        r#"#![enable(implicit_some)]
        (backends: Some({ "a": (kind: "gradio", url: Some("http://127.0.0.1:1"), proxy: None, login: ("me", "env:KEY")) }))"#,
    );
    let config = env(named(&file), &[("KEY", "x")]).load().unwrap().config;
    let backend = backend(&config, "a");
    assert_eq!(backend.proxy, None);
    assert_eq!(backend.login, Some(Login { user: "me".to_owned(), password: Secret::Env("KEY".to_owned()) }));
}

#[test]
fn code_is_checked_as_files_are() {
    let url = |text: &str| crate::net::Address::parse(text).unwrap();
    let mut a =
        BackendConfig::new("a".parse().unwrap(), crate::model::Kind::Openai, url("http://10.0.0.1:1"))
            .with_key(Secret::Env("KEY".to_owned()));
    a.depends_on = vec!["b".parse().unwrap()];
    let config = Config::new().backend(a).pool(PoolConfig::new("a".parse().unwrap(), []));
    let paths: Vec<_> = config.validate().unwrap_err().0.into_iter().map(|p| p.path).collect();
    assert_eq!(paths, ["pools.a", "backends.a.depends_on", "backends.a.api_key", "pools.a"]);
}

#[test]
fn edits_stand_between_the_environment_and_the_file() {
    let file = directory(LOCAL);
    let mut edits = Edits::default();
    edits.set("backends.comfyui.url", "http://127.0.0.1:5");
    edits.set("backends.comfyui.headers.x-a", "1");
    edits.set("backends.new.kind", "gradio");
    edits.set("backends.new.url", "http://127.0.0.1:6");
    edits.remove("backends.llm");
    let mut found = Edits::default();
    found.found(&"found".parse().unwrap(), crate::model::Kind::Openai, &crate::net::Address::loopback(7));
    found.found(&"comfyui".parse().unwrap(), crate::model::Kind::Comfyui, &crate::net::Address::loopback(8));
    let loader = named(&file).edits(edits.clone()).discovered(found);

    let loaded = loader.load().unwrap();
    let sources: Vec<_> = loaded
        .config
        .backends
        .values()
        .map(|b| format!("{} {} {:?}", b.id, b.url.port(), b.source))
        .collect();
    assert_eq!(sources, ["found 7 Discovered", "comfyui 5 Api", "new 6 Api"]);
    let masked = Some(format!("file:{}", file.path().join(FILE_NAME).display()));
    let url = row(&loaded, "backends.comfyui.url");
    assert_eq!(url, ("http://127.0.0.1:5".to_owned(), "api".to_owned(), masked));
    assert_eq!(backend(&loaded.config, "comfyui").headers.len(), 1);

    let over = env(loader.clone(), &[("BACKLINE_COMFYUI_URL", "127.0.0.1:9")]).load().unwrap();
    assert_eq!(backend(&over.config, "comfyui").url.port(), 9);
    edits.revert("backends.comfyui");
    let reverted = loader.clone().edits(edits.clone()).load().unwrap();
    assert_eq!(backend(&reverted.config, "comfyui").url.port(), 8188);
    assert!(backend(&reverted.config, "comfyui").headers.is_empty());

    edits.set("backends.UPPER.kind", "gradio");
    edits.set("backends.new.headers.host", "x");
    edits.set("backends.new.nothing", "x");
    edits.set("extends", "x.ron");
    let problems = loader.edits(edits).load().unwrap_err();
    let told: Vec<_> =
        problems.iter().map(|p| format!("{} {}", p.place.as_deref().unwrap_or(""), p.path)).collect();
    assert_eq!(
        told,
        [
            "api backends.UPPER.kind",
            "api backends.new.headers.host",
            "api backends.new.nothing",
            "api extends"
        ]
    );
}

#[test]
fn edits_are_kept_as_a_document_and_show_no_value() {
    let mut edits = Edits::default();
    edits.set("backends.a.api_key", "sk-canary");
    edits.remove("backends.b");
    assert!(!format!("{edits:?}").contains("canary"));
    let again: Edits = serde_json::from_str(&serde_json::to_string(&edits).unwrap()).unwrap();
    assert_eq!(again, edits);
    edits.set("backends.b.kind", "gradio");
    assert_eq!(edits.paths().collect::<Vec<_>>(), ["backends.a.api_key", "backends.b.kind"]);
    edits.revert("backends.b");
    edits.revert("backends.a.api_key");
    assert!(edits.is_empty());
}

#[test]
fn a_loaded_configuration_looks_for_backends_and_one_made_in_code_does_not() {
    let load = |text: &str| named(&directory(text)).load().unwrap().config.discovery;
    assert!(!Config::new().discovery.enabled);
    assert_eq!(load("(version: 1)"), DiscoveryConfig::on());
    let set = load(
        "(version: 1, discovery: (enabled: false, ports: [\"9000-9010\"], hosts: [\"box\"], interval: \"5m\"))",
    );
    assert!(!set.enabled);
    assert_eq!(
        (set.scope().hosts.len(), set.scope().ports.last().unwrap().to_string()),
        (2, "9000-9010".into())
    );
    assert_eq!(set.interval, Duration::from_secs(300));
}

#[test]
fn ports_and_hosts_that_cannot_be_looked_at_are_named() {
    let file = directory(
        "(version: 1, discovery: (ports: [\"9\", \"0\"], hosts: [\"10.0.0.0/8\"], interval: \"1s\"))",
    );
    let problems = named(&file).load().unwrap_err().to_string();
    for wanted in ["`0` is no port", "too large a network", "`1s` is out of range"] {
        assert!(problems.contains(wanted), "{problems}");
    }
}
