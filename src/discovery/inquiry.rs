//! One server, questioned: which question comes next, and what the answers prove. Pure.
//!
//! The first question is the likeliest for the port; the first page comes second, since its hints bring the right
//! question forward. A typical server is known after one to three, a stranger has heard all after six.

use std::collections::VecDeque;

#[cfg(feature = "comfyui")]
use crate::discovery::fingerprint::comfyui;
#[cfg(feature = "gradio")]
use crate::discovery::fingerprint::gradio::{self, Door};
#[cfg(feature = "wan2gp")]
use crate::discovery::fingerprint::mcp;
#[cfg(feature = "litellm")]
use crate::discovery::fingerprint::openai::{self, Listing};
use crate::discovery::{answer::Answer, question::Question, sighting::Sighting};

/// The questions that open a conversation, in the order for a port that says nothing.
const OPENINGS: &[Question] = &[
    Question::Root,
    #[cfg(feature = "comfyui")]
    Question::SystemStats,
    #[cfg(feature = "gradio")]
    Question::Config,
    #[cfg(feature = "litellm")]
    Question::Liveliness,
    #[cfg(feature = "litellm")]
    Question::Models,
    #[cfg(feature = "wan2gp")]
    Question::Mcp,
];

/// What a page says, and what it makes likely.
const HINTS: [(&str, Question); 5] = [
    ("<title>ComfyUI", Question::SystemStats),
    ("gradio_config", Question::Config),
    ("<gradio-app", Question::Config),
    ("<title>LiteLLM", Question::Liveliness),
    // LM Studio says so to anything that it does not know.
    ("Unexpected endpoint or method", Question::Models),
];

/// One server, questioned.
#[derive(Debug)]
pub(crate) struct Inquiry {
    todo: VecDeque<Question>,
    lead: Option<Lead>,
    found: Option<Sighting>,
    /// The answer to [`Question::Models`], which is asked once.
    models: Option<Answer>,
}

/// What is known and not yet all that can be.
#[derive(Debug)]
struct Lead {
    /// What is asked next.
    question: Question,
    /// What it is should no answer come.
    proved: Option<Sighting>,
}

impl Inquiry {
    pub(crate) fn new(port: u16) -> Self {
        let mut inquiry =
            Self { todo: OPENINGS.iter().copied().collect(), lead: None, found: None, models: None };
        match port {
            8188 | 8189 => inquiry.hasten(Question::SystemStats),
            7860..=7870 | 7820..=7829 => inquiry.hasten(Question::Config),
            4000 => inquiry.hasten(Question::Liveliness),
            8000 | 8080 | 1234 => inquiry.hasten(Question::Models),
            _ => {}
        }
        inquiry
    }

    /// What to ask now; `None` once it is known who answers, or nothing is left to ask.
    pub(crate) fn next(&self) -> Option<Question> {
        match (&self.found, &self.lead) {
            (Some(_), _) => None,
            (None, Some(lead)) => Some(lead.question),
            (None, None) => self.todo.front().copied(),
        }
    }

    /// Takes the answer to [`Self::next`].
    pub(crate) fn heard(&mut self, answer: &Answer) {
        let Some(asked) = self.next() else { return };
        if let Some(lead) = self.lead.take() {
            return self.followed(lead, answer);
        }
        self.todo.pop_front();
        self.opened(asked, answer);
        self.take_hints(answer);
    }

    /// What is known when no further answer can be had.
    pub(crate) fn end(self) -> Option<Sighting> {
        self.found.or_else(|| self.lead.and_then(|lead| lead.proved))
    }

    fn opened(&mut self, asked: Question, answer: &Answer) {
        match asked {
            #[cfg(feature = "comfyui")]
            Question::SystemStats => self.found = comfyui::sight(answer),
            #[cfg(feature = "gradio")]
            Question::Config => match gradio::knock(answer) {
                Door::Open(sighting) => self.found = Some(sighting),
                Door::Locked => self.follow(Question::AppId, None),
                Door::Strange => {}
            },
            #[cfg(feature = "litellm")]
            Question::Root if openai::is_ollama(answer) => self.family(Some("Ollama"), &[]),
            #[cfg(feature = "litellm")]
            Question::Liveliness if openai::is_litellm(answer) => match &self.models {
                Some(models) => self.found = Some(openai::litellm(Some(models))),
                None => self.follow(Question::Models, Some(openai::litellm(None))),
            },
            #[cfg(feature = "litellm")]
            Question::Models => self.listed(answer),
            #[cfg(feature = "wan2gp")]
            Question::Mcp if mcp::speaks(answer) => self.follow(Question::Greeting, None),
            _ => {}
        }
    }

    #[cfg(feature = "litellm")]
    fn listed(&mut self, answer: &Answer) {
        self.models = Some(answer.clone());
        let nameless = match openai::listing(answer) {
            Listing::Open { family: None, models } => openai::other(None, &models),
            Listing::Open { family, models } => return self.family(family, &models),
            Listing::Locked { family: None } => openai::locked(None),
            Listing::Locked { family } => return self.found = Some(openai::locked(family)),
            Listing::Unauthorized => return self.follow(Question::VllmVersion, None),
            Listing::Strange => return,
        };
        // LiteLLM looks like this, too: whether it is one shows at its own address.
        match self.todo.contains(&Question::Liveliness) {
            true => self.follow(Question::Liveliness, Some(nameless)),
            false => self.found = Some(nameless),
        }
    }

    #[cfg(feature = "litellm")]
    fn family(&mut self, family: Option<&'static str>, models: &[String]) {
        let sighting = openai::other(family, models);
        match openai::version_question(family) {
            Some(question) => self.follow(question, Some(sighting)),
            None => self.found = Some(sighting),
        }
    }

    fn followed(&mut self, lead: Lead, answer: &Answer) {
        match (lead.question, lead.proved) {
            #[cfg(feature = "gradio")]
            (asked @ (Question::AppId | Question::OldAppId), _) => {
                self.found = gradio::locked(asked, answer);
                if self.found.is_none() && asked == Question::AppId {
                    self.follow(Question::OldAppId, None);
                }
            }
            #[cfg(feature = "litellm")]
            (Question::Models, Some(_)) => self.found = Some(openai::litellm(Some(answer))),
            #[cfg(feature = "litellm")]
            (Question::Liveliness, Some(nameless)) => {
                let is_litellm = openai::is_litellm(answer);
                self.found = Some(if is_litellm { openai::litellm(self.models.as_ref()) } else { nameless });
            }
            #[cfg(feature = "litellm")]
            (Question::VllmVersion, None) => {
                let version = openai::version(Question::VllmVersion, answer);
                self.found = version.map(|v| openai::locked(Some("vLLM")).version(Some(&v)));
            }
            #[cfg(feature = "litellm")]
            (asked, Some(sighting)) => {
                let version = openai::version(asked, answer);
                self.found = Some(sighting.version(version.as_deref()));
            }
            #[cfg(feature = "wan2gp")]
            (Question::Greeting, None) => self.found = mcp::sight(answer),
            (_, proved) => self.found = proved,
        }
    }

    fn follow(&mut self, question: Question, proved: Option<Sighting>) {
        self.lead = Some(Lead { question, proved });
    }

    fn take_hints(&mut self, answer: &Answer) {
        if self.found.is_some() {
            return;
        }
        let server = answer.server();
        if server.contains("aiohttp") {
            self.hasten(Question::SystemStats);
        }
        if server.contains("llama.cpp") {
            self.hasten(Question::Models);
        }
        let text = answer.text();
        if let Some((_, question)) = HINTS.iter().find(|(mark, _)| text.contains(mark)) {
            self.hasten(*question);
        }
    }

    /// Asks this one first, where it was not asked yet.
    fn hasten(&mut self, question: Question) {
        if let Some(at) = self.todo.iter().position(|todo| *todo == question) {
            self.todo.remove(at);
            self.todo.push_front(question);
        }
    }
}

#[cfg(test)]
mod tests;
