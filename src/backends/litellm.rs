//! LiteLLM and every OpenAI-compatible server: chats, streamed or not, and embeddings over HTTP. Written against LiteLLM
//! 1.106.2; what is said of other servers is from their documentation.
//!
//! Three facts shape it. There is no channel that would show the server's death: probes do, and real traffic that fails
//! is looked into at once. There is no id under which a request could be looked up: what left and brought nothing
//! definite back is uncertain, and is never sent again. And a stream is complete only with its end marker.

mod account;
pub(crate) mod answer;
mod assembly;
mod chat;
pub mod chunk;
mod complaint;
pub mod completion;
mod conversation;
mod embed;
pub mod embedding;
mod exchange;
mod failure;
mod fetch;
mod fields;
pub(crate) mod fingerprint;
mod fit;
#[cfg(all(any(test, feature = "fuzz"), feature = "comfyui", feature = "wan2gp"))]
mod hostile;
mod identify;
mod image;
mod left;
mod live;
mod look;
mod media;
pub(crate) mod offer;
mod open;
pub mod picture;
mod raw;
#[cfg(test)]
mod recordings;
mod redact;
mod refusal;
mod request;
mod resident;
mod run;
mod running;
mod session;
mod stash;
mod stream;
mod transcribe;
pub mod transcription;
pub mod usage;
mod wire;

pub use chat::ChatStream;
pub use chunk::ChatChunk;
pub use completion::ChatCompletion;
pub(crate) use completion::text_of;
pub use conversation::Conversation;
pub use embed::EmbedRequest;
pub use embedding::Embeddings;
#[cfg(all(any(test, feature = "fuzz"), feature = "comfyui", feature = "wan2gp"))]
pub(crate) use hostile::read_hostile;
pub use image::ImageRequest;
pub use offer::{Mode, Model};
pub use open::Extra;
pub use picture::{Images, Picture};
pub use raw::{RawAnswer, RawRequest};
pub use request::ChatRequest;
pub use session::Session;
pub use transcribe::{Audio, TranscribeRequest};
pub use transcription::Transcription;
pub use usage::Usage;

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::{
    backends::{
        Connector, Dialed, Target,
        litellm::{
            identify::Inquiry,
            redact::Redactor,
            session::{Clients, Keep},
        },
    },
    model::{Channel, Epoch, Fault},
    net::Reuse,
};

/// The connector of a LiteLLM proxy (kind `litellm`) or of another OpenAI-compatible server (kind `openai`).
pub struct Litellm {
    target: Arc<Target>,
    clients: Clients,
    keep: Keep,
    redactor: Redactor,
}

impl Litellm {
    /// A connector for a target.
    ///
    /// # Errors
    /// A setting cannot be used.
    pub fn new(target: Target) -> Result<Self, Fault> {
        let clients = Clients { http: target.client(Reuse::Long)?, work: target.client(Reuse::Never)? };
        let redactor = Redactor::new(target.http.key.clone());
        Ok(Self { target: Arc::new(target), clients, keep: Keep::default(), redactor })
    }

    async fn open(&self) -> Result<Dialed, Fault> {
        let inquiry = Inquiry {
            http: &self.clients.http,
            kind: self.target.kind,
            redactor: &self.redactor,
            limit: self.target.timeouts.request,
        };
        let found = inquiry.run().await?;
        let identity = found.identity();
        let Keep { account, stash } = self.keep.clone();
        let keep = Keep { account: account.next_session(), stash };
        let session =
            Session::new(self.target.clone(), (self.clients.clone(), keep), self.redactor.clone(), found);
        let session = Arc::new(session);
        let live = live::signs(session.clone());
        Ok(Dialed { session, identity, channel: Channel::None, live })
    }
}

impl Connector for Litellm {
    fn dial(&self, _epoch: Epoch) -> BoxFuture<'_, Result<Dialed, Fault>> {
        Box::pin(self.open())
    }
}
