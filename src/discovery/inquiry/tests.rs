use super::*;
use crate::{
    discovery::{Need, answer::tests::answer},
    model::Kind,
};

/// Puts all questions to a server that answers as `says`; who it is, and what it was asked.
fn question(port: u16, says: impl Fn(Question) -> Answer) -> (Option<Sighting>, Vec<Question>) {
    let mut inquiry = Inquiry::new(port);
    let mut asked = Vec::new();
    while let Some(next) = inquiry.next() {
        assert!(!asked.contains(&next), "{next:?} was asked twice: {asked:?}");
        assert!(asked.len() < 12, "{asked:?}");
        asked.push(next);
        inquiry.heard(&says(next));
    }
    (inquiry.end(), asked)
}

fn not_found() -> Answer {
    answer(404, "uvicorn", r#"{"detail":"Not Found"}"#)
}

fn recorded_gradio(version: &str) -> Answer {
    let path = format!("{}/tests/fixtures/gradio/{version}/config.json", env!("CARGO_MANIFEST_DIR"));
    answer(200, "uvicorn", std::fs::read(path).unwrap())
}

const STATS: &str = r#"{"system":{"comfyui_version":"0.24.0","argv":["main.py"]},"devices":[]}"#;
const REFUSED: &str = r#"{"error":{"message":"no key","type":"auth_error","code":"401"}}"#;
const LISTED: &str = r#"{"object":"list","data":[{"id":"m","owned_by":"x"}]}"#;

fn comfyui(question: Question) -> Answer {
    match question {
        Question::SystemStats => answer(200, "Python/3.11 aiohttp/3.13.5", STATS),
        Question::Root => answer(200, "Python/3.11 aiohttp/3.13.5", "<title>ComfyUI</title>"),
        _ => answer(404, "Python/3.11 aiohttp/3.13.5", ""),
    }
}

fn litellm(models: u16) -> impl Fn(Question) -> Answer {
    move |question| match question {
        Question::Liveliness => answer(200, "", r#""I'm alive!""#),
        Question::Root => answer(200, "", "<html><title>LiteLLM API - Swagger UI</title>"),
        Question::Models if models == 200 => answer(200, "", LISTED),
        Question::Models if models == 401 => answer(401, "", REFUSED),
        Question::Models => answer(models, "", "Internal Server Error"),
        _ => answer(404, "", r#"{"detail":"Not Found"}"#),
    }
}

#[test]
fn a_typical_server_is_known_after_one_to_three_questions() {
    for (port, most) in [(8188, 1), (8123, 2), (7860, 3)] {
        let (found, asked) = question(port, comfyui);
        assert_eq!(found.unwrap().kind, Kind::Comfyui);
        assert!(asked.len() <= most, "{port}: {asked:?}");
    }
    for version in ["4.44.1", "5.29.0", "6.31.0"] {
        let app = |question| match question {
            Question::Config => recorded_gradio(version),
            Question::Root => answer(200, "uvicorn", "<script>window.gradio_config = {}</script>"),
            _ => not_found(),
        };
        for (port, most) in [(7860, 1), (9123, 2)] {
            let (found, asked) = question(port, app);
            assert_eq!(found.unwrap().version.as_deref(), Some(version));
            assert!(asked.len() <= most, "{port}: {asked:?}");
        }
    }
}

#[test]
fn litellm_is_known_on_any_port_open_or_locked() {
    for port in [4000, 9123, 8000, 8188] {
        let mut identities = Vec::new();
        for (models, needs) in [(200, None), (401, Some(Need::Auth)), (500, Some(Need::Auth))] {
            let (found, asked) = question(port, litellm(models));
            let found = found.unwrap();
            assert_eq!((found.kind, found.needs), (Kind::Litellm, needs), "{port} {models}");
            assert!(asked.len() <= 5, "{port}: {asked:?}");
            identities.push(found.identity);
        }
        assert_eq!(identities[1], identities[2]);
        assert_eq!(identities[0], question(4000, litellm(200)).0.unwrap().identity, "whatever the order");
    }
}

#[test]
fn a_locked_gradio_is_proved_by_either_app_id() {
    for (proof, most) in [(Question::AppId, 2), (Question::OldAppId, 3)] {
        let app = |question| match question {
            Question::Config => answer(401, "uvicorn", r#"{"detail":{"error":"Not authenticated"}}"#),
            q if q == proof => answer(200, "uvicorn", r#"{"app_id":5}"#),
            _ => not_found(),
        };
        let (found, asked) = question(7860, app);
        assert_eq!(found.unwrap().needs, Some(Need::Auth));
        assert!(asked.len() <= most, "{asked:?}");
    }
    let impostor = |question| match question {
        Question::Config => answer(401, "", r#"{"detail":{"error":"Not authenticated"}}"#),
        _ => not_found(),
    };
    assert_eq!(question(7860, impostor).0, None);
}

#[test]
fn documented_servers_are_told_apart_with_their_version() {
    let ollama = |question| match question {
        Question::Root => answer(200, "", "Ollama is running"),
        Question::OllamaVersion => answer(200, "", r#"{"version":"0.5.1"}"#),
        _ => answer(404, "", "404 page not found"),
    };
    let vllm = |question| match question {
        Question::Models => {
            answer(200, "uvicorn", r#"{"object":"list","data":[{"id":"m","owned_by":"vllm"}]}"#)
        }
        Question::VllmVersion => answer(200, "uvicorn", r#"{"version":"0.9.1"}"#),
        _ => not_found(),
    };
    let llama = |question| match question {
        Question::Models => {
            answer(200, "llama.cpp", r#"{"object":"list","data":[{"id":"m.gguf","owned_by":"llamacpp"}]}"#)
        }
        Question::Props => answer(200, "llama.cpp", r#"{"build_info":"b6000-abc"}"#),
        Question::Root => answer(200, "llama.cpp", "<html>"),
        _ => answer(404, "llama.cpp", "{}"),
    };
    type Says<'a> = &'a dyn Fn(Question) -> Answer;
    let all: [(u16, Says<'_>, &str, &str); 3] = [
        (11434, &ollama, "Ollama", "0.5.1"),
        (8000, &vllm, "vLLM", "0.9.1"),
        (8080, &llama, "llama.cpp", "b6000-abc"),
    ];
    for (port, says, title, version) in all {
        for port in [port, 9123] {
            let (found, asked) = question(port, says);
            let found = found.unwrap();
            assert_eq!((found.title.as_deref(), found.version.as_deref()), (Some(title), Some(version)));
            assert!(asked.len() <= if port == 9123 { 6 } else { 3 }, "{port}: {asked:?}");
        }
    }
}

#[test]
fn lm_studio_and_a_nameless_server_are_found() {
    let studio = |question| match question {
        Question::Models => {
            answer(200, "", r#"{"object":"list","data":[{"id":"m","owned_by":"organization_owner"}]}"#)
        }
        _ => answer(200, "", r#"{"error":"Unexpected endpoint or method. (GET /)"}"#),
    };
    for port in [1234, 9123] {
        let (found, asked) = question(port, studio);
        assert_eq!(found.unwrap().title.as_deref(), Some("LM Studio"));
        assert!(asked.len() <= 2, "{asked:?}");
    }
    let nameless = |question| match question {
        Question::Models => answer(200, "", LISTED),
        _ => not_found(),
    };
    let found = question(9123, nameless).0.unwrap();
    assert_eq!((found.kind, found.title), (Kind::Openai, None));
    let guarded = |question| match question {
        Question::Models => answer(401, "", r#"{"error":"Unauthorized"}"#),
        Question::VllmVersion => answer(200, "", r#"{"version":"0.9.1"}"#),
        _ => not_found(),
    };
    let found = question(8000, guarded).0.unwrap();
    assert_eq!((found.title.as_deref(), found.needs), (Some("vLLM"), Some(Need::Auth)));
}

#[test]
fn mcp_is_greeted_only_where_it_answered_as_mcp() {
    let wangp = |question| match question {
        Question::Mcp => {
            answer(406, "uvicorn", r#"{"jsonrpc":"2.0","id":"server-error","error":{"code":-32600}}"#)
        }
        Question::Greeting => {
            answer(200, "uvicorn", r#"{"jsonrpc":"2.0","id":1,"result":{"serverInfo":{"name":"WanGP"}}}"#)
        }
        _ => not_found(),
    };
    assert_eq!(question(8000, wangp).0.unwrap().kind, Kind::Wan2gp);
    let (found, asked) = question(8000, |_| not_found());
    assert_eq!(found, None);
    assert!(!asked.contains(&Question::Greeting));
}

#[test]
fn strangers_are_nobody_and_hear_each_question_once() {
    let says: [fn(Question) -> Answer; 6] = [
        |_| answer(200, "nginx", "<html><title>Welcome to nginx!</title></html>"),
        |_| answer(200, "", r#"{"status":"ok"}"#),
        |_| answer(401, "", r#"{"error":"login first"}"#),
        |_| answer(200, "Python/3.11 aiohttp/3.13.5", r#"{"queue_running":[],"queue_pending":[]}"#),
        |_| answer(302, "", ""),
        |_| answer(200, "", "[]"),
    ];
    for says in says {
        for port in [8188, 7860, 4000, 8000, 11434, 9123] {
            let (found, asked) = question(port, says);
            assert_eq!(found, None);
            assert!(asked.len() <= 6, "{asked:?}");
        }
    }
}

#[test]
fn a_server_that_falls_silent_is_what_it_had_proved() {
    let mut inquiry = Inquiry::new(4000);
    inquiry.heard(&answer(200, "", r#""I'm alive!""#));
    assert_eq!(inquiry.next(), Some(Question::Models));
    assert_eq!(inquiry.end().unwrap().kind, Kind::Litellm);
}
