//! What the tests share: a server, the way to it, and work for it.

use std::time::Duration;

use backline::{
    backends::{
        Attempt, Past, Setback, Start, Target,
        comfyui::Comfyui,
        target::{Keepalive, Timeouts},
    },
    model::{Code, Fault, Kind, Work},
    net::Address,
    sim::comfyui::{SimComfyui, Version},
};

pub fn target(url: &str) -> Target {
    let id = "comfy".parse().unwrap();
    let mut target = Target::new(id, Kind::Comfyui, Address::parse(url).unwrap());
    target.timeouts = Timeouts { request: Duration::from_secs(3), ..Timeouts::default() };
    target.keepalive =
        Keepalive { interval: Duration::from_millis(500), deadline: Duration::from_millis(500) };
    target
}

pub fn connector(sim: &SimComfyui) -> Comfyui {
    Comfyui::new(target(&sim.server().url())).unwrap()
}

pub async fn sim() -> SimComfyui {
    SimComfyui::start(Version::V0_24_0).await.unwrap()
}

/// A graph of one slow node and a saved image; another nonce runs anew.
pub fn slow(steps: u32, delay: f64, extra: &str) -> String {
    format!(
        r#"{{"1":{{"class_type":"EmptyImage","inputs":{{"width":64,"height":64,"batch_size":1,"color":255}}}},
        "2":{{"class_type":"WireSlow","inputs":{{"image":["1",0],"steps":{steps},"delay":{delay},
            "preview":false,"fail_at":-1,"nonce":0{extra}}}}},
        "3":{{"class_type":"SaveImage","inputs":{{"images":["2",0],"filename_prefix":"w"}}}}}}"#
    )
}

pub fn attempt(graph: &str, start: Start) -> Attempt {
    let work = Work::Workflow(serde_json::value::RawValue::from_string(graph.to_owned()).unwrap().into());
    Attempt { work, remote: uuid::Uuid::new_v4().to_string(), start, past: Past::default() }
}

pub fn fault_of(setback: Setback) -> Fault {
    match setback {
        Setback::Refused(f)
        | Setback::Unsent(f)
        | Setback::Failed(f)
        | Setback::Adrift(f)
        | Setback::Uncertain(f) => f,
        Setback::Gone { evidence, .. } => evidence,
        other => Fault::new(Code::Cancelled, format!("{other:?}")),
    }
}
