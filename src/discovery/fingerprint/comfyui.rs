//! ComfyUI, by `/system_stats`.

use crate::{
    backends::comfyui::identify::Stats,
    discovery::{answer::Answer, identity::identity, sighting::Sighting},
    model::Kind,
};

/// ComfyUI 0.3.64 and 0.24.0 answer `/system_stats` to anybody. Its identity is made of how it was started (without
/// its address), its Python and its devices: two of one installation with the same arguments and devices share it.
pub(in crate::discovery) fn sight(answer: &Answer) -> Option<Sighting> {
    let stats = Stats::read(answer.status, &answer.body)?;
    let argv = without_address(&stats.system.argv);
    let devices = stats.devices.iter().map(|device| device.name.as_str());
    let python = stats.system.python_version.as_deref().unwrap_or_default();
    let parts = argv.into_iter().chain([python]).chain(devices);
    let sighting = Sighting::new(Kind::Comfyui, identity(Kind::Comfyui, parts));
    Some(sighting.title(Some("ComfyUI")).version(stats.system.comfyui_version.as_deref()))
}

/// The arguments without the port and the addresses that it listens on; `--listen` may stand without a value.
fn without_address(argv: &[String]) -> Vec<&str> {
    let mut kept = Vec::new();
    let mut argv = argv.iter().map(String::as_str).peekable();
    while let Some(argument) = argv.next() {
        match argument {
            "--port" | "--listen" => {
                argv.next_if(|value| !value.starts_with("--"));
            }
            _ if argument.starts_with("--port=") || argument.starts_with("--listen=") => {}
            _ => kept.push(argument),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discovery::answer::tests::answer;

    fn stats(argv: &str, version: &str) -> Answer {
        let body = format!(
            r#"{{"system":{{"os":"posix","comfyui_version":"{version}","python_version":"3.11","embedded_python":false,
            "argv":{argv}}},"devices":[{{"name":"cpu","type":"cpu","vram_total":1,"vram_free":1}}]}}"#
        );
        answer(200, "Python/3.11 aiohttp/3.13", body)
    }

    #[test]
    fn it_is_the_same_on_another_port_and_of_another_version() {
        let of = |argv: &str, version: &str| sight(&stats(argv, version)).unwrap();
        let first = of(r#"["main.py","--cpu","--port","8188","--listen"]"#, "0.3.64");
        assert_eq!((first.kind, first.version.as_deref()), (Kind::Comfyui, Some("0.3.64")));
        let moved = of(r#"["main.py","--cpu","--port=8189","--listen","127.0.0.1"]"#, "0.24.0");
        assert_eq!(first.identity, moved.identity);
        let other = of(r#"["/opt/other/main.py","--cpu","--port","8188"]"#, "0.3.64");
        assert_ne!(first.identity, other.identity);
    }

    #[test]
    fn what_others_answer_there_is_not_it() {
        for (status, body) in
            [(200, "{}"), (404, ""), (200, r#"{"system":{},"devices":[]}"#), (200, "<html>")]
        {
            assert_eq!(sight(&answer(status, "", body)), None, "{body}");
        }
        let mut wrong = stats("[]", "1");
        wrong.status = http::StatusCode::NOT_FOUND;
        assert_eq!(sight(&wrong), None);
    }
}
