//! Simulated backends among decoys.

use std::time::Duration;

use backline::{
    Supervisor,
    config::Config,
    discovery::{Find, Need, PortRange, Scope, sweep},
    model::Kind,
    sim::{
        comfyui::{SimComfyui, Version as ComfyuiVersion},
        gradio::{Flavour, Options as GradioOptions, SimGradio, Version as GradioVersion},
        litellm::{Options as LitellmOptions, SimLitellm},
    },
};
use tokio::{net::TcpStream, time::Instant};

use crate::decoy::{Decoy, Decoys};

pub(crate) fn scope(ports: impl IntoIterator<Item = u16>) -> Scope {
    Scope::new().ports(ports.into_iter().map(PortRange::one))
}

async fn gradio(version: GradioVersion, login: bool) -> SimGradio {
    let login = login.then(|| ("user".to_owned(), "pass".to_owned()));
    SimGradio::start(version, GradioOptions { login, ..GradioOptions::default() }).await.unwrap()
}

#[tokio::test]
async fn each_kind_is_found_with_what_it_needs() {
    let old = SimComfyui::start(ComfyuiVersion::V0_3_64).await.unwrap();
    let new = SimComfyui::start(ComfyuiVersion::V0_24_0).await.unwrap();
    let mut apps = Vec::new();
    for version in [GradioVersion::V4_44_1, GradioVersion::V5_29_0, GradioVersion::V6_31_0] {
        for login in [false, true] {
            apps.push((version, login, gradio(version, login).await));
        }
    }
    let options = GradioOptions { flavour: Flavour::WanGp, ..GradioOptions::default() };
    let wangp = SimGradio::start(GradioVersion::V5_29_0, options).await.unwrap();
    let litellm = SimLitellm::start(LitellmOptions::default()).await.unwrap();
    let mut wanted = vec![
        (old.server().port(), Kind::Comfyui, Some("0.3.64".to_owned()), None),
        (new.server().port(), Kind::Comfyui, Some("0.24.0".to_owned()), None),
        (litellm.port(), Kind::Litellm, None, Some(Need::Auth)),
    ];
    for (version, login, app) in &apps {
        let shown = (!login).then(|| version.as_str().to_owned());
        wanted.push((app.server().port(), Kind::Gradio, shown, login.then_some(Need::Auth)));
    }
    let ports: Vec<u16> = wanted.iter().map(|w| w.0).chain([wangp.server().port()]).collect();
    let mut told = Vec::new();
    let swept = sweep(&scope(ports), |find| told.push(find.clone())).await;
    let found: Vec<_> = swept
        .found
        .iter()
        .map(|f| (f.url.port(), f.kind, f.version.clone(), f.needs))
        .filter(|found| found.1 != Kind::Wan2gp)
        .collect();
    assert_eq!(found, wanted);
    assert_eq!(swept.found.last().unwrap().kind, Kind::Wan2gp);
    assert_eq!(told.len(), swept.found.len(), "each is told once");
    assert_eq!(swept.scanned, told.len());
}

#[tokio::test]
async fn what_is_no_backend_is_not_found_and_costs_its_own_time_out_alone() {
    let decoys = Decoys::start().await;
    let comfyui = SimComfyui::start(ComfyuiVersion::V0_24_0).await.unwrap();
    let ports: Vec<u16> = decoys.ports.iter().map(|d| d.0).chain([comfyui.server().port()]).collect();
    let begun = Instant::now();
    for port in &ports {
        TcpStream::connect(("127.0.0.1", *port)).await.unwrap();
    }
    let bare = begun.elapsed();
    let mut first = None;
    let begun = Instant::now();
    let swept = sweep(&scope(ports), |_| first = Some(begun.elapsed())).await;
    let found: Vec<_> = swept.found.iter().map(|f| f.kind).collect();
    assert_eq!(found, [Kind::Comfyui], "{swept:#?} among {:?}", decoys.ports);
    let limit = Duration::from_millis(1_500) + 2 * bare;
    println!("swept in {:?}, wanted within {limit:?}; the find came after {first:?}", swept.took);
    // Neither ever ends by itself: its time-out did it, and says so.
    let silent: Vec<_> = swept.silent.iter().map(backline::net::Address::port).collect();
    for (port, decoy) in &decoys.ports {
        let never_ends = matches!(decoy, Decoy::Silent | Decoy::Drip);
        assert!(!never_ends || silent.contains(port), "{decoy:?} in {silent:?}");
    }
    assert!(first.unwrap() < swept.took, "a find is told as it comes");
}

#[tokio::test]
async fn an_identity_stays_over_a_restart_and_on_another_port_and_twins_stay_two() {
    let one = |swept: backline::discovery::Swept| -> Vec<Find> { swept.found };
    let first = gradio(GradioVersion::V6_31_0, false).await;
    let twin = gradio(GradioVersion::V6_31_0, false).await;
    let both = one(sweep(&scope([first.server().port(), twin.server().port()]), |_| {}).await);
    assert_eq!(both.len(), 2);
    assert_eq!(both[0].identity, both[1].identity);
    first.server().restart().await.unwrap();
    let again = one(sweep(&scope([first.server().port()]), |_| {}).await);
    assert_eq!(again[0].identity, both[0].identity);
}

#[tokio::test]
async fn a_supervisor_sweeps_when_it_is_asked() {
    let comfyui = SimComfyui::start(ComfyuiVersion::V0_24_0).await.unwrap();
    let supervisor = Supervisor::builder().config(Config::new()).start().await.unwrap();
    let wish = scope([comfyui.server().port()]);
    let handle = supervisor.handle();
    let (first, second) = tokio::join!(handle.discover(wish.clone()), handle.discover(wish));
    assert_eq!(first.as_ref().unwrap().found.len(), 1);
    assert_eq!(first.unwrap(), second.unwrap(), "who asks for the same shares one sweep");
    supervisor.shutdown(Duration::from_secs(1)).await;
    assert!(handle.discover(Scope::new()).await.is_err());
}
