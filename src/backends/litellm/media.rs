//! What a session does with pictures and sound, and what it has used.

use crate::{
    backends::litellm::{
        failure::{Failure, Fate},
        image::{self, ImageRequest},
        left::Left,
        picture::Images,
        session::Session,
        transcribe::TranscribeRequest,
        transcription::Transcription,
    },
    model::{Fault, status::Tokens},
    net::body::LIST_CAP,
};

const IMAGES: &str = "v1/images/generations";
const TRANSCRIPTIONS: &str = "v1/audio/transcriptions";

impl Session {
    /// Makes images, and waits for them at most `timeouts.idle_stream` (default 300 s). A request without a model goes
    /// to the first image model of the backend. What is not in the answer itself is named by a `url`.
    ///
    /// # Errors
    /// By the answer's status; [`Code::Protocol`](crate::model::Code::Protocol) for an answer without images. A fault
    /// of the class `unreachable` or `timeout` does not say whether they were made.
    ///
    /// # Cancel safety
    /// Dropping the future closes the connection; the server may go on, and charge for it. LiteLLM 1.106.2 asks its
    /// upstream up to three times by itself where that fails.
    pub async fn images(&self, request: ImageRequest) -> Result<Images, Fault> {
        let (request, _) = self.addressed(request)?;
        self.draw(&request).await.map_err(|failure| failure.fault)
    }

    /// Transcribes audio, sent as a stream: at no time is it whole in memory. A request without a model goes to the
    /// first transcription model of the backend.
    ///
    /// # Errors
    /// As [`Self::images`], and [`Code::Disk`](crate::model::Code::Disk) where the audio cannot be read.
    ///
    /// # Cancel safety
    /// As [`Self::images`].
    pub async fn transcribe(&self, request: TranscribeRequest) -> Result<Transcription, Fault> {
        let (request, _) = self.addressed(request)?;
        self.hear(&request).await.map_err(|failure| failure.fault)
    }

    /// Tokens that this session's requests used, where the answers told.
    pub fn tokens(&self) -> Tokens {
        self.keep.account.of_session()
    }

    /// Tokens that the requests of this backend's sessions used since it was set up.
    pub fn backend_tokens(&self) -> Tokens {
        self.keep.account.of_backend()
    }

    pub(super) async fn draw(&self, request: &ImageRequest) -> Result<Images, Failure> {
        let _flight = self.wire.tie.fly();
        let answer = self.wire.post(IMAGES, request.body()).await?;
        let body = self.wire.read_whole(answer, LIST_CAP).await?;
        let images = image::read(&body).map_err(unclear)?;
        images.usage.iter().for_each(|usage| self.keep.account.add(usage));
        Ok(images)
    }

    pub(super) async fn hear(&self, request: &TranscribeRequest) -> Result<Transcription, Failure> {
        let _flight = self.wire.tie.fly();
        let left = Left::default();
        let form = request.form(&left).await.map_err(|fault| Failure::new(Fate::NotRun, fault))?;
        let answer = self.wire.post_form(TRANSCRIPTIONS, form, &left).await?;
        let body = self.wire.read_whole(answer, LIST_CAP).await?;
        let transcription = Transcription::read(&body).map_err(unclear)?;
        transcription.usage.iter().for_each(|usage| self.keep.account.add(usage));
        Ok(transcription)
    }
}

fn unclear(fault: Fault) -> Failure {
    Failure::new(Fate::Unknown, fault)
}
