//! Who answers at the address, and what it can do. The key stays here until the fingerprint matched.

use std::time::Duration;

use http::{Method, StatusCode};
use serde::Deserialize;

use crate::{
    backends::comfyui::{Catalogue, evidence},
    model::{Capability, Code, Depth, Fault, Identity, fault::clean, status::Resources},
    net::{
        Http, body,
        course::{self, Step},
    },
};

/// Classes that a dial asks for: what stock nodes can make, and of which models. All classes would be 0.5 to 1.3 MB
/// and hold the server up for a third of a second; they are looked at when the session is open.
const SKETCH: [&str; 6] =
    ["CheckpointLoaderSimple", "UNETLoader", "KSampler", "SaveImage", "SaveVideo", "SaveAudio"];

/// Names of models and of classes that are kept of a server, of each: 0.24.0 has 700 classes, custom nodes bring more.
const NAMES: usize = 5_000;
/// Letters of a name.
const NAME: usize = 200;

/// The answer to /system_stats; what other programs answer there has no `devices`.
#[derive(Debug, Deserialize)]
pub(crate) struct Stats {
    pub(crate) system: System,
    pub(crate) devices: Vec<Device>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct System {
    pub(crate) comfyui_version: Option<String>,
    /// Older servers name no version, but this.
    embedded_python: Option<bool>,
    pub(crate) python_version: Option<String>,
    /// How it was started.
    #[serde(default)]
    pub(crate) argv: Vec<String>,
    ram_free: Option<u64>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Device {
    #[serde(default)]
    pub(crate) name: String,
    vram_free: Option<u64>,
    vram_total: Option<u64>,
}

/// Takes the fingerprint, then asks what the server can do.
///
/// # Errors
/// [`Code::WrongProgram`] names what answered instead; the network's faults.
pub(super) async fn identify(http: &Http, limit: Duration) -> Result<Identity, Fault> {
    let answer = http.send(http.request(Method::GET, "system_stats"), limit).await?;
    let stats = fingerprint(http, answer).await?;
    course::passed(Step::Api);
    let mut sketch = Catalogue::default();
    // One after the other, over one connection: each that is opened takes 27 KiB, and over TLS two more ways there and
    // back, and all backends come at once where their machine does.
    for class in SKETCH {
        sketch.extend(class_of(http, limit, class).await?);
    }
    Ok(Identity { depth: Depth::Sketch, ..identity(stats.system.comfyui_version, &sketch) })
}

/// What a server with these classes is.
pub(super) fn identity(version: Option<String>, catalogue: &Catalogue) -> Identity {
    let evidence = evidence::of(catalogue);
    let mut capabilities: Vec<_> = evidence.iter().map(|evidence| evidence.capability).collect();
    capabilities.push(Capability::WorkflowRun);
    capabilities.sort_unstable();
    let mut nodes: Vec<_> = catalogue.classes().map(|(name, _)| clean(name, NAME)).collect();
    nodes.sort_unstable();
    nodes.truncate(NAMES);
    let models = catalogue.models().into_iter().take(NAMES).map(|name| clean(name, NAME)).collect();
    Identity { version, capabilities, models, nodes: nodes.into(), evidence, ..Identity::default() }
}

/// Memory of the server's machine. A failure is no sign of anything: the probe has its own request.
pub(super) async fn resources(http: &Http, limit: Duration) -> Result<Resources, Fault> {
    let answer = http.send(http.keyed(Method::GET, "system_stats"), limit).await?;
    let stats: Stats = body::json(answer, body::JSON_CAP).await?;
    let device = stats.devices.first();
    Ok(Resources {
        vram_free: device.and_then(|d| d.vram_free),
        vram_total: device.and_then(|d| d.vram_total),
        ram_free: stats.system.ram_free,
    })
}

async fn fingerprint(http: &Http, answer: reqwest::Response) -> Result<Stats, Fault> {
    let place = http.address().authority();
    let status = answer.status();
    let server = answer.headers().get(http::header::SERVER).and_then(|s| s.to_str().ok()).map(str::to_owned);
    if let Some(fault) = refused(status, &place, http.has_key()) {
        return Err(fault);
    }
    let text = body::read_beginning(answer, body::ERROR_CAP).await;
    match Stats::read(status, text.as_bytes()) {
        Some(stats) => Ok(stats),
        None => Err(wrong_program(&place, status, server.as_deref(), &text)),
    }
}

impl Stats {
    /// Reads an answer to /system_stats; `None` where it is not ComfyUI's.
    pub(crate) fn read(status: StatusCode, body: &[u8]) -> Option<Self> {
        let stats = serde_json::from_slice::<Self>(body).ok()?;
        let genuine = stats.system.comfyui_version.is_some() || stats.system.embedded_python.is_some();
        (status == StatusCode::OK && genuine).then_some(stats)
    }
}

/// What a status says before the body is looked at.
fn refused(status: StatusCode, place: &str, has_key: bool) -> Option<Fault> {
    Some(match status.as_u16() {
        401 | 407 if has_key => Fault::new(
            Code::AuthRequired,
            format!("{place} wants a key before it shows that it is ComfyUI ({status})"),
        )
        .with_fix(
            "Let the proxy pass GET /system_stats without a key, or put what it wants into `headers`: \
                     a key is sent only to a server that has shown what it is.",
        ),
        401 | 407 => Fault::new(Code::AuthRequired, format!("{place} wants a log-in ({status})"))
            .with_fix("Put what the proxy before ComfyUI wants into `headers`."),
        403 => Fault::new(Code::Forbidden, format!("{place} forbids us ({status})")),
        429 => Fault::new(Code::RateLimited, format!("{place} limits the rate ({status})")),
        502..=504 => {
            Fault::new(Code::ProxyInTheWay, format!("{place}: a proxy answers for ComfyUI ({status})"))
        }
        500..=599 => Fault::new(Code::BackendError, format!("{place}: {status}")),
        _ => return None,
    })
}

fn wrong_program(place: &str, status: StatusCode, server: Option<&str>, text: &str) -> Fault {
    let who =
        title(text).map(|t| format!("“{t}”")).or_else(|| server.map(|s| format!("a server called {s}")));
    let who = who.unwrap_or_else(|| "another program".to_owned());
    Fault::new(
        Code::WrongProgram,
        format!("{place}: {who} answers there, not ComfyUI ({status} to /system_stats)"),
    )
    .with_detail(text)
}

/// The title of a page.
fn title(page: &str) -> Option<&str> {
    let from = page.find("<title>")? + "<title>".len();
    let length = page[from..].find("</title>")?;
    Some(page[from..from + length].trim()).filter(|t| !t.is_empty() && t.len() < 120)
}

/// A class with what it offers. An unknown one is answered with 200 `{}`.
async fn class_of(http: &Http, limit: Duration, class: &str) -> Result<Catalogue, Fault> {
    let answer = http.send(http.keyed(Method::GET, &format!("object_info/{class}")), limit).await?;
    if !answer.status().is_success() {
        return Ok(Catalogue::default());
    }
    course::passed(Step::Auth);
    Catalogue::parse(&body::read(answer, body::JSON_CAP).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_is_named_by_its_title_or_its_server() {
        let page = "<html><head><title>Jellyfin</title></head></html>";
        let fault = wrong_program("h:1", StatusCode::NOT_FOUND, Some("nginx"), page);
        assert_eq!(fault.code(), Code::WrongProgram);
        assert!(fault.message().contains("Jellyfin"), "{fault}");
        assert!(wrong_program("h:1", StatusCode::OK, Some("uvicorn"), "{}").message().contains("uvicorn"));
    }
}
