//! Dialling out: addresses, one HTTP client a profile, one TLS configuration for HTTP and WebSocket, capped reading.
//!
//! Everything here is deaf to the environment: no proxy unless configured, no redirects, no process-wide TLS
//! provider, and no body is read without a cap.

pub mod address;
pub mod blame;
pub mod body;
pub mod http;
pub mod sse;
pub mod tls;
#[cfg(feature = "comfyui")]
pub(crate) mod tunnel;

pub use address::Address;
pub use http::Http;
