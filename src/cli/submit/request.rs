//! From the command line to the body of a submit.

use std::{fs, sync::Arc, time::Duration};

use http::{Method, StatusCode};
use indexmap::IndexMap;
use serde_json::value::{RawValue, to_raw_value};

use crate::{
    backends::attachment,
    cli::{args::Submit, follow::Job, instance::Reached, outcome::Stop},
};

/// How long an acceptance may take: the job's files are copied.
const ACCEPT: Duration = Duration::from_secs(600);

/// A submit to be sent.
pub(super) struct Request {
    body: Arc<str>,
    key: Option<String>,
}

impl Request {
    pub(super) fn new(submit: &Submit) -> Result<Self, Stop> {
        let mut fields: IndexMap<&str, Box<RawValue>> = IndexMap::new();
        fields.insert("target", text(&submit.target));
        fields.extend(work(submit)?);
        if let Some(priority) = submit.priority {
            fields.insert("priority", number(priority));
        }
        let body = serde_json::to_string(&fields).expect("texts and checked JSON are JSON");
        Ok(Self { body: body.into(), key: submit.key.clone() })
    }

    pub(super) fn body(&self) -> String {
        self.body.to_string()
    }

    /// Sends it: 202 for a new job, 200 for one that the key stood for already.
    pub(super) async fn send(&self, reached: &Reached) -> Result<(StatusCode, Job), Stop> {
        let mut request = reached.request(Method::POST, "api/v1/jobs", Some(self.body()));
        if let Some(key) = &self.key {
            request = request.header("idempotency-key", key);
        }
        let answer = reached.answer(request, ACCEPT).await?;
        let status = answer.status();
        Ok((status, Job::read(&reached.read::<Box<RawValue>>(answer).await?)?))
    }
}

fn work(submit: &Submit) -> Result<Vec<(&'static str, Box<RawValue>)>, Stop> {
    let work = &submit.work;
    if let Some(file) = &work.workflow {
        let json = fs::read_to_string(file)
            .map_err(|e| Stop::usage(format!("{}: {e}", file.display()), "Name a file that can be read."))?;
        let mut flow = crate::backends::comfyui::Workflow::parse(&json)
            .map_err(|e| Stop::usage(format!("{}: {e}", file.display()), e.fix()))?;
        for setting in &submit.set {
            flow.set(setting).map_err(|e| Stop::usage(format!("`--set {setting}`: {e}"), e.fix()))?;
        }
        return Ok(vec![("workflow", absolute(&flow.to_raw())?)]);
    }
    if let Some(function) = &work.call {
        let data: Box<RawValue> = serde_json::from_str(&submit.data).map_err(|e| {
            let message = format!("`--data` is no JSON: {e}");
            Stop::usage(message, "Write a list like '[\"a cat\", 4]', or an object by name.")
        })?;
        return Ok(vec![("call", text(function)), ("data", absolute(&data)?)]);
    }
    if let Some(settings) = &work.generate {
        return Ok(vec![("generate", absolute(&generation(settings)?)?)]);
    }
    let message = serde_json::json!({ "role": "user", "content": work.chat.as_deref().unwrap_or_default() });
    let mut body = serde_json::json!({ "messages": [message] });
    if let Some(model) = &submit.model {
        body["model"] = model.as_str().into();
    }
    Ok(vec![("chat", to_raw_value(&body).expect("a value is JSON"))])
}

/// The document with whole paths of its files: the instance runs in another directory.
fn absolute(document: &RawValue) -> Result<Box<RawValue>, Stop> {
    let whole = |asked: &attachment::Asked| {
        let path = std::path::absolute(&asked.file).ok()?;
        (!crate::jobs::inputs::is_handle(&asked.file))
            .then(|| attachment::form(&path.to_string_lossy(), asked.name()))
    };
    attachment::put(document, whole).map_err(|fault| Stop::usage(fault.to_string(), fault.fix()))
}

/// Settings as they are written, or from a file: JSON settings begin with a brace or a bracket, and no file is named so.
fn generation(given: &str) -> Result<Box<RawValue>, Stop> {
    let inline = given.trim_start().starts_with(['{', '[']);
    let (place, json) = match inline {
        true => ("`--generate`", given.to_owned()),
        false => {
            let bad =
                |e| Stop::usage(format!("{given}: {e}"), "Name a file that can be read, or write the JSON.");
            (given, fs::read_to_string(given).map_err(bad)?)
        }
    };
    serde_json::from_str(&json).map_err(|e| {
        let message = format!("{place} is no JSON: {e}");
        Stop::usage(message, "Write settings like '{\"model_type\": \"t2v\", \"prompt\": \"a cat\"}'.")
    })
}

fn text(text: &str) -> Box<RawValue> {
    to_raw_value(text).expect("a text is JSON")
}

fn number(number: i32) -> Box<RawValue> {
    to_raw_value(&number).expect("a number is JSON")
}
