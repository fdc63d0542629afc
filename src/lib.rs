//! Backline keeps an application connected to its generative-AI backends: ComfyUI, Gradio and Wan2GP, LiteLLM and any
//! other OpenAI-compatible server.
//!
//! A host starts a [`Supervisor`] over a [`config::Config`]. Each backend gets a connection, an actor owned by a
//! supervision tree, which dials, watches, and comes back by itself. The host reads one [`Snapshot`]
//! without waiting, hears [`Event`](model::Event)s, leases typed sessions, and runs [`Job`](jobs::Job)s that survive
//! lost sockets and restarted backends.
//!
//! | module | what it holds |
//! |---|---|
//! | [`model`] | plain data: ids, phases, faults, snapshots, events, jobs |
//! | [`config`] | what is configured, and where each value came from |
//! | [`connection`] | the pure machine of one connection, its backoff, its leases |
//! | [`discovery`] | finds backends by what they answer |
//! | [`backends`] | the seams [`Connector`](backends::Connector) and [`Session`](backends::Session), and a folder a protocol |
//! | [`health`] | probes and the judgement over them |
//! | [`history`] | what was: samples, states and facts, over a day and over restarts |
//! | [`jobs`] | work that may outlive a connection |
//! | [`net`] | dialling out: addresses, TLS, capped bodies, server-sent events |
//! | [`pool`] | sets of interchangeable backends, each with one wait queue |
//! | [`notices`] | causes and remedies for a person |
//! | [`registry`] | who can do what, with what shows it |
//! | [`settings`] | the layers of the configuration while the process runs |
//! | [`state`] | the state database: what survives the process (feature `state`) |
//! | `sim` | simulated backends on loopback ports (feature `sim`) |
//!
//! The library installs no logger, no signal handler and no TLS provider of the process, changes no environment, and
//! talks to nobody but the backends.

pub mod backends;
#[cfg(feature = "cli")]
pub mod cli;
pub mod config;
pub mod connection;
#[cfg_attr(
    not(all(feature = "comfyui", feature = "gradio", feature = "wan2gp", feature = "litellm")),
    allow(dead_code, unused_variables, reason = "a build that lacks a kind asks fewer questions")
)]
pub mod discovery;
mod error;
#[cfg(all(any(test, feature = "fuzz"), feature = "comfyui", feature = "wan2gp", feature = "litellm"))]
#[doc(hidden)]
pub mod fuzz;
pub mod health;
#[cfg_attr(not(feature = "state"), allow(dead_code, reason = "some of it only the database needs"))]
pub mod history;
#[cfg(feature = "dashboard")]
pub mod http;
pub mod hub;
pub mod jobs;
mod meter;
pub mod model;
pub mod net;
pub mod notices;
pub mod pool;
pub mod registry;
mod roster;
pub mod settings;
#[cfg(feature = "sim")]
pub mod sim;
pub mod state;
pub mod supervisor;
mod tree;

pub use backline_supervisors::{GaveUp, NodeState, TreeSnapshot};
pub use connection::Lease;
pub use error::Error;
pub use hub::Resumed;
pub use model::Snapshot;
pub use supervisor::{BlockingSupervisor, Events, Handle, Lagged, ShutdownReport, Supervisor, Wanted};

/// The README's example has to compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
