//! From an error answer to a fault, and to what is known of the request then. Pure.

use http::StatusCode;
use jiff::Timestamp;

use crate::{
    backends::litellm::{answer::Answer, complaint::Complaint, failure::Fate, redact::Redactor},
    model::{Code, Fault},
    net::wait,
};

/// How many models an error names.
const NAMED: usize = 10;

/// What an error answer is judged by, beside itself.
pub(super) struct Circumstances<'a> {
    /// `host:port`.
    pub(super) place: &'a str,
    /// Whether we sent a key.
    pub(super) keyed: bool,
    pub(super) redactor: &'a Redactor,
    /// The models that the backend offers.
    pub(super) models: &'a [String],
    pub(super) now: Timestamp,
}

/// The fault that an error answer tells of, by its status first: LiteLLM's `type` is not reliable.
pub(super) fn fault(answer: &Answer, seen: &Circumstances<'_>) -> Fault {
    let body = answer.text();
    let complaint = Complaint::of_body(&body);
    let code = code(answer, complaint.as_ref(), seen.keyed);
    let status = answer.status.as_u16();
    let said = match &complaint {
        Some(complaint) => seen.redactor.clean(complaint.sentence()),
        None if answer.is_html() => "a web page".to_owned(),
        None => seen.redactor.clean(body.trim()),
    };
    let mut fault = Fault::new(code, format!("{} answers {status}: {said}", seen.place));
    if let Some(complaint) = complaint.filter(|c| c.sentence() != c.message.trim()) {
        fault = fault.with_detail(seen.redactor.clean(&complaint.message));
    }
    if let Some(fix) = fix(code, status, &said, seen) {
        fault = fault.with_fix(fix);
    }
    match wait::asked(&answer.headers, seen.now) {
        Some(wait) => fault.with_retry_after(wait),
        None => fault,
    }
}

/// The fault that an `error` in the middle of a stream tells of. Its `code` is a status where it is a number.
pub(super) fn in_stream(complaint: &Complaint, redactor: &Redactor) -> Fault {
    let code = match complaint.code.parse().ok().and_then(|n| StatusCode::from_u16(n).ok()) {
        Some(status) if !status.is_success() => by_status(status, Some(complaint), true),
        _ => trouble(Some(complaint)),
    };
    let said = redactor.clean(complaint.sentence());
    let fault = Fault::new(code, format!("the server broke the answer off: {said}"));
    if complaint.sentence() == complaint.message.trim() {
        fault
    } else {
        fault.with_detail(redactor.clean(&complaint.message))
    }
}

/// What an error answer says of the execution.
///
/// A 4xx was refused before it ran. 408 is LiteLLM's word for a time-out of its upstream, which had the request. A 5xx
/// ran and failed; but a gateway's 502 or 504 says only that the gateway lost sight of it.
pub(super) fn fate(status: StatusCode) -> Fate {
    match status.as_u16() {
        408 => Fate::Ran,
        300..=499 | 503 | 529 => Fate::NotRun,
        502 | 504 => Fate::Unknown,
        _ => Fate::Ran,
    }
}

fn code(answer: &Answer, complaint: Option<&Complaint>, keyed: bool) -> Code {
    let gateway = matches!(answer.status.as_u16(), 502..=504) && complaint.is_none();
    if gateway {
        return Code::ProxyInTheWay;
    }
    // LiteLLM 1.106.2 without its database module fails so at a request without a key.
    let bare = answer.status == StatusCode::INTERNAL_SERVER_ERROR && answer.text() == "Internal Server Error";
    if bare && !keyed {
        return Code::AuthRequired;
    }
    by_status(answer.status, complaint, keyed)
}

fn by_status(status: StatusCode, complaint: Option<&Complaint>, keyed: bool) -> Code {
    let refused_key = if keyed { Code::AuthWrong } else { Code::AuthRequired };
    let no_such_model = complaint.is_some_and(|c| c.says("invalid model name") || c.says("model_not_found"));
    // Ollama's `model 'x' not found` and vLLM's `The model `x` does not exist.`, by their documentation.
    let unknown_model =
        complaint.is_some_and(|c| c.says("model ") && (c.says("not found") || c.says("does not exist")));
    match status.as_u16() {
        // LiteLLM without a database knows its master key only, and says so about every other one.
        400 if complaint.is_some_and(|c| c.kind == "no_db_connection") => refused_key,
        400 | 404 if no_such_model => Code::MissingModel,
        404 if unknown_model => Code::MissingModel,
        401 => refused_key,
        402 | 403 => Code::Forbidden,
        404 | 405 => Code::NotFound,
        408 => Code::RequestTimeout,
        429 | 529 => Code::RateLimited,
        400..=499 => Code::BadRequest,
        300..=399 => Code::WrongProgram,
        // llama.cpp while it loads its model (documented, not run).
        503 if complaint.is_some_and(|c| c.says("loading")) => Code::Loading,
        504 => Code::RequestTimeout,
        _ => trouble(complaint),
    }
}

fn trouble(complaint: Option<&Complaint>) -> Code {
    let starved = complaint.is_some_and(|c| c.says("out of memory") || c.says("outofmemory"));
    if starved { Code::OutOfMemory } else { Code::BackendError }
}

fn fix(code: Code, status: u16, said: &str, seen: &Circumstances<'_>) -> Option<String> {
    let fix = match code {
        Code::NotFound | Code::MissingModel if !seen.models.is_empty() => {
            let named = seen.models.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
            let more = seen.models.len().saturating_sub(NAMED);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("Name one of its models: {named}{more}.")
        }
        Code::AuthWrong if said.contains("No connected db") => {
            "This LiteLLM has no database, so its master key is the only one: put that into `api_key`."
                .to_owned()
        }
        Code::AuthWrong => "Correct `api_key`; then `backline test ID`.".to_owned(),
        Code::AuthRequired => {
            "Set `api_key: \"env:LITELLM_MASTER_KEY\"` (or the variable that holds yours).".to_owned()
        }
        Code::BadRequest if status == 413 => {
            "Send less: the server takes no request of this size.".to_owned()
        }
        Code::Forbidden if status == 402 => "Top up the account at the provider.".to_owned(),
        Code::RequestTimeout => {
            "The model behind it did not answer in the server's own time; raise its time-out there."
                .to_owned()
        }
        _ => return None,
    };
    Some(fix)
}

#[cfg(test)]
mod tests;
