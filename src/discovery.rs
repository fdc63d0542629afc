//! Finds backends by what they answer, not by the port that they listen on.
//!
//! A sweep knocks on the known ports of this machine, and on what else is configured or asked for, and puts a few
//! harmless questions to whatever answers there: one `GET` a path, without a key, never one that generates. What
//! becomes of a [`Find`] is not decided here.
//!
//! # Identities
//! [`Find::identity`] is the same for the same server after a restart and on another port. It is a digest of:
//!
//! | server | made of | so |
//! |---|---|---|
//! | ComfyUI | its arguments without port and address, its Python, its devices | two of one installation share it |
//! | Gradio, WanGP's page | title and names of the functions | two copies of an app share it; a changed app has another |
//! | Gradio with a log-in | nothing more is shown | all of Gradio 4, and all of 5 and later, share one |
//! | LiteLLM | the models' names | locked ones, which show none, share one |
//! | vLLM, llama.cpp, others | the program's name, where it shows, and the models' names | Ollama's and LM Studio's models come and go, and are left out |
//! | WanGP's MCP server | its name | all share one |
//!
//! So it never proves that two servers are one. It says which one may have moved, where there is only one that may.

pub(crate) mod actor;
mod agenda;
mod answer;
mod find;
pub(crate) mod fingerprint;
mod glance;
mod host;
mod identity;
mod inquiry;
#[cfg(feature = "mdns")]
pub mod mdns;
mod pace;
mod place;
mod port;
mod question;
mod scope;
mod sighting;
mod sweep;
mod visit;

pub use actor::Sweep;
pub use agenda::Cause;
pub use find::{Find, Need};
pub use host::{Host, Network};
pub(crate) use place::recognise;
pub use port::{KNOWN, PortRange};
pub use scope::Scope;
pub(crate) use sweep::longest;
pub use sweep::{Swept, sweep};
