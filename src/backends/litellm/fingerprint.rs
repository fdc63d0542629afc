//! Which program answers: judged from answers to harmless requests without a key. Pure.

use http::{StatusCode, header};

use crate::{
    backends::litellm::{answer::Answer, complaint::Complaint, offer::Listing},
    model::Kind,
};

/// What LiteLLM answers at `/health/liveliness`, to anybody.
const ALIVE: &str = "I'm alive!";

/// Whether an answer of `/health/liveliness` is LiteLLM's.
pub(crate) fn is_litellm(answer: &Answer) -> bool {
    answer.status == StatusCode::OK
        && serde_json::from_slice::<String>(&answer.body).is_ok_and(|text| text == ALIVE)
}

/// What an answer of `/v1/models` without a key shows.
#[derive(Debug)]
pub(crate) enum Look {
    /// The models, for anybody to see.
    Open(Listing),
    /// A server of this family that wants a key.
    Guarded,
    /// It is loading its model.
    Loading,
    /// Something else.
    Strange,
}

/// Looks at an answer of `/v1/models` without a key.
pub(crate) fn look(answer: &Answer) -> Look {
    let complaint = Complaint::of_body(&answer.text());
    match answer.status.as_u16() {
        200 => Listing::parse(&answer.body).map_or(Look::Strange, Look::Open),
        // A proxy's page of 401 is not the protocol's.
        401 | 403 if complaint.is_some() && !is_gradio(answer) => Look::Guarded,
        503 if complaint.is_some_and(|c| c.says("loading")) => Look::Loading,
        _ => Look::Strange,
    }
}

/// A Gradio app with a log-in answers 401 with an error object of its own at some addresses.
fn is_gradio(answer: &Answer) -> bool {
    answer.text().contains("Not authenticated")
}

/// The name of a server of this family, where it gives itself away. None of these is needed to talk to it.
///
/// By their documentation, not run: llama.cpp names itself in `Server`, vLLM as the owner of its models, Ollama owns its
/// models as `library`, LM Studio as `organization_owner`.
pub(crate) fn family(answer: &Answer, listing: &Listing) -> Option<&'static str> {
    if answer.header(header::SERVER).is_some_and(|s| s.contains("llama.cpp")) {
        return Some("llama.cpp");
    }
    if answer.headers.keys().any(|name| name.as_str().starts_with("x-litellm-")) {
        return Some("LiteLLM");
    }
    match listing.owner() {
        Some("vllm") => Some("vLLM"),
        Some("library") => Some("Ollama"),
        Some("llamacpp") => Some("llama.cpp"),
        Some("organization_owner") => Some("LM Studio"),
        _ => None,
    }
}

/// The name of the program whose first page this is, as far as it can be told.
pub(super) fn name_of(root: &Answer, wanted: Kind) -> String {
    let body = root.text();
    let has = |mark: &str| body.contains(mark);
    let known = [
        (has("<title>ComfyUI"), "ComfyUI"),
        (has("window.gradio_config") || has("<gradio-app") || has("gradio_api"), "a Gradio app"),
        (has("Ollama is running"), "Ollama"),
        (has("<title>LiteLLM") && wanted != Kind::Litellm, "LiteLLM"),
        (has("Welcome to nginx"), "a bare nginx"),
        (has("<center>nginx"), "an nginx that has nothing under this path"),
    ];
    if let Some((_, name)) = known.into_iter().find(|(is, _)| *is) {
        return name.to_owned();
    }
    if root.status.is_redirection() {
        let place = root.header(header::LOCATION).and_then(|l| l.split('?').next()).unwrap_or("elsewhere");
        return format!("a server that redirects to {place}");
    }
    if let Some(title) = title(&body) {
        return format!("a web page titled `{title}`");
    }
    match root.header(header::SERVER) {
        Some(server) => format!("a server that calls itself `{server}`"),
        None => "another program".to_owned(),
    }
}

fn title(page: &str) -> Option<String> {
    let begin = page.find("<title>")? + "<title>".len();
    let title = page[begin..].split('<').next()?.trim();
    (!title.is_empty()).then(|| title.chars().take(60).collect())
}

#[cfg(test)]
mod tests;
