//! What the judge makes of recorded errors.

use std::time::Duration;

use super::*;
use crate::backends::litellm::recordings::{answer, recorded};

fn judged(answer: &Answer, keyed: bool) -> Fault {
    let redactor = Redactor::new(Some("sk-our-own-key".to_owned().into()));
    let models: Vec<_> = (0..12).map(|n| format!("m{n}")).collect();
    let seen = Circumstances {
        place: "127.0.0.1:4000",
        keyed,
        redactor: &redactor,
        models: &models,
        now: "2026-11-23T07:00:00Z".parse().unwrap(),
    };
    fault(answer, &seen)
}

#[test]
fn every_recorded_error_has_its_cause() {
    for (answer, code, fate_of_it) in [
        (recorded!("chat_r429"), Code::RateLimited, Fate::NotRun),
        (recorded!("rpm1_call1"), Code::RateLimited, Fate::NotRun),
        (recorded!("chat_r500"), Code::BackendError, Fate::Ran),
        (recorded!("chat_down"), Code::BackendError, Fate::Ran),
        (recorded!("chat_garbage"), Code::BackendError, Fate::Ran),
        (recorded!("chat_r400"), Code::BadRequest, Fate::NotRun),
        (recorded!("chat_badjson"), Code::BadRequest, Fate::NotRun),
        (recorded!("chat_nomessages"), Code::BadRequest, Fate::NotRun),
        (recorded!("chat_nonexistent"), Code::MissingModel, Fate::NotRun),
        (recorded!("unknown_path"), Code::NotFound, Fate::NotRun),
        // Its type says `invalid_request_error`; its status is the truth.
        (recorded!("chat_hang"), Code::RequestTimeout, Fate::Ran),
        (recorded!("key_badkey_chat"), Code::AuthWrong, Fate::NotRun),
    ] {
        assert_eq!(judged(&answer, true).code(), code, "{answer:?}");
        assert_eq!(fate(answer.status), fate_of_it, "{answer:?}");
    }
}

#[test]
fn a_missing_key_is_told_from_a_wrong_one_and_from_a_broken_server() {
    let bare = recorded!("key_noauth_v1_models");
    assert_eq!(judged(&bare, false).code(), Code::AuthRequired);
    assert_eq!(judged(&bare, true).code(), Code::BackendError);
    let prisma = recorded!("prisma_noauth_models");
    assert_eq!(judged(&prisma, false).code(), Code::AuthRequired);
    assert_eq!(judged(&prisma, true).code(), Code::AuthWrong);
    let fix = judged(&recorded!("key_badkey_chat"), true).fix().to_owned();
    assert!(fix.contains("master key"), "{fix}");
}

#[test]
fn the_message_is_the_servers_and_the_advice_stays_below() {
    let fault = judged(&recorded!("chat_r429"), true);
    assert_eq!(
        fault.message(),
        "127.0.0.1:4000 answers 429: litellm.RateLimitError: RateLimitError: OpenAIException - Rate limit reached (stub)"
    );
    assert!(fault.detail().unwrap().contains("No fallback was attempted"));
    assert_eq!(fault.retry_after(), Some(Duration::from_secs(7)));
    assert_eq!(judged(&recorded!("rpm1_call1"), true).retry_after(), Some(Duration::from_secs(60)));
    let fix = judged(&recorded!("chat_nonexistent"), true).fix().to_owned();
    assert_eq!(fix, "Name one of its models: m0, m1, m2, m3, m4, m5, m6, m7, m8, m9 and 2 more.");
}

#[test]
fn a_gateway_is_named_as_one_and_a_json_error_is_not() {
    let html = |status: &str| {
        answer(&format!("HTTP/1.1 {status}\ncontent-type: text/html\n\n<html>{status}</html>"))
    };
    for status in ["502 Bad Gateway", "503 Service Temporarily Unavailable", "504 Gateway Time-out"] {
        assert_eq!(judged(&html(status), true).code(), Code::ProxyInTheWay, "{status}");
    }
    assert_eq!(judged(&html("500 Oh"), true).code(), Code::BackendError);
    assert_eq!(judged(&html("413 Too Large"), true).code(), Code::BadRequest);
    let json = |status: &str, body: &str| {
        judged(&answer(&format!("HTTP/1.1 {status}\ncontent-type: application/json\n\n{body}")), true).code()
    };
    let loading = r#"{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}"#;
    assert_eq!(json("503 X", loading), Code::Loading);
    assert_eq!(json("503 X", r#"{"error":{"message":"busy"}}"#), Code::BackendError);
    assert_eq!(json("502 X", r#"{"error":{"message":"upstream"}}"#), Code::BackendError);
    assert_eq!(json("500 X", r#"{"error":"CUDA out of memory"}"#), Code::OutOfMemory);
    assert_eq!(json("404 X", r#"{"error":{"message":"no","code":"model_not_found"}}"#), Code::MissingModel);
    assert_eq!(json("403 X", r#"{"error":{"message":"no"}}"#), Code::Forbidden);
}

#[test]
fn a_lost_gateway_leaves_the_work_in_doubt() {
    for (status, of_it) in [(502, Fate::Unknown), (504, Fate::Unknown), (503, Fate::NotRun), (500, Fate::Ran)]
    {
        assert_eq!(fate(StatusCode::from_u16(status).unwrap()), of_it, "{status}");
    }
}

#[test]
fn no_key_is_shown_however_the_server_echoes_it() {
    let echo = r#"{"error":{"message":"Incorrect API key provided: sk-our-own-key and sk-0123456789abcdef\n\nmore sk-our-own-key","code":"401"}}"#;
    let fault = judged(&answer(&format!("HTTP/1.1 401 X\n\n{echo}")), true);
    let shown = format!("{fault:?} {fault} {:?} {}", fault.detail(), fault.fix());
    assert!(!shown.contains("our-own") && !shown.contains("0123456789"), "{shown}");
    let bare = judged(&answer("HTTP/1.1 400 X\n\nyou sent sk-our-own-key"), true);
    assert!(!bare.message().contains("our-own"), "{bare}");
}

/// Shapes of other servers, from their documentation and the reports of their users; none of them was run.
#[test]
fn errors_of_other_servers_are_understood() {
    for (status, body, code, words) in [
        // Ollama.
        (
            404,
            r#"{"error":{"message":"model 'x' not found","type":"not_found_error","param":null,"code":null}}"#,
            Code::MissingModel,
            "model 'x' not found",
        ),
        (
            400,
            r#"{"error":"invalid character 'x' looking for beginning of value"}"#,
            Code::BadRequest,
            "invalid character",
        ),
        (404, "404 page not found", Code::NotFound, "404 page not found"),
        // vLLM, before and since it wraps its errors.
        (
            404,
            r#"{"object":"error","message":"The model `x` does not exist.","type":"NotFoundError","param":null,"code":404}"#,
            Code::MissingModel,
            "does not exist",
        ),
        (
            400,
            r#"{"error":{"message":"This model's maximum context length is 10 tokens.","type":"BadRequestError","param":null,"code":400}}"#,
            Code::BadRequest,
            "maximum context",
        ),
        (404, r#"{"detail":"Not Found"}"#, Code::NotFound, "Not Found"),
        // llama.cpp.
        (
            503,
            r#"{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}"#,
            Code::Loading,
            "Loading model",
        ),
        (
            401,
            r#"{"error":{"code":401,"message":"Invalid API Key","type":"authentication_error"}}"#,
            Code::AuthWrong,
            "Invalid API Key",
        ),
        // Anything else in the field.
        (500, r#"{"error":{"error":{"deep":true}}}"#, Code::BackendError, "deep"),
        (500, r#"{"error":null}"#, Code::BackendError, "null"),
        (429, "", Code::RateLimited, ""),
    ] {
        let status = StatusCode::from_u16(status).unwrap();
        let answer = Answer { status, headers: http::HeaderMap::new(), body: body.to_owned().into() };
        let fault = judged(&answer, true);
        assert_eq!(fault.code(), code, "{body}: {fault}");
        assert!(fault.message().contains(words), "{body}: {fault}");
    }
}
