//! What a fault proxy does to the bytes that pass it.

use std::{
    num::{NonZeroU64, NonZeroUsize},
    time::Duration,
};

/// What happens to the connections of a proxy. The default passes everything at once.
///
/// A change reaches the connections that are open, too. Several toxics act together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Toxics {
    /// Waited before each piece of bytes is passed on, both ways.
    pub latency: Duration,
    /// Bytes a second, each way of each connection; `None` for no limit.
    pub bandwidth: Option<NonZeroU64>,
    /// Passes pieces of at most so many bytes, each in a write of its own.
    pub slice: Option<NonZeroUsize>,
    /// Whether bytes pass at all.
    pub gate: Gate,
}

/// Whether bytes pass a proxy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Gate {
    /// They pass.
    #[default]
    Open,
    /// Connections are taken, bytes are read and lost: a black hole.
    Swallow,
    /// Connections are taken and nothing is read. What came meanwhile passes once the gate opens: a stopped machine.
    Hold,
}

/// The way of bytes through a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Way {
    /// From the client to the server.
    Request,
    /// From the server to the client.
    Answer,
}

/// How a connection is ended, on both of its sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum End {
    /// In order (FIN): what was passed arrives.
    Fin,
    /// By a reset (RST): what was passed and not yet read may be lost.
    Rst,
}

/// Cuts a connection after a number of bytes of one way.
///
/// The bytes up to there are passed, the one after never is. With 0 the connection is cut as the first byte of that
/// way comes: for [`Way::Answer`] the server has acted and its answer is lost. With the length of a request for
/// [`Way::Request`] the server has it whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Which way is counted.
    pub way: Way,
    /// Bytes that pass, counted from the connection's begin.
    pub bytes: u64,
    /// How it is cut.
    pub end: End,
    /// How many connections are cut before the limit is spent; `None` for all.
    pub times: Option<u32>,
}
