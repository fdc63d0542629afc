//! One call from its request to its end.

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    backends::{
        Attempt, Finished, Report, Session as _, Setback, Sink, Start,
        gradio::{
            arguments, follow,
            function::Function,
            refusal::{Author, Refusal},
            session::Session,
            simple, upload,
        },
    },
    model::{Code, Fault, Kind, Work},
    net::body,
};

/// A call, ready to be sent.
#[derive(Serialize)]
struct Join<'a> {
    data: Vec<Box<RawValue>>,
    fn_index: u64,
    session_hash: &'a str,
    event_data: Option<()>,
    trigger_id: Option<()>,
}

#[derive(Deserialize)]
struct Joined {
    event_id: String,
}

/// Why a call was not accepted.
pub(super) enum Unjoined {
    /// It did not arrive, or was refused.
    Refused(Fault),
    /// There is no such route, so that another may do.
    Unserved(Fault),
    /// It may have arrived.
    Doubtful(Fault),
}

/// Runs or follows one call.
pub(super) async fn run(session: &Session, attempt: &Attempt, sink: &dyn Sink) -> Result<Finished, Setback> {
    match attempt.start {
        Start::Fresh => fresh(session, attempt, sink).await,
        Start::Follow => follow::take_up(session, attempt, sink).await,
    }
}

async fn fresh(session: &Session, attempt: &Attempt, sink: &dyn Sink) -> Result<Finished, Setback> {
    let remote = attempt.remote.as_str();
    if let Some(why) = session.ended() {
        return Err(Setback::Unsent(why));
    }
    let join = prepare(session, attempt).await.map_err(Setback::Unsent)?;
    session.memory().sending(remote, session.boot(), join.join.fn_index);
    match send(session, &join.join).await {
        Ok(Joined { event_id }) => {
            session.memory().arrived(remote, &event_id);
            tracing::debug!(backend = %session.target().id, remote, event_id, "a call was accepted");
            sink.report(Report::Accepted { remote: remote.to_owned() });
            follow::watch(session, remote, sink).await
        }
        Err(Unjoined::Refused(fault)) => {
            session.memory().forget(remote);
            Err(Setback::Refused(fault))
        }
        Err(Unjoined::Unserved(fault)) => {
            simple::run(session, (remote, join.function), &join.join.data, (fault, sink)).await
        }
        Err(Unjoined::Doubtful(fault)) => follow::after_doubt(session, remote, fault, sink).await,
    }
}

/// A call, and the function that it is for.
struct Prepared<'a> {
    function: &'a Function,
    join: Join<'a>,
}

async fn prepare<'a>(session: &'a Session, attempt: &'a Attempt) -> Result<Prepared<'a>, Fault> {
    let Work::Call { function, data } = &attempt.work else { return Err(not_a_call(session, &attempt.work)) };
    let function = session.function(function)?;
    let signature = match &function.name {
        Some(name) => session.signatures().await?.of(name),
        None => None,
    };
    let mut values = arguments::arrange(function, signature, data)?;
    for value in &mut values {
        let given = std::mem::take(value);
        *value = upload::replace_files(session, given).await?;
    }
    let join = Join {
        data: values,
        fn_index: function.index,
        session_hash: &attempt.remote,
        event_data: None,
        trigger_id: None,
    };
    Ok(Prepared { function, join })
}

/// What the page cannot do. WanGP's generations go through its other face: the page's handlers take 132 arguments, whose
/// order changes with its version (12.60).
fn not_a_call(session: &Session, work: &Work) -> Fault {
    let place = &session.target().id;
    if !matches!(work, Work::Generate(_)) {
        return Fault::new(Code::BadRequest, format!("a Gradio app runs functions, not a {}", work.name()));
    }
    if session.kind() != Kind::Wan2gp {
        let message = format!("{place} is a Gradio app, and only WanGP takes `generate`");
        return Fault::new(Code::BadRequest, message);
    }
    let message = format!("{place} is WanGP's web page, and only WanGP's MCP server takes `generate`");
    Fault::new(Code::BadRequest, message).with_fix(
        "Start WanGP with `--mcp --mcp-transport streamable-http --mcp-port 7866` in place of its page, and set \
         `url: \"http://HOST:7866\"` for this backend.",
    )
}

async fn send(session: &Session, join: &Join<'_>) -> Result<Joined, Unjoined> {
    let request = session.request(Method::POST, "queue/join").json(join);
    let limit = session.limit();
    let answer = session.bounded(limit, session.http().send(request, limit)).await.map_err(unsent)?;
    if answer.status().is_success() {
        let joined = session.bounded(limit, body::json(answer, body::ERROR_CAP)).await;
        return joined.map_err(Unjoined::Doubtful);
    }
    let unserved = matches!(answer.status().as_u16(), 404 | 405 | 501);
    Err(match Unjoined::of(Refusal::of(answer).await) {
        Unjoined::Refused(fault) if unserved => Unjoined::Unserved(fault),
        unjoined => unjoined,
    })
}

impl Unjoined {
    /// What an answer with an error's status leaves of a call.
    pub(super) fn of(Refusal { fault, author }: Refusal) -> Self {
        // A proxy that gives up on the app may have passed the request on before.
        match (author, fault.code()) {
            (Author::Proxy, Code::ProxyInTheWay) => Self::Doubtful(fault),
            _ => Self::Refused(fault),
        }
    }
}

/// Without a connection nothing was sent; any other fault leaves a doubt.
pub(super) fn unsent(fault: Fault) -> Unjoined {
    match fault.code() {
        Code::ConnectionRefused | Code::ConnectTimeout | Code::NoRoute | Code::Dns | Code::Tls => {
            Unjoined::Refused(fault)
        }
        _ => Unjoined::Doubtful(fault),
    }
}
