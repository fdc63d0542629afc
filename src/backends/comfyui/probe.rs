//! Whether the server lives, by its cheapest answer.

use std::sync::atomic::Ordering;

use crate::{
    backends::{
        comfyui::{board::split, frame::ExecInfo, identify, session::Session},
        session::Pulse,
    },
    model::{Fault, status::Resources},
    net::body,
};

/// A probe asks for the memory of the machine once in so many times.
const RESOURCES_EVERY: u64 = 5;

#[derive(serde::Deserialize)]
struct PromptInfo {
    exec_info: ExecInfo,
}

impl Session {
    /// Jobs running and pending, by the server's cheapest answer.
    pub(super) async fn remaining(&self) -> Result<u32, Fault> {
        let info: PromptInfo = self.get("prompt", body::JSON_CAP).await?;
        Ok(info.exec_info.queue_remaining)
    }

    /// What a probe learns.
    pub(super) async fn pulse(&self) -> Result<Pulse, Fault> {
        let count = self.probes.fetch_add(1, Ordering::Relaxed);
        let remaining = self.remaining().await?;
        self.board().compare(remaining);
        let resources = match count.is_multiple_of(RESOURCES_EVERY) {
            true => self.bounded(self.limit(), identify::resources(self.http(), self.limit())).await?,
            false => Resources::default(),
        };
        Ok(Pulse { queue: Some(split(remaining)), resources, ..Pulse::default() })
    }
}
