//! Settings that change while the host runs: files, edits, and servers that are found.

use std::{path::PathBuf, time::Duration};

use backline::{
    Error, Supervisor,
    config::{Adopt, Config, Loader},
    discovery::{PortRange, Scope, sweep},
    model::{Code, Phase, status::Source},
    notices::Wanted,
    settings::{Fields, Why},
    sim::{
        comfyui::{SimComfyui, Version as ComfyuiVersion},
        gradio::{Options, SimGradio, Version as GradioVersion},
    },
};
use tempfile::TempDir;

use crate::{
    port::free_port,
    world::{done, in_the_middle, until, workflow},
};

struct Place {
    directory: TempDir,
    comfyui: SimComfyui,
    gradio: SimGradio,
}

impl Place {
    async fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            comfyui: SimComfyui::start(ComfyuiVersion::V0_24_0).await.unwrap(),
            gradio: gradio(0).await,
        }
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join("backline.ron")
    }

    /// Writes the file as most editors do: beside it, then over it.
    fn write(&self, gradio: &str) {
        let next = self.directory.path().join("next");
        let (one, two) = (self.comfyui.server().url(), self.gradio.server().url());
        let text = format!(
            r#"(backends: {{ "comfyui": (kind: comfyui, url: "{one}"), "gradio": (kind: gradio, url: "{two}"{gradio}) }})"#
        );
        std::fs::write(&next, text).unwrap();
        std::fs::rename(&next, self.file()).unwrap();
    }

    async fn start(&self) -> Supervisor {
        let supervisor = Supervisor::builder()
            .loader(Loader::new().file(self.file()))
            .state_dir(self.directory.path().join("state"))
            .start()
            .await
            .unwrap();
        supervisor.ready(backline::Wanted::All, Duration::from_secs(20)).await.unwrap();
        supervisor
    }
}

async fn gradio(port: u16) -> SimGradio {
    SimGradio::start_on(port, GradioVersion::V6_31_0, Options::default()).await.unwrap()
}

fn ids(supervisor: &Supervisor) -> Vec<String> {
    supervisor.snapshot().backends.iter().map(|b| b.id.to_string()).collect()
}

async fn shutdown(supervisor: Supervisor) {
    assert!(supervisor.shutdown(Duration::from_secs(5)).await.clean);
}

#[tokio::test]
async fn a_changed_file_reconnects_what_it_changes_and_a_running_job_goes_on() {
    let place = Place::new().await;
    place.write("");
    let supervisor = place.start().await;
    let epoch = |id| supervisor.snapshot().backend(id).unwrap().epoch;
    let before = (epoch("comfyui"), epoch("gradio"));
    let job = in_the_middle(&supervisor, workflow(20, 1)).await;
    place.write(", timeouts: (request: \"20s\")");
    until(&supervisor, "gradio", |b| b.phase == Phase::Ready && b.epoch > before.1).await;
    assert_eq!(epoch("comfyui"), before.0, "its session is untouched");
    let ended = done(&job).await;
    assert_eq!(ended.attempts, 1);
    assert_eq!(place.comfyui.all_executions(), 1);
    shutdown(supervisor).await;
}

#[tokio::test]
async fn a_broken_file_keeps_what_was_before_until_it_is_mended() {
    let place = Place::new().await;
    place.write("");
    let supervisor = place.start().await;
    let raised = || supervisor.notices(Wanted::Shown).iter().any(|n| n.code == Code::ConfigInvalid);
    let before = supervisor.snapshot();
    place.write(", urk: 1");
    let Err(Error::Invalid(problems)) = supervisor.reload().await else { panic!("it was taken") };
    assert!(problems.to_string().contains("backends.gradio.urk"), "{problems}");
    assert!(raised());
    assert_eq!(supervisor.config_problems(), problems);
    let after = supervisor.snapshot();
    for id in ["comfyui", "gradio"] {
        assert_eq!(after.backend(id).unwrap().epoch, before.backend(id).unwrap().epoch);
    }
    place.write(", required: true");
    until(&supervisor, "gradio", |b| b.required).await;
    assert!(!raised() && supervisor.config_problems().is_empty());
    assert_eq!(
        supervisor.snapshot().backend("gradio").unwrap().epoch,
        before.backend("gradio").unwrap().epoch
    );
    shutdown(supervisor).await;
}

#[tokio::test]
async fn edits_count_over_the_file_survive_a_restart_and_are_taken_back() {
    let place = Place::new().await;
    place.write("");
    let supervisor = place.start().await;
    let gradio = || "gradio".parse().unwrap();
    supervisor.change_backend(gradio(), Fields::new().set("required", "true")).await.unwrap();
    let more = Fields::new().set("kind", "comfyui").set("url", place.comfyui.server().url());
    supervisor.add_backend("more".parse().unwrap(), more.set("enabled", "false")).await.unwrap();
    supervisor.remove_backend("comfyui".parse().unwrap()).await.unwrap();
    assert_eq!(ids(&supervisor), ["gradio", "more"]);
    let wrong = supervisor.change_backend(gradio(), Fields::new().set("probe.rise", "many")).await;
    assert!(matches!(wrong, Err(Error::Invalid(_))), "{wrong:?}");
    shutdown(supervisor).await;

    let supervisor = place.start().await;
    assert_eq!(ids(&supervisor), ["gradio", "more"]);
    assert!(supervisor.snapshot().backend("gradio").unwrap().required);
    assert_eq!(supervisor.snapshot().backend("more").unwrap().source, Source::Api);
    // The file changes its mind under an edit: that has no effect, and is told.
    place.write(", required: false");
    supervisor.reload().await.unwrap();
    assert!(supervisor.snapshot().backend("gradio").unwrap().required);
    let told = supervisor.notices(Wanted::Shown);
    assert!(told.iter().any(|n| n.code == Code::ConfigMasked), "{told:#?}");
    for id in ["gradio", "more", "comfyui"] {
        supervisor.revert_backend(id.parse().unwrap()).await.unwrap();
    }
    assert!(supervisor.edits().is_empty());
    assert_eq!(ids(&supervisor), ["comfyui", "gradio"]);
    until(&supervisor, "comfyui", |b| b.phase == Phase::Ready).await;
    shutdown(supervisor).await;
}

/// Sweeps these ports alone, and hands on what was found.
async fn look(supervisor: &Supervisor, ports: &[u16]) {
    let ranges = ports.iter().map(|port| port.to_string().parse::<PortRange>().unwrap());
    let swept = sweep(&Scope::new().ports(ranges), |_| {}).await;
    supervisor.found(swept.found).await.unwrap();
}

/// Free ports, for servers that are to come up there later.
fn free(count: usize) -> Vec<u16> {
    let mut ports = std::collections::HashSet::new();
    while ports.len() < count {
        ports.insert(free_port());
    }
    ports.into_iter().collect()
}

#[tokio::test]
async fn what_runs_is_found_and_followed_to_another_port_under_its_name() {
    let ports = free(5);
    let state = tempfile::tempdir().unwrap();
    let start = async || {
        let config = Config::new();
        Supervisor::builder().config(config).state_dir(state.path().join("s")).start().await.unwrap()
    };
    let supervisor = start().await;
    let comfyui = SimComfyui::start_on(ports[0], ComfyuiVersion::V0_24_0).await.unwrap();
    let _apps = (gradio(ports[1]).await, gradio(ports[2]).await);
    look(&supervisor, &ports).await;
    supervisor.ready(backline::Wanted::All, Duration::from_secs(20)).await.unwrap();
    assert_eq!(supervisor.snapshot().backends.len(), 3, "two identical apps are two");
    let names = ids(&supervisor);
    let first = until(&supervisor, "comfyui", |b| b.phase == Phase::Ready).await;
    assert_eq!(first.source, Source::Discovered);
    drop(comfyui);
    until(&supervisor, "comfyui", |b| b.phase != Phase::Ready).await;
    let comfyui = SimComfyui::start_on(ports[3], ComfyuiVersion::V0_24_0).await.unwrap();
    look(&supervisor, &ports).await;
    let moved = until(&supervisor, "comfyui", |b| b.phase == Phase::Ready).await;
    assert!(moved.url.ends_with(&format!(":{}", ports[3])) && moved.epoch > first.epoch);
    assert_eq!(ids(&supervisor), names, "one backend, not two");
    look(&supervisor, &ports).await;
    assert_eq!(ids(&supervisor), names);
    shutdown(supervisor).await;

    // A later run begins with what was found, at the last address.
    let supervisor = start().await;
    assert_eq!(ids(&supervisor), names);
    until(&supervisor, "comfyui", |b| b.phase == Phase::Ready && b.url == moved.url).await;
    // One that a person takes out stays out.
    supervisor.remove_backend("comfyui".parse().unwrap()).await.unwrap();
    look(&supervisor, &ports).await;
    assert_eq!(ids(&supervisor).len(), 2);
    drop(comfyui);
    shutdown(supervisor).await;
}

#[tokio::test]
async fn a_configured_backend_is_offered_its_new_address_and_stays() {
    let ports = free(2);
    let comfyui = SimComfyui::start_on(ports[0], ComfyuiVersion::V0_24_0).await.unwrap();
    let mut config =
        Config::new().backend(crate::world::backend("mine", backline::model::Kind::Comfyui, ports[0]));
    config.discovery.adopt = Adopt::Always;
    let supervisor = crate::world::supervise(config).await;
    look(&supervisor, &ports).await;
    assert!(supervisor.finds().is_empty());
    drop(comfyui);
    until(&supervisor, "mine", |b| b.phase != Phase::Ready).await;
    let _comfyui = SimComfyui::start_on(ports[1], ComfyuiVersion::V0_24_0).await.unwrap();
    look(&supervisor, &ports).await;
    assert_eq!(ids(&supervisor), ["mine"]);
    let finds = supervisor.finds();
    assert_eq!(finds[0].why, Why::MayBe("mine".parse().unwrap()));
    let told = supervisor.notices(Wanted::Shown);
    let offer = told.iter().find(|n| n.code == Code::BackendMoved).unwrap_or_else(|| panic!("{told:#?}"));
    assert!(offer.fix.contains(&ports[1].to_string()), "{offer:?}");
    shutdown(supervisor).await;
}
