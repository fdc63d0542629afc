//! The staged test of a candidate: what a person would check by hand, one stage after the other.

use std::time::Duration;

use serde::Serialize;
use tokio::{net::TcpStream, time::Instant};

use crate::{
    backends::connector_for,
    config::BackendConfig,
    connection::diagnosis,
    model::{Class, Code, Epoch, Fault, Identity},
    net::blame,
};

/// Longest wait of the whole test.
const LIMIT: Duration = Duration::from_secs(15);

/// One stage of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names are the contract's")]
pub enum StageName {
    Dns,
    Tcp,
    Tls,
    Http,
    Api,
    Auth,
    Capability,
}

/// What a stage found.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct Stage {
    /// Which.
    pub stage: StageName,
    /// Whether it went well.
    pub ok: bool,
    /// How long it took.
    pub ms: f64,
    /// What was found.
    pub message: String,
    /// What to do about it; empty where it went well.
    pub fix: String,
}

/// What a test found. It stops at the first stage that fails.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
pub struct ProbeReport {
    /// Whether all went well.
    pub ok: bool,
    /// The stages that were run, in order.
    pub stages: Vec<Stage>,
    /// What the backend said of itself.
    #[serde(skip)]
    pub identity: Option<Identity>,
}

/// Tests a candidate and changes nothing: its session is closed again at once.
///
/// # Cancel safety
/// Safe.
pub async fn probe(candidate: &BackendConfig) -> ProbeReport {
    let mut report = ProbeReport { ok: false, stages: Vec::new(), identity: None };
    match tokio::time::timeout(LIMIT, stages(candidate, &mut report)).await {
        Ok(Ok(())) => report.ok = true,
        Ok(Err(())) => {}
        Err(_) => {
            let fault = Fault::new(Code::RequestTimeout, format!("the test took longer than {LIMIT:?}"));
            report.add(StageName::Api, Instant::now(), Err(&fault));
        }
    }
    report
}

impl ProbeReport {
    fn add(&mut self, stage: StageName, begun: Instant, outcome: Result<String, &Fault>) {
        let ms = begun.elapsed().as_secs_f64() * 1_000.0;
        let (ok, message, fix) = match outcome {
            Ok(message) => (true, message, String::new()),
            Err(fault) => (false, fault.message().to_owned(), fault.fix().to_owned()),
        };
        self.stages.push(Stage { stage, ok, ms, message, fix });
    }
}

async fn stages(candidate: &BackendConfig, report: &mut ProbeReport) -> Result<(), ()> {
    let (address, begun) = (&candidate.url, Instant::now());
    if candidate.proxy.is_some() && !address.is_loopback() {
        // The proxy looks the name up and connects; ours may know neither.
        return session(candidate, report).await;
    }
    let place = address.authority();
    let found = tokio::net::lookup_host((address.host().trim_matches(['[', ']']), address.port())).await;
    let found: Vec<_> = match found.map(Iterator::collect) {
        Ok(found) => found,
        Err(error) => {
            let fault = Fault::new(Code::Dns, format!("{place}: the name does not resolve: {error}"));
            report.add(StageName::Dns, begun, Err(&fault));
            return Err(());
        }
    };
    let count = found.len();
    report.add(StageName::Dns, begun, Ok(format!("{count} address{}", if count == 1 { "" } else { "es" })));
    tcp(candidate, &found, report).await?;
    session(candidate, report).await
}

async fn tcp(
    candidate: &BackendConfig,
    found: &[std::net::SocketAddr],
    report: &mut ProbeReport,
) -> Result<(), ()> {
    let (place, begun) = (candidate.url.authority(), Instant::now());
    let fault = match tokio::time::timeout(candidate.timeouts.connect, TcpStream::connect(found)).await {
        Ok(Ok(_)) => {
            report.add(StageName::Tcp, begun, Ok(format!("{place} takes connections")));
            return Ok(());
        }
        Ok(Err(error)) => diagnosis::unreached(blame::io(&error, &place), &candidate.url),
        Err(_) => {
            let fault = Fault::new(Code::ConnectTimeout, format!("{place}: no connection in time"));
            diagnosis::unreached(fault, &candidate.url)
        }
    };
    report.add(StageName::Tcp, begun, Err(&fault));
    Err(())
}

/// The rest is the dial itself: which stage it failed at shows in the fault.
async fn session(candidate: &BackendConfig, report: &mut ProbeReport) -> Result<(), ()> {
    let begun = Instant::now();
    let dialed = match candidate.target().and_then(connector_for) {
        Ok(plain) => diagnosis::connector(candidate, plain).dial(Epoch::ZERO).await,
        Err(fault) => Err(fault),
    };
    let reached =
        |stage| if candidate.url.scheme() == "https" || stage != StageName::Tls { Some(stage) } else { None };
    match dialed {
        Ok(dialed) => {
            for stage in [StageName::Tls, StageName::Http, StageName::Api, StageName::Auth]
                .into_iter()
                .filter_map(reached)
            {
                report.add(stage, begun, Ok("well".to_owned()));
            }
            let can: Vec<_> = dialed.identity.capabilities.iter().map(|c| c.as_str()).collect();
            let version = dialed.identity.version.as_deref().unwrap_or("unknown");
            let message = format!("{} {version}: {}", dialed.session.kind().title(), can.join(", "));
            report.add(StageName::Capability, begun, Ok(message));
            dialed.session.end(Fault::new(Code::Closing, "the test is over"));
            report.identity = Some(dialed.identity);
            Ok(())
        }
        Err(fault) => {
            let failed = stage_of(&fault);
            let before = [StageName::Tls, StageName::Http, StageName::Api, StageName::Auth];
            for stage in before.into_iter().take_while(|s| *s != failed).filter_map(reached) {
                report.add(stage, begun, Ok("well".to_owned()));
            }
            report.add(failed, begun, Err(&fault));
            Err(())
        }
    }
}

fn stage_of(fault: &Fault) -> StageName {
    match (fault.code(), fault.class()) {
        (Code::Dns, _) => StageName::Dns,
        (Code::ConnectionRefused | Code::ConnectTimeout | Code::NoRoute, _) => StageName::Tcp,
        (Code::Tls, _) => StageName::Tls,
        (Code::ConnectionReset | Code::RequestTimeout | Code::ProxyInTheWay, _) => StageName::Http,
        (_, Class::Auth) => StageName::Auth,
        _ => StageName::Api,
    }
}
