//! The exchanges of a session with its server: each a POST, bounded by a limit and by the session's end.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Method, StatusCode, header};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::{
    backends::{
        Target,
        tie::Tie,
        wan2gp::{
            complaint,
            greeting::{ACCEPT, ENDPOINT, Greeting},
            refusal, rpc,
            tool::{self, Trouble},
        },
    },
    model::{Code, Fault},
    net::{Http, body},
};

/// The two clients of a server.
#[derive(Clone)]
pub(super) struct Clients {
    /// For what may be asked twice.
    pub(super) http: Http,
    /// For what may not happen twice: a connection of its own each.
    pub(super) work: Http,
}

/// What a session exchanges requests with.
pub(super) struct Wire {
    pub(super) target: Arc<Target>,
    pub(super) clients: Clients,
    pub(super) tie: Tie,
    ids: AtomicU64,
}

impl Wire {
    pub(super) fn new(target: Arc<Target>, clients: Clients) -> Self {
        // The greeting was 1.
        Self { target, clients, tie: Tie::default(), ids: AtomicU64::new(2) }
    }

    /// `host:port`, as messages name it.
    pub(super) fn place(&self) -> String {
        self.clients.http.address().authority()
    }

    /// The limit of an ordinary request.
    pub(super) fn limit(&self) -> Duration {
        self.target.timeouts.request
    }

    /// Asks what may be asked twice.
    pub(super) async fn ask(
        &self,
        method: &str,
        params: impl Serialize,
        limit: Duration,
    ) -> Result<Box<RawValue>, Fault> {
        let id = self.ids.fetch_add(1, Relaxed);
        let question = rpc::request(id, method, params)?;
        let once = || self.exchange(&self.clients.http, question.clone(), id, limit);
        match once().await {
            // uvicorn closes an idle connection after 5.0 s, and a request may meet the close.
            Err(fault) if fault.code() == Code::ConnectionReset => once().await,
            answered => answered,
        }
    }

    /// Asks what may not happen twice, on a connection of its own.
    pub(super) async fn order(&self, tool: &str, arguments: impl Serialize) -> Result<Box<RawValue>, Fault> {
        let id = self.ids.fetch_add(1, Relaxed);
        let order = rpc::request(id, "tools/call", rpc::Call { name: tool, arguments })?;
        let answer = self.exchange(&self.clients.work, order, id, self.limit()).await;
        answer.inspect_err(|fault| self.tie.suspect(fault))
    }

    /// The document that a tool answers with.
    pub(super) async fn document<T: DeserializeOwned>(
        &self,
        tool: &str,
        arguments: impl Serialize,
    ) -> Result<T, Fault> {
        let result = self.call(tool, arguments).await?;
        tool::document(&result).map_err(|trouble| self.trouble(trouble))
    }

    /// What a tool answers with.
    pub(super) async fn call(&self, tool: &str, arguments: impl Serialize) -> Result<Box<RawValue>, Fault> {
        let answer = self.ask("tools/call", rpc::Call { name: tool, arguments }, self.limit()).await;
        answer.inspect_err(|fault| self.tie.suspect(fault))
    }

    /// The fault of a tool's trouble.
    pub(super) fn trouble(&self, trouble: Trouble) -> Fault {
        match trouble {
            Trouble::Complaint(words) => complaint::refused(&self.place(), &words),
            Trouble::Unreadable(why) => {
                Fault::new(Code::Protocol, format!("{}: a tool's answer cannot be read: {why}", self.place()))
            }
        }
    }

    async fn exchange(
        &self,
        http: &Http,
        question: Bytes,
        id: u64,
        limit: Duration,
    ) -> Result<Box<RawValue>, Fault> {
        let place = self.place();
        let exchange = async {
            let request = http.keyed(Method::POST, ENDPOINT);
            let (status, body) = post(http, request, question, limit).await?;
            if status != StatusCode::OK {
                return Err(refusal::of(&place, status, &body));
            }
            rpc::result(&body, id).map(ToOwned::to_owned).map_err(|unanswered| unanswered.fault(&place))
        };
        self.tie.bounded(limit, &place, exchange).await
    }
}

/// Asks who answers, without the key.
pub(super) async fn greet(http: &Http, limit: Duration) -> Result<Greeting, Fault> {
    let place = http.address().authority();
    let question = Greeting::question()?;
    let once = || post(http, http.request(Method::POST, ENDPOINT), question.clone(), limit);
    let asked = async {
        match once().await {
            // A connection that was kept says nothing of who listens now.
            Err(fault) if fault.code() == Code::ConnectionReset => once().await,
            answered => answered,
        }
    };
    let late = || Fault::new(Code::RequestTimeout, format!("{place}: no whole answer in {limit:?}"));
    let (status, body) = tokio::time::timeout(limit, asked).await.map_err(|_| late())??;
    let wrong = |what: String| Fault::new(Code::WrongProgram, format!("{place} {what}"));
    match Greeting::read(status, &body) {
        Some(greeting) if greeting.is_wangp() => Ok(greeting),
        Some(greeting) => Err(wrong(format!("is the MCP server `{}`, not WanGP", greeting.name))),
        None if status == StatusCode::OK => Err(wrong("does not answer like an MCP server".to_owned())),
        // A server that takes no POST there is another program, whatever it says.
        None if matches!(status, StatusCode::METHOD_NOT_ALLOWED | StatusCode::BAD_REQUEST) => {
            Err(wrong(format!("is no MCP server (HTTP {})", status.as_u16())))
        }
        None => Err(refusal::of(&place, status, &body)),
    }
}

async fn post(
    http: &Http,
    request: reqwest::RequestBuilder,
    question: Bytes,
    limit: Duration,
) -> Result<(StatusCode, Bytes), Fault> {
    let request = request
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, ACCEPT)
        .body(question);
    let answer = http.send(request, limit).await?;
    let status = answer.status();
    Ok((status, body::read(answer, body::JSON_CAP).await?))
}
