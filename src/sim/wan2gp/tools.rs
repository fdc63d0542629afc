//! The tools of the simulated server.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::sim::wan2gp::{
    Counts, Options, complaint,
    gallery::{self, Gallery},
    job::Jobs,
    models,
    rpc::Said,
};

/// Settings that name a file.
const MEDIA: [&str; 6] =
    ["image_start", "image_end", "image_guide", "video_source", "video_guide", "audio_guide"];

/// The tools that are played.
pub(super) const NAMES: [&str; 7] = [
    "wangp_list_models",
    "wangp_get_model_schema",
    "wangp_create_gallery_upload",
    "wangp_create_gallery_download",
    "wangp_generate",
    "wangp_get_job",
    "wangp_cancel_job",
];

/// What the tools work on.
pub(super) struct Tools {
    pub(super) gallery: Arc<Gallery>,
    jobs: Jobs,
}

impl Tools {
    pub(super) fn new(options: Options, counts: Arc<Counts>) -> Self {
        let gallery = Arc::new(Gallery::default());
        Self { jobs: Jobs::new(options, counts, gallery.clone()), gallery }
    }

    pub(super) async fn call(&self, tool: &str, arguments: &Value) -> Said {
        let text = |name: &str| arguments[name].as_str().unwrap_or_default();
        match tool {
            "wangp_list_models" => list(arguments),
            "wangp_get_model_schema" => {
                Said::Optional(models::find(text("model_type")).map(models::Model::schema))
            }
            "wangp_create_gallery_upload" => {
                let name = text("filename").rsplit('/').next().unwrap_or_default();
                match gallery::sort(name) {
                    Some(_) => Said::Document(self.gallery.expect(name)),
                    None => complaint::extension(tool),
                }
            }
            "wangp_create_gallery_download" => match self.gallery.offer(text("gallery_id")) {
                Some(ticket) => Said::Document(ticket),
                None => complaint::unknown_file(tool, text("gallery_id")),
            },
            "wangp_generate" => self.generate(tool, arguments).await,
            "wangp_get_job" | "wangp_cancel_job" => {
                let Some(job) = self.jobs.get(text("job_id")) else {
                    return complaint::unknown_job(tool, text("job_id"));
                };
                if tool == "wangp_cancel_job" {
                    job.cancel();
                }
                Said::Document(self.jobs.snapshot(&job, limit(arguments)))
            }
            _ => complaint::unknown_tool(tool),
        }
    }

    async fn generate(&self, tool: &str, arguments: &Value) -> Said {
        let source = &arguments["source"];
        for setting in MEDIA {
            let Some(file) = source[setting].as_str().filter(|file| !file.is_empty()) else { continue };
            if !file.starts_with("visual:") && !file.starts_with("audio:") {
                return complaint::path(tool, setting);
            }
            if !self.gallery.has(file) {
                return complaint::unknown_file(tool, file);
            }
        }
        let Some(job) = self.jobs.begin(source) else { return complaint::busy(tool) };
        if arguments["wait"].as_bool() == Some(true) {
            job.ended().await;
        }
        Said::Document(self.jobs.snapshot(&job, limit(arguments)))
    }
}

fn limit(arguments: &Value) -> usize {
    arguments["event_limit"].as_u64().and_then(|limit| usize::try_from(limit).ok()).unwrap_or(20)
}

fn list(arguments: &Value) -> Said {
    let number = |name: &str, default: u64| {
        usize::try_from(arguments[name].as_u64().unwrap_or(default)).unwrap_or(usize::MAX)
    };
    let wanted = arguments["main_output"].as_str();
    let fits = |model: &&models::Model| wanted.is_none_or(|output| model.output == output);
    let page = models::MODELS.iter().filter(fits).skip(number("offset", 0));
    Said::List(page.take(number("limit", 10).clamp(1, 10)).map(models::Model::metadata).collect())
}

/// What `tools/list` says: the names; the descriptions and schemas are not played.
pub(super) fn listing() -> Value {
    let schema = json!({ "type": "object" });
    let tools: Vec<Value> =
        NAMES.iter().map(|name| json!({ "name": name, "description": "", "inputSchema": schema })).collect();
    json!({ "tools": tools })
}
