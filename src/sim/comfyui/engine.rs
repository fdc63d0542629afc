//! The worker: runs prompts one at a time and tells of it in the recorded order.

use std::{collections::HashSet, sync::Arc, time::Duration};

use serde_json::{Map, Value, json};

use crate::sim::comfyui::{
    cache::{Picture, Product},
    plan::Plan,
    png,
    prompt::{Prompt, class_of, inputs_of, link},
    state::{EventBody, Interrupt, State, now},
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
struct Run<'a> {
    state: &'a State,
    prompt: Prompt,
    /// Nodes that have begun, with value, maximum and state.
    progress: Vec<Node>,
    executed: Vec<String>,
    shown: Map<String, Value>,
    messages: Vec<Value>,
}

struct Node {
    id: String,
    value: Value,
    max: Value,
    state: &'static str,
}

/// Why a run stops short.
enum Stop {
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

    async fn node(&mut self, node: &str) -> Result<Product, Stop> {
        self.check_interrupt()?;
        let inputs = inputs_of(&self.prompt.graph, node).cloned().unwrap_or_default();
        let image = self.image(&inputs);
        let whole = |name: &str| inputs.get(name).and_then(Value::as_u64).unwrap_or(0) as u32;
        let text = |name: &str| inputs.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let through = |image| Ok(Product { image, shown: None });
        match class_of(&self.prompt.graph, node) {
            "EmptyImage" => through(Picture {
                width: whole("width"),
                height: whole("height"),
                color: whole("color"),
                count: whole("batch_size"),
            }),
            "LoadImage" => through(Picture { width: 64, height: 64, color: 0, count: 1 }),
            "ImageScale" => through(Picture { width: whole("width"), height: whole("height"), ..image }),
            "SaveImage" => Ok(self.save(image, "output", &text("filename_prefix"))),
            "PreviewImage" => {
                let prefix = format!("ComfyUI_temp_{}", self.state.temp_prefix);
                Ok(self.save(image, "temp", &prefix))
            }
            "WireText" => {
                self.send_text(node, &text("text"));
                through(image)
            }
            "WireSlow" => {
                self.steps(node, &inputs).await?;
                through(image)
            }
            _ => through(image),
        }
    }

    /// The picture that the first link of a node brings.
    fn image(&self, inputs: &Map<String, Value>) -> Picture {
        let before = inputs.values().find_map(link).map(|(node, _)| node.to_owned());
        let memory = self.state.memory();
        let product = before.and_then(|node| memory.cache.get(&self.prompt.graph, &node).cloned());
        product.unwrap_or_default().image
    }

    async fn steps(&mut self, node: &str, inputs: &Map<String, Value>) -> Result<(), Stop> {
        let whole = |name: &str| inputs.get(name).and_then(Value::as_i64).unwrap_or(0);
        let delay = inputs.get("delay").and_then(Value::as_f64).unwrap_or(0.0);
        let preview = inputs.get("preview").and_then(Value::as_bool).unwrap_or(false);
        let steps = whole("steps");
        for step in 1..=steps {
            tokio::time::sleep(Duration::from_secs_f64(delay)).await;
            if step == whole("fail_at") {
                return Err(Stop::Failed(format!("wiretest failure at step {step}")));
            }
            self.check_interrupt()?;
            self.step(node, step, steps, preview);
        }
        Ok(())
    }

    /// One step: with metadata a preview comes before the `progress`, without it after.
    fn step(&mut self, id: &str, value: i64, max: i64, preview: bool) {
        if let Some(node) = self.progress.iter_mut().find(|n| n.id == id) {
            node.value = json!(value);
            node.max = json!(max);
        }
        self.tell_progress();
        let client = self.prompt.client();
        let flag = |c: &str| {
            let memory = self.state.memory();
            let flag = memory.sockets.get(c).and_then(|m| m.flags.get("supports_preview_metadata").cloned());
            flag == Some(json!(true))
        };
        let with_metadata = client.is_some_and(flag);
        if preview && with_metadata {
            let meta = json!({"node_id": id, "prompt_id": self.prompt.id, "display_node_id": id,
                "parent_node_id": null, "real_node_id": id, "image_type": "image/jpeg"})
            .to_string();
            let frame =
                [&4u32.to_be_bytes()[..], &(meta.len() as u32).to_be_bytes(), meta.as_bytes(), png::JPEG];
            self.state.post(client, EventBody::Binary(frame.concat()));
        }
        let data = json!({"value": value, "max": max, "prompt_id": self.prompt.id, "node": id});
        self.state.send(client, "progress", data);
        if preview && !with_metadata {
            let frame = [&1u32.to_be_bytes()[..], &1u32.to_be_bytes(), png::JPEG].concat();
            self.state.post(client, EventBody::Binary(frame));
        }
    }

    fn send_text(&self, node: &str, text: &str) {
        let frame =
            [&3u32.to_be_bytes()[..], &(node.len() as u32).to_be_bytes(), node.as_bytes(), text.as_bytes()];
        self.state.post(None, EventBody::Binary(frame.concat()));
    }

    fn save(&self, image: Picture, folder: &str, prefix: &str) -> Product {
        let bytes = png::encode(image.width, image.height, image.color);
        let files = (0..image.count.max(1)).map(|_| {
            let path = self.state.disk.save(folder, prefix, bytes.clone());
            json!({"filename": path.name, "subfolder": path.subfolder, "type": path.folder})
        });
        Product { image, shown: Some(json!({"images": files.collect::<Vec<_>>()})) }
    }

    fn check_interrupt(&self) -> Result<(), Stop> {
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
    fn tell_progress(&self) {
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
