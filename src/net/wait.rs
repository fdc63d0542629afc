//! How long a server asks us to wait.

use std::time::Duration;

use http::HeaderMap;
use jiff::Timestamp;

/// Longest wait that is believed.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// The wait that an answer asks for: seconds, milliseconds or a date.
///
/// LiteLLM 1.106.2 hands its provider's `Retry-After: 7` on as `llm_provider-retry-after: 7` and sends none of its own.
pub(crate) fn asked(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).map(str::trim);
    let millis = |name: &str| text(name)?.parse::<f64>().ok().and_then(|ms| seconds(ms / 1000.0));
    let plain = |name: &str| text(name).and_then(|text| delay(text, now));
    let wait = millis("retry-after-ms")
        .or_else(|| plain("retry-after"))
        .or_else(|| millis("llm_provider-retry-after-ms"))
        .or_else(|| plain("llm_provider-retry-after"))?;
    Some(wait.min(LONGEST))
}

fn delay(text: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(number) = text.parse::<f64>() {
        return seconds(number);
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    Some(Duration::try_from(date.duration_since(now)).unwrap_or(Duration::ZERO))
}

fn seconds(number: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(number).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(pairs: &[(&'static str, &'static str)]) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, http::HeaderValue::from_static(value));
        }
        asked(&headers, "2026-11-23T07:00:00Z".parse().unwrap())
    }

    #[test]
    fn every_spelling_of_a_wait_is_read() {
        let seconds = |s| Some(Duration::from_secs_f64(s));
        assert_eq!(wait(&[("llm_provider-retry-after", "7")]), seconds(7.0));
        assert_eq!(wait(&[("retry-after", "2"), ("llm_provider-retry-after", "7")]), seconds(2.0));
        assert_eq!(wait(&[("retry-after", "2"), ("retry-after-ms", "1500")]), seconds(1.5));
        assert_eq!(wait(&[("retry-after", "Mon, 23 Nov 2026 07:00:30 GMT")]), seconds(30.0));
        assert_eq!(wait(&[("retry-after", "Mon, 23 Nov 2026 06:00:30 GMT")]), seconds(0.0), "in the past");
        assert_eq!(wait(&[("retry-after", "99999999999")]), Some(LONGEST));
        for nonsense in ["", "soon", "-1", "NaN", "inf"] {
            assert_eq!(wait(&[("retry-after", nonsense)]), None, "{nonsense}");
        }
    }
}
