//! Discovery of real servers on odd ports, all at once.

use backline::{
    discovery::{Need, PortRange, Scope, sweep},
    model::Kind,
};

use crate::{comfyui, gradio, litellm};

#[tokio::test]
async fn real_servers_are_found_with_their_version_and_what_they_need() {
    let mut servers = Vec::new();
    let mut wanted = Vec::new();
    let apps = [
        ("BACKLINE_REAL_GRADIO_4", "", Some("4.44.1")),
        ("BACKLINE_REAL_GRADIO_5", "", Some("5.29.0")),
        ("BACKLINE_REAL_GRADIO_6", "", Some("6.31.0")),
        ("BACKLINE_REAL_GRADIO_6", "auth", None),
    ];
    for (variable, door, version) in apps {
        let Some(mut server) = gradio::server(variable, door) else { continue };
        server.start().await;
        let needs = (door == "auth").then_some(Need::Auth);
        wanted.push((server.port, Kind::Gradio, version.map(str::to_owned), needs));
        servers.push(server);
    }
    let key = format!("sk-{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
    if let Some((stub, server)) = litellm::servers(&key).await {
        wanted.push((server.port, Kind::Litellm, None, Some(Need::Auth)));
        servers.extend([stub, server]);
    }
    let comfyui = comfyui::server().await;
    let ports: Vec<_> = wanted.iter().map(|w| w.0).chain(comfyui.as_ref().map(|c| c.port)).collect();
    if ports.is_empty() {
        return;
    }
    let swept = sweep(&Scope::new().ports(ports.into_iter().map(PortRange::one)), |_| {}).await;
    println!("{}", serde_json::to_string(&swept).unwrap());
    let mut found: Vec<_> =
        swept.found.into_iter().map(|f| (f.url.port(), f.kind, f.version, f.needs)).collect();
    if comfyui.is_some() {
        let (_, kind, version, _) = found.pop().unwrap();
        assert!(kind == Kind::Comfyui && version.is_some(), "{kind} {version:?}");
    }
    assert_eq!(found, wanted);
}
