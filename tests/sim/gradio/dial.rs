//! Who answers, who is let in, and how death shows.

use std::time::Duration;

use backline::{
    backends::{Sign, gradio::Gradio},
    model::{Capability, Channel, Code, Kind},
    sim::{
        Act,
        gradio::{Flavour, Options, SimGradio, Version},
    },
};
use http::StatusCode;

use super::rig::{call, connector, sim, sim_with, target};
use crate::line::Line;

async fn refusal(connector: &Gradio) -> backline::model::Fault {
    match Line::dial(connector).await {
        Ok(_) => panic!("let in"),
        Err(fault) => fault,
    }
}

fn with_login(sim: &SimGradio, password: &str) -> Gradio {
    let mut target = target(&sim.server().url());
    target.login = Some(("user".to_owned(), password.to_owned().into()));
    Gradio::new(target).unwrap()
}

async fn locked(version: Version) -> SimGradio {
    let login = Some(("user".to_owned(), "pass word&".to_owned()));
    sim_with(version, Options { login, ..Options::default() }).await
}

#[tokio::test]
async fn every_version_says_who_it_is() {
    for version in Version::ALL {
        let sim = sim(version).await;
        let line = Line::dial(&connector(&sim)).await.unwrap();
        assert_eq!(line.identity.version.as_deref(), Some(version.as_str()));
        assert_eq!(line.channel, Channel::Live);
        assert_eq!(
            line.identity.functions[..],
            ["/generate", "/stream", "/noop", "/fileecho", "/unqueued", "/count"],
            "{version:?}"
        );
        let boot: u64 = line.identity.boot.as_deref().unwrap().parse().unwrap();
        assert!(boot > 1 << 53, "the id went through a double");
        assert_eq!(line.session.kind(), Kind::Gradio);
        let pulse = line.session.probe().await.unwrap();
        assert_eq!(pulse.queue.map(|q| q.pending), Some(0));
    }
}

#[tokio::test]
async fn a_wangp_is_known_by_its_page() {
    let sim = sim_with(Version::V5_29_0, Options { flavour: Flavour::WanGp, ..Options::default() }).await;
    let line = Line::dial(&connector(&sim)).await.unwrap();
    assert_eq!(line.session.kind(), Kind::Wan2gp);
    assert_eq!(line.identity.version.as_deref(), Some("v12.60"));
    assert!(line.identity.capabilities.contains(&Capability::VideoGenerate));
    assert!(line.identity.functions.contains(&"/process_tasks".to_owned()));
}

#[tokio::test]
async fn a_wan2gp_that_is_another_app_is_the_wrong_program() {
    let sim = sim(Version::V6_31_0).await;
    let mut target = target(&sim.server().url());
    target.kind = Kind::Wan2gp;
    let fault = refusal(&Gradio::new(target).unwrap()).await;
    assert_eq!(fault.code(), Code::WrongProgram);
    assert!(fault.fix().contains("kind: gradio"), "{}", fault.fix());
}

#[tokio::test]
async fn a_locked_app_wants_a_log_in_and_takes_the_right_one() {
    for version in Version::ALL {
        let sim = locked(version).await;
        assert_eq!(refusal(&connector(&sim)).await.code(), Code::AuthRequired);
        assert_eq!(refusal(&with_login(&sim, "wrong")).await.code(), Code::AuthWrong);
        let line = Line::dial(&with_login(&sim, "pass word&")).await.unwrap();
        line.session.probe().await.unwrap();
        let finished = call(&line, "noop", r#"["hi"]"#).await.unwrap();
        assert_eq!(finished.result.unwrap().get(), r#"{"data":["hi"]}"#);
        let joins: Vec<_> =
            sim.server().seen().into_iter().filter(|s| s.path.ends_with("queue/join")).collect();
        let cookie = joins[0].headers["cookie"].to_str().unwrap();
        assert!(cookie.starts_with("access-token-unsecure-") && !cookie.contains(';'), "over http: {cookie}");
    }
}

#[tokio::test]
async fn a_password_goes_to_nothing_but_a_proved_gradio() {
    let sim = locked(Version::V6_31_0).await;
    sim.server().trouble("/gradio_api/app_id", None, Act::Answer(StatusCode::NOT_FOUND, "{}".to_owned()));
    let fault = refusal(&with_login(&sim, "pass word&")).await;
    assert_eq!(fault.code(), Code::WrongProgram);
    assert!(sim.server().seen().iter().all(|s| s.path != "/login"), "the password went out");
}

#[tokio::test]
async fn a_restarted_app_is_logged_in_to_anew() {
    let sim = locked(Version::V5_29_0).await;
    let connector = with_login(&sim, "pass word&");
    let line = Line::dial(&connector).await.unwrap();
    sim.server().restart().await.unwrap();
    line.lost().await;
    let line = Line::dial(&connector).await.unwrap();
    call(&line, "noop", r#"["again"]"#).await.unwrap();
}

#[tokio::test]
async fn what_is_no_gradio_is_the_wrong_program_or_a_proxy() {
    let cases = [
        (StatusCode::OK, "{\"hello\":1}", Code::WrongProgram),
        (StatusCode::OK, "<html>", Code::WrongProgram),
        (StatusCode::NOT_FOUND, "{\"detail\":\"Not Found\"}", Code::WrongProgram),
        (StatusCode::UNAUTHORIZED, "{\"error\":\"no\"}", Code::WrongProgram),
        (StatusCode::FOUND, "", Code::WrongProgram),
        (StatusCode::BAD_GATEWAY, "<html><h1>502 Bad Gateway</h1></html>", Code::ProxyInTheWay),
        (StatusCode::GATEWAY_TIMEOUT, "<html></html>", Code::ProxyInTheWay),
        (StatusCode::FORBIDDEN, "<html></html>", Code::Forbidden),
        (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error", Code::BackendError),
    ];
    let sim = sim(Version::V6_31_0).await;
    for (status, body, code) in cases {
        sim.server().trouble("/config", Some(1), Act::Answer(status, body.to_owned()));
        let fault = refusal(&connector(&sim)).await;
        assert_eq!(fault.code(), code, "{status} {body}: {fault}");
    }
    Line::dial(&connector(&sim)).await.unwrap();
}

#[tokio::test]
async fn an_app_without_a_heartbeat_is_ready_all_the_same() {
    let sim = sim(Version::V4_44_1).await;
    sim.server().trouble("/heartbeat", None, Act::Answer(StatusCode::NOT_FOUND, "{}".to_owned()));
    let line = Line::dial(&connector(&sim)).await.unwrap();
    assert_eq!(line.channel, Channel::None);
    call(&line, "noop", r#"["hi"]"#).await.unwrap();
}

#[tokio::test]
async fn a_killed_app_is_lost_at_once() {
    for version in Version::ALL {
        let sim = sim(version).await;
        let line = Line::dial(&connector(&sim)).await.unwrap();
        let begun = tokio::time::Instant::now();
        sim.server().kill();
        let fault = line.lost().await;
        assert!(matches!(fault.code(), Code::ConnectionClosed | Code::ConnectionReset), "{fault:?}");
        assert!(begun.elapsed() < Duration::from_secs(1));
        assert!(line.session.ended().is_some());
    }
}

#[tokio::test]
async fn a_probe_sees_that_the_app_was_restarted_behind_a_proxy() {
    // The proxy holds our streams open while another start of the app answers behind it.
    let sim = sim(Version::V6_31_0).await;
    let line = Line::dial(&connector(&sim)).await.unwrap();
    let other = Act::Answer(StatusCode::OK, "{\"app_id\":17446744073709551615}".to_owned());
    sim.server().trouble("/gradio_api/app_id", Some(1), other);
    let fault = line.session.probe().await.unwrap_err();
    assert_eq!(fault.code(), Code::ConnectionClosed);
    assert!(fault.message().contains("restarted"), "{fault}");
}

#[tokio::test]
async fn a_frozen_app_answers_no_probe_and_keeps_its_session() {
    let sim = sim(Version::V6_31_0).await;
    let line = Line::dial(&connector(&sim)).await.unwrap();
    sim.server().freeze();
    let fault = line.session.probe().await.unwrap_err();
    assert_eq!(fault.code(), Code::RequestTimeout);
    assert!(line.session.ended().is_none());
    sim.server().thaw();
    line.session.probe().await.unwrap();
}

#[tokio::test]
async fn a_heartbeat_that_is_held_back_holds_nobody_up() {
    let sim = sim(Version::V6_31_0).await;
    let late = Duration::from_millis(1_500);
    sim.server().trouble("/gradio_api/heartbeat", Some(1), Act::Delay(late));
    let line = Line::dial(&connector(&sim)).await.unwrap();
    assert_eq!(line.channel, Channel::Degraded);
    call(&line, "noop", r#"["works"]"#).await.unwrap();
    line.until(|sign| *sign == Sign::Channel(Channel::Live)).await;

    sim.server().trouble("/gradio_api/heartbeat", Some(1), Act::Hang);
    let line = Line::dial(&connector(&sim)).await.unwrap();
    sim.server().kill();
    line.lost().await;
}
