//! The worker: runs prompts one at a time and tells of it in the recorded order.

use std::{collections::HashSet, sync::Arc};

use serde_json::{Map, Value, json};

use crate::sim::comfyui::{
    plan::Plan,
    prompt::{Prompt, class_of, inputs_of},
    state::{Interrupt, State, now},
};

/// Runs what the queue holds, for as long as the boot lasts.
pub(super) async fn work(state: Arc<State>) {
    loop {
        let prompt = state.memory().begin();
        let Some(prompt) = prompt else {
            state.work.notified().await;
            continue;
        };
        state.queue_changed();
        let client = prompt.client().map(str::to_owned);
        let id = prompt.id.clone();
        Run::new(&state, prompt).execute().await;
        state.queue_changed();
        if let Some(client) = client {
            state.send(Some(&client), "executing", json!({"node": null, "prompt_id": id}));
        }
    }
}

/// One prompt at work.
pub(super) struct Run<'a> {
    pub(super) state: &'a State,
    pub(super) prompt: Prompt,
    /// Nodes that have begun, with value, maximum and state.
    pub(super) progress: Vec<Node>,
    executed: Vec<String>,
    shown: Map<String, Value>,
    messages: Vec<Value>,
}

pub(super) struct Node {
    pub(super) id: String,
    pub(super) value: Value,
    pub(super) max: Value,
    state: &'static str,
}

/// Why a run stops short.
pub(super) enum Stop {
    Interrupted,
    Failed(String),
}

impl<'a> Run<'a> {
    fn new(state: &'a State, prompt: Prompt) -> Self {
        let mut memory = state.memory();
        memory.client = prompt.client().map(str::to_owned);
        // An interrupt that came while nothing ran does not hurt the next prompt.
        memory.interrupt = Interrupt::None;
        drop(memory);
        state.switches.began(&prompt.id);
        Self { state, prompt, progress: vec![], executed: vec![], shown: Map::new(), messages: vec![] }
    }

    async fn execute(mut self) {
        self.note("execution_start", json!({}));
        let cached = self.state.memory().cache.enter(&self.prompt.graph);
        let nodes: Vec<_> = self.prompt.graph.keys().filter(|n| cached.contains(*n)).collect();
        self.note("execution_cached", json!({"nodes": nodes}));
        match self.nodes(&cached).await {
            Ok(()) => self.note("execution_success", json!({})),
            Err((node, stop)) => self.stopped(&node, stop),
        }
        let mut memory = self.state.memory();
        memory.node = None;
        memory.running = None;
        let entry = self.history();
        memory.record(self.prompt.id.clone(), entry);
        drop(memory);
        self.state.switches.ended();
    }

    async fn nodes(&mut self, cached: &HashSet<String>) -> Result<(), (String, Stop)> {
        let mut plan = Plan::new(&self.prompt.graph, &self.prompt.outputs, cached);
        while let Some(node) = plan.next() {
            if cached.contains(&node) {
                self.cached(&node);
                continue;
            }
            self.begin(&node);
            let product = self.node(&node).await.map_err(|stop| (node.clone(), stop))?;
            if let Some(shown) = &product.shown {
                self.show(&node, shown.clone());
            }
            self.state.memory().cache.put(&self.prompt.graph, &node, product);
            self.finish(&node);
            self.executed.push(node);
            // Real nodes take time; without a pause a boot could not be ended in the middle of a graph.
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// A cached output is shown again and counts as finished at once.
    fn cached(&mut self, node: &str) {
        let shown = self.state.memory().cache.get(&self.prompt.graph, node).and_then(|p| p.shown.clone());
        self.show(node, shown.unwrap_or(Value::Null));
        self.progress.push(Node { id: node.to_owned(), value: json!(1), max: json!(1), state: "finished" });
        self.tell_progress();
    }

    fn show(&mut self, node: &str, output: Value) {
        let data = json!({"node": node, "display_node": node, "output": output, "prompt_id": self.prompt.id});
        self.tell("executed", data);
        if !output.is_null() {
            self.shown.insert(node.to_owned(), output);
        }
    }

    fn begin(&mut self, node: &str) {
        self.progress.push(Node {
            id: node.to_owned(),
            value: json!(0.0),
            max: json!(1.0),
            state: "running",
        });
        self.tell_progress();
        if self.prompt.client().is_some() {
            self.state.memory().node = Some(node.to_owned());
        }
        self.tell("executing", json!({"node": node, "display_node": node, "prompt_id": self.prompt.id}));
    }

    fn finish(&mut self, id: &str) {
        if let Some(node) = self.progress.iter_mut().find(|n| n.id == id) {
            node.state = "finished";
            node.value = node.max.clone();
        }
        self.tell_progress();
    }

    pub(super) fn check_interrupt(&self) -> Result<(), Stop> {
        let mut memory = self.state.memory();
        match std::mem::take(&mut memory.interrupt) {
            Interrupt::Asked => Err(Stop::Interrupted),
            Interrupt::None => Ok(()),
        }
    }

    fn stopped(&mut self, node: &str, stop: Stop) {
        let class = class_of(&self.prompt.graph, node).to_owned();
        let mut data = json!({"node_id": node, "node_type": class, "executed": self.executed});
        let Stop::Failed(why) = stop else { return self.note("execution_interrupted", data) };
        let inputs = inputs_of(&self.prompt.graph, node).into_iter().flatten();
        let mut inputs: Map<String, Value> =
            inputs.map(|(name, value)| (name.clone(), json!([value]))).collect();
        if class.starts_with("Wire") {
            inputs.insert("unique_id".to_owned(), json!([node]));
        }
        // Both versions append their tips, here none.
        data["exception_message"] = json!(format!("{why}\n"));
        data["exception_type"] = json!("ValueError");
        data["traceback"] = json!(["  File \"execution.py\", line 1, in execute\n"]);
        data["current_inputs"] = Value::Object(inputs);
        data["current_outputs"] = json!(self.prompt.graph.keys().collect::<Vec<_>>());
        self.note("execution_error", data);
    }

    /// Tells the prompt's client, and nobody where it has none.
    fn tell(&self, kind: &str, data: Value) {
        if let Some(client) = self.prompt.client() {
            self.state.send(Some(client), kind, data);
        }
    }

    /// Tells, and keeps it for history.
    fn note(&mut self, kind: &str, mut data: Value) {
        data["prompt_id"] = json!(self.prompt.id);
        data["timestamp"] = json!(now());
        self.tell(kind, data.clone());
        self.messages.push(json!([kind, data]));
    }

    /// A prompt without a client tells its progress to all.
    pub(super) fn tell_progress(&self) {
        let id = &self.prompt.id;
        let nodes: Map<String, Value> = self
            .progress
            .iter()
            .map(|n| {
                let node = json!({"value": n.value, "max": n.max, "state": n.state, "node_id": n.id,
                    "prompt_id": id, "display_node_id": n.id, "parent_node_id": null, "real_node_id": n.id});
                (n.id.clone(), node)
            })
            .collect();
        self.state.send(self.prompt.client(), "progress_state", json!({"prompt_id": id, "nodes": nodes}));
    }

    fn history(&self) -> Value {
        let well = self.messages.last().is_some_and(|m| m[0] == "execution_success");
        let meta: Map<String, Value> = self
            .shown
            .keys()
            .map(|n| {
                (n.clone(), json!({"node_id": n, "display_node": n, "parent_node": null, "real_node_id": n}))
            })
            .collect();
        json!({
            "prompt": self.prompt.ticket(),
            "outputs": self.shown,
            "status": {"status_str": if well { "success" } else { "error" }, "completed": well,
                "messages": self.messages},
            "meta": meta,
        })
    }
}
