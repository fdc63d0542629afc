use super::*;
use crate::backends::comfyui::recordings::{VERSIONS, scenario};

fn entries(version: &str, name: &str) -> Vec<Entry> {
    let lines = scenario(version, name);
    let answers = lines.iter().filter_map(|l| l.history());
    let histories = answers.map(|json| serde_json::from_str::<History>(json).unwrap());
    histories.flat_map(IndexMap::into_values).collect()
}

fn done(entry: Entry) -> Finished {
    match entry.verdict() {
        Verdict::Done(finished) => finished,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_recorded_success_names_its_file_and_keeps_the_outputs() {
    for version in VERSIONS {
        let finished = done(entries(version, "ws_success").remove(0));
        assert_eq!(finished.files.len(), 1);
        let file = &finished.files[0];
        assert_eq!(file.slot, "3/images/0");
        assert!(file.name.starts_with("w_0"), "{}", file.name);
        let locator: FileName = serde_json::from_str(&file.locator).unwrap();
        assert_eq!((locator.folder.as_str(), &locator.filename), ("output", &file.name));
        assert!(finished.notes.is_empty());
        assert!(finished.result.unwrap().get().starts_with(r#"{"3":"#));
    }
}

#[test]
fn a_recorded_failure_and_an_interrupt_look_alike_but_for_their_messages() {
    for version in VERSIONS {
        let Verdict::Failed(fault) = entries(version, "ws_fail").remove(0).verdict() else { panic!("no") };
        assert_eq!(fault.message(), "WireSlow (node 2) failed: wiretest failure at step 2");
        assert_eq!(fault.code(), Code::ExecutionFailed);
        assert!(fault.detail().unwrap().contains("execution.py"));
        let interrupted = entries(version, "ws_interrupt").remove(0);
        assert!(matches!(interrupted.verdict(), Verdict::Interrupted));
    }
}

#[test]
fn a_job_is_cached_when_its_outputs_are() {
    let entry = |cached: &str| -> Entry {
        serde_json::from_str(&format!(
            r#"{{"prompt":[1,"p",{{}},{{}},["9"],"added by a later version"],"outputs":{{}},
            "status":{{"status_str":"success","messages":[["execution_cached",{{"nodes":{cached}}}]]}}}}"#
        ))
        .unwrap()
    };
    assert_eq!(done(entry(r#"["9"]"#)).notes, [FROM_CACHE]);
    assert!(done(entry(r#"["1","2"]"#)).notes.is_empty());
}

#[test]
fn files_are_found_under_any_key_and_nothing_else_is_taken_for_one() {
    let outputs = r#"{"4":{"gifs":[{"filename":"a.mp4","subfolder":"v","type":"output","format":"video/h264-mp4"}],
        "audio":[{"filename":"b.flac","subfolder":"","type":"temp"}]},
        "5":{"3d":[{"filename":"c.glb"}],"animated":[true],"text":["filename"],"result":null},"6":null}"#;
    let entry: Entry = serde_json::from_str(&format!(r#"{{"outputs":{outputs}}}"#)).unwrap();
    let files = done(entry).files;
    let seen: Vec<_> = files.iter().map(|f| (f.name.as_str(), f.slot.as_str())).collect();
    assert_eq!(seen, [("a.mp4", "4/gifs/0"), ("b.flac", "4/audio/0"), ("c.glb", "5/3d/0")]);
    assert_eq!(files[0].claimed_type.as_deref(), Some("video/h264-mp4"));
    let locator: FileName = serde_json::from_str(&files[2].locator).unwrap();
    assert_eq!((locator.subfolder.as_str(), locator.folder.as_str()), ("", "output"));
}

#[test]
fn running_out_of_memory_has_a_code_of_its_own() {
    for (kind, said) in [
        ("torch.OutOfMemoryError", "Allocation on device"),
        ("torch.cuda.OutOfMemoryError", "x"),
        ("RuntimeError", "HIP error: out of memory"),
    ] {
        let failure = Failure {
            exception_type: Some(kind.to_owned()),
            exception_message: Some(said.to_owned()),
            ..Failure::default()
        };
        assert_eq!(failure.fault().code(), Code::OutOfMemory, "{kind}: {said}");
    }
}
