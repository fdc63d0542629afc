//! The staged test of a candidate: what a person would check by hand, one stage after the other.

use std::{sync::Arc, time::Duration};

use rustls::pki_types::ServerName;
use serde::Serialize;
use tokio::{net::TcpStream, time::Instant};
use tokio_rustls::TlsConnector;

use crate::{
    backends::connector_for,
    config::BackendConfig,
    connection::diagnosis,
    model::{Class, Code, Epoch, Fault, Identity},
    net::{
        blame::{self, Cause},
        course::{self, Course, Step},
        tls::client_config,
    },
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
    /// How long it took, in milliseconds, from the end of the stage before; 0 where it took no step of its own, like
    /// `auth` of a server that asks for no key. `http` goes over a connection of its own, which it opens.
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
        self.add_that_took(stage, begun.elapsed(), outcome);
    }

    fn add_that_took(&mut self, stage: StageName, took: Duration, outcome: Result<String, &Fault>) {
        let ms = took.as_secs_f64() * 1_000.0;
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
    let found = tokio::net::lookup_host((address.bare_host(), address.port())).await;
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
    let stream = tcp(candidate, &found, report).await?;
    if address.scheme() == "https" {
        tls(candidate, stream, report).await?;
    }
    session(candidate, report).await
}

async fn tcp(
    candidate: &BackendConfig,
    found: &[std::net::SocketAddr],
    report: &mut ProbeReport,
) -> Result<TcpStream, ()> {
    let (place, begun) = (candidate.url.authority(), Instant::now());
    let fault = match tokio::time::timeout(candidate.timeouts.connect, TcpStream::connect(found)).await {
        Ok(Ok(stream)) => {
            report.add(StageName::Tcp, begun, Ok(format!("{place} takes connections")));
            return Ok(stream);
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

/// The handshake that every request to the candidate begins with, by itself.
async fn tls(candidate: &BackendConfig, stream: TcpStream, report: &mut ProbeReport) -> Result<(), ()> {
    // Where no client can be made of its settings, the dial says why.
    let settings = candidate.target().and_then(|target| client_config(&target.http.tls));
    let Ok(settings) = settings else { return Ok(()) };
    let begun = Instant::now();
    let outcome = handshake(candidate, settings, stream).await;
    report.add(StageName::Tls, begun, outcome.as_ref().map(|()| "well".to_owned()));
    outcome.map_err(|_| ())
}

async fn handshake(
    candidate: &BackendConfig,
    settings: Arc<rustls::ClientConfig>,
    stream: TcpStream,
) -> Result<(), Fault> {
    let (address, limit) = (&candidate.url, candidate.timeouts.connect);
    let place = address.authority();
    let connector = TlsConnector::from(settings);
    let name = ServerName::try_from(address.bare_host().to_owned())
        .map_err(|e| Fault::new(Code::Tls, format!("{place}: no certificate can be for it: {e}")))?;
    match tokio::time::timeout(limit, connector.connect(name, stream)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => {
            let cause = blame::cause_of(&error);
            Err(cause.unwrap_or_else(|| Cause::new(Code::Tls, error.to_string())).at(&place))
        }
        Err(_) => Err(Fault::new(Code::Tls, format!("{place}: no end of the handshake in {limit:?}"))),
    }
}

/// The rest is the dial itself, which notes its steps.
async fn session(candidate: &BackendConfig, report: &mut ProbeReport) -> Result<(), ()> {
    let begun = Instant::now();
    let dial = async {
        let plain = candidate.target().and_then(connector_for)?;
        diagnosis::connector(candidate, plain).dial(Epoch::ZERO).await
    };
    let (dialed, course) = course::followed(dial).await;
    let dialed = dialed.map_err(|fault| (failed_at(&fault, &course), fault));
    let failed = dialed.as_ref().err().map(|(stage, _)| *stage);
    let mut from = begun;
    for (stage, step) in
        [(StageName::Http, Step::Http), (StageName::Api, Step::Api), (StageName::Auth, Step::Auth)]
    {
        let done = course.iter().find(|(passed, _)| *passed == step).map(|(_, at)| *at);
        // A session is open: what took no step of its own is well all the same.
        if failed == Some(stage) || (failed.is_some() && done.is_none()) {
            break;
        }
        let done = done.map_or(from, |at| at.max(from));
        report.add_that_took(stage, done - from, Ok("well".to_owned()));
        from = done;
    }
    match dialed {
        Ok(dialed) => {
            let can: Vec<_> = dialed.identity.capabilities.iter().map(|c| c.as_str()).collect();
            let version = dialed.identity.version.as_deref().unwrap_or("unknown");
            let message = format!("{} {version}: {}", dialed.session.kind().title(), can.join(", "));
            report.add(StageName::Capability, from, Ok(message));
            dialed.session.end(Fault::new(Code::Closing, "the test is over"));
            report.identity = Some(dialed.identity);
            Ok(())
        }
        Err((stage, fault)) => {
            report.add(stage, from, Err(&fault));
            Err(())
        }
    }
}

/// The stage at which a dial failed: what its fault speaks of, but none that it had behind it.
fn failed_at(fault: &Fault, course: &Course) -> StageName {
    let passed = |step| course.iter().any(|(known, _)| *known == step);
    match stage_of(fault) {
        StageName::Http | StageName::Api if passed(Step::Api) => StageName::Capability,
        StageName::Http if passed(Step::Http) => StageName::Api,
        stage => stage,
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
