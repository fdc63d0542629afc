//! Which face of WanGP answers, and what it says of itself.

use backline::{
    backends::{Connector, Session as _, Setback, Sign, wan2gp::Wan2gp},
    model::{Capability, Code, Epoch, Kind},
    sim::{
        Act, App,
        gradio::{Flavour, Options as PageOptions, SimGradio, Version},
        server::{SimServer, plain},
    },
};
use http::StatusCode;
use serde_json::json;

use super::rig::{Line, attempt, sim, target};
use crate::log::PATIENCE;

#[tokio::test]
async fn the_mcp_server_is_found_at_its_address_and_at_its_path() {
    let sim = sim(5).await;
    for url in [sim.url(), format!("{}/mcp", sim.url()), format!("{}/mcp/", sim.url())] {
        let connector = Wan2gp::new(target(&url)).unwrap();
        let line = Line::dial(&connector).await.unwrap();
        assert_eq!(line.session.kind(), Kind::Wan2gp);
        let can = [Capability::ImageGenerate, Capability::VideoGenerate, Capability::AudioGenerate];
        assert_eq!(line.identity.capabilities, can, "{url}");
        assert_eq!(line.identity.version, None, "the library's version is not WanGP's");
        assert_eq!(line.identity.title.as_deref(), Some("WanGP (MCP server, library 1.10.1)"));
        // The models follow, once the session is there.
        let Sign::Identity(identity) = line.sign(|s| matches!(s, Sign::Identity(_))).await else { panic!() };
        assert_eq!(identity.models[..], ["t2v", "i2v", "flux", "ace_step"]);
    }
    // The stream that would keep a WanGP from stopping is never opened.
    assert!(!sim.seen().iter().any(|s| s.method == http::Method::GET && s.path.starts_with("/mcp")));
}

#[tokio::test]
async fn schemas_are_read_once() {
    let sim = sim(5).await;
    let (_, line) = Line::to(&sim).await;
    let schema = line.session.schema("flux").await.unwrap();
    assert!(schema.get().contains("\"outputs\":[\"image\"]"), "{schema}");
    let before = sim.seen().len();
    line.session.schema("flux").await.unwrap();
    assert_eq!(sim.seen().len(), before);
    assert_eq!(line.session.schema("nope").await.unwrap_err().code(), Code::MissingModel);
}

#[tokio::test]
async fn a_key_goes_out_only_after_the_server_proved_to_be_wangp() {
    let sim = sim(5).await;
    let mut with_key = target(&format!("{}/mcp", sim.url()));
    with_key.http.key = Some("secret-0123456789".to_owned().into());
    Line::dial(&Wan2gp::new(with_key).unwrap()).await.unwrap();
    let seen = sim.seen();
    let keyed: Vec<bool> = seen.iter().map(|s| s.headers.contains_key("authorization")).collect();
    assert!(!keyed[0] && keyed[1..].iter().all(|k| *k), "{keyed:?}");
}

/// A WanGP's web page.
async fn page() -> SimGradio {
    let options = PageOptions { flavour: Flavour::WanGp, ..PageOptions::default() };
    SimGradio::start(Version::V5_29_0, options).await.unwrap()
}

#[tokio::test]
async fn on_the_page_generate_names_the_way_to_the_mcp_server() {
    let page = page().await;
    let connector = Wan2gp::new(target(&page.server().url())).unwrap();
    let dialed = connector.dial(Epoch::new(1)).await.unwrap();
    assert_eq!(dialed.session.kind(), Kind::Wan2gp);
    let log = std::sync::Arc::new(crate::log::Log::default());
    let run = dialed.session.run(attempt(&json!({ "prompt": "a cat" })), log);
    let Err(Setback::Unsent(fault)) = tokio::time::timeout(PATIENCE, run).await.unwrap() else { panic!() };
    assert_eq!(fault.code(), Code::BadRequest);
    assert!(fault.fix().contains("--mcp") && fault.fix().contains("url:"), "{}", fault.fix());
}

/// A server that answers everything alike.
struct Alike(StatusCode, &'static str);

impl App for Alike {
    fn answer(
        self: std::sync::Arc<Self>,
        _: http::Request<hyper::body::Incoming>,
    ) -> futures_util::future::BoxFuture<'static, http::Response<backline::sim::Body>> {
        Box::pin(async move { plain(self.0, "application/json", self.1) })
    }
}

#[tokio::test]
async fn other_programs_are_told_from_wangp_whatever_they_answer() {
    let stranger = r#"{"jsonrpc":"2.0","id":1,"result":{"serverInfo":{"name":"files","version":"1"}}}"#;
    for (status, body) in [(404, "{}"), (405, ""), (400, "{}"), (200, "{}"), (200, "[]"), (200, stranger)] {
        let server = SimServer::start(move || -> std::sync::Arc<dyn App> {
            std::sync::Arc::new(Alike(StatusCode::from_u16(status).unwrap(), body))
        });
        let server = server.await.unwrap();
        let fault = Line::dial(&Wan2gp::new(target(&server.url())).unwrap()).await.err().unwrap();
        assert_eq!(fault.code(), Code::WrongProgram, "{status} {body}: {fault:?}");
        assert!(fault.fix().contains("--mcp"), "{status} {body}: {}", fault.fix());
    }
}

#[tokio::test]
async fn trouble_is_no_other_program() {
    let sim = sim(5).await;
    let connector = Wan2gp::new(target(&format!("{}/mcp", sim.url()))).unwrap();
    for (status, code) in [
        (502, Code::ProxyInTheWay),
        (500, Code::BackendError),
        (401, Code::AuthRequired),
        (403, Code::Forbidden),
    ] {
        sim.trouble("/mcp/", Some(1), Act::Answer(StatusCode::from_u16(status).unwrap(), "x".into()));
        let fault = Line::dial(&connector).await.err().unwrap();
        assert_eq!(fault.code(), code, "{status}: {fault:?}");
    }
    sim.kill();
    assert_eq!(Line::dial(&connector).await.err().unwrap().code(), Code::ConnectionRefused);
}
