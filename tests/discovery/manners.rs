//! What a sweep sends.

use backline::{
    discovery::sweep,
    sim::{
        comfyui::{SimComfyui, Version as ComfyuiVersion},
        gradio::{Options as GradioOptions, SimGradio, Version as GradioVersion},
        litellm::{Options as LitellmOptions, SimLitellm},
        server::SimServer,
    },
};
use http::{Method, header};

use crate::finds::scope;

fn polite(server: &SimServer, most: usize) {
    let seen = server.seen();
    let mut paths: Vec<_> = seen.iter().map(|s| s.path.clone()).collect();
    assert!((1..=most).contains(&paths.len()), "{paths:?}");
    paths.sort();
    paths.dedup();
    assert_eq!(paths.len(), seen.len(), "one request a path: {seen:#?}");
    for request in seen {
        assert_eq!(request.method, Method::GET, "{request:?}");
        for secret in [header::AUTHORIZATION, header::COOKIE, header::PROXY_AUTHORIZATION] {
            assert!(!request.headers.contains_key(&secret), "{request:?}");
        }
        let agent = request.headers[header::USER_AGENT].to_str().unwrap();
        assert!(agent.starts_with("backline/") && agent.ends_with("(discovery)"), "{agent}");
    }
}

#[tokio::test]
async fn a_backend_sees_one_to_three_plain_requests_and_generates_nothing() {
    let comfyui = SimComfyui::start(ComfyuiVersion::V0_24_0).await.unwrap();
    let gradio = SimGradio::start(GradioVersion::V6_31_0, GradioOptions::default()).await.unwrap();
    let litellm = SimLitellm::start(LitellmOptions::default()).await.unwrap();
    let ports = [comfyui.server().port(), gradio.server().port(), litellm.port()];
    assert_eq!(sweep(&scope(ports), |_| {}).await.found.len(), 3);
    polite(comfyui.server(), 3);
    polite(gradio.server(), 3);
    polite(&litellm, 5);
    assert_eq!((comfyui.all_executions(), gradio.all_begun(), litellm.executions()), (0, 0, 0));
}
