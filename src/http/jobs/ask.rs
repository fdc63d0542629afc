//! What a submit asks for: the body of `POST /jobs`. Pure.

use std::time::Duration;

use indexmap::IndexMap;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::{
    config::{duration::parse_duration, suggest::suggestion},
    jobs::{Job, Keep, Rerun},
    model::{Code, Fault},
};

/// The kinds of work; a request has exactly one.
const KINDS: [&str; 7] = ["workflow", "call", "generate", "chat", "embed", "image", "transcribe"];
/// What may stand beside it.
const OTHERS: [&str; 7] = ["target", "data", "priority", "ttl", "deadline", "rerun", "store"];

/// A job to be: a target and exactly one kind of work.
///
/// `{"$file": HANDLE}` in `data`, in `generate`, in `transcribe`, or in place of an image's name in a workflow is a file that was sent
/// to `/files`; from this machine, with the instance's own token, it may also be a path.
#[derive(Deserialize, ToSchema)]
#[expect(dead_code, reason = "it is a description")]
pub(crate) struct NewJob {
    /// A backend's id, a pool, or a capability.
    target: String,
    /// A ComfyUI workflow in the API's format.
    workflow: Option<serde_json::Value>,
    /// A Gradio function by name or index.
    call: Option<String>,
    /// The function's arguments: a list by position or an object by name.
    data: Option<serde_json::Value>,
    /// The settings of a WanGP generation.
    generate: Option<serde_json::Value>,
    /// A body of `/v1/chat/completions`.
    chat: Option<serde_json::Value>,
    /// A body of `/v1/embeddings`.
    embed: Option<serde_json::Value>,
    /// A body of `/v1/images/generations`; its pictures become files.
    image: Option<serde_json::Value>,
    /// The fields of `/v1/audio/transcriptions`, the audio as `"file": {"$file": HANDLE}`.
    transcribe: Option<serde_json::Value>,
    /// Higher goes first; 0 by default.
    priority: Option<i32>,
    /// How long it may wait for a backend, like `10m`.
    ttl: Option<String>,
    /// How long it may take in all, like `1h`.
    deadline: Option<String>,
    /// When it may be sent a second time by itself: `never`, `if_proven_absent`, `always`.
    #[schema(value_type = Option<String>)]
    rerun: Option<Rerun>,
    /// `false` keeps only its state and the hash of its request after its end: what it made stays at the backend, and
    /// the files that it took go within a day.
    store: Option<bool>,
}

type Fields = IndexMap<String, Box<RawValue>>;

/// Reads a request.
///
/// # Errors
/// [`Code::BadRequest`], which names the field.
pub(crate) fn read(body: &[u8]) -> Result<Job, Fault> {
    let fields: Fields = serde_json::from_slice(body)
        .map_err(|e| bad(format!("the body is no job: {e}")).with_fix(EXAMPLE))?;
    if let Some(strange) = fields.keys().find(|name| !known().any(|known| known == *name)) {
        let strange = crate::model::fault::clean(strange, 60);
        let text = format!("there is no field `{strange}`{}", suggestion(&strange, known()));
        return Err(bad(text).with_fix(format!("The fields are {}.", known().collect::<Vec<_>>().join(", "))));
    }
    let target: String = field(&fields, "target")?.ok_or_else(|| {
        bad("there is no `target`".to_owned()).with_fix("Name a backend, a pool or a capability.")
    })?;
    let mut job = work(&fields, target)?;
    if let Some(priority) = field(&fields, "priority")? {
        job = job.priority(priority);
    }
    if let Some(ttl) = time(&fields, "ttl")? {
        job = job.time_to_live(ttl);
    }
    if let Some(deadline) = time(&fields, "deadline")? {
        job = job.deadline(deadline);
    }
    if let Some(rerun) = field::<Rerun>(&fields, "rerun")? {
        job = job.rerun(rerun);
    }
    if field(&fields, "store")? == Some(false) {
        job = job.keep(Keep::Verdict);
    }
    Ok(job)
}

const EXAMPLE: &str = "Send an object like {\"target\":\"text.chat\",\"chat\":{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}}.";

fn known() -> impl Iterator<Item = &'static str> {
    KINDS.into_iter().chain(OTHERS)
}

fn bad(text: String) -> Fault {
    Fault::new(Code::BadRequest, text)
}

fn work(fields: &Fields, target: String) -> Result<Job, Fault> {
    let given: Vec<_> = KINDS.into_iter().filter(|kind| fields.contains_key(*kind)).collect();
    let [kind] = given.as_slice() else {
        let text = if given.is_empty() {
            "it names no work".to_owned()
        } else {
            format!("it names {}", given.join(" and "))
        };
        return Err(bad(text).with_fix(format!("Give exactly one of {}.", KINDS.join(", "))));
    };
    if *kind != "call" && fields.contains_key("data") {
        return Err(bad(format!("`data` does not go with `{kind}`"))
            .with_fix("`data` holds the arguments of a `call`."));
    }
    let document = || fields[*kind].clone();
    Ok(match *kind {
        "workflow" => Job::workflow(target, document()),
        "generate" => Job::generate(target, document()),
        "chat" => Job::chat(target, document()),
        "embed" => Job::embed(target, document()),
        "image" => Job::image(target, document()),
        "transcribe" => Job::transcribe(target, document()),
        _ => {
            let nothing = || RawValue::from_string("[]".to_owned()).expect("a list is JSON");
            let data = fields.get("data").cloned().unwrap_or_else(nothing);
            Job::call(target, function(fields)?, data)
        }
    })
}

/// A function's name, or its index as a number.
fn function(fields: &Fields) -> Result<String, Fault> {
    let raw = fields["call"].get();
    match raw.trim().parse::<u64>() {
        Ok(index) => Ok(index.to_string()),
        Err(_) => serde_json::from_str(raw).map_err(|e| bad(format!("`call` is no name: {e}"))),
    }
}

fn field<T: DeserializeOwned>(fields: &Fields, name: &str) -> Result<Option<T>, Fault> {
    let Some(raw) = fields.get(name) else { return Ok(None) };
    serde_json::from_str(raw.get()).map_err(|e| bad(format!("`{name}`: {e}")))
}

fn time(fields: &Fields, name: &str) -> Result<Option<Duration>, Fault> {
    let Some(text) = field::<String>(fields, name)? else { return Ok(None) };
    let wrong = |e| bad(format!("`{name}` {e}")).with_fix("Write a time like \"90s\" or \"10m\".");
    parse_duration(&text).map(Some).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_work_is_read_with_all_that_may_stand_beside_it() {
        for kind in ["workflow", "generate", "chat", "embed", "image", "transcribe"] {
            let body = format!(
                r#"{{"target":"a","{kind}":{{"x":1.50}},"priority":-3,"ttl":"10m","deadline":"1h","rerun":"never","store":false}}"#
            );
            let job = read(body.as_bytes()).unwrap();
            let work = job.work.unwrap();
            assert_eq!((work.name(), work.document().1.get()), (kind, r#"{"x":1.50}"#));
            assert_eq!(
                (job.terms.priority, job.terms.rerun, job.terms.keep),
                (-3, Rerun::Never, Keep::Verdict)
            );
            assert_eq!(job.terms.ttl, Some(Duration::from_secs(600)));
            assert_eq!(job.terms.deadline, Some(Duration::from_secs(3600)));
        }
        let call = read(br#"{"target":"a","call":"/render","data":{"p":1}}"#).unwrap().work.unwrap();
        assert_eq!((call.name(), call.document().1.get()), ("call", r#"{"p":1}"#));
        assert!(read(br#"{"target":"a","call":3}"#).is_ok(), "an index is a number");
    }

    #[test]
    fn what_is_wrong_is_named_with_the_remedy() {
        for (body, says, fix) in [
            ("[]", "no job", "text.chat"),
            ("{", "no job", ""),
            (r#"{"target":"a","chatt":{}}"#, "did you mean `chat`?", "workflow"),
            (r#"{"chat":{}}"#, "no `target`", "capability"),
            (r#"{"target":"a"}"#, "no work", "exactly one"),
            (r#"{"target":"a","chat":{},"workflow":{}}"#, "workflow and chat", "exactly one"),
            (r#"{"target":"a","chat":{},"data":[]}"#, "`data` does not go", "`call`"),
            (r#"{"target":"a","chat":{},"ttl":"soon"}"#, "`ttl`", "10m"),
            (r#"{"target":"a","chat":{},"priority":"x"}"#, "`priority`", ""),
            (r#"{"target":"a","chat":{},"rerun":"maybe"}"#, "`rerun`", ""),
        ] {
            let fault = read(body.as_bytes()).unwrap_err();
            assert!(fault.message().contains(says), "{body}: {fault}");
            assert!(fault.fix().contains(fix), "{body}: {}", fault.fix());
        }
    }
}
