//! What becomes of a call when something breaks.

use std::sync::Arc;

use backline::{
    backends::{Attempt, Past, Report, Seen, Setback, Sink},
    model::Code,
    sim::{
        Act,
        gradio::{SimGradio, Version},
    },
};
use http::StatusCode;

use super::rig::{attempt, call, connector, sim};
use crate::{
    line::Line,
    log::{Log, end, follow},
};

const LONG: &str = r#"["long",40,null,"t2v"]"#;

fn data_path(version: Version) -> String {
    format!("{}/queue/data", version.prefix())
}

fn join_path(version: Version) -> String {
    format!("{}/queue/join", version.prefix())
}

fn streams_opened(sim: &SimGradio) -> usize {
    sim.server().seen().iter().filter(|s| s.path.contains("/queue/data")).count()
}

#[tokio::test]
async fn a_cancelled_call_is_no_success() {
    for version in Version::ALL {
        for (function, data) in [("generate", LONG), ("stream", r#"["long",40]"#)] {
            let sim = sim(version).await;
            let line = Line::dial(&connector(&sim)).await.unwrap();
            let log = Arc::new(Log::default());
            let attempt = attempt(function, data);
            let run = line.run(attempt.clone(), &log);
            log.until(|r| matches!(r, Report::Progress(_) | Report::Partial(_))).await;
            line.session.cancel(attempt.remote.clone()).await.unwrap();
            assert!(matches!(end(run).await, Err(Setback::Cancelled)), "{version:?} {function}");
            let fault = line.session.cancel(attempt.remote).await.unwrap_err();
            assert_eq!(fault.code(), Code::NotFound);
        }
    }
}

/// A process of ours that dies between the acceptance of a call and the opening of its stream.
struct Dying(Arc<Log>);

impl Sink for Dying {
    fn report(&self, report: Report) {
        self.0.report(report);
    }

    fn opening(&self) -> futures_util::future::BoxFuture<'_, ()> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn a_call_of_another_process_is_taken_up_and_cancelled_by_its_id() {
    for version in Version::ALL {
        let sim = sim(version).await;
        let (first, log) = (Line::dial(&connector(&sim)).await.unwrap(), Arc::new(Log::default()));
        let attempt = attempt("generate", LONG);
        let boot = first.session.boot().await;
        let running = first.session.clone().run(attempt.clone(), Arc::new(Dying(log.clone())));
        let accepted = log.until(|r| matches!(r, Report::Accepted { .. }));
        tokio::select! {
            ended = running => panic!("{ended:?}"),
            () = accepted => {}
        }
        drop(first);
        let (second, log) = (Line::dial(&connector(&sim)).await.unwrap(), Arc::new(Log::default()));
        let past = Past { boot, seen: Seen::Arrived };
        let run = second.run(Attempt { past, ..follow(&attempt) }, &log);
        log.until_progress().await;
        second.session.cancel(attempt.remote.clone()).await.unwrap();
        assert!(matches!(end(run).await, Err(Setback::Cancelled)), "{version:?}");
        assert_eq!((sim.begun("generate", "long"), streams_opened(&sim)), (1, 1), "{version:?}");
    }
}

#[tokio::test]
async fn a_queued_call_that_is_cancelled_never_runs() {
    for version in Version::ALL {
        let sim = sim(version).await;
        let line = Line::dial(&connector(&sim)).await.unwrap();
        let (first, second) = (Arc::new(Log::default()), Arc::new(Log::default()));
        let running = line.run(attempt("generate", r#"["first",8,null,"t2v"]"#), &first);
        first.until_progress().await;
        let queued = attempt("generate", r#"["second",1,null,"t2v"]"#);
        let waiting = line.run(queued.clone(), &second);
        second.until_waiting().await;
        line.session.cancel(queued.remote).await.unwrap();
        assert!(matches!(end(waiting).await, Err(Setback::Cancelled)));
        end(running).await.unwrap();
        // It would have had its turn before this one.
        call(&line, "generate", r#"["third",1,null,"t2v"]"#).await.unwrap();
        assert_eq!(sim.begun("generate", "second"), 0, "{version:?}");
    }
}

#[tokio::test]
async fn a_lost_answer_is_resolved_without_a_second_request() {
    for version in Version::ALL {
        let sim = sim(version).await;
        let line = Line::dial(&connector(&sim)).await.unwrap();
        // What the names and defaults are is known before.
        call(&line, "noop", r#"["first"]"#).await.unwrap();
        // Cutting the answer cuts the heartbeat too, so the session ends.
        sim.server().trouble(join_path(version), Some(1), Act::LoseAnswer);
        let connector = connector(&sim);
        let line = Line::dial(&connector).await.unwrap();
        let attempt = attempt("noop", r#"["once"]"#);
        let ended = line.session.clone().run(attempt.clone(), Arc::new(Log::default())).await;
        let finished = match ended {
            Ok(finished) => finished,
            Err(Setback::Adrift(_)) => {
                let line = Line::dial(&connector).await.unwrap();
                line.session.clone().run(follow(&attempt), Arc::new(Log::default())).await.unwrap()
            }
            Err(other) => panic!("{other:?}"),
        };
        assert_eq!(finished.result.unwrap().get(), r#"{"data":["once"]}"#);
        assert_eq!(sim.begun("noop", "once"), 1, "{version:?}");
    }
}

#[tokio::test]
async fn a_lost_request_is_proved_never_to_have_arrived() {
    let version = Version::V6_31_0;
    let sim = sim(version).await;
    let connector = connector(&sim);
    let line = Line::dial(&connector).await.unwrap();
    sim.server().trouble(join_path(version), Some(1), Act::LoseRequest);
    let attempt = attempt("noop", r#"["never"]"#);
    let ended = match line.session.clone().run(attempt.clone(), Arc::new(Log::default())).await {
        Err(Setback::Adrift(_)) => {
            let line = Line::dial(&connector).await.unwrap();
            line.session.clone().run(follow(&attempt), Arc::new(Log::default())).await
        }
        ended => ended,
    };
    assert!(matches!(ended, Err(Setback::Refused(_))), "{ended:?}");
    assert_eq!(sim.begun("noop", "never"), 0);
}

#[tokio::test]
async fn a_proxys_error_page_for_a_join_is_a_doubt_that_is_resolved() {
    let version = Version::V5_29_0;
    let sim = sim(version).await;
    let line = Line::dial(&connector(&sim)).await.unwrap();
    let page = Act::Answer(StatusCode::GATEWAY_TIMEOUT, "<html>504</html>".to_owned());
    sim.server().trouble(join_path(version), Some(1), page);
    let Err(Setback::Refused(fault)) = call(&line, "noop", r#"["x"]"#).await else { panic!("taken") };
    assert_eq!(fault.code(), Code::ProxyInTheWay);
}

#[tokio::test]
async fn a_stream_is_opened_once_and_its_loss_is_a_doubt() {
    for version in Version::ALL {
        let sim = sim(version).await;
        let connector = connector(&sim);
        let line = Line::dial(&connector).await.unwrap();
        let log = Arc::new(Log::default());
        let attempt = attempt("generate", r#"["drop",6,null,"t2v"]"#);
        let run = line.run(attempt.clone(), &log);
        log.until_progress().await;
        let opened = streams_opened(&sim);
        sim.server().cut();
        assert!(matches!(end(run).await, Err(Setback::Adrift(_))));
        let line = Line::dial(&connector).await.unwrap();
        let ended = line.session.clone().run(follow(&attempt), Arc::new(Log::default())).await;
        assert!(matches!(ended, Err(Setback::Uncertain(_))), "{ended:?}");
        assert_eq!(streams_opened(&sim), opened, "a stream was opened twice");
        // The function ran on, unseen: that is the doubt.
        sim.left("generate", "drop").await;
        assert_eq!((sim.begun("generate", "drop"), sim.done("generate", "drop")), (1, 1));
    }
}

#[tokio::test]
async fn a_generator_is_closed_when_its_stream_is_lost() {
    let sim = sim(Version::V6_31_0).await;
    let line = Line::dial(&connector(&sim)).await.unwrap();
    let log = Arc::new(Log::default());
    let run = line.run(attempt("stream", r#"["drop",40]"#), &log);
    log.until(|r| matches!(r, Report::Partial(_))).await;
    sim.server().cut();
    assert!(matches!(end(run).await, Err(Setback::Adrift(_))));
    sim.left("stream", "drop").await;
    assert_eq!(sim.done("stream", "drop"), 0);
}

#[tokio::test]
async fn a_call_dies_with_its_app_and_that_is_known() {
    for version in Version::ALL {
        let sim = sim(version).await;
        let connector = connector(&sim);
        let line = Line::dial(&connector).await.unwrap();
        let log = Arc::new(Log::default());
        let attempt = attempt("generate", LONG);
        let run = line.run(attempt.clone(), &log);
        log.until_progress().await;
        sim.server().kill();
        assert!(matches!(end(run).await, Err(Setback::Adrift(_))));
        line.lost().await;
        let refused = Line::dial(&connector).await.err().unwrap();
        assert_eq!(refused.code(), Code::ConnectionRefused);
        sim.server().restart().await.unwrap();
        let line = Line::dial(&connector).await.unwrap();
        let ended = line.session.clone().run(follow(&attempt), Arc::new(Log::default())).await;
        let Err(Setback::Gone { evidence, unfinished }) = ended else { panic!("{ended:?}") };
        assert!(unfinished, "we watched it up to the death");
        assert_eq!(evidence.code(), Code::Lost);
        assert_eq!(sim.all_begun(), 1);
    }
}

#[tokio::test]
async fn a_call_that_was_cut_off_before_the_death_is_not_known_to_be_unfinished() {
    let sim = sim(Version::V6_31_0).await;
    let connector = connector(&sim);
    let line = Line::dial(&connector).await.unwrap();
    let log = Arc::new(Log::default());
    let attempt = attempt("generate", LONG);
    let run = line.run(attempt.clone(), &log);
    log.until_progress().await;
    sim.server().cut();
    assert!(matches!(end(run).await, Err(Setback::Adrift(_))));
    // The app still lived: it may finish before it dies.
    Line::dial(&connector).await.unwrap();
    sim.server().restart().await.unwrap();
    let line = Line::dial(&connector).await.unwrap();
    let ended = line.session.clone().run(follow(&attempt), Arc::new(Log::default())).await;
    assert!(matches!(ended, Err(Setback::Gone { unfinished: false, .. })), "{ended:?}");
}

#[tokio::test]
async fn a_call_of_nobody_knows_when_is_a_doubt() {
    let sim = sim(Version::V4_44_1).await;
    let line = Line::dial(&connector(&sim)).await.unwrap();
    let ended = line.session.clone().run(follow(&attempt("noop", "[1]")), Arc::new(Log::default())).await;
    assert!(matches!(ended, Err(Setback::Uncertain(_))), "{ended:?}");
}

#[tokio::test]
async fn an_ended_session_refuses_and_casts_adrift() {
    let sim = sim(Version::V6_31_0).await;
    let line = Line::dial(&connector(&sim)).await.unwrap();
    let log = Arc::new(Log::default());
    let run = line.run(attempt("generate", LONG), &log);
    log.until_progress().await;
    assert_eq!(line.session.in_flight(), 1);
    line.session.end(backline::model::Fault::new(Code::Closing, "the test says so"));
    let Err(Setback::Adrift(fault)) = end(run).await else { panic!("ran on") };
    assert_eq!(fault.code(), Code::Closing);
    assert!(matches!(call(&line, "noop", "[1]").await, Err(Setback::Unsent(_))));
    assert_eq!(line.session.probe().await.unwrap_err().code(), Code::Closing);
    assert_eq!(line.session.in_flight(), 0);
}

#[tokio::test]
async fn strange_messages_and_a_stream_that_ends_early_do_no_harm() {
    let version = Version::V6_31_0;
    let sim = sim(version).await;
    let line = Line::dial(&connector(&sim)).await.unwrap();
    let strange =
        "data: {\"msg\":\"brand_new\",\"x\":1}\n\ndata: not json\n\ndata: {\"msg\":\"close_stream\"}\n\n";
    sim.server().trouble(data_path(version), Some(1), Act::Answer(StatusCode::OK, strange.to_owned()));
    let ended = call(&line, "noop", r#"["x"]"#).await;
    let Err(Setback::Adrift(fault)) = ended else { panic!("{ended:?}") };
    assert_eq!(fault.code(), Code::Truncated);
}
