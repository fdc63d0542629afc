//! One simulated backend of each kind, with what a cell of the matrix needs of it.

use std::time::Duration;

use backline::{
    config::{BackendConfig, Config, Secret},
    jobs::Job,
    model::{BackendId, Kind},
    net::Address,
    sim::{
        Act, SimServer,
        comfyui::{SimComfyui, Version as Comfyui},
        gradio::{Options as GradioOptions, SimGradio, Version as Gradio},
        litellm::{Options as LitellmOptions, SimLitellm},
        wan2gp::{Lost, Options as Wan2gpOptions, SimWan2gp},
    },
};
use serde_json::json;

/// A column of the matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    Comfyui,
    Function,
    Generator,
    Wan2gp,
    Chat,
}

/// One simulated backend.
pub(crate) struct Stand {
    pub(crate) column: Column,
    server: Server,
}

enum Server {
    Comfyui(SimComfyui),
    Gradio(SimGradio),
    Wan2gp(SimWan2gp),
    Chat(SimLitellm),
}

/// Steps of a job, so many that it is met in the middle.
const STEPS: u32 = 15;

impl Column {
    pub(crate) fn named(name: &str) -> Self {
        match name {
            "comfyui" => Self::Comfyui,
            "function" => Self::Function,
            "generator" => Self::Generator,
            "wan2gp" => Self::Wan2gp,
            "chat" => Self::Chat,
            other => panic!("no kind is called `{other}`"),
        }
    }
}

impl Stand {
    pub(crate) async fn start(column: Column) -> Self {
        let step = Duration::from_millis(100);
        let server = match column {
            Column::Comfyui => Server::Comfyui(SimComfyui::start(Comfyui::V0_24_0).await.unwrap()),
            Column::Function | Column::Generator => {
                let options = GradioOptions { step, ..GradioOptions::default() };
                Server::Gradio(SimGradio::start(Gradio::V6_31_0, options).await.unwrap())
            }
            Column::Wan2gp => {
                Server::Wan2gp(SimWan2gp::start(Wan2gpOptions::default().step(step * 2)).await.unwrap())
            }
            Column::Chat => {
                let options =
                    LitellmOptions { pieces: STEPS as usize, pace: step, ..LitellmOptions::default() };
                Server::Chat(SimLitellm::start(options).await.unwrap())
            }
        };
        Self { column, server }
    }

    pub(crate) fn server(&self) -> &SimServer {
        match &self.server {
            Server::Comfyui(sim) => sim.server(),
            Server::Gradio(sim) => sim.server(),
            Server::Wan2gp(sim) => sim,
            Server::Chat(sim) => sim,
        }
    }

    pub(crate) fn config(&self) -> Config {
        self.config_at(self.server().port())
    }

    /// The same, as seen through a proxy on this port.
    pub(crate) fn config_at(&self, port: u16) -> Config {
        let kind = match self.column {
            Column::Comfyui => Kind::Comfyui,
            Column::Function | Column::Generator => Kind::Gradio,
            Column::Wan2gp => Kind::Wan2gp,
            Column::Chat => Kind::Litellm,
        };
        let id = BackendId::new("b").unwrap();
        let backend = BackendConfig::new(id, kind, Address::loopback(port));
        Config::new().backend(match &self.server {
            Server::Chat(sim) => backend.with_key(Secret::Inline(sim.key().into())),
            _ => backend,
        })
    }

    fn function(&self) -> &'static str {
        if self.column == Column::Function { "generate" } else { "stream" }
    }

    /// A job that takes two or three seconds.
    pub(crate) fn job(&self, nonce: u32) -> Job {
        self.job_of(STEPS, nonce)
    }

    /// A job that is still under way when another one has been seen to wait for it.
    pub(crate) fn long(&self, nonce: u32) -> Job {
        self.job_of(3 * STEPS, nonce)
    }

    /// A job of a few steps.
    pub(crate) fn brief(&self, nonce: u32) -> Job {
        self.job_of(3, nonce)
    }

    fn job_of(&self, steps: u32, nonce: u32) -> Job {
        let prompt = format!("prompt {nonce}");
        match self.column {
            Column::Comfyui => Job::workflow("b", graph(steps, nonce)),
            Column::Function => Job::call("b", "/generate", json!([prompt, steps, null, "t2v"])),
            Column::Generator => Job::call("b", "/stream", json!([prompt, steps])),
            Column::Wan2gp => Job::generate(
                "b",
                json!({ "model_type": "t2v", "prompt": prompt, "num_inference_steps": steps }),
            ),
            Column::Chat => {
                let said = format!("prompt {nonce}");
                Job::chat("b", json!({ "model": "stub", "messages": [{ "role": "user", "content": said }] }))
            }
        }
    }

    /// Files that a job leaves.
    pub(crate) fn files(&self) -> usize {
        match self.column {
            Column::Comfyui | Column::Function | Column::Wan2gp => 1,
            Column::Generator | Column::Chat => 0,
        }
    }

    /// Loses the next submit, or its answer.
    pub(crate) fn lose(&self, lost: Lost) {
        let act = if lost == Lost::Request { Act::LoseRequest } else { Act::LoseAnswer };
        match &self.server {
            Server::Wan2gp(sim) => sim.lose("wangp_generate", lost),
            _ => self.server().trouble(self.submit(), Some(1), act),
        }
    }

    /// Where work is submitted.
    pub(crate) fn submit(&self) -> &'static str {
        match self.column {
            Column::Comfyui => "/prompt",
            Column::Function | Column::Generator => "/gradio_api/queue/join",
            Column::Wan2gp => "/mcp/",
            Column::Chat => "/v1/chat/completions",
        }
    }

    /// Where files are fetched.
    pub(crate) fn fetch(&self) -> &'static str {
        match self.column {
            Column::Comfyui => "/view?filename=matrix",
            Column::Function | Column::Generator => "/gradio_api/file=",
            Column::Wan2gp => "/wangp_api/gallery/download",
            Column::Chat => "/none",
        }
    }

    /// Executions begun, over all boots; of a Gradio app those of the job under test.
    pub(crate) fn begun(&self) -> u64 {
        match &self.server {
            Server::Comfyui(sim) => sim.all_executions().into(),
            Server::Gradio(sim) => sim.begun(self.function(), "prompt 1").into(),
            Server::Wan2gp(sim) => sim.executions(),
            Server::Chat(sim) => sim.executions(),
        }
    }

    /// Of these, those that ran to their end.
    pub(crate) fn ended(&self) -> u64 {
        match &self.server {
            Server::Comfyui(sim) => (*sim.ended().borrow()).into(),
            Server::Gradio(sim) => sim.done(self.function(), "prompt 1").into(),
            Server::Wan2gp(sim) => sim.finished(),
            Server::Chat(sim) => sim.finished(),
        }
    }
}

/// A workflow of so many steps, 100 ms each.
pub(crate) fn graph(steps: u32, nonce: u32) -> serde_json::Value {
    json!({
        "1": { "class_type": "EmptyImage", "inputs": { "width": 8, "height": 8, "batch_size": 1, "color": nonce } },
        "2": { "class_type": "WireSlow", "inputs": {
            "image": ["1", 0], "steps": steps, "delay": 0.1, "preview": false, "fail_at": -1, "nonce": nonce } },
        "3": { "class_type": "SaveImage", "inputs": { "images": ["2", 0], "filename_prefix": "matrix" } },
    })
}
