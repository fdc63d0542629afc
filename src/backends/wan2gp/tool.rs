//! What a tool of the server answers. Pure.
//!
//! A tool that fails answers with HTTP 200 and a result that says so; its words are the only thing that tells why.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;

/// The result of `tools/call`.
#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(default)]
    content: Vec<Content>,
    #[serde(default, borrow, rename = "structuredContent")]
    structured: Option<&'a RawValue>,
    #[serde(default, rename = "isError")]
    is_error: bool,
}

#[derive(Deserialize)]
struct Content {
    #[serde(default)]
    text: Option<String>,
}

/// A list is wrapped, since structured content is an object (MCP library 1.10.1).
#[derive(Deserialize)]
struct Wrapped<T> {
    result: T,
}

/// Why a tool's answer is not what was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The tool says that it failed, and why.
    Complaint(String),
    /// The answer has another form.
    Unreadable(String),
}

/// The document that a tool answers with.
pub(super) fn document<T: DeserializeOwned>(result: &RawValue) -> Result<T, Trouble> {
    let answer = read(result)?;
    match answer.structured {
        Some(raw) => parse(raw.get()),
        // A server whose library knows no structured content says the same as text.
        None => parse(answer.content.iter().find_map(|c| c.text.as_deref()).unwrap_or_default()),
    }
}

/// The list that a tool answers with.
pub(super) fn list<T: DeserializeOwned>(result: &RawValue) -> Result<Vec<T>, Trouble> {
    let answer = read(result)?;
    match answer.structured {
        Some(raw) => parse::<Wrapped<Vec<T>>>(raw.get()).map(|wrapped| wrapped.result),
        None => answer.content.iter().filter_map(|c| c.text.as_deref()).map(parse).collect(),
    }
}

/// The document of a tool that may answer with nothing.
pub(super) fn optional<T: DeserializeOwned>(result: &RawValue) -> Result<Option<T>, Trouble> {
    let answer = read(result)?;
    match answer.structured {
        Some(raw) => parse::<Wrapped<Option<T>>>(raw.get())
            .map(|wrapped| wrapped.result)
            .or_else(|_| parse::<Option<T>>(raw.get())),
        None => answer.content.iter().find_map(|c| c.text.as_deref()).map(parse).transpose(),
    }
}

fn read(result: &RawValue) -> Result<Answer<'_>, Trouble> {
    let answer: Answer<'_> = parse_borrowed(result.get())?;
    match answer.is_error {
        true => {
            let words: Vec<&str> = answer.content.iter().filter_map(|c| c.text.as_deref()).collect();
            Err(Trouble::Complaint(words.join("\n")))
        }
        false => Ok(answer),
    }
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Trouble> {
    serde_json::from_str(text).map_err(|e| Trouble::Unreadable(e.to_string()))
}

fn parse_borrowed<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Trouble> {
    serde_json::from_str(text).map_err(|e| Trouble::Unreadable(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backends::wan2gp::{recordings, rpc};

    #[derive(Debug, PartialEq, Deserialize)]
    struct Job {
        job_id: String,
    }

    fn raw(text: &str) -> Box<RawValue> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_job_is_read_with_and_without_structured_content() {
        let body = recordings::body("generate");
        let job: Job = document(rpc::result(&body, 3).unwrap()).unwrap();
        assert_eq!(job.job_id, "c6df008038094d4a9c135d3c0082c770");
        let plain = raw(r#"{"content":[{"type":"text","text":"{\"job_id\":\"a\"}"}],"isError":false}"#);
        assert_eq!(document::<Job>(&plain).unwrap().job_id, "a");
    }

    #[test]
    fn a_complaint_comes_with_its_words() {
        for (name, id, words) in
            [("get_job_unknown", 6, "Unknown WanGP job_id: zz"), ("tool_unknown", 7, "Unknown tool: nope")]
        {
            let body = recordings::body(name);
            match document::<Job>(rpc::result(&body, id).unwrap()) {
                Err(Trouble::Complaint(text)) => assert!(text.contains(words), "{text}"),
                other => panic!("{name}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_list_and_nothing_are_read_in_both_forms() {
        let wrapped = raw(r#"{"content":[],"structuredContent":{"result":[{"job_id":"a"}]}}"#);
        let plain = raw(r#"{"content":[{"type":"text","text":"{\"job_id\":\"a\"}"}]}"#);
        for answer in [&wrapped, &plain] {
            assert_eq!(list::<Job>(answer).unwrap(), [Job { job_id: "a".into() }]);
        }
        let nothing = raw(r#"{"content":[],"structuredContent":{"result":null}}"#);
        assert_eq!(optional::<Job>(&nothing).unwrap(), None);
        assert!(matches!(document::<Job>(&raw(r#"{"content":[]}"#)), Err(Trouble::Unreadable(_))));
    }
}
