//! The methods of our session that are no jobs, on a server, simulated or real.

use std::sync::Arc;

use backline::{
    backends::{
        Attempt, Connector, Past, Session as _, Setback, Start, Target,
        comfyui::{Comfyui, Free, RemoteStatus, Session, history::Verdict},
        report::Nowhere,
    },
    model::{Code, Epoch, Kind, Work},
    net::Address,
};
use futures_util::StreamExt;
use serde_json::{Value, json, value::to_raw_value};

use super::script::{PATIENCE, Script, id};

fn attempt(graph: &Value) -> Attempt {
    Attempt {
        work: Work::Workflow(to_raw_value(graph).unwrap().into()),
        remote: id(),
        start: Start::Fresh,
        past: Past::default(),
    }
}

/// Runs the checks.
pub async fn check(url: &str) {
    let target = Target::new("typed".parse().unwrap(), Kind::Comfyui, Address::parse(url).unwrap());
    let dialed = Comfyui::new(target).unwrap().dial(Epoch::new(1)).await.unwrap();
    let newer = dialed.identity.version.as_deref() == Some("0.24.0");
    let mut live = dialed.live;
    let session = dialed.session.downcast::<Session>().unwrap_or_else(|_| panic!("another kind's"));
    let checks = async {
        let done = queue(&session, &mut Script::new(url)).await;
        assert!(session.object_info("SaveImage").await.unwrap().unwrap().get().contains("filename_prefix"));
        assert!(session.object_info("NoSuchNode").await.unwrap().is_none());
        assert_eq!(session.object_info("../queue").await.unwrap_err().code(), Code::BadRequest);
        assert!(session.models().await.is_ok());
        session.free(Free::Models).await.unwrap();
        session.free(Free::Everything).await.unwrap();
        jobs(&session, &done, newer).await;
    };
    let listened = async { while live.next().await.is_some() {} };
    tokio::select! {
        done = tokio::time::timeout(PATIENCE * 3, checks) => done.expect("in time"),
        () = listened => panic!("the session ended"),
    }
}

/// One runs and one waits; each is reached by its id, and by nothing else. Gives the id of one that is done.
async fn queue(session: &Arc<Session>, script: &mut Script) -> String {
    let done = attempt(&script.graph(1, 0.0, json!({})));
    session.clone().run(done.clone(), Arc::new(Nowhere)).await.unwrap();
    let (running, waiting) =
        (attempt(&script.graph(600, 0.1, json!({}))), attempt(&script.graph(600, 0.1, json!({}))));
    let first = session.clone().run(running.clone(), Arc::new(Nowhere));
    let second = async {
        until(session, |running, _| running == 1).await;
        session.clone().run(waiting.clone(), Arc::new(Nowhere)).await
    };
    let acts = async {
        until(session, |running, pending| (running, pending) == (1, 1)).await;
        let queue = session.queue().await.unwrap();
        assert_eq!((&queue.running[0].id, &queue.pending[0].id), (&running.remote, &waiting.remote));
        assert!(queue.running[0].number < queue.pending[0].number);
        for refused in [
            session.interrupt(&waiting.remote).await,
            session.interrupt(&done.remote).await,
            session.delete_pending(&running.remote).await,
            session.delete_pending(&done.remote).await,
        ] {
            assert_eq!(refused.unwrap_err().code(), Code::NotFound);
        }
        assert_eq!(session.queue().await.unwrap().pending.len(), 1, "nothing was touched");
        session.delete_pending(&waiting.remote).await.unwrap();
        until(session, |_, pending| pending == 0).await;
        session.interrupt(&running.remote).await.unwrap();
    };
    let (first, second, ()) = tokio::join!(first, second, acts);
    assert!(matches!(first, Err(Setback::Cancelled)), "{first:?}");
    assert!(second.is_err(), "{second:?}");
    let entry = session.history(&done.remote).await.unwrap().unwrap();
    assert!(matches!(entry.verdict(), Verdict::Done(_)));
    assert!(session.history(&waiting.remote).await.unwrap().is_none(), "it left no trace");
    let recent = session.recent(2).await.unwrap();
    assert_eq!(recent.len(), 2);
    assert!(recent.contains(&done.remote) && recent.contains(&running.remote), "{recent:?}");
    done.remote
}

async fn until(session: &Session, wanted: impl Fn(usize, usize) -> bool) {
    loop {
        let queue = session.queue().await.unwrap();
        if wanted(queue.running.len(), queue.pending.len()) {
            return;
        }
        // The server tells only who asks.
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

async fn jobs(session: &Session, done: &str, newer: bool) {
    let nobody = id();
    if !newer {
        assert_eq!(session.jobs(0, 5).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(session.job(done).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(session.cancel_job(done).await.unwrap_err().code(), Code::NotFound);
        return;
    }
    let jobs = session.jobs(0, 1).await.unwrap();
    assert_eq!((jobs.jobs.len(), jobs.jobs[0].status), (1, RemoteStatus::Cancelled));
    assert!(jobs.pagination.total >= 2 && jobs.pagination.has_more);
    let job = session.job(done).await.unwrap().unwrap();
    assert_eq!((job.status, job.outputs_count), (RemoteStatus::Completed, Some(1)));
    assert!(job.execution_end_time >= job.execution_start_time);
    assert!(session.job(&nobody).await.unwrap().is_none());
    // The list is there, and no cancel in it.
    assert_eq!(session.cancel_job(&nobody).await.unwrap_err().code(), Code::NotFound);
}
