//! Dialling out: addresses, one HTTP client a profile, one TLS configuration for HTTP and WebSocket, capped reading.
//!
//! Everything here is deaf to the environment: no proxy unless configured, no redirects, no process-wide TLS
//! provider, and no body is read without a cap.

pub mod address;
pub mod blame;
pub mod body;
mod certificate;
mod clients;
pub(crate) mod container;
pub(crate) mod course;
pub mod http;
#[cfg(any(feature = "comfyui", feature = "gradio", feature = "litellm", feature = "wan2gp"))]
pub(crate) mod pieces;
mod reuse;
pub mod sse;
pub mod tls;
#[cfg(feature = "comfyui")]
pub(crate) mod tunnel;
pub(crate) mod wait;
pub mod witness;

pub use address::Address;
pub(crate) use address::is_loopback;
pub use clients::Clients;
pub use http::Http;
pub use reuse::Reuse;

/// The name of a variable that names a proxy for this process, where one is set. None is ever obeyed.
pub(crate) fn proxied() -> Option<&'static str> {
    let set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"].into_iter().find(set)
}
