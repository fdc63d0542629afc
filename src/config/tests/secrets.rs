//! A canary in every field that may hold a secret: it reaches the wire and nothing that is shown.

use secrecy::ExposeSecret;

use super::*;

const CANARY: &str = "sk-canary-51c3";

fn file() -> String {
    r#"(
        backends: {
            "llm": (
                kind: litellm, url: "http://10.0.0.7:4000", api_key: "CANARY", proxy: "http://user:CANARY@127.0.0.1:3",
                headers: { "x-token": "CANARY", "x-plain": "CANARY" }, danger_plain_key: true,
            ),
            "app": (kind: gradio, url: "http://127.0.0.1:7860", login: (user: "me", password: "CANARY")),
        },
        http: (token: "CANARY"),
        notices: (webhook: (url: "http://127.0.0.1:9/hook", headers: { "authorization": "CANARY" })),
    )"#
    .replace("CANARY", CANARY)
}

#[test]
fn a_secret_that_is_written_out_works_warns_and_is_never_shown() {
    let file = directory(&file());
    let loader = named(&file).set("backends.app.api_key", CANARY);
    let loaded = loader.load().unwrap();
    let target = loaded.config.backends["llm"].target_in(&|_| None).unwrap();
    assert_eq!(target.http.key.as_ref().unwrap().expose_secret(), CANARY);
    assert_eq!(target.http.headers["x-plain"], CANARY);
    assert!(target.http.proxy.as_ref().unwrap().as_str().contains(CANARY));

    let warned: Vec<_> = loaded.warnings.iter().map(|w| w.path.as_str()).collect();
    for path in [
        "backends.llm.api_key",
        "backends.llm.headers.x-token",
        "backends.app.login.password",
        "http.token",
        "notices.webhook.headers.authorization",
    ] {
        assert!(warned.contains(&path), "{path} is not in {warned:?}");
    }
    let values = loaded.values();
    let exported = loaded.export();
    let shown = [
        format!("{:?} {loader:?} {:?}", loaded, loaded.config),
        format!("{} {:?}", loaded.warnings, loaded.warnings),
        serde_json::to_string(&values).unwrap(),
        format!("{values:?}"),
        values.iter().map(|row| row.value.to_string()).collect(),
        exported.text.clone(),
    ];
    for text in shown {
        assert!(!text.contains(CANARY), "{text}");
        assert!(!text.is_empty());
    }
    // The export names what is to be set, and works once it is.
    assert!(exported.variables.contains(&"BACKLINE_LLM_API_KEY".to_owned()), "{:?}", exported.variables);
    let copy = directory(&exported.text);
    let variables: Vec<_> = exported.variables.iter().map(|name| (name.as_str(), "http://again")).collect();
    let again = env(named(&copy), &variables).load().unwrap();
    assert!(again.warnings.is_empty(), "{}", again.warnings);
}

#[test]
fn a_mistake_around_a_secret_does_not_repeat_it() {
    for wrong in [
        r#"(backends: { "a": (kind: openai, url: "http://127.0.0.1:1", api_key: [CANARY]) })"#,
        r#"(backends: { "a": (kind: openai, url: "http://127.0.0.1:1", api_key: CANARY) })"#,
        r#"(backends: { "a": (kind: openai, url: "http://127.0.0.1:1", apikey: "CANARY") })"#,
        r#"(backends: { "a": (kind: openai, url: "http://127.0.0.1:1", api_key: "env:CANARY") })"#,
        r#"(backends: { "a": (kind: openai, url: "http://me:CANARY@127.0.0.1:1") })"#,
        r#"(backends: { "a": (kind: openai, url: "http://127.0.0.1:1?key=CANARY") })"#,
        r#"(backends: { "a": (kind: openai, url: "http://127.0.0.1:1", proxy: "ftp://me:CANARY@x") })"#,
        r#"(backends: { "a": (kind: openai, url: "http://10.0.0.1:1", api_key: "CANARY") })"#,
        r#"(backends: { "a": (kind: gradio, url: "http://127.0.0.1:1", login: "CANARY") })"#,
        r#"(backends: { "a": (kind: gradio, url: "http://127.0.0.1:1", headers: { "x-a": "CANARY\n" }) })"#,
        r#"(backends: { "a": (kind: openai, url: "http://127.0.0.1:1", api_key: "CANARY) })"#,
        r#"(backends: { "a": (kind: openai, url: "http://127.0.0.1:1", api_key: "CANARY\q") })"#,
    ] {
        let file = directory(&wrong.replace("CANARY", CANARY));
        let checked = named(&file).check();
        assert!(!checked.problems.is_empty(), "{wrong}");
        let text = format!("{} {checked:?} {}", checked.problems, serde_json::to_string(&checked).unwrap());
        assert!(!text.contains(CANARY), "{wrong}: {text}");
    }
}

#[test]
fn a_key_in_a_variable_is_a_reference_to_it() {
    let file = directory(r#"(backends: { "llm": (kind: openai, url: "http://127.0.0.1:1") })"#);
    let key_file = file.path().join("key");
    std::fs::write(&key_file, CANARY).unwrap();
    let by_file = format!("file:{}", key_file.display());
    for value in [CANARY, by_file.as_str()] {
        let loaded =
            env(named(&file), &[("BACKLINE_LLM_API_KEY", value), ("BACKLINE_TOKEN", CANARY)]).load().unwrap();
        assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
        let target = loaded.config.backends["llm"].target_in(&|_| Some(CANARY.to_owned())).unwrap();
        assert_eq!(target.http.key.unwrap().expose_secret(), CANARY);
        assert!(!format!("{loaded:?}").contains(CANARY));
        assert_eq!(loaded.config.http.token, Some(Secret::Env("BACKLINE_TOKEN".to_owned())));
    }
}

#[test]
fn a_file_that_nobody_named_is_trusted_for_what_it_says_now() {
    let text = r#"(backends: { "llm": (kind: openai, url: "https://far.example", api_key: "env:KEY") })"#;
    let directory = directory(text);
    let here = env(Loader::new().directory(directory.path()), &[("KEY", CANARY)]);
    let key = |loader: &Loader| {
        let config = loader.load().unwrap().config;
        config.backends["llm"].target_in(&|_| Some(CANARY.to_owned())).map(|target| target.http.key.is_some())
    };
    assert!(key(&here).unwrap_err().fix().contains("config trust"));
    assert!(here.load().unwrap().warnings.to_string().contains("nobody named"));
    // An address that the user gave takes the key; the file has no say in it.
    let given = env(here.clone(), &[("KEY", CANARY), ("BACKLINE_LLM_URL", "https://mine.example")]);
    assert_eq!(key(&given).ok(), Some(true));
    assert_eq!(key(&named(&directory).env([("KEY".to_owned(), CANARY.to_owned())])).ok(), Some(true));

    let subject = here.trust_subject().unwrap().unwrap();
    let mut list = TrustList::default();
    list.trust(&subject.path, &subject.digest);
    let trusting = here.clone().trusted(TrustList::parse(&list.to_text()));
    assert_eq!(key(&trusting).ok(), Some(true));
    assert!(trusting.load().unwrap().warnings.is_empty());
    std::fs::write(directory.path().join(FILE_NAME), text.replace("far", "farther")).unwrap();
    assert!(key(&trusting).is_err(), "another address asks again");
}

#[test]
fn a_webhook_gets_no_secret_in_the_clear_and_nothing_by_a_file_that_nobody_named() {
    let with = |url: &str, headers: &str| {
        format!(r#"(notices: (webhook: (url: "{url}", headers: {{ {headers} }})))"#)
    };
    let key = r#""authorization": "env:HOOK""#;
    let problems = |text: &str| {
        let checked = env(named(&directory(text)), &[("HOOK", "x")]).check();
        checked.problems.iter().map(|p| p.path.clone()).collect::<Vec<_>>()
    };
    assert_eq!(problems(&with("http://10.0.0.1/hook", key)), ["notices.webhook.headers.authorization"]);
    for fine in ["https://10.0.0.1/hook", "http://127.0.0.1/hook", "env:HOOK_URL"] {
        let checked =
            env(named(&directory(&with(fine, key))), &[("HOOK", "x"), ("HOOK_URL", "https://a/b?c")]).check();
        assert_eq!(checked, Checked::default(), "{fine}");
    }
    for bad in ["http://u:p@10.0.0.1/", "https://a/b?token=1", "ftp://a", "10.0.0.1:9"] {
        assert_eq!(problems(&with(bad, "")), ["notices.webhook.url"], "{bad}");
    }
    assert_eq!(problems(&format!("(notices: (webhook: (headers: {{ {key} }})))")), ["notices.webhook"]);

    let file = directory(&with("https://hooks.example/a", ""));
    let unnamed = Loader::new().directory(file.path()).check();
    assert_eq!(unnamed.warnings.iter().map(|w| w.path.as_str()).collect::<Vec<_>>(), ["notices.webhook.url"]);
}
