//! What the nodes of each class do.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::sim::{
    comfyui::{
        cache::{Picture, Product},
        engine::{Run, Stop},
        preview,
        prompt::{class_of, inputs_of, link},
        state::EventBody,
    },
    png,
};

impl Run<'_> {
    /// Runs one node.
    pub(super) async fn node(&mut self, node: &str) -> Result<Product, Stop> {
        self.check_interrupt()?;
        let inputs = inputs_of(&self.prompt.graph, node).cloned().unwrap_or_default();
        let image = self.image(&inputs);
        let whole = |name: &str| inputs.get(name).and_then(Value::as_u64).unwrap_or(0) as u32;
        let text = |name: &str| inputs.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let through = |image| Ok(Product { image, shown: None });
        match class_of(&self.prompt.graph, node) {
            "EmptyLatentImage" => through(Picture {
                width: whole("width"),
                height: whole("height"),
                color: 0x80_80_80,
                count: whole("batch_size"),
            }),
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
            "WireSlow" | "KSampler" => {
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
                [&4u32.to_be_bytes()[..], &(meta.len() as u32).to_be_bytes(), meta.as_bytes(), preview::JPEG];
            self.state.post(client, EventBody::Binary(frame.concat()));
        }
        let data = json!({"value": value, "max": max, "prompt_id": self.prompt.id, "node": id});
        self.state.send(client, "progress", data);
        if preview && !with_metadata {
            let frame = [&1u32.to_be_bytes()[..], &1u32.to_be_bytes(), preview::JPEG].concat();
            self.state.post(client, EventBody::Binary(frame));
        }
    }

    fn send_text(&self, node: &str, text: &str) {
        let frame =
            [&3u32.to_be_bytes()[..], &(node.len() as u32).to_be_bytes(), node.as_bytes(), text.as_bytes()];
        self.state.post(None, EventBody::Binary(frame.concat()));
    }

    fn save(&self, image: Picture, folder: &str, prefix: &str) -> Product {
        let [_, red, green, blue] = image.color.to_be_bytes();
        let bytes = png::encode(image.width, image.height, [red, green, blue]);
        let files = (0..image.count.max(1)).map(|_| {
            let path = self.state.disk.save(folder, prefix, bytes.clone());
            json!({"filename": path.name, "subfolder": path.subfolder, "type": path.folder})
        });
        Product { image, shown: Some(json!({"images": files.collect::<Vec<_>>()})) }
    }
}
