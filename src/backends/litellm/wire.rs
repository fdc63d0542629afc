//! The exchanges of a session with its server: bounded by the session's end, and judged.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Method, header};
use jiff::Timestamp;
use reqwest::{RequestBuilder, multipart::Form};
use tokio::sync::watch;

use crate::{
    backends::{
        Target,
        litellm::{
            answer::Answer,
            exchange::{self, Key},
            failure::{Failure, Fate},
            left::Left,
            offer::Offer,
            redact::Redactor,
            refusal::{self, Circumstances},
        },
        tie::Tie,
    },
    model::{Code, Fault},
    net::{
        Http,
        body::{self, JSON_CAP},
    },
};

/// What a session exchanges requests with.
pub(super) struct Wire {
    pub(super) target: Arc<Target>,
    pub(super) http: Http,
    /// For what may not run twice: a connection of its own each.
    pub(super) work: Http,
    pub(super) tie: Tie,
    pub(super) redactor: Redactor,
    pub(super) offer: watch::Sender<Arc<Offer>>,
}

impl Wire {
    /// A question without a cost.
    pub(super) async fn get(
        &self,
        path: &str,
        key: Key,
        limit: Duration,
        cap: usize,
    ) -> Result<Answer, Fault> {
        self.tie.bound(exchange::get(&self.http, path, key, limit, cap)).await
    }

    /// Sends work, and waits for a good answer's head.
    pub(super) async fn post(&self, path: &str, body: Bytes) -> Result<reqwest::Response, Failure> {
        let left = Left::default();
        let request = self
            .work
            .keyed(Method::POST, path)
            .header(header::CONTENT_TYPE, "application/json")
            // The stream, which tells when its bytes leave, has no length of its own.
            .header(header::CONTENT_LENGTH, body.len())
            .body(left.bytes(body));
        self.send(request, &left).await
    }

    /// Sends work as a form.
    pub(super) async fn post_form(
        &self,
        path: &str,
        form: Form,
        left: &Left,
    ) -> Result<reqwest::Response, Failure> {
        self.send(self.work.keyed(Method::POST, path).multipart(form), left).await
    }

    async fn send(&self, request: RequestBuilder, left: &Left) -> Result<reqwest::Response, Failure> {
        match self.tie.bound(self.work.send(request, self.target.timeouts.idle_stream)).await {
            Ok(answer) if answer.status().is_success() => Ok(answer),
            Ok(answer) => Err(self.refused(answer).await),
            Err(fault) => {
                self.tie.suspect(&fault);
                let fate = if left.any() { Fate::Unknown } else { Fate::Unsent };
                Err(Failure::new(fate, fault))
            }
        }
    }

    async fn refused(&self, answer: reqwest::Response) -> Failure {
        let status = answer.status();
        let limit = self.target.timeouts.request;
        let read = self.tie.bound(async {
            let slow = || Fault::new(Code::RequestTimeout, format!("no whole answer in {limit:?}"));
            tokio::time::timeout(limit, Answer::read(answer, JSON_CAP)).await.map_err(|_| slow())?
        });
        match read.await {
            Ok(answer) => Failure::new(refusal::fate(status), self.fault(&answer)),
            Err(fault) => Failure::new(refusal::fate(status), fault),
        }
    }

    /// Reads the body of a good answer, up to `cap` bytes.
    pub(super) async fn read_whole(&self, answer: reqwest::Response, cap: usize) -> Result<Bytes, Failure> {
        let limit = self.target.timeouts.idle_stream;
        let slow = || Fault::new(Code::RequestTimeout, format!("no whole answer in {limit:?}"));
        let read = self
            .tie
            .bound(async { tokio::time::timeout(limit, body::read(answer, cap)).await.map_err(|_| slow())? });
        read.await.map_err(|fault| {
            self.tie.suspect(&fault);
            Failure::new(Fate::Unknown, fault)
        })
    }

    /// The fault of an error answer.
    pub(super) fn fault(&self, answer: &Answer) -> Fault {
        let seen = Circumstances {
            place: &self.http.address().authority(),
            keyed: self.http.has_key(),
            redactor: &self.redactor,
            models: &self.offer.borrow().names(),
            now: Timestamp::now(),
        };
        refusal::fault(answer, &seen)
    }
}
