//! What was used: tokens, as servers tell them.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use crate::{backends::litellm::usage::Usage, model::status::Tokens};

/// The books of a session, and with them those of its backend.
#[derive(Debug, Clone, Default)]
pub(super) struct Account {
    session: Arc<Book>,
    backend: Arc<Book>,
}

#[derive(Debug, Default)]
struct Book {
    answers: AtomicU64,
    prompt: AtomicU64,
    completion: AtomicU64,
}

/// The usage of one answer under way: servers that tell it more than once (vLLM's `continuous_usage_stats`) tell sums,
/// so the last counts, and it is written when this is dropped.
#[derive(Debug)]
pub(super) struct Tab {
    account: Account,
    last: Option<Usage>,
}

impl Account {
    /// The books of another session of the same backend.
    pub(super) fn next_session(&self) -> Self {
        Self { session: Arc::default(), backend: self.backend.clone() }
    }

    /// Writes down what an answer used.
    pub(super) fn add(&self, usage: &Usage) {
        for book in [&self.session, &self.backend] {
            book.answers.fetch_add(1, Relaxed);
            book.prompt.fetch_add(usage.asked(), Relaxed);
            book.completion.fetch_add(usage.answered(), Relaxed);
        }
    }

    /// Opens the tab of an answer that comes in pieces.
    pub(super) fn tab(&self) -> Tab {
        Tab { account: self.clone(), last: None }
    }

    pub(super) fn of_session(&self) -> Tokens {
        self.session.read()
    }

    pub(super) fn of_backend(&self) -> Tokens {
        self.backend.read()
    }
}

impl Book {
    fn read(&self) -> Tokens {
        let (prompt, completion) = (self.prompt.load(Relaxed), self.completion.load(Relaxed));
        Tokens { answers: self.answers.load(Relaxed), prompt, completion }
    }
}

impl Tab {
    /// Takes what the answer is said to have used so far.
    pub(super) fn note(&mut self, usage: &Usage) {
        self.last = Some(usage.clone());
    }
}

impl Drop for Tab {
    fn drop(&mut self) {
        if let Some(usage) = &self.last {
            self.account.add(usage);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(text: &str) -> Usage {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn every_spelling_counts_and_sums_that_grow_count_once() {
        let account = Account::default();
        account.add(&usage(r#"{"prompt_tokens":5,"completion_tokens":4,"total_tokens":9}"#));
        account.add(&usage(r#"{"input_tokens":3,"output_tokens":2}"#));
        account.add(&usage(r#"{"type":"duration","seconds":4}"#));
        account.add(&usage(r#"{"prompt_tokens":3,"total_tokens":4}"#));
        let mut tab = account.tab();
        tab.note(&usage(r#"{"prompt_tokens":5,"completion_tokens":1}"#));
        tab.note(&usage(r#"{"prompt_tokens":5,"completion_tokens":2}"#));
        drop(tab);
        drop(account.tab());
        assert_eq!(account.of_session(), Tokens { answers: 5, prompt: 16, completion: 9 });
        let next = account.next_session();
        next.add(&usage(r#"{"prompt_tokens":1}"#));
        assert_eq!((next.of_session().prompt, next.of_backend().prompt), (1, 17));
        assert_eq!(account.of_session().prompt, 16);
    }
}
