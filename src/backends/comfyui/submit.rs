//! Sending a workflow: once, whatever is lost on the way.

use std::time::Duration;

use http::{Method, header};
use serde::Serialize;
use tokio::time::Instant;

use crate::{
    backends::{
        Setback,
        comfyui::{
            boot::{self, Boot},
            follow::TWICE,
            refusal::{self, Answer},
            session::{Session, Standing},
            workflow::Workflow,
        },
    },
    model::{Code, Fault},
    net::body,
};

/// How often a prompt that is proven absent is sent again.
const RESENDS: u32 = 2;

/// Between two attempts to ask a server that does not answer.
const ASK_AGAIN: Duration = Duration::from_millis(500);

#[derive(Serialize)]
struct Prompt<'a> {
    prompt: &'a Workflow,
    /// Our own, never null: 0.3.64 takes any text and makes `None` of a null, 0.24.0 wants a lower-case UUID.
    prompt_id: &'a str,
    client_id: &'a str,
}

/// Sends a workflow and returns once the server has it; the notes name what it leaves out.
///
/// The server does not refuse a second prompt with the same id, it runs both. So after a doubt nothing is sent before
/// the first was proven absent.
pub(super) async fn submit(
    session: &Session,
    id: &str,
    client: &str,
    workflow: &Workflow,
) -> Result<Vec<String>, Setback> {
    session.memory().sending(id, client);
    let prompt = serde_json::to_vec(&Prompt { prompt: workflow, prompt_id: id, client_id: client })
        .expect("names and checked JSON make JSON");
    for _ in 0..=RESENDS {
        let doubt = match post(session, prompt.clone()).await {
            Ok(Answer::Accepted { number, notes }) => {
                tracing::debug!(job = id, number, "accepted");
                session.memory().arrived(id);
                return Ok(notes);
            }
            Ok(Answer::Refused(fault)) => return Err(refused(session, id, fault)),
            Err(fault) if never_left(&fault) => return Err(refused(session, id, fault)),
            Ok(Answer::Doubtful(fault)) | Err(fault) => fault,
        };
        tracing::info!(job = id, %doubt, "nobody can say whether the prompt arrived; looking for it");
        if arrived(session, id).await? {
            session.memory().arrived(id);
            return Ok(Vec::new());
        }
    }
    let what = format!("the prompt was lost {} times on its way", RESENDS + 1);
    Err(refused(session, id, Fault::new(Code::ConnectionReset, what)))
}

fn refused(session: &Session, id: &str, fault: Fault) -> Setback {
    session.memory().forget(id);
    Setback::Refused(fault)
}

async fn post(session: &Session, prompt: Vec<u8>) -> Result<Answer, Fault> {
    let limit = session.limit();
    let exchange = async {
        let request = session.http().keyed(Method::POST, "prompt");
        let request = request.header(header::CONTENT_TYPE, "application/json").body(prompt);
        let answer = session.http().send(request, limit).await?;
        let status = answer.status();
        let text = body::read_beginning(answer, body::ERROR_CAP).await;
        Ok(refusal::judge(status, &text))
    };
    session.bounded(limit, exchange).await
}

/// Whether the fault came before a byte of the request was sent.
fn never_left(fault: &Fault) -> bool {
    matches!(
        fault.code(),
        Code::ConnectionRefused | Code::Dns | Code::NoRoute | Code::Tls | Code::ConnectTimeout
    )
}

/// It is absent from the start that answers, which proves nothing where that is another one.
async fn proven_absent(session: &Session) -> Result<bool, Setback> {
    let mark = session.memory().mark();
    match boot::look(session.http(), session.limit(), mark.as_deref()).await.unwrap_or(Boot::Unknown) {
        Boot::Same | Boot::Unknown => Ok(false),
        Boot::Another => {
            session.memory().restarted();
            let what = format!("{} was restarted while a prompt was on its way to it", session.target().id);
            Err(Setback::Gone { evidence: Fault::new(Code::Lost, what), unfinished: false })
        }
    }
}

/// Whether a prompt whose answer was lost has arrived. Absence counts when it is seen twice, some time apart, by a
/// server that answers: one that is checking a prompt lists it nowhere yet.
async fn arrived(session: &Session, id: &str) -> Result<bool, Setback> {
    let mut absent: Option<Instant> = None;
    loop {
        let wait = match session.locate(id).await {
            Ok(Standing::Absent) => {
                let first = *absent.get_or_insert_with(Instant::now);
                if first.elapsed() >= TWICE && session.remaining().await.is_ok() {
                    return proven_absent(session).await;
                }
                TWICE
            }
            Ok(Standing::Queued(_) | Standing::Ended(_)) => return Ok(true),
            Err(fault) => {
                tracing::debug!(job = id, %fault, "the server cannot be asked for the prompt");
                absent = None;
                ASK_AGAIN
            }
        };
        tokio::select! {
            biased;
            () = session.over() => return Err(Setback::Adrift(session.why())),
            () = tokio::time::sleep(wait) => {}
        }
    }
}
