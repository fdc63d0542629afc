//! A socket that is open and says nothing.

use backline::{
    Supervisor, Wanted,
    config::{BackendConfig, Config},
    jobs::Job,
    model::{Channel, Code, Kind},
    net::Address,
    notices,
    sim::comfyui::{SimComfyui, Version},
};

use crate::{
    home::{LIMIT, end},
    stand::graph,
};

#[tokio::test]
async fn a_mute_socket_delays_a_result_and_loses_none_and_a_notice_says_so() {
    let sim = SimComfyui::start(Version::V0_24_0).await.unwrap();
    let backend =
        BackendConfig::new("b".parse().unwrap(), Kind::Comfyui, Address::loopback(sim.server().port()));
    let supervisor = Supervisor::builder().config(Config::new().backend(backend)).start().await.unwrap();
    supervisor.ready(Wanted::All, LIMIT).await.unwrap();
    sim.mute(true);
    let job = supervisor.run(Job::workflow("b", graph(40, 1))).await.unwrap();
    let mut cell = supervisor.watch();
    let degraded = cell.wait_for(|now| now.backend("b").is_some_and(|b| b.channel == Channel::Degraded));
    tokio::time::timeout(LIMIT, degraded).await.unwrap().unwrap();
    let status = end(&job).await;
    assert_eq!(
        (status.state, status.attempts, sim.all_executions()),
        (backline::model::JobState::Done, 1, 1)
    );
    // The notice waits a while, so that a channel that comes back at once makes none.
    let raised = async {
        while !supervisor.notices(notices::Wanted::All).iter().any(|n| n.code == Code::ChannelDegraded) {
            // Notices have no cell of their own.
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(LIMIT, raised).await.expect("a notice says that events are degraded");
}
