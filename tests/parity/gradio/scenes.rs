//! Calls from their join to their end, and what breaks in between.

use serde_json::{Value, json};

use super::script::{Came, SILENCE, Script, Stream};

const GENERATE: u64 = 0;
const STREAM: u64 = 1;
const NOOP: u64 = 3;
const COUNT: u64 = 8;

/// The ways in which a call ends by itself.
pub async fn endings(script: &mut Script) {
    script.scene("endings");
    script.call("noop", NOOP, json!(["hi"])).await;
    script.call("a hidden function", 2, json!(["hi"])).await;
    script.call("an unqueued function", 5, json!(["hi"])).await;
    script.call("a function of the browser", 6, json!([])).await;
    script.call("generate", GENERATE, json!(["hello", 4, null, "t2v"])).await;
    script.call("generate fails", GENERATE, json!(["fail", 4, null, "t2v"])).await;
    script.call("generate crashes", GENERATE, json!(["crash", 4, null, "t2v"])).await;
    script.call("generate with too few", GENERATE, json!(["only one"])).await;
}

/// A generator's yields: whole once, then differences.
pub async fn generator(script: &mut Script) {
    script.scene("generator");
    script.call("stream", STREAM, json!(["s", 3])).await;
}

/// Several calls in one session, which keeps a state, and one in another.
pub async fn state(script: &mut Script) {
    script.scene("state");
    let session = script.session();
    for word in ["one", "two"] {
        let joined = script.join(&session, COUNT, &json!([null, word])).await;
        script.write(&format!("count {word}"), &joined);
        let mut stream = script.open(&session).await;
        script.read(&mut stream).await;
    }
    script.call("count in another session", COUNT, json!([null, "three"])).await;
}

/// The simple API.
pub async fn simple(script: &mut Script) {
    script.scene("simple");
    for (name, data) in [
        ("noop", json!(["hi"])),
        ("generate", json!(["hello", 2, null, "t2v"])),
        ("generate", json!(["fail", 4, null, "t2v"])),
        ("stream", json!(["s", 3])),
        ("count", json!(["simply"])),
        ("nobody", json!([])),
    ] {
        let answer = script.simply(name, &data).await;
        if answer.status == 200 {
            let event = answer.json()["event_id"].as_str().unwrap().to_owned();
            script.hear(name, &event).await;
        }
    }
    script.hear("noop", "deadbeef").await;
}

/// A stream that is opened after the end still has all messages; opened again it has none, and does not end.
pub async fn never_opened(script: &mut Script) {
    script.scene("opened late");
    let session = script.session();
    script.join(&session, NOOP, &json!(["late"])).await;
    script.until_queue(0).await;
    tokio::time::sleep(SILENCE).await;
    let mut stream = script.open(&session).await;
    script.read(&mut stream).await;
    let mut again = script.open(&session).await;
    let came = again.next(SILENCE).await;
    script.line(format!("opened again after the end -> {came:?}"));
}

/// Streams that are dropped: while the call runs, and while it waits.
pub async fn dropped(script: &mut Script) {
    script.scene("dropped");
    let (session, mut stream) = begin(script, GENERATE, json!(["dropped", 15, null, "t2v"])).await;
    script.read_until(&mut stream, "progress").await;
    drop(stream);
    reopen(script, &session).await;
    let slot = next_starts(script).await;
    script.line(format!("  the next call starts {slot}"));

    let (session, mut stream) = begin(script, STREAM, json!(["dropped", 15])).await;
    script.read_until(&mut stream, "process_generating").await;
    drop(stream);
    reopen(script, &session).await;

    let (_, mut first) = begin(script, GENERATE, json!(["first", 10, null, "t2v"])).await;
    script.read_until(&mut first, "process_starts").await;
    let (_, mut second) = begin(script, GENERATE, json!(["second", 2, null, "t2v"])).await;
    script.read_until(&mut second, "estimation").await;
    let before = script.queue().await;
    drop(second);
    // The first one runs on meanwhile: nothing else empties the queue.
    tokio::time::sleep(SILENCE).await;
    let after = script.queue().await;
    script.line(format!("  a queued call is dropped: the queue goes from {before} to {after}"));
    script.read(&mut first).await;
}

/// Cancellations of what runs and of what waits.
pub async fn cancelled(script: &mut Script) {
    script.scene("cancelled");
    for (function, data, sign) in [
        (STREAM, json!(["cancelled", 30]), "process_generating"),
        (GENERATE, json!(["cancelled", 15, null, "t2v"]), "progress"),
    ] {
        let session = script.session();
        let joined = script.join(&session, function, &data).await.json();
        let event = joined["event_id"].as_str().unwrap().to_owned();
        let mut stream = script.open(&session).await;
        script.read_until(&mut stream, sign).await;
        let answer = script.cancel(&session, function, &event).await;
        script.write("cancel", &answer);
        // What the generator yielded meanwhile is chance.
        loop {
            match stream.next(super::script::PATIENCE).await {
                Came::Message(message) if message["msg"] == "process_completed" => {
                    let message = script.names.value(&message);
                    script.line(format!("  {message}"));
                    break;
                }
                Came::Message(_) => {}
                came => panic!("{came:?} before the end"),
            }
        }
        script.read(&mut stream).await;
        let slot = next_starts(script).await;
        script.line(format!("  the next call starts {slot}"));
    }
    queued(script).await;
}

/// A queued call that is cancelled: 4.44.1 and 5.29.0 leave it in the queue.
async fn queued(script: &mut Script) {
    let (_, mut first) = begin(script, GENERATE, json!(["first", 8, null, "t2v"])).await;
    script.read_until(&mut first, "process_starts").await;
    let session = script.session();
    let joined = script.join(&session, GENERATE, &json!(["second", 1, null, "t2v"])).await.json();
    let mut second = script.open(&session).await;
    script.read_until(&mut second, "estimation").await;
    let answer = script.cancel(&session, GENERATE, joined["event_id"].as_str().unwrap()).await;
    script.write("cancel of a queued call", &answer);
    script.read(&mut second).await;
    let left = script.queue().await;
    script.line(format!("  the queue has {left}"));
    script.read(&mut first).await;
    script.until_queue(0).await;
    // It may have its turn now.
    script.call("the next call", GENERATE, json!(["next", 1, null, "t2v"])).await;
}

/// One runs, four wait, and the sixth is refused.
pub async fn full(script: &mut Script) {
    script.scene("full");
    let (_, mut first) = begin(script, GENERATE, json!(["running", 8, null, "t2v"])).await;
    script.read_until(&mut first, "process_starts").await;
    let mut waiting = Vec::new();
    for number in 0..4 {
        let session = script.session();
        let answer = script.join(&session, GENERATE, &json!([format!("w{number}"), 1, null, "t2v"])).await;
        script.write("join", &answer);
        let mut stream = script.open(&session).await;
        script.read_until(&mut stream, "estimation").await;
        waiting.push(stream);
    }
    let refused = script.join("sixth", GENERATE, &json!(["w5", 1, null, "t2v"])).await;
    script.write("the sixth", &refused);
    script.read(&mut first).await;
    for mut stream in waiting {
        script.read(&mut stream).await;
    }
}

async fn begin(script: &mut Script, function: u64, data: Value) -> (String, Stream) {
    let session = script.session();
    let joined = script.join(&session, function, &data).await;
    script.write("join", &joined);
    let stream = script.open(&session).await;
    (session, stream)
}

async fn reopen(script: &mut Script, session: &str) {
    // The drop is noticed a moment later; until then the old stream may still be the one that is served.
    tokio::time::sleep(SILENCE).await;
    let mut stream = script.open(session).await;
    script.line("opened again after the drop");
    script.read(&mut stream).await;
}

/// Whether the slot is free: a call of the same group starts at once, or later.
async fn next_starts(script: &mut Script) -> &'static str {
    let session = script.session();
    script.join(&session, GENERATE, &json!(["probe", 1, null, "t2v"])).await;
    let mut stream = script.open(&session).await;
    let mut at_once = false;
    let begun = tokio::time::Instant::now();
    loop {
        match stream.next(super::script::PATIENCE).await {
            Came::Message(message) if message["msg"] == "process_starts" => {
                at_once = begun.elapsed() < SILENCE
            }
            Came::Message(_) => {}
            _ => return if at_once { "at once" } else { "later" },
        }
    }
}
