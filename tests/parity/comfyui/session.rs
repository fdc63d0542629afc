//! Our own session against a real server: a job with previews, a cut line, and the death of the process.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use backline::{
    backends::{Attempt, Connector, Past, Report, Setback, Sign, Sink, Start, Target, comfyui::Comfyui},
    model::{Channel, Code, Epoch, Kind, Work},
    net::Address,
};
use futures_util::StreamExt;
use serde_json::{Value, value::RawValue};

use super::{
    real::Real,
    script::{PATIENCE, Script, id},
};

#[derive(Default)]
struct Log(Mutex<Vec<Report>>);

impl Sink for Log {
    fn report(&self, report: Report) {
        self.0.lock().unwrap().push(report);
    }
}

impl Log {
    fn count(&self, wanted: impl Fn(&Report) -> bool) -> usize {
        self.0.lock().unwrap().iter().filter(|r| wanted(r)).count()
    }
}

fn attempt(graph: &Value) -> Attempt {
    let raw = RawValue::from_string(graph.to_string()).unwrap();
    Attempt { work: Work::Workflow(raw.into()), remote: id(), start: Start::Fresh, past: Past::default() }
}

/// Runs the checks; ends the server.
pub async fn check(mut server: Real) {
    let mut script = Script::new(&server.url);
    let target = Target::new("real".parse().unwrap(), Kind::Comfyui, Address::parse(&server.url).unwrap());
    let connector = Comfyui::new(target).unwrap();
    let dialed = connector.dial(Epoch::new(1)).await.unwrap();
    assert_eq!((dialed.channel, dialed.identity.version.as_deref()), (Channel::Live, Some(&*server.version)));
    let (session, mut live) = (dialed.session, dialed.live);
    let probed = session.probe().await.unwrap();
    assert!(probed.resources.vram_total.is_some() && probed.queue.is_some());

    // What the checks before asked to be freed, the server may free only after its next job (seen with 0.24.0): else what
    // the one below leaves in the cache would go.
    let first = attempt(&script.graph(1, 0.0, serde_json::json!({})));
    drive(&mut live, session.clone().run(first, Arc::new(Log::default()))).await.unwrap();
    let mut graph = script.graph(3, 0.1, serde_json::json!({"preview": true}));
    let log = Arc::new(Log::default());
    let finished = drive(&mut live, session.clone().run(attempt(&graph), log.clone())).await.unwrap();
    assert_eq!(log.count(|r| matches!(r, Report::Preview(bytes) if infer::image::is_jpeg(bytes))), 3);
    assert_eq!(log.count(|r| matches!(r, Report::Progress(p) if p.value == 3.0)), 1);
    let mut file = session.fetch(finished.files[0].clone(), 0).await.unwrap();
    assert!(infer::image::is_png(&file.bytes.next().await.unwrap().unwrap()));
    let cached = drive(&mut live, session.clone().run(attempt(&graph), Arc::new(Log::default()))).await;
    assert!(cached.unwrap().notes[0].contains("cache"));

    graph["2"]["inputs"]["fail_at"] = serde_json::json!(1);
    let failed = drive(&mut live, session.clone().run(attempt(&graph), Arc::new(Log::default()))).await;
    assert!(matches!(failed, Err(Setback::Failed(f)) if f.message().contains("wiretest failure at step 1")));
    graph["1"]["inputs"]["width"] = serde_json::json!(-1);
    let refused = drive(&mut live, session.clone().run(attempt(&graph), Arc::new(Log::default()))).await;
    assert!(matches!(refused, Err(Setback::Refused(f)) if f.message().starts_with("node 1 (EmptyImage)")));

    // A client that ends in the middle; the next one takes the same job up.
    let job = attempt(&script.graph(40, 0.1, serde_json::json!({})));
    let log = Arc::new(Log::default());
    let run = session.clone().run(job.clone(), log.clone());
    let ender = async {
        while log.count(|r| matches!(r, Report::Progress(p) if p.value == 2.0)) == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        session.end(backline::model::Fault::new(Code::Closing, "closing"));
    };
    let (run, ()) = tokio::join!(drive(&mut live, run), ender);
    assert!(matches!(run, Err(Setback::Adrift(_))));
    while live.next().await.is_some() {}
    let dialed = connector.dial(Epoch::new(2)).await.unwrap();
    let (session, mut live) = (dialed.session, dialed.live);
    let log = Arc::new(Log::default());
    let follow = Attempt { start: Start::Follow, ..job };
    let finished = drive(&mut live, session.clone().run(follow, log.clone())).await.unwrap();
    assert_eq!(finished.files.len(), 1);
    assert!(log.count(|r| matches!(r, Report::Progress(_))) > 10, "progress resumes");

    // The process dies in the middle of a job.
    let job = attempt(&script.graph(500, 0.1, serde_json::json!({})));
    let log = Arc::new(Log::default());
    let run = session.clone().run(job, log.clone());
    let killer = async {
        while log.count(|r| matches!(r, Report::Progress(p) if p.value == 1.0)) == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        server.kill();
        tokio::time::Instant::now()
    };
    let watch = async {
        while let Some(sign) = live.next().await {
            if let Sign::Lost(fault) = sign {
                session.end(fault);
                return tokio::time::Instant::now();
            }
        }
        panic!("the death was not seen");
    };
    let (run, killed, seen) = tokio::join!(run, killer, watch);
    assert!(matches!(run, Err(Setback::Adrift(_))), "{run:?}");
    assert!(seen - killed < Duration::from_secs(1), "seen after {:?}", seen - killed);
    let refused = connector.dial(Epoch::new(3)).await.err().unwrap();
    assert_eq!(refused.code(), Code::ConnectionRefused);
}

/// Runs something while the live channel is read.
async fn drive<T>(
    live: &mut futures_util::stream::BoxStream<'static, Sign>,
    work: impl Future<Output = T>,
) -> T {
    let work = tokio::time::timeout(PATIENCE, work);
    tokio::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return done.expect("in time"),
            sign = live.next() => match sign {
                Some(Sign::Lost(fault)) => panic!("{fault}"),
                Some(_) => {}
                // Ended on purpose: what waits on it ends by itself.
                None => return work.await.expect("in time"),
            },
        }
    }
}
