//! The session used directly, as a typed lease does it.

use backline::{
    backends::{
        Session as _,
        litellm::{ChatRequest, EmbedRequest, Mode, embedding::Vector},
    },
    model::Code,
};

use super::rig::{line, sim};

#[tokio::test]
async fn a_chat_whole_and_streamed() {
    let sim = sim().await;
    let line = line(&sim).await;
    let whole = line.session.chat(ChatRequest::new().user("hi").model("stub")).await.unwrap();
    assert_eq!(whole.text(), "hello from stub");
    assert_eq!(whole.usage.as_ref().unwrap().total_tokens, Some(9));
    assert!(whole.extra.contains_key("created"), "unknown fields are kept");
    assert!(whole.choices[0].message.extra.contains_key("provider_specific_fields"));

    let mut stream = line.session.chat_stream(ChatRequest::new().user("hi").model("mock")).await.unwrap();
    assert_eq!(line.session.in_flight(), 1);
    let mut text = String::new();
    while let Some(chunk) = stream.next().await {
        text.push_str(chunk.unwrap().text());
    }
    assert!(text.starts_with("Hello from the mock model"), "{text}");
    assert!(stream.next().await.is_none(), "it stays over");
    drop(stream);
    assert_eq!(line.session.in_flight(), 0);
}

#[tokio::test]
async fn a_stream_that_fails_ends_in_its_fault() {
    let sim = sim().await;
    let line = line(&sim).await;
    let mut stream = line.session.chat_stream(ChatRequest::new().user("hi").model("miderr")).await.unwrap();
    let mut last = None;
    while let Some(chunk) = stream.next().await {
        last = Some(chunk);
    }
    assert_eq!(last.unwrap().unwrap_err().code(), Code::BackendError);
    let Err(fault) = line.session.chat_stream(ChatRequest::new().user("hi").model("r429")).await else {
        panic!("opened")
    };
    assert_eq!(fault.code(), Code::RateLimited);
}

#[tokio::test]
async fn embeddings_and_models() {
    let sim = sim().await;
    let line = line(&sim).await;
    let embeddings = line.session.embeddings(EmbedRequest::new(&["abc"]).unwrap()).await.unwrap();
    assert_eq!(embeddings.data[0].embedding, Vector::Floats(vec![0.1, 0.2, 0.3]));
    let models = line.session.models().await.unwrap();
    let modes: Vec<_> = models.iter().map(|m| (m.id.as_str(), m.mode)).skip(13).collect();
    let wanted = [("embed", Mode::Embed), ("dall-e-3", Mode::Image), ("whisper-1", Mode::Transcribe)];
    assert_eq!(modes, wanted);
}

#[tokio::test]
async fn a_probe_costs_nothing_and_meets_a_stale_connection_once() {
    let sim = sim().await;
    let line = line(&sim).await;
    for _ in 0..3 {
        line.session.probe().await.unwrap();
        sim.cut();
    }
    assert_eq!(sim.executions(), 0);
    let asked: Vec<_> = sim.seen().into_iter().map(|s| s.path).filter(|p| p == "/health").collect();
    assert!(asked.is_empty(), "`/health` asks every model");
}
