//! Recorded answers, for the tests of the pure judges.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::backends::litellm::answer::Answer;

/// Reads a recording: a status line, headers, an empty line, the body.
pub(super) fn answer(recording: &str) -> Answer {
    let (head, body) = recording.split_once("\n\n").unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse::<StatusCode>().unwrap();
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap();
        headers.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
    }
    Answer { status, headers, body: body.trim_end_matches('\n').to_owned().into() }
}

macro_rules! recorded {
    ($name:literal) => {
        $crate::backends::litellm::recordings::answer(include_str!(concat!(
            "../../../../tests/fixtures/litellm/",
            $name,
            ".http"
        )))
    };
}

pub(super) use recorded;
