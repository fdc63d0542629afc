//! Backline keeps an application connected to its generative-AI backends.

pub mod backends;
pub mod config;
pub mod connection;
pub mod model;
pub mod net;
pub mod notices;
#[cfg(feature = "sim")]
pub mod sim;
