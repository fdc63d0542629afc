//! Servers that speak OpenAI's protocol: LiteLLM by its liveliness, the others told apart by what their documentation
//! says of them (none of the others was run).

use serde::Deserialize;

use crate::{
    backends::litellm::{
        answer::Answer as Seen,
        fingerprint::{self, Look},
    },
    discovery::{Need, answer::Answer, identity::identity, question::Question, sighting::Sighting},
    model::Kind,
};

/// What `/v1/models` shows to a stranger.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::discovery) enum Listing {
    /// The models, and which family the server is of, where that shows.
    Open {
        family: Option<&'static str>,
        models: Vec<String>,
    },
    /// It wants a key and says so as OpenAI does.
    Locked {
        family: Option<&'static str>,
    },
    /// It wants a key and says so in vLLM's one word, which is too little to go by.
    Unauthorized,
    Strange,
}

#[derive(Deserialize)]
struct Refusal<'a> {
    #[serde(borrow)]
    error: Error<'a>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Error<'a> {
    Object { message: String, r#type: String },
    Word(#[serde(borrow)] std::borrow::Cow<'a, str>),
}

#[derive(Deserialize)]
struct Version {
    version: String,
}

#[derive(Deserialize)]
struct Props {
    build_info: String,
}

/// Whether an answer to `/health/liveliness` is LiteLLM's (1.106.2: anybody may ask).
pub(in crate::discovery) fn is_litellm(answer: &Answer) -> bool {
    fingerprint::is_litellm(&seen(answer))
}

/// Whether a first page is Ollama's, which answers with one sentence.
pub(in crate::discovery) fn is_ollama(root: &Answer) -> bool {
    root.status.is_success() && root.text().trim() == "Ollama is running"
}

/// Looks at an answer to `/v1/models`.
pub(in crate::discovery) fn listing(answer: &Answer) -> Listing {
    let llama = answer.server().contains("llama.cpp").then_some("llama.cpp");
    match fingerprint::look(&seen(answer)) {
        Look::Open(listing) => Listing::Open {
            family: fingerprint::family(&seen(answer), &listing),
            models: listing.names().map(str::to_owned).collect(),
        },
        Look::Guarded => match answer.json::<Refusal<'_>>().map(|refusal| refusal.error) {
            Some(Error::Object { message, r#type }) if !message.is_empty() && !r#type.is_empty() => {
                Listing::Locked { family: llama }
            }
            Some(Error::Word(word)) if word == "Unauthorized" => Listing::Unauthorized,
            _ => Listing::Strange,
        },
        Look::Loading if llama.is_some() => Listing::Open { family: llama, models: Vec::new() },
        Look::Loading | Look::Strange => Listing::Strange,
    }
}

/// LiteLLM, from what it answers at `/v1/models` without a key: 401, or, without its database module, a bare 500. Open,
/// its identity is made of the models' names; locked, it shows nothing, and all locked ones share an identity. One that
/// is still warming up may not answer in time: it is taken for locked, since LiteLLM (1.106.2) does not start without a
/// key unless its owner insists.
pub(in crate::discovery) fn litellm(models: Option<&Answer>) -> Sighting {
    let sighting = |parts: &[&str]| {
        let identity = identity(Kind::Litellm, parts.iter().copied());
        Sighting::new(Kind::Litellm, identity).title(Some("LiteLLM"))
    };
    let version = models.and_then(|m| m.headers.get("x-litellm-version")).and_then(|v| v.to_str().ok());
    match models.map(listing) {
        Some(Listing::Open { models, .. }) => sighting(&sorted(&models)).version(version),
        Some(_) | None => sighting(&["locked"]).needs(Some(Need::Auth)).version(version),
    }
}

/// Another server of this protocol. The identity is made of its family and, where they are fixed when it starts, its
/// models: those of Ollama and LM Studio come and go.
pub(in crate::discovery) fn other(family: Option<&'static str>, models: &[String]) -> Sighting {
    if family == Some("LiteLLM") {
        let identity = identity(Kind::Litellm, sorted(models));
        return Sighting::new(Kind::Litellm, identity).title(family);
    }
    let fixed = !matches!(family, Some("Ollama" | "LM Studio"));
    let models = if fixed { sorted(models) } else { Vec::new() };
    let identity = identity(Kind::Openai, std::iter::once(family.unwrap_or_default()).chain(models));
    Sighting::new(Kind::Openai, identity).title(family)
}

/// One that wants a key.
pub(in crate::discovery) fn locked(family: Option<&'static str>) -> Sighting {
    let identity = identity(Kind::Openai, ["locked", family.unwrap_or_default()]);
    Sighting::new(Kind::Openai, identity).title(family).needs(Some(Need::Auth))
}

/// Where a family tells its version.
pub(in crate::discovery) fn version_question(family: Option<&str>) -> Option<Question> {
    match family? {
        "Ollama" => Some(Question::OllamaVersion),
        "vLLM" => Some(Question::VllmVersion),
        "llama.cpp" => Some(Question::Props),
        _ => None,
    }
}

/// The version in such an answer.
pub(in crate::discovery) fn version(asked: Question, answer: &Answer) -> Option<String> {
    if !answer.status.is_success() {
        return None;
    }
    match asked {
        Question::Props => answer.json::<Props>().map(|props| props.build_info),
        _ => answer.json::<Version>().map(|version| version.version),
    }
}

fn sorted(models: &[String]) -> Vec<&str> {
    let mut models: Vec<_> = models.iter().map(String::as_str).collect();
    models.sort_unstable();
    models
}

fn seen(answer: &Answer) -> Seen {
    Seen { status: answer.status, headers: answer.headers.clone(), body: answer.body.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discovery::answer::tests::answer;

    const REFUSED: &str = r#"{"error":{"message":"Authentication Error, No api key passed in.","type":"auth_error","param":"None","code":"401"}}"#;

    fn models(owner: &str) -> String {
        format!(r#"{{"object":"list","data":[{{"id":"m","object":"model","owned_by":"{owner}"}}]}}"#)
    }

    #[test]
    fn families_are_told_apart() {
        for (server, owner, family) in [
            ("llama.cpp", "llamacpp", Some("llama.cpp")),
            ("uvicorn", "vllm", Some("vLLM")),
            ("", "library", Some("Ollama")),
            ("", "organization_owner", Some("LM Studio")),
            ("", "me", None),
        ] {
            let Listing::Open { family: found, models } = listing(&answer(200, server, models(owner))) else {
                panic!("{owner}")
            };
            assert_eq!((found, models.len()), (family, 1));
            assert_eq!(other(found, &models).title.as_deref(), family);
        }
        assert!(is_ollama(&answer(200, "", "Ollama is running")));
        assert!(!is_ollama(&answer(200, "", "<html>Ollama is running</html>")));
    }

    #[test]
    fn one_that_wants_a_key_says_so_in_the_protocol_s_words() {
        assert_eq!(listing(&answer(401, "", REFUSED)), Listing::Locked { family: None });
        assert_eq!(
            listing(&answer(401, "llama.cpp", REFUSED)),
            Listing::Locked { family: Some("llama.cpp") }
        );
        assert_eq!(listing(&answer(401, "", r#"{"error":"Unauthorized"}"#)), Listing::Unauthorized);
        for other in [
            r#"{"error":"login first"}"#,
            r#"{"detail":"Not authenticated"}"#,
            "<html>",
            r#"{"message":"no"}"#,
        ] {
            assert_eq!(listing(&answer(401, "", other)), Listing::Strange, "{other}");
        }
        assert_eq!(listing(&answer(200, "", "<html>")), Listing::Strange);
    }

    #[test]
    fn litellm_is_open_or_locked() {
        assert!(is_litellm(&answer(200, "", r#""I'm alive!""#)));
        assert!(
            !is_litellm(&answer(200, "", "I'm alive!")) && !is_litellm(&answer(404, "", r#""I'm alive!""#))
        );
        assert_eq!(litellm(Some(&answer(200, "", models("openai")))).needs, None);
        for (status, body) in [(401, REFUSED), (500, "Internal Server Error")] {
            assert_eq!(litellm(Some(&answer(status, "", body))).needs, Some(Need::Auth), "{status}");
        }
    }
}
