//! Finds out who answers: first without the key, then with it.

use std::{sync::Arc, time::Duration};

use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;

use crate::{
    backends::litellm::{
        answer::Answer,
        exchange::{Key, get},
        fingerprint::{self, Look},
        offer::{Details, Listing, Offer},
        redact::Redactor,
        refusal::{self, Circumstances},
        session::Session,
        wire::Wire,
    },
    model::{Code, Fault, Identity, Kind},
    net::{
        Http,
        body::{JSON_CAP, LIST_CAP},
        course::{self, Step},
    },
};

/// Longest wait for one answer: a server that is well answers these in milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);
/// Most that is read of a page that only names a program.
const PAGE_CAP: usize = 256 * 1024;

pub(super) const LIVELINESS: &str = "health/liveliness";
pub(super) const MODELS: &str = "v1/models";

/// One identification.
pub(super) struct Inquiry<'a> {
    pub(super) http: &'a Http,
    pub(super) kind: Kind,
    pub(super) redactor: &'a Redactor,
    pub(super) limit: Duration,
}

/// Who a server is and what it offers.
pub(super) struct Found {
    pub(super) version: Option<String>,
    pub(super) title: Option<String>,
    pub(super) offer: Offer,
}

impl Found {
    pub(super) fn identity(&self) -> Identity {
        let evidence = self.offer.evidence();
        Identity {
            version: self.version.clone(),
            title: self.title.clone(),
            capabilities: evidence.iter().map(|evidence| evidence.capability).collect(),
            evidence,
            models: self.offer.names().into(),
            ..Identity::default()
        }
    }
}

#[derive(Deserialize)]
struct Readiness {
    litellm_version: String,
}

#[derive(Deserialize)]
struct Version {
    version: String,
}

impl Inquiry<'_> {
    /// Takes the fingerprint, then asks for the models with the key.
    pub(super) async fn run(&self) -> Result<Found, Fault> {
        match self.kind {
            Kind::Litellm => self.litellm().await,
            _ => self.openai().await,
        }
    }

    async fn litellm(&self) -> Result<Found, Fault> {
        let alive = self.ask(LIVELINESS, Key::Without, JSON_CAP).await?;
        if !fingerprint::is_litellm(&alive) {
            return Err(self.stranger(&alive).await);
        }
        course::passed(Step::Api);
        let (models, details, version) = tokio::join!(
            self.keyed_listing(),
            self.ask("model/info", Key::With, LIST_CAP),
            self.ask("health/readiness/details", Key::With, JSON_CAP),
        );
        let (listing, _) = models?;
        let details: Option<Details> = self.hint(details);
        let version: Option<Readiness> = self.hint(version);
        Ok(Found {
            version: version.map(|v| v.litellm_version),
            title: Some("LiteLLM".to_owned()),
            offer: Offer::new(&listing, details.as_ref()),
        })
    }

    async fn openai(&self) -> Result<Found, Fault> {
        let seen = self.ask(MODELS, Key::Without, LIST_CAP).await?;
        let look = fingerprint::look(&seen);
        match &look {
            Look::Loading => return Err(self.fault(&seen)),
            Look::Strange if !self.is_litellm().await? => return Err(self.stranger(&seen).await),
            _ => course::passed(Step::Api),
        }
        let (listing, open) = match look {
            Look::Open(listing) if !self.http.has_key() => {
                course::passed(Step::Auth);
                (listing, seen)
            }
            // The key is tried even where the list is open, so that a wrong one shows now.
            _ => self.keyed_listing().await?,
        };
        let family = fingerprint::family(&open, &listing);
        if family == Some("llama.cpp") {
            self.loaded().await?;
        }
        Ok(Found {
            version: self.version(family).await,
            title: family.map(str::to_owned),
            offer: Offer::new(&listing, None),
        })
    }

    async fn keyed_listing(&self) -> Result<(Listing, Answer), Fault> {
        let answer = self.ask(MODELS, Key::With, LIST_CAP).await?;
        let listing = self.listing(&answer)?;
        course::passed(Step::Auth);
        Ok((listing, answer))
    }

    /// LiteLLM 1.106.2 without its database module answers a request without a key with a bare 500.
    async fn is_litellm(&self) -> Result<bool, Fault> {
        Ok(fingerprint::is_litellm(&self.ask(LIVELINESS, Key::Without, JSON_CAP).await?))
    }

    /// llama.cpp lists its model while it loads it, and says so at `/health` (documented, not run).
    async fn loaded(&self) -> Result<(), Fault> {
        let health = self.ask("health", Key::Without, JSON_CAP).await?;
        if health.status == StatusCode::SERVICE_UNAVAILABLE { Err(self.fault(&health)) } else { Ok(()) }
    }

    /// The version, where the family tells one (documented, not run).
    async fn version(&self, family: Option<&str>) -> Option<String> {
        let path = match family? {
            "Ollama" => "api/version",
            "vLLM" => "version",
            _ => return None,
        };
        let version: Option<Version> = self.hint(self.ask(path, Key::Without, JSON_CAP).await);
        version.map(|v| v.version)
    }

    fn listing(&self, answer: &Answer) -> Result<Listing, Fault> {
        if answer.status != StatusCode::OK {
            return Err(self.fault(answer));
        }
        Listing::parse(&answer.body)
    }

    /// What is good to know and no reason to fail: a key of LiteLLM's without rights to it is refused it.
    fn hint<T: serde::de::DeserializeOwned>(&self, answer: Result<Answer, Fault>) -> Option<T> {
        let place = self.http.address();
        match answer {
            Ok(answer) if answer.status == StatusCode::OK => serde_json::from_slice(&answer.body)
                .inspect_err(|error| tracing::debug!(%place, %error, "a hint cannot be read"))
                .ok(),
            Ok(answer) => {
                tracing::debug!(%place, status = %answer.status, "a hint is refused");
                None
            }
            Err(fault) => {
                tracing::debug!(%place, %fault, "a hint is not to be had");
                None
            }
        }
    }

    /// The fault of an answer that is not what this kind answers.
    async fn stranger(&self, seen: &Answer) -> Fault {
        if seen.status.is_server_error() {
            return self.fault(seen);
        }
        let place = self.http.address().authority();
        let wrong = |name: &str| {
            Fault::new(Code::WrongProgram, format!("{place} is {name}, not a {}", self.kind.title()))
        };
        if self.kind == Kind::Litellm
            && let Ok(answer) = self.ask(MODELS, Key::Without, LIST_CAP).await
        {
            match fingerprint::look(&answer) {
                Look::Open(listing) => {
                    let name =
                        fingerprint::family(&answer, &listing).unwrap_or("an OpenAI-compatible server");
                    return wrong(name).with_fix("Set `kind: openai` for it.");
                }
                Look::Guarded | Look::Loading => {
                    return wrong("an OpenAI-compatible server").with_fix("Set `kind: openai` for it.");
                }
                Look::Strange => {}
            }
        }
        match self.ask("", Key::Without, PAGE_CAP).await {
            Ok(root) => wrong(&self.redactor.clean(&fingerprint::name_of(&root, self.kind))),
            Err(_) => wrong("another program"),
        }
    }

    async fn ask(&self, path: &str, key: Key, cap: usize) -> Result<Answer, Fault> {
        get(self.http, path, key, self.limit.min(PATIENCE), cap).await
    }

    fn fault(&self, answer: &Answer) -> Fault {
        let seen = Circumstances {
            place: &self.http.address().authority(),
            keyed: self.http.has_key(),
            redactor: self.redactor,
            models: &[],
            now: Timestamp::now(),
        };
        refusal::fault(answer, &seen)
    }
}

impl Session {
    /// The whole of what the server is and offers, asked anew.
    pub(super) async fn whole(&self) -> Result<Identity, Fault> {
        let Wire { http, redactor, target, .. } = &self.wire;
        let inquiry = Inquiry { http, kind: target.kind, redactor, limit: target.timeouts.request };
        let found = inquiry.run().await?;
        let identity = found.identity();
        self.wire.offer.send_if_modified(|now| {
            let changed = **now != found.offer;
            if changed {
                *now = Arc::new(found.offer);
            }
            changed
        });
        Ok(identity)
    }
}
