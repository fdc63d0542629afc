//! The catalogue: for each cause a plain title, the likely reasons, and what to do, in words for a person.
//!
//! One text for the command line, the API, the dashboard and the page of a cause. The words stand in a file for each
//! family of causes; this one says which cause has which.

mod gauge;
mod own;
mod reach;
mod server;
mod work;

use crate::model::{Code, Kind, Severity};

/// What a person is told of a cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// The cause in a few words.
    pub title: &'static str,
    /// How much it matters where nothing more is known.
    pub severity: Severity,
    /// The likely reasons, the likeliest first.
    pub reasons: &'static [&'static str],
    /// What to do, one sentence.
    pub fix: &'static str,
    /// The same step by step, for whom the sentence is too short; commands stand in backticks.
    pub steps: &'static [&'static str],
    /// What holds for one kind of backend.
    pub advice: &'static [(Kind, &'static str)],
}

impl Entry {
    const fn new(
        title: &'static str,
        severity: Severity,
        reasons: &'static [&'static str],
        fix: &'static str,
    ) -> Self {
        Self { title, severity, reasons, fix, steps: &[], advice: &[] }
    }

    const fn steps(mut self, steps: &'static [&'static str]) -> Self {
        self.steps = steps;
        self
    }

    const fn advice(mut self, advice: &'static [(Kind, &'static str)]) -> Self {
        self.advice = advice;
        self
    }

    /// What holds for this kind of backend, where there is something.
    pub fn advice_for(&self, kind: Kind) -> Option<&'static str> {
        self.advice.iter().find(|(of, _)| *of == kind).map(|(_, text)| *text)
    }
}

/// The entry of a cause; every cause has one.
pub const fn entry(code: Code) -> Entry {
    match code {
        Code::ConnectionRefused => reach::CONNECTION_REFUSED,
        Code::ContainerLoopback => reach::CONTAINER_LOOPBACK,
        Code::ConnectionReset => reach::CONNECTION_RESET,
        Code::ConnectionClosed => reach::CONNECTION_CLOSED,
        Code::NoRoute => reach::NO_ROUTE,
        Code::Dns => reach::DNS,
        Code::Tls => reach::TLS,
        Code::ConnectTimeout => reach::CONNECT_TIMEOUT,
        Code::RequestTimeout => reach::REQUEST_TIMEOUT,
        Code::Hang => reach::HANG,
        Code::ProxyInTheWay => reach::PROXY_IN_THE_WAY,
        Code::DependencyDown => reach::DEPENDENCY_DOWN,
        Code::Flapping => reach::FLAPPING,
        Code::ChannelDegraded => reach::CHANNEL_DEGRADED,
        Code::Unavailable => reach::UNAVAILABLE,
        Code::WrongProgram => server::WRONG_PROGRAM,
        Code::VersionUnsupported => server::VERSION_UNSUPPORTED,
        Code::VersionVulnerable => server::VERSION_VULNERABLE,
        Code::VersionOld => server::VERSION_OLD,
        Code::AuthRequired => server::AUTH_REQUIRED,
        Code::AuthWrong => server::AUTH_WRONG,
        Code::Forbidden => server::FORBIDDEN,
        Code::Protocol => server::PROTOCOL,
        Code::TooLarge => server::TOO_LARGE,
        Code::Truncated => server::TRUNCATED,
        Code::BackendError => server::BACKEND_ERROR,
        Code::Loading => server::LOADING,
        Code::QueueFull => server::QUEUE_FULL,
        Code::RateLimited => server::RATE_LIMITED,
        Code::OutOfMemory => server::OUT_OF_MEMORY,
        Code::BackendMoved => server::BACKEND_MOVED,
        Code::BackendFound => server::BACKEND_FOUND,
        Code::BadRequest => work::BAD_REQUEST,
        Code::InvalidWorkflow => work::INVALID_WORKFLOW,
        Code::MissingNode => work::MISSING_NODE,
        Code::MissingModel => work::MISSING_MODEL,
        Code::EditorWorkflow => work::EDITOR_WORKFLOW,
        Code::NotFound => work::NOT_FOUND,
        Code::ExecutionFailed => work::EXECUTION_FAILED,
        Code::Cancelled => work::CANCELLED,
        Code::Lost => work::LOST,
        Code::JobTimeout => work::JOB_TIMEOUT,
        Code::Expired => work::EXPIRED,
        Code::KeyConflict => work::KEY_CONFLICT,
        Code::JournalFull => work::JOURNAL_FULL,
        Code::Uncertain => work::UNCERTAIN,
        Code::BadUrl => own::BAD_URL,
        Code::BadConfig => own::BAD_CONFIG,
        Code::ConfigInvalid => own::CONFIG_INVALID,
        Code::ConfigMasked => own::CONFIG_MASKED,
        Code::Crashed => own::CRASHED,
        Code::CrashLoop => own::CRASH_LOOP,
        Code::Closing => own::CLOSING,
        Code::Paused => own::PAUSED,
        Code::Disk => own::DISK,
        Code::DiskTrouble => own::DISK_TROUBLE,
        Code::DiskFull => own::DISK_FULL,
        Code::StateSalvaged => own::STATE_SALVAGED,
        Code::HistoryDropped => own::HISTORY_DROPPED,
        Code::OutputsBudget => own::OUTPUTS_BUDGET,
        Code::WebhookFailing => own::WEBHOOK_FAILING,
        Code::ClockJump => own::CLOCK_JUMP,
        Code::Internal => own::INTERNAL,
        Code::LatencyHigh => gauge::LATENCY_HIGH,
        Code::QueueLong => gauge::QUEUE_LONG,
        Code::SuccessLow => gauge::SUCCESS_LOW,
        Code::VramLow => gauge::VRAM_LOW,
    }
}

/// The cause with this name, or else the one whose name is nearest.
///
/// # Errors
/// The nearest, where none has this name.
pub fn find(name: &str) -> Result<Code, Code> {
    let near = |code: &Code| strsim::jaro_winkler(code.as_str(), name);
    let nearest = Code::ALL.iter().copied().max_by(|a, b| near(a).total_cmp(&near(b)));
    match nearest {
        Some(code) if code.as_str() == name => Ok(code),
        nearest => Err(nearest.unwrap_or(Code::Internal)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_has_words_that_a_person_can_read() {
        for code in Code::ALL {
            let entry = entry(*code);
            assert!((5..60).contains(&entry.title.len()), "{code}: {}", entry.title);
            assert!(!entry.title.ends_with('.'), "{code}: a title is no sentence");
            assert!(!entry.reasons.is_empty() && entry.fix.len() > 10, "{code}");
            let texts = entry.reasons.iter().chain(entry.steps).chain([&entry.fix]);
            for text in texts.chain(entry.advice.iter().map(|(_, text)| text)) {
                assert!(text.ends_with('.') && text.len() < 260, "{code}: {text}");
                assert_eq!(text.matches('`').count() % 2, 0, "{code}: {text}");
            }
            for (kind, _) in entry.advice {
                assert_eq!(entry.advice.iter().filter(|(of, _)| of == kind).count(), 1, "{code}: {kind}");
            }
        }
    }

    #[test]
    fn no_two_causes_share_a_title() {
        for (at, code) in Code::ALL.iter().enumerate() {
            let twin = Code::ALL[..at].iter().find(|other| entry(**other).title == entry(*code).title);
            assert_eq!(twin, None, "{code}");
        }
    }

    #[test]
    fn a_misspelt_name_finds_its_neighbour() {
        assert_eq!(find("dns"), Ok(Code::Dns));
        assert_eq!(find("conection_refused"), Err(Code::ConnectionRefused));
        assert!(find("").is_err());
    }
}
