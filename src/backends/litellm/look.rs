//! Whether the server lives and is still itself, without cost.

use std::{sync::Arc, time::Duration};

use http::StatusCode;

use crate::{
    backends::litellm::{
        answer::Answer,
        exchange::Key,
        fingerprint,
        identify::{LIVELINESS, MODELS},
        offer::Listing,
        session::Session,
    },
    model::{Code, Fault, Kind},
    net::body::{JSON_CAP, LIST_CAP},
};

impl Session {
    /// A look at the server for a suspicion or a probe, at most this long.
    pub(super) async fn look(&self, limit: Duration) -> Result<(), Fault> {
        match self.wire.target.kind {
            Kind::Litellm => {
                let alive = self.wire.get(LIVELINESS, Key::Without, limit, JSON_CAP).await?;
                if fingerprint::is_litellm(&alive) { Ok(()) } else { Err(self.not_itself(&alive)) }
            }
            _ => self.refresh(limit).await,
        }
    }

    /// Reads the list of models anew.
    pub(super) async fn refresh(&self, limit: Duration) -> Result<(), Fault> {
        let answer = self.wire.get(MODELS, Key::With, limit, LIST_CAP).await?;
        if answer.status != StatusCode::OK {
            return Err(self.wire.fault(&answer));
        }
        let listing = Listing::parse(&answer.body).map_err(|_| self.not_itself(&answer))?;
        let offer = self.wire.offer.borrow().renewed(&listing);
        self.wire.offer.send_if_modified(|now| {
            let changed = **now != offer;
            if changed {
                *now = Arc::new(offer);
            }
            changed
        });
        Ok(())
    }

    /// The fault of an answer to a look that is not what it was: an error, or another program by now.
    fn not_itself(&self, answer: &Answer) -> Fault {
        if answer.status != StatusCode::OK && answer.status != StatusCode::NOT_FOUND {
            return self.wire.fault(answer);
        }
        let (place, kind) = (self.wire.http.address().authority(), self.wire.target.kind.title());
        Fault::new(Code::WrongProgram, format!("{place} does not answer like a {kind} any more"))
    }
}
