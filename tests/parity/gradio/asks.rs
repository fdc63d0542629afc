//! Single requests: pages, refusals, files.

use http::{Method, header};
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use super::script::{PATIENCE, Script};

const JSON: &str = "application/json";

/// The pages that tell who answers.
pub async fn routes(script: &mut Script) {
    script.scene("routes");
    let api = script.api.clone();
    for path in ["/", "/nope", "/app_id", "/gradio_api/app_id"] {
        script.get(path).await;
    }
    for route in ["startup-events", "queue/status", "nope"] {
        script.get(&format!("{api}/{route}")).await;
    }
    let page = script.send(script.request(Method::GET, "/config")).await.json();
    script.line(config(&page));
    for dependency in page["dependencies"].as_array().unwrap() {
        let keys =
            ["id", "api_name", "inputs", "outputs", "backend_fn", "queue", "show_api", "api_visibility"];
        let shown: Vec<String> = keys
            .iter()
            .filter_map(|k| {
                // 6.31.0 has a `show_api` that is always null.
                dependency.get(*k).filter(|v| !v.is_null()).map(|v| format!("{k}={v}"))
            })
            .collect();
        script.line(format!("  function {} generator={}", shown.join(" "), dependency["types"]["generator"]));
    }
    for component in page["components"].as_array().unwrap().iter().filter(|c| c["id"].as_i64() <= Some(10)) {
        let label = &component["props"]["label"];
        script.line(format!(
            "  component {} {} {label} skip_api={}",
            component["id"], component["type"], component["skip_api"]
        ));
    }
    let info = script.send(script.request(Method::GET, &format!("{api}/info"))).await.json();
    signatures(script, &info);
    let beat = script.request(Method::GET, &format!("{api}/heartbeat/anything")).send().await.unwrap();
    heartbeat(script, beat).await;
}

fn config(page: &Value) -> String {
    let key = |name: &str| page.get(name).map_or_else(|| "absent".to_owned(), Value::to_string);
    let number = if page["app_id"].is_u64() { "a number" } else { "no number" };
    let names = ["version", "api_prefix", "mode", "protocol", "title", "enable_queue", "connect_heartbeat"];
    let all: Vec<String> = names.iter().map(|n| format!("{n}={}", key(n))).collect();
    format!("config {} app_id={number}", all.join(" "))
}

fn signatures(script: &mut Script, info: &Value) {
    for (name, entry) in info["named_endpoints"].as_object().unwrap() {
        let parameters: Vec<String> = entry["parameters"]
            .as_array()
            .unwrap()
            .iter()
            .map(|p| {
                let default = match p["parameter_has_default"] == json!(true) {
                    true => format!("={}", p["parameter_default"]),
                    false => String::new(),
                };
                format!("{}{default} ({})", p["parameter_name"].as_str().unwrap(), p["label"])
            })
            .collect();
        let returns: Vec<String> =
            entry["returns"].as_array().unwrap().iter().map(|r| r["label"].to_string()).collect();
        script.line(format!("  {name}({}) -> {}", parameters.join(", "), returns.join(", ")));
    }
}

async fn heartbeat(script: &mut Script, mut answer: reqwest::Response) {
    let chunk = tokio::time::timeout(PATIENCE, answer.chunk()).await.unwrap().unwrap().unwrap();
    script.line(format!("heartbeat -> {} {:?}", answer.status().as_u16(), String::from_utf8_lossy(&chunk)));
}

/// Requests that the app refuses.
pub async fn refusals(script: &mut Script) {
    script.scene("refusals");
    let join = format!("{}/queue/join", script.api);
    script.post(&join, JSON, "{bad").await;
    script.post(&join, JSON, r#"{"data":["x",2],"fn_index":1}"#).await;
    script.post(&join, JSON, r#"{"data":["x"],"fn_index":999,"session_hash":"e1"}"#).await;
    script.get(&join).await;
    let data = format!("{}/queue/data", script.api);
    script.get(&data).await;
    let mut unknown = script.open("neverjoined").await;
    script.line(format!("an unknown session -> {}", unknown.status()));
    script.read(&mut unknown).await;
    let answer = script.cancel("nobody", 0, "nothing").await;
    script.write("cancel of nothing", &answer);
}

/// Uploads and downloads.
pub async fn files(script: &mut Script) {
    script.scene("files");
    let upload = format!("{}/upload", script.api);
    script.post(&upload, "text/plain", "x").await;
    let form = Form::new().part("files", Part::bytes(b"\x89PNGfake".to_vec()).file_name("up.png"));
    let sent = script.send(script.request(Method::POST, &upload).multipart(form)).await;
    script.write("upload", &sent);
    let path = sent.json()[0].as_str().unwrap().to_owned();
    let form = Form::new().part("other", Part::bytes(b"x".to_vec()).file_name("up.png"));
    let lost = script.send(script.request(Method::POST, &upload).multipart(form)).await;
    script.write("upload under another field", &lost);

    let file = format!("{}/file={path}", script.api);
    for range in ["", "bytes=0-3", "bytes=2-", "bytes=90-"] {
        let mut request = script.request(Method::GET, &file);
        if !range.is_empty() {
            request = request.header(header::RANGE, range);
        }
        let answer = script.send(request).await;
        let span = answer.headers.get(header::CONTENT_RANGE).map_or("-", |v| v.to_str().unwrap());
        let (status, size) = (answer.status, answer.body.len());
        match status {
            416 => script.line(format!("file {range} -> {status}")),
            _ => script.line(format!("file {range} -> {status} {span} {size} bytes")),
        }
    }
    for path in ["/tmp/gradio/none.png", "/etc/passwd"] {
        script.get(&format!("{}/file={path}", script.api)).await;
    }
    let given = json!([{"path": path, "orig_name": "up.png", "meta": {"_type": "gradio.FileData"}}]);
    script.call("fileecho", 4, given).await;
    let foreign = json!([{"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}]);
    script.call("fileecho of a foreign file", 4, foreign).await;
}
