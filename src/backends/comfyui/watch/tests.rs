use super::*;
use crate::backends::comfyui::recordings::{VERSIONS, scenario};

const GRAPH: &str = r#"{"1":{"class_type":"EmptyImage","inputs":{}},"2":{"class_type":"WireSlow","inputs":{}},
    "3":{"class_type":"SaveImage","inputs":{}}}"#;

fn watch() -> Watch {
    Watch::new("p", &Workflow::parse(GRAPH).unwrap(), Audience::Ours)
}

/// Feeds what one socket got of the first job that it names, and words each report.
fn replay(version: &str, name: &str, who: &str) -> (Watch, Vec<String>) {
    let mut watch = watch();
    let mut job = None;
    let mut told = Vec::new();
    for line in scenario(version, name).iter().filter(|l| l.who == who) {
        let frame = Frame::from_text(line.text.as_ref().unwrap().get()).unwrap();
        if let Some(prompt) = frame.prompt() {
            let job = job.get_or_insert_with(|| prompt.to_owned());
            if prompt == job {
                told.extend(watch.frame(&frame).iter().map(word));
            }
        }
    }
    (watch, told)
}

fn word(report: &Report) -> String {
    match report {
        Report::Accepted { .. } => "accepted".to_owned(),
        Report::Started => "started".to_owned(),
        Report::Progress(p) => {
            format!("{} {}/{}", p.node.as_deref().unwrap(), p.value, p.max.unwrap_or_default())
        }
        other => format!("{other:?}"),
    }
}

#[test]
fn a_recorded_success_is_told_step_by_step_and_each_once() {
    for version in VERSIONS {
        let (watch, told) = replay(version, "ws_success", "A");
        assert_eq!(
            told,
            [
                "accepted",
                "started",
                "EmptyImage 0/0",
                "WireSlow 0/0",
                "WireSlow 1/4",
                "WireSlow 2/4",
                "WireSlow 3/4",
                "WireSlow 4/4",
                "SaveImage 0/0"
            ],
            "{version}"
        );
        assert!(matches!(watch.stage(), Stage::Over(Ending::Success)));
        assert_eq!(watch.files().len(), 1);
    }
}

#[test]
fn a_recorded_failure_and_an_interrupt_end_the_watch() {
    for version in VERSIONS {
        let (watch, _) = replay(version, "ws_fail", "A");
        let Stage::Over(Ending::Failed(fault)) = watch.stage() else { panic!("{:?}", watch.stage()) };
        assert!(fault.message().contains("step 2"), "{fault}");
        let (watch, _) = replay(version, "ws_interrupt", "A");
        assert!(matches!(watch.stage(), Stage::Over(Ending::Interrupted)));
    }
}

#[test]
fn progress_resumes_on_the_socket_that_takes_over() {
    for version in VERSIONS {
        let (watch, told) = replay(version, "ws_reconnect_same_id_after_clean_close", "A2");
        assert_eq!(told[..2], ["accepted", "started"]);
        assert!(told.contains(&"WireSlow 20/20".to_owned()), "{told:?}");
        assert!(matches!(watch.stage(), Stage::Over(Ending::Success)));
    }
}

#[test]
fn a_place_in_the_queue_is_told_when_it_changes() {
    let mut watch = watch();
    let told: Vec<_> =
        [Place::Pending(1), Place::Pending(1), Place::Pending(0), Place::Running, Place::Running]
            .iter()
            .flat_map(|place| watch.polled(*place))
            .map(|report| match report {
                Report::Waiting { position } => format!("{position:?}"),
                other => word(&other),
            })
            .collect();
    assert_eq!(told, ["accepted", "Some(1)", "Some(0)", "started"]);
}

#[test]
fn after_the_end_nothing_is_told() {
    let mut watch = watch();
    watch.frame(&Frame::Interrupted { prompt: "p".to_owned() });
    let late =
        Frame::Progress { prompt: Some("p".to_owned()), node: Some("2".to_owned()), value: 1.0, max: 2.0 };
    assert!(watch.frame(&late).is_empty());
    assert!(matches!(watch.stage(), Stage::Over(Ending::Interrupted)));
}
