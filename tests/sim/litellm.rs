//! LiteLLM and OpenAI-compatible servers.

mod chat;
mod fate;
mod identify;
mod live;
mod rig;
mod typed;
