//! LiteLLM and OpenAI-compatible servers.

mod chat;
mod fate;
mod identify;
mod live;
mod media;
mod raw;
mod rig;
mod typed;
