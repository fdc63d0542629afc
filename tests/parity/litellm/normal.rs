//! Makes answers comparable: what differs from run to run becomes a word.

/// Headers of the framing and of the clock; nothing of LiteLLM's.
const BESIDE: [&str; 5] = ["date", "connection", "content-length", "transfer-encoding", "vary"];
/// Headers whose values are the same at every run; of the others the name counts.
const STABLE: [&str; 14] = [
    "allow",
    "cache-control",
    "content-security-policy",
    "content-type",
    "llm_provider-retry-after",
    "x-accel-buffering",
    "x-content-type-options",
    "x-frame-options",
    "x-litellm-attempted-fallbacks",
    "x-litellm-attempted-retries",
    "x-litellm-model-group",
    "x-litellm-model-name",
    "x-litellm-version",
    "x-ratelimit-remaining-requests",
];

/// The headers in one line, sorted.
pub fn headers(headers: &[(String, String)]) -> String {
    let mut shown: Vec<String> = headers
        .iter()
        .filter(|(name, _)| !BESIDE.contains(&name.as_str()))
        .map(
            |(name, value)| {
                if STABLE.contains(&name.as_str()) { format!("{name}={value}") } else { name.clone() }
            },
        )
        .collect();
    shown.sort();
    shown.join(" | ")
}

/// A text without ids, hashes, times and durations.
pub fn text(text: &str) -> String {
    let mut out = String::new();
    let mut run = String::new();
    for letter in text.chars() {
        if letter.is_ascii_alphanumeric() || letter == '-' {
            run.push(letter);
            continue;
        }
        out.push_str(&word(&run));
        run.clear();
        match letter {
            '\n' => out.push_str("\\n"),
            other => out.push(other),
        }
    }
    out.push_str(&word(&run));
    seconds(&ports(&out))
}

/// A server of the test's own is at another port each time.
fn ports(text: &str) -> String {
    let mut pieces = text.split("127.0.0.1:");
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |mut out, piece| {
        out.push_str("127.0.0.1:PORT");
        out.push_str(piece.trim_start_matches(|c: char| c.is_ascii_digit()));
        out
    })
}

fn word(run: &str) -> String {
    let tail = run.len().saturating_sub(36);
    if run.get(tail..).is_some_and(is_uuid) {
        return format!("{}UUID", &run[..tail]);
    }
    if run.len() == 64 && run.bytes().all(|b| b.is_ascii_hexdigit()) {
        return "HASH".to_owned();
    }
    if run.len() >= 10 && run.bytes().all(|b| b.is_ascii_digit()) {
        return "TIME".to_owned();
    }
    run.to_owned()
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text
            .char_indices()
            .all(|(at, c)| if matches!(at, 8 | 13 | 18 | 23) { c == '-' } else { c.is_ascii_hexdigit() })
}

/// Durations differ by the load of the machine, and by how long a server was told to wait.
fn seconds(text: &str) -> String {
    let mut text = text.to_owned();
    for mark in ["time taken=", "timeout value=", "ntimeout: "] {
        let Some(at) = text.find(mark).map(|at| at + mark.len()) else { continue };
        let rest = text[at..].trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        text = format!("{}TIME{rest}", &text[..at]);
    }
    text
}
