//! Bad files: each problem is one line with its place, its cause and its remedy.

use super::*;

/// The lines that a file among the fixtures gets.
fn lines(file: &str) -> Vec<String> {
    let problems = loader(file, &[("KEY", "sk-1")]).load().unwrap_err();
    problems.to_string().lines().map(|line| line.replace("tests/fixtures/config/", "")).collect()
}

fn same(file: &str, expected: &str) {
    let found = lines(file).join("\n");
    assert_eq!(found, expected.trim(), "\n{found}\n");
}

#[test]
fn ten_errors_are_ten_lines() {
    same(
        "ten-errors.ron",
        r#"
ten-errors.ron:5:36: backends.comfyui.urll: there is no field `urll`; did you mean `url`? The fields are kind, url, required, enabled, api_key, login, headers, tls, danger_plain_key, timeouts, probe, keepalive, hang_limit, limits, proxy, depends_on, exclusive, unload, thresholds.
ten-errors.ron:5:72: backends.comfyui.url: `ftp` is neither http nor https. Write an address, like "http://127.0.0.1:8188".
ten-errors.ron:6:9: backends: `Wan2GP` is no id: use small letters, digits, `-` and `_`, beginning with a letter or a digit, at most 64. Choose another name.
ten-errors.ron:7:26: backends.gradio.kind: `grado` is not known; did you mean `gradio`? Write one of comfyui, gradio, wan2gp, litellm, openai.
ten-errors.ron:7:73: backends.gradio.required: found a text in quotes. Write `true` or `false`.
ten-errors.ron:8:71: backends.llm.api_key: the variable NOT_SET is not set. Set NOT_SET, or refer to another variable or file.
ten-errors.ron:8:98: backends.llm.hang_limit: `2 minutes` is no duration. Write a duration from 1s to 1d, like "5s" or "250ms".
ten-errors.ron:9:9: backends.llm: stands there twice. Remove one of them.
ten-errors.ron:10:72: backends.remote.api_key: `api_key` would cross the network in the clear, over plain http. Use https, or allow it for this backend with `danger_plain_key: true`.
ten-errors.ron:12:34: pools.images.members: there is no backend `comfy`; did you mean `comfyui`? Name a backend of this configuration, or take the name out.
"#,
    );
}

#[test]
fn names_that_collide_or_lead_nowhere() {
    same(
        "names.ron",
        r#"
names.ron:4:75: backends.comfy-a.depends_on: the backends wait for each other: comfy-a -> comfy_a -> c -> comfy-a. Take one of them out of `depends_on`.
names.ron:5:9: backends.comfy_a: `backends.comfy-a` has the same name in the environment, COMFY_A. Choose another id.
names.ron:6:68: backends.c.depends_on: there is no backend `nobody`. Name a backend of this configuration, or take the name out.
names.ron:7:68: backends.d.depends_on: the backends wait for each other: d -> d. Take one of them out of `depends_on`.
names.ron:8:9: backends.image: there is no `kind`. Add `kind`: one of comfyui, gradio, wan2gp, litellm, openai.
names.ron:8:9: backends.image: there is no `url`. Add `url`, like "http://127.0.0.1:8188".
names.ron:9:9: backends.no-url: there is no `url`. Add `url`, like "http://127.0.0.1:8188", or set LITELLM_BASE_URL or OPENAI_BASE_URL.
names.ron:12:9: pools.image: `backends.image` has the same id. Choose another id.
names.ron:12:28: pools.image.members: there is no backend `d-d`. Name a backend of this configuration, or take the name out.
names.ron:12:34: pools.image.members: `c` stands there twice. Remove one of them.
names.ron:13:9: pools.empty: the pool has neither members nor a capability. Add `members`, a list of backends, or a `capability`.
"#,
    );
}

#[test]
fn values_in_the_form_of_another_type() {
    same(
        "forms.ron",
        r#"
forms.ron:3:14: version: found a text in quotes. Write a whole number from 0 to 1000000.
forms.ron:4:16: state_dir: `~/backline` is no path: `~` is the shell's word, write the whole path. Write a path in quotes.
forms.ron:6:9: backends.a.login: there is no `password`. Write `(user: "NAME", password: "env:NAME")`.
forms.ron:7:19: backends.a.kind: found a list. Write one of comfyui, gradio, wan2gp, litellm, openai.
forms.ron:8:18: backends.a.url: found `8188`. Write an address, like "http://127.0.0.1:8188".
forms.ron:9:23: backends.a.required: `1` is neither true nor false. Write `true` or `false`.
forms.ron:10:22: backends.a.api_key: found a bare word. Write a reference, "env:NAME" or "file:PATH".
forms.ron:11:33: backends.a.login.pass: there is no field `pass`; did you mean `password`? The fields are user, password.
forms.ron:12:24: backends.a.headers: `x y` is no name of a header. Choose another name.
forms.ron:12:36: backends.a.headers: the header `host` is the protocol's own. Choose another name.
forms.ron:12:57: backends.a.headers.x-ok: the value has letters that no header has. Write the header's value in quotes, or "env:NAME" or "file:PATH".
forms.ron:13:24: backends.a.tls.pin: `abc` is no SHA-256. Write the SHA-256 of a certificate, 64 hexadecimal digits in quotes.
forms.ron:14:23: backends.a.timeouts: found a map in braces. Write named fields in parentheses, like `(field: value)`.
forms.ron:15:31: backends.a.probe.interval: found `5`. Write a duration from 100ms to 1h, like "5s" or "250ms".
forms.ron:15:43: backends.a.probe.timeout: `1ms` is out of range. Write a duration from 50ms to 10m, like "5s" or "250ms".
forms.ron:15:56: backends.a.probe.rise: `0` is out of range. Write a whole number from 1 to 100.
forms.ron:15:65: backends.a.probe.fall: `2.5` is no whole number. Write a whole number from 1 to 100.
forms.ron:16:29: backends.a.limits.slots: found a text in quotes. Write a whole number from 1 to 10000.
forms.ron:17:20: backends.a.proxy: the value is no address of an http proxy. Write the address of an http proxy, like "http://127.0.0.1:3128".
forms.ron:18:25: backends.a.depends_on: found a text in quotes. Write a list of ids, like `["comfy-a"]`.
forms.ron:19:24: backends.a.exclusive: `Card` is no id: use small letters, digits, `-` and `_`, beginning with a letter or a digit, at most 64. Write an id, like "comfy-a".
forms.ron:21:9: backends: a name in a map stands in quotes. Write it like `"name": …`.
forms.ron:23:12: pools: found a list. Write a map in braces, like `{ "name": value }`.
forms.ron:24:20: http.listen: `localhost:7717` is no IP address with a port. Write an IP address with a port, like "127.0.0.1:7717".
forms.ron:24:46: http.hosts: found `1`. Write a list of texts, like `["a", "b"]`.
forms.ron:24:57: http.token: the value is empty. Write a reference, "env:NAME" or "file:PATH".
forms.ron:25:17: log.size: `10` has no unit. Write a size of at least 1KiB, like "20GiB".
forms.ron:25:23: log.size: stands there twice. Remove one of them.
forms.ron:26:16: discovery: found `always`. Write named fields in parentheses, like `(field: value)`.
"#,
    );
}

#[test]
fn a_file_that_cannot_be_read_at_all_is_one_line() {
    for (file, line) in [
        (
            "syntax.ron",
            "syntax.ron:5:5: Expected comma. Correct the syntax there (RON: `(field: value, …)`).",
        ),
        (
            "empty.ron",
            "empty.ron:1:1: the file is empty. Write at least `(version: 1)`, or begin with `backline config init`.",
        ),
        (
            "newer.ron",
            "newer.ron:3:14: version: the file has version 2, and this build knows 1. Use a Backline that knows version 2; nothing was read.",
        ),
        (
            "gone.ron",
            "command line: the file gone.ron does not exist. Correct the path, or write a file with `backline config init`.",
        ),
        (
            "dangling.ron",
            "dangling.ron:1:11: extends: the file gone.ron does not exist. Correct the path, or write a file with `backline config init`.",
        ),
        (
            "circle",
            "command line: the file circle is no regular file. Correct the path, or write a file with `backline config init`.",
        ),
    ] {
        assert_eq!(lines(file), [line]);
    }
}

#[test]
fn files_that_extend_each_other_are_named_as_a_chain() {
    same(
        "circle/a.ron",
        "circle/c.ron:1:11: extends: the files extend each other: circle/a.ron -> circle/b.ron -> circle/c.ron -> \
         circle/a.ron. Take one `extends` out of the circle.\n\
         circle/c.ron:1:20: backend: there is no field `backend`; did you mean `backends`? The fields are version, \
         extends, state_dir, backends, pools, discovery, http, history, jobs, thresholds, notices, log.",
    );
}

#[test]
fn a_long_chain_of_files_ends() {
    let directory = tempfile::tempdir().unwrap();
    for count in 0..40 {
        let text = format!("(extends: \"{}.ron\")", count + 1);
        std::fs::write(directory.path().join(format!("{count}.ron")), text).unwrap();
    }
    let problems = Loader::new().file(directory.path().join("0.ron")).load().unwrap_err();
    assert_eq!(problems.len(), 1);
    assert_eq!(problems.0[0].message, "more than 16 files extend one another");
}

#[test]
fn a_file_is_read_up_to_a_cap_and_only_as_text() {
    let large = directory(&" ".repeat(1024 * 1024 + 1));
    assert!(named(&large).load().unwrap_err().0[0].message.ends_with("is larger than 1 MiB"));
    std::fs::write(large.path().join(FILE_NAME), b"(\xff)").unwrap();
    assert!(named(&large).load().unwrap_err().0[0].message.ends_with("is not written in UTF-8"));
    std::fs::write(large.path().join(FILE_NAME), "\u{feff}(version: 1)").unwrap();
    assert_eq!(named(&large).load().unwrap().config, Config::new().discovery(DiscoveryConfig::on()));
}

#[test]
fn a_problem_is_a_document_with_its_path() {
    let checked = loader("newer.ron", &[]).check();
    let json = serde_json::to_value(&checked).unwrap();
    assert_eq!(json["problems"][0]["path"], "version");
    assert_eq!(json["problems"][0]["place"], "tests/fixtures/config/newer.ron:3:14");
    assert!(json["problems"][0]["message"].is_string() && json["problems"][0]["fix"].is_string());
    assert_eq!(json["warnings"], serde_json::json!([]));
}

#[test]
fn variables_and_the_command_line_are_checked_as_a_file_is() {
    let file = directory(r#"(backends: { "comfyui": (kind: comfyui, url: "http://127.0.0.1:1") })"#);
    let problems = env(
        named(&file),
        &[
            ("BACKLINE_COMFYUI_URL", "ftp://x"),
            ("BACKLINE_LISTEN", "here"),
            ("BACKLINE_COMFYUI_ENABLED", "maybe"),
        ],
    )
    .set("http.liste", "x")
    .set("backends.other.required", "true")
    .set("log.files", "0")
    .load()
    .unwrap_err();
    assert_eq!(
        problems.to_string(),
        r#"
env:BACKLINE_LISTEN: http.listen: `here` is no IP address with a port. Write an IP address with a port, like "127.0.0.1:7717".
env:BACKLINE_COMFYUI_ENABLED: backends.comfyui.enabled: `maybe` is neither true nor false. Write `true` or `false`.
env:BACKLINE_COMFYUI_URL: backends.comfyui.url: `ftp` is neither http nor https. Write an address, like "http://127.0.0.1:8188".
command line: http.liste: there is no such value. `backline config show` lists all.
command line: backends.other.required: there is no such value. `backline config show` lists all.
command line: log.files: `0` is out of range. Write a whole number from 1 to 1000.
"#
        .trim()
    );
}
