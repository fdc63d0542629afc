//! The same behind a real nginx, with TLS and a path.

use std::{path::Path, process::Command, time::Duration};

use backline::{
    Supervisor, Wanted,
    config::{BackendConfig, Config, Secret},
    jobs::Job,
    model::{BackendId, Channel, JobState, Kind},
    net::{Address, tls::TlsSettings},
    sim::{
        comfyui::{SimComfyui, Version as ComfyuiVersion},
        gradio::{Options as GradioOptions, SimGradio, Version as GradioVersion},
        litellm::{Options as LitellmOptions, SimLitellm},
    },
};
use serde_json::json;

use crate::{
    server::{Server, skip},
    story::end,
};

/// Which upgrades nginx passes on.
#[derive(Clone, Copy, PartialEq)]
enum Upgrades {
    Passed,
    Dropped,
}

struct Ports {
    comfyui: u16,
    gradio: u16,
    litellm: u16,
}

fn configuration(port: u16, ports: &Ports, home: &Path, upgrades: Upgrades) -> String {
    let upgrade = match upgrades {
        Upgrades::Passed => "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $hop;",
        Upgrades::Dropped => "",
    };
    let location = |path: &str, upstream: u16| {
        format!(
            "location /{path}/ {{ proxy_pass http://127.0.0.1:{upstream}/; proxy_http_version 1.1; {upgrade} \
             proxy_set_header Host $http_host; proxy_buffering off; }}"
        )
    };
    let home = home.display();
    format!(
        "daemon off; master_process off; error_log {home}/error.log; pid {home}/pid; events {{ }}\n\
         http {{ access_log off; client_body_temp_path {home}/b; proxy_temp_path {home}/p; fastcgi_temp_path {home}/f; \
         uwsgi_temp_path {home}/u; scgi_temp_path {home}/s;\n\
         map $http_upgrade $hop {{ default upgrade; '' close; }}\n\
         server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {home}/cert.pem; ssl_certificate_key {home}/key.pem;\n\
         {}\n{}\n{} }} }}",
        location("comfy", ports.comfyui),
        location("gradio", ports.gradio),
        location("llm", ports.litellm),
    )
}

async fn behind_nginx(upgrades: Upgrades) {
    let program = ["/usr/sbin/nginx", "/usr/bin/nginx", "/usr/local/bin/nginx"]
        .into_iter()
        .find(|p| Path::new(p).exists());
    let Some(program) = program else { return skip("nginx with TLS and a path: there is no nginx") };
    let comfyui = SimComfyui::start(ComfyuiVersion::V0_24_0).await.unwrap();
    let gradio = SimGradio::start(GradioVersion::V6_31_0, GradioOptions::default()).await.unwrap();
    let litellm = SimLitellm::start(LitellmOptions::default()).await.unwrap();
    let ports =
        Ports { comfyui: comfyui.server().port(), gradio: gradio.server().port(), litellm: litellm.port() };
    let mut nginx = Server::new(move |port, home| {
        std::fs::write(home.join("nginx.conf"), configuration(port, &ports, home, upgrades)).unwrap();
        let mut command = Command::new(program);
        command.arg("-e").arg(home.join("error.log")).arg("-c").arg(home.join("nginx.conf"));
        command
    });
    let signed = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(nginx.home().join("cert.pem"), signed.cert.pem()).unwrap();
    std::fs::write(nginx.home().join("key.pem"), signed.signing_key.serialize_pem()).unwrap();
    nginx.start().await;
    let place = |id: &str, kind, path: &str| {
        let url = Address::parse(&format!("https://localhost:{}/{path}/", nginx.port)).unwrap();
        let mut config = BackendConfig::new(BackendId::new(id).unwrap(), kind, url);
        config.tls = TlsSettings { ca: Some(nginx.home().join("cert.pem")), ..TlsSettings::default() };
        config
    };
    let key = Secret::Inline(litellm.key().into());
    let config = Config::new()
        .backend(place("comfyui", Kind::Comfyui, "comfy"))
        .backend(place("gradio", Kind::Gradio, "gradio"))
        .backend(place("litellm", Kind::Litellm, "llm").with_key(key));
    let supervisor = Supervisor::builder().config(config).start().await.unwrap();
    supervisor.ready(Wanted::All, Duration::from_secs(20)).await.unwrap();
    let channel = supervisor.snapshot().backend("comfyui").unwrap().channel;
    assert_eq!(channel, if upgrades == Upgrades::Passed { Channel::Live } else { Channel::Polling });
    let graph = json!({
        "1": { "class_type": "EmptyImage", "inputs": { "width": 8, "height": 8, "batch_size": 1, "color": 1 } },
        "2": { "class_type": "SaveImage", "inputs": { "images": ["1", 0], "filename_prefix": "x" } },
    });
    for job in [
        Job::workflow("comfyui", graph).save_to(nginx.home().join("comfyui")),
        Job::call("gradio", "/generate", json!(["a cat", 2, null, "t2v"]))
            .save_to(nginx.home().join("gradio")),
        Job::chat("litellm", json!({ "model": "stub", "messages": [{ "role": "user", "content": "hi" }] })),
    ] {
        let status = end(&supervisor.run(job).await.unwrap()).await;
        assert_eq!(status.state, JobState::Done, "{status:#?}");
    }
    assert_eq!(comfyui.all_executions(), 1);
}

#[tokio::test]
async fn all_kinds_work_behind_nginx_with_tls_and_a_path() {
    behind_nginx(Upgrades::Passed).await;
}

#[tokio::test]
async fn where_nginx_drops_the_upgrade_comfyui_is_polled_and_jobs_work() {
    behind_nginx(Upgrades::Dropped).await;
}
