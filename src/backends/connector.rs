//! The seam between a connection and the protocol of its kind: how a session is opened and how its death is seen.
//!
//! Virtual time replaces a [`Connector`], never a socket.

use std::sync::Arc;

use futures_util::{future::BoxFuture, stream::BoxStream};

use crate::{
    backends::Session,
    model::{Channel, Epoch, Fault, Identity},
};

/// How the servers of one kind are reached. One connector serves one backend and outlives its sessions and the
/// restarts of its connection's actor: what the next session must know of the last one (a client id that may still
/// be registered at the server, a count of jobs in flight) is kept here.
pub trait Connector: Send + Sync + 'static {
    /// Opens a session: takes the fingerprint, then authenticates, then opens the live channel.
    ///
    /// No key goes out before the fingerprint matched.
    ///
    /// # Cancel safety
    /// Dropping the future abandons the attempt and closes what it opened.
    ///
    /// # Errors
    /// The fault decides what the connection does next: see [`crate::model::Code`].
    fn dial(&self, epoch: Epoch) -> BoxFuture<'_, Result<Dialed, Fault>>;
}

/// A session, freshly opened.
pub struct Dialed {
    /// What leases give access to.
    pub session: Arc<dyn Session>,
    /// What the backend said of itself.
    pub identity: Identity,
    /// Whether events are live, polled, or not to be had.
    pub channel: Channel,
    /// The session's live channel. It is driven by the connection's link task, which never stops polling it; its end
    /// without a [`Sign::Lost`] means the same as one. Dropping it closes the channel.
    pub live: BoxStream<'static, Sign>,
}

/// What a live channel says of its session.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Sign {
    /// It answers again after a silence.
    Heard,
    /// It missed a deadline (a pong, a heartbeat). The machine decides whether that ends the session: slow is not
    /// dead while a job is in flight.
    Silent(Fault),
    /// Its quality changed.
    Channel(Channel),
    /// The backend told something new of itself (a model was added).
    Identity(Box<Identity>),
    /// Jobs in the backend's own queue, running and pending.
    Queue(crate::model::status::Queue),
    /// The socket or stream ended, or was cut: the session is over.
    Lost(Fault),
}
