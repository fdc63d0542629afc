//! Cut, killed, restarted, frozen: nothing runs twice, and what is said of a job is true.

use std::{sync::Arc, time::Duration};

use backline::{
    Supervisor, Wanted,
    backends::{Session as _, Setback, Sign, wan2gp::Wan2gp},
    config::{BackendConfig, Config},
    jobs::Job,
    model::{BackendId, Code, JobState, Kind},
    net::Address,
    sim::{
        Act, FaultProxy,
        proxy::{End, Limit, Way},
        wan2gp::SimWan2gp,
    },
};
use serde_json::json;

use super::rig::{Line, attempt, sim, target};
use crate::log::{Log, PATIENCE, end, follow};

#[tokio::test]
async fn a_watched_job_that_dies_with_its_server_is_gone_unfinished() {
    let sim = sim(400).await;
    let (connector, line) = Line::to(&sim).await;
    let (log, attempt) =
        (Arc::new(Log::default()), attempt(&json!({ "prompt": "x", "num_inference_steps": 50 })));
    let run = line.run(attempt.clone(), &log);
    log.until_value(20.0).await;
    sim.kill();
    let Sign::Lost(fault) = line.sign(|s| matches!(s, Sign::Lost(_))).await else { panic!() };
    assert_eq!(fault.code(), Code::ConnectionRefused);
    let ended = end(run).await;
    assert!(matches!(ended, Err(Setback::Adrift(_))), "{ended:?}");
    sim.restart().await.unwrap();
    let line = Line::dial(&connector).await.unwrap();
    let ended = end(line.run(follow(&attempt), &log)).await;
    let Err(Setback::Gone { evidence, unfinished }) = ended else { panic!("{ended:?}") };
    assert!(unfinished && evidence.code() == Code::Lost, "{evidence:?}");
    // Another process of ours knows the server's id only, and saw nothing.
    let theirs = backline::backends::Attempt { remote: log.accepted().unwrap(), ..follow(&attempt) };
    let ended = end(line.run(theirs, &log)).await;
    assert!(matches!(ended, Err(Setback::Gone { unfinished: false, .. })), "{ended:?}");
    assert_eq!((sim.executions(), sim.finished()), (1, 0));
}

#[tokio::test]
async fn a_job_that_nobody_watched_to_the_death_is_not_called_unfinished() {
    let sim = sim(400).await;
    let (connector, line) = Line::to(&sim).await;
    let (log, attempt) =
        (Arc::new(Log::default()), attempt(&json!({ "prompt": "x", "num_inference_steps": 50 })));
    let run = line.run(attempt.clone(), &log);
    log.until_value(20.0).await;
    // Looks fail, twice a second, for longer than a job may go unseen.
    sim.trouble("/mcp/", None, Act::Answer(http::StatusCode::INTERNAL_SERVER_ERROR, "x".into()));
    let before = sim.seen().len();
    while sim.seen().len() < before + 7 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    sim.kill();
    assert!(matches!(end(run).await, Err(Setback::Adrift(_))));
    sim.calm();
    sim.restart().await.unwrap();
    let line = Line::dial(&connector).await.unwrap();
    let ended = end(line.run(follow(&attempt), &log)).await;
    assert!(matches!(ended, Err(Setback::Gone { unfinished: false, .. })), "{ended:?}");
}

#[tokio::test]
async fn a_job_goes_on_when_its_connections_are_cut() {
    let sim = sim(150).await;
    let (_, line) = Line::to(&sim).await;
    let log = Arc::new(Log::default());
    let run = line.run(attempt(&json!({ "prompt": "x", "num_inference_steps": 8 })), &log);
    for percent in [10.0, 30.0, 50.0] {
        log.until_value(percent).await;
        sim.cut();
    }
    assert_eq!(end(run).await.unwrap().files.len(), 1);
    assert!(line.session.ended().is_none(), "a cut line is opened again");
    assert_eq!((sim.executions(), sim.finished()), (1, 1));
}

#[tokio::test]
async fn a_job_is_taken_up_on_the_next_session() {
    let sim = sim(150).await;
    let (connector, line) = Line::to(&sim).await;
    let (log, attempt) =
        (Arc::new(Log::default()), attempt(&json!({ "prompt": "x", "num_inference_steps": 8 })));
    let run = line.run(attempt.clone(), &log);
    log.until_value(10.0).await;
    line.session.end(backline::model::Fault::new(Code::Hang, "the test says so"));
    assert!(matches!(end(run).await, Err(Setback::Adrift(_))));
    let line = Line::dial(&connector).await.unwrap();
    let finished = end(line.run(follow(&attempt), &log)).await.unwrap();
    assert_eq!((finished.files.len(), sim.executions()), (1, 1));
    // Taken up by another process, which has the server's id from its journal.
    let other = Line::dial(&Wan2gp::new(target(&sim.url())).unwrap()).await.unwrap();
    let theirs = backline::backends::Attempt { remote: log.accepted().unwrap(), ..follow(&attempt) };
    assert_eq!(end(other.run(theirs, &log)).await.unwrap().files.len(), 1);
    let unknown = end(other.run(follow(&attempt), &log)).await;
    assert!(matches!(unknown, Err(Setback::Uncertain(_))), "{unknown:?}");
}

#[tokio::test]
async fn a_frozen_server_loses_nothing() {
    let sim = sim(150).await;
    let (_, line) = Line::to(&sim).await;
    let log = Arc::new(Log::default());
    let run = line.run(attempt(&json!({ "prompt": "x", "num_inference_steps": 8 })), &log);
    log.until_value(10.0).await;
    assert_eq!(line.session.in_flight(), 1, "silence must not end the session");
    sim.freeze();
    assert!(line.session.probe().await.is_err());
    line.sign(|s| matches!(s, Sign::Silent(_))).await;
    sim.thaw();
    line.sign(|s| matches!(s, Sign::Heard)).await;
    assert_eq!(end(run).await.unwrap().files.len(), 1);
}

#[tokio::test]
async fn an_answer_that_is_lost_leaves_a_doubt_and_one_execution() {
    for (act, runs) in [(Act::LoseRequest, 0), (Act::LoseAnswer, 1)] {
        let sim = sim(1).await;
        let (_, line) = Line::to(&sim).await;
        sim.trouble("/mcp/", Some(1), act);
        let (ended, _) = line.generate(json!({ "prompt": "x" })).await;
        let Err(Setback::Uncertain(fault)) = ended else { panic!("{ended:?}") };
        assert!(fault.code() == Code::Uncertain && !fault.fix().is_empty(), "{fault:?}");
        assert_eq!(sim.executions(), runs);
    }
}

/// Waits until what was begun has ended: the server does one at a time.
async fn idle(sim: &SimWan2gp) {
    let ended = async {
        while sim.finished() < sim.executions() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(PATIENCE, ended).await.expect("a generation ends");
}

#[tokio::test]
async fn p8_a_request_cut_at_any_byte_runs_at_most_once() {
    let sim = sim(1).await;
    let proxy = FaultProxy::before(sim.port()).await.unwrap();
    let dialed = Wan2gp::new(target(&proxy.url())).unwrap();
    let line = Line::dial(&dialed).await.unwrap();
    line.sign(|s| matches!(s, Sign::Identity(_))).await;
    let settings = json!({ "prompt": "x", "num_inference_steps": 1 });
    let (mut refused, mut doubtful) = (0, 0);
    for (turn, bytes) in (0..420).step_by(7).enumerate() {
        let (before, cuts) = (sim.executions(), proxy.tally().cuts);
        let end = if turn % 2 == 0 { End::Fin } else { End::Rst };
        proxy.limit(Limit { way: Way::Request, bytes, end, times: Some(1) });
        let (ended, _) = line.generate(settings.clone()).await;
        assert!(sim.executions() - before <= 1, "{bytes}: ran twice");
        match ended {
            Err(Setback::Uncertain(_)) => doubtful += 1,
            Err(Setback::Refused(fault) | Setback::Unsent(fault)) => {
                assert_eq!(sim.executions(), before, "{bytes}: {fault:?}");
                refused += 1;
            }
            Ok(_) => assert_eq!(sim.executions() - before, 1, "{bytes}"),
            other => panic!("{bytes}: {other:?}"),
        }
        if proxy.tally().cuts == cuts {
            // The request is shorter than that: every byte of it was cut.
            assert!(bytes > 250, "{bytes}: the fault was not injected");
            break;
        }
        idle(&sim).await;
    }
    assert!(doubtful > 30, "{doubtful} doubtful, {refused} refused");
}

#[tokio::test]
async fn p8_an_answer_cut_at_any_byte_is_a_doubt_or_whole() {
    let sim = sim(1).await;
    let proxy = FaultProxy::before(sim.port()).await.unwrap();
    let line = Line::dial(&Wan2gp::new(target(&proxy.url())).unwrap()).await.unwrap();
    line.sign(|s| matches!(s, Sign::Identity(_))).await;
    for bytes in (0..900).step_by(43) {
        let before = sim.executions();
        proxy.limit(Limit { way: Way::Answer, bytes, end: End::Rst, times: Some(1) });
        let (ended, _) = line.generate(json!({ "prompt": "x", "num_inference_steps": 1 })).await;
        assert_eq!(sim.executions() - before, 1, "{bytes}: {ended:?}");
        assert!(matches!(ended, Ok(_) | Err(Setback::Uncertain(_))), "{bytes}: {ended:?}");
        idle(&sim).await;
    }
}

#[tokio::test]
async fn a_job_runs_again_after_its_server_died_with_it() {
    let sim = sim(100).await;
    let backend =
        BackendConfig::new(BackendId::new("wan2gp").unwrap(), Kind::Wan2gp, Address::loopback(sim.port()));
    let supervisor = Supervisor::builder().config(Config::new().backend(backend)).start().await.unwrap();
    supervisor.ready(Wanted::All, PATIENCE).await.unwrap();
    let home = tempfile::TempDir::new().unwrap();
    let settings = json!({ "model_type": "t2v", "prompt": "a cat", "num_inference_steps": 20 });
    let job = supervisor.run(Job::generate("video.generate", settings).save_to(home.path())).await.unwrap();
    let mut cell = job.watch();
    let far = cell.wait_for(|now| now.progress.as_ref().is_some_and(|p| p.value >= 20.0));
    tokio::time::timeout(PATIENCE, far).await.unwrap().unwrap();
    sim.kill();
    let lost = cell.wait_for(|now| now.timeline.iter().any(|s| s.evidence.contains("connection was lost")));
    tokio::time::timeout(PATIENCE, lost).await.unwrap().unwrap();
    sim.restart().await.unwrap();
    let status = tokio::time::timeout(PATIENCE, job.outcome()).await.unwrap();
    assert_eq!((status.state, status.attempts), (JobState::Done, 2), "{status:#?}");
    assert_eq!((sim.executions(), sim.finished()), (2, 1));
    assert_eq!(status.outputs[0].media_type, "video/mp4");
    supervisor.shutdown(PATIENCE).await;
}
