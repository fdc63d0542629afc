//! Recorded streams, and streams that were never recorded.

use proptest::prelude::*;

use super::*;
use crate::{backends::litellm::assembly::Assembly, net::sse::SseDecoder};

macro_rules! recorded {
    ($name:literal) => {
        include_str!(concat!("../../../../tests/fixtures/litellm/stream_", $name, ".sse"))
    };
}

/// How a stream ended: complete with this text, told broken, or cut.
#[derive(Debug, PartialEq, Eq)]
enum Ending {
    Complete(String),
    Told(Code, String),
    Cut(Code),
}

fn read(bytes: &[u8]) -> Ending {
    read_of(Manners::Both, bytes)
}

fn read_of(manners: Manners, bytes: &[u8]) -> Ending {
    let (mut decoder, mut reader) = (SseDecoder::new(1 << 20), ChatReader::new(Redactor::default(), manners));
    let mut assembly = Assembly::default();
    decoder.feed(bytes);
    let ending = loop {
        let Some(event) = decoder.next_event().unwrap() else {
            match reader.end() {
                Ok(()) => return Ending::Complete(assembly.finish().text().to_owned()),
                Err(broken) => break broken,
            }
        };
        match reader.event(&event) {
            Ok(Read::Chunk(chunk)) => assembly.add(*chunk),
            Ok(Read::Complete) => return Ending::Complete(assembly.finish().text().to_owned()),
            Ok(Read::Nothing) => {}
            Err(broken) => break broken,
        }
    };
    match ending {
        Broken::Told(fault) => Ending::Told(fault.code(), fault.message().to_owned()),
        Broken::Cut(fault) => Ending::Cut(fault.code()),
    }
}

#[test]
fn recorded_answers_are_complete() {
    let mock = "Hello from the mock model, this is a longer answer so that it streams in several chunks.";
    for stream in [recorded!("mock"), recorded!("mock_usage")] {
        assert_eq!(read(stream.as_bytes()), Ending::Complete(mock.to_owned()));
    }
    for stream in [recorded!("stub"), recorded!("stub_usage")] {
        assert_eq!(read(stream.as_bytes()), Ending::Complete("tok0 tok1 tok2 tok3 ".to_owned()));
    }
}

#[test]
fn recorded_failures_in_the_middle_are_told_with_the_servers_words() {
    for (stream, words) in [
        (recorded!("midcut"), "Response payload is not completed"),
        (recorded!("miderr"), "stub mid-stream failure"),
        (recorded!("midhang"), "Timeout on reading data from socket"),
    ] {
        let Ending::Told(Code::BackendError, message) = read(stream.as_bytes()) else { panic!("{words}") };
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn a_killed_proxys_stream_is_cut_and_an_invented_end_passes() {
    assert_eq!(read(recorded!("proxy_killed_midstream").as_bytes()), Ending::Cut(Code::Truncated));
    // LiteLLM 1.106.2 invents reason and marker where its upstream closed early.
    assert_eq!(read(recorded!("midclose").as_bytes()), Ending::Complete("tok0 tok1 ".to_owned()));
    assert_eq!(read(b""), Ending::Cut(Code::Truncated));
}

#[test]
fn a_marker_without_a_finished_answer_completes_nothing() {
    assert_eq!(read(b"data: [DONE]\n\n"), Ending::Cut(Code::Truncated));
    let begun = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n";
    assert_eq!(read(format!("{begun}data: [DONE]\n\n").as_bytes()), Ending::Cut(Code::Truncated));
    let one_of_two =
        "data: {\"choices\":[{\"index\":0,\"finish_reason\":\"stop\"},{\"index\":1,\"delta\":{}}]}\n\n";
    assert_eq!(read(format!("{one_of_two}data: [DONE]\n\n").as_bytes()), Ending::Cut(Code::Truncated));
    let finished = "data: {\"choices\":[{\"index\":0,\"finish_reason\":\"length\"}]}\n\n";
    assert_eq!(read(finished.as_bytes()), Ending::Cut(Code::Truncated), "a reason is no marker");
}

#[test]
fn what_else_servers_put_into_streams_is_understood() {
    let odd = concat!(
        ": OPENROUTER PROCESSING\n\n",
        "data: {\"choices\":[],\"prompt_filter_results\":[{}]}\n\n",
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},\"finish_reason\":null}],\"timings\":{}}\n\n",
        "data:\n\n",
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":null},\"finish_reason\":\"stop\"}]}\n\n",
        "data: {\"choices\":[],\"usage\":{\"total_tokens\":1}}\n\n",
        "data:[DONE]\n\n",
        "data: {\"error\":\"after the end\"}\n\n",
    );
    assert_eq!(read(odd.as_bytes()), Ending::Complete("a".to_owned()));
    let limited = b"data: {\"error\":{\"message\":\"slow down\",\"code\":429}}\n\n";
    let told = |code, said: &str| Ending::Told(code, format!("the server broke the answer off: {said}"));
    assert_eq!(read(limited), told(Code::RateLimited, "slow down"));
    assert_eq!(read(b"event: error\ndata: {\"message\":\"boom\"}\n\n"), told(Code::BackendError, "boom"));
    assert_eq!(
        read(b"data: {\"error\":{\"message\":\"CUDA out of memory\"}}\n\n"),
        told(Code::OutOfMemory, "CUDA out of memory")
    );
    assert_eq!(read(b"data: <html>\n\n"), Ending::Cut(Code::Protocol));
}

/// Shapes of other servers, from their documentation and the reports of their users; none of them was run.
#[test]
fn other_servers_are_believed_by_their_reason_or_by_their_marker() {
    let either = |text: &str| read_of(Manners::Either, text.as_bytes());
    let said = |text: &str| Ending::Complete(text.to_owned());
    let chunk = |delta: &str, reason: &str| {
        format!(
            "data: {{\"choices\":[{{\"index\":0,\"delta\":{{{delta}}},\"finish_reason\":{reason}}}]}}\n\n"
        )
    };
    let (hi, end) = (chunk(r#""role":"assistant","content":"hi""#, "null"), chunk("", "\"stop\""));
    // llama.cpp before September 2024, ik_llama.cpp: no marker.
    assert_eq!(either(&format!("{hi}{end}")), said("hi"));
    assert_eq!(either(&hi), Ending::Cut(Code::Truncated), "neither reason nor marker");
    assert_eq!(either(""), Ending::Cut(Code::Truncated));
    // Gateways that give no reason.
    assert_eq!(either(&format!("{hi}data: [DONE]\n\n")), said("hi"));
    let two = "data: {\"choices\":[{\"index\":0,\"finish_reason\":\"stop\"},{\"index\":1,\"delta\":{}}]}\n\n";
    assert_eq!(
        either(&format!("{two}data: [DONE]\n\n")),
        Ending::Cut(Code::Truncated),
        "one answer lacks its end"
    );
    // Ollama before May 2024: a reason that is empty until the last.
    let empty = chunk(r#""content":"hi""#, "\"\"");
    assert_eq!(either(&format!("{empty}{end}data: [DONE]\n\n")), said("hi"));
    // Ollama: all in one chunk, the reason with it, `reasoning` beside the text.
    let one = chunk(r#""role":"assistant","content":"hi","reasoning":"I think""#, "\"stop\"");
    assert_eq!(either(&format!("{one}data: [DONE]\n\n")), said("hi"));
    // vLLM and SGLang with `continuous_usage_stats`, llama.cpp with `timings` and its usage beside the reason.
    let counted = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hi\"},\"stop_reason\":null}],\
                   \"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1},\"timings\":{\"predicted_ms\":0.028}}\n\n";
    assert_eq!(either(&format!("{counted}{end}data: [DONE]\n\n")), said("hi"));
    // Older vLLM: an error as a chunk.
    let error = "data: {\"object\":\"error\",\"message\":\"CUDA out of memory\",\"type\":\"InternalServerError\",\
                 \"code\":500}\n\n";
    let told =
        Ending::Told(Code::OutOfMemory, "the server broke the answer off: CUDA out of memory".to_owned());
    for manners in [Manners::Both, Manners::Either] {
        assert_eq!(read_of(manners, format!("{hi}{error}data: [DONE]\n\n").as_bytes()), told);
    }
}

#[test]
fn a_stream_without_end_ends_at_the_cap() {
    let mut reader = ChatReader::default();
    let event = SseEvent { data: format!("{{\"pad\":\"{}\"}}", "x".repeat(1 << 20)), ..SseEvent::default() };
    let broken = (0..100).find_map(|_| reader.event(&event).err());
    let Some(Broken::Cut(fault)) = broken else { panic!("no cap") };
    assert_eq!(fault.code(), Code::TooLarge);
    assert!(matches!(reader.event(&event), Ok(Read::Nothing)), "nothing comes after");
}

proptest! {
    #[test]
    fn a_stream_that_is_cut_anywhere_is_never_complete(which in 0usize..5, at in 0.0f64..1.0) {
        let stream = [recorded!("stub"), recorded!("stub_usage"), recorded!("mock"), recorded!("miderr"), recorded!("midclose")][which];
        // The marker's line is complete at its line feed; the blank line after it ends the event.
        let marker = stream.find("data: [DONE]").unwrap_or(stream.len());
        let whole = (marker + "data: [DONE]\n\n".len()).min(stream.len());
        let cut = ((whole as f64 * at) as usize).min(whole.saturating_sub(1));
        let ending = read(&stream.as_bytes()[..cut]);
        prop_assert!(!matches!(ending, Ending::Complete(_)), "{cut} of {whole}: {ending:?}");
    }

    #[test]
    fn no_event_makes_it_panic(datas in prop::collection::vec(".{0,80}", 0..8)) {
        let mut reader = ChatReader::default();
        for data in datas {
            let _ = reader.event(&SseEvent { data, ..SseEvent::default() });
        }
    }
}
