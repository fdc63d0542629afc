//! Requests and their answers.

use http::{Method, header};
use serde_json::{Value, json};

use super::script::{Script, id};

/// Routes without a job.
pub async fn routes(script: &mut Script) {
    script.scene("routes");
    for path in [
        "/prompt",
        "/api/prompt",
        "/queue",
        "/features",
        "/history/none",
        "/object_info/NoSuch",
        "/models/nosuch",
        "/embeddings",
        "/users",
        "/userdata",
        "/view",
        "/view?filename=none.png",
        "/nope",
        "/api/nope",
        "/ws",
        "/api/jobs/none",
    ] {
        script.get(path).await;
    }
    for (method, path, body) in [
        (Method::POST, "/queue", "{"),
        (Method::POST, "/queue", r#"{"clear":true}"#),
        (Method::POST, "/queue", r#"{"delete":["zzz"]}"#),
        (Method::POST, "/interrupt", ""),
        (Method::POST, "/interrupt", r#"{"prompt_id":"x"}"#),
        (Method::POST, "/history", r#"{"delete":["zzz"]}"#),
        (Method::PUT, "/prompt", ""),
        (Method::OPTIONS, "/prompt", ""),
    ] {
        script.ask(method, path, body).await;
    }
    let stats = script.send(Method::GET, "/system_stats", &[], vec![]).await.json();
    let known = json!({"os": stats["system"]["os"], "version": stats["system"]["comfyui_version"],
        "embedded_python": stats["system"]["embedded_python"], "device": stats["devices"][0]["type"]});
    script.line(format!("system_stats {known}"));
    for class in ["SaveImage", "EmptyImage", "WireSlow"] {
        let info = script.send(Method::GET, &format!("/object_info/{class}"), &[], vec![]).await.json();
        let info = &info[class];
        script.line(format!("object_info {class} {} {}", info["output_node"], info["input_order"]));
    }
}

/// Who may ask.
pub async fn origins(script: &mut Script) {
    script.scene("origins");
    let own = script.base.clone();
    let other = own.replace("127.0.0.1", "localhost");
    for (name, value, word) in [
        ("origin", own.as_str(), "its own"),
        ("origin", other.as_str(), "localhost for 127.0.0.1"),
        ("origin", "http://evil.example", "foreign"),
        ("origin", "http://127.0.0.1", "without port"),
        ("origin", "http://127.0.0.1:1", "another port"),
        ("origin", "null", "null"),
        ("origin", "tauri://localhost", "an app's"),
        ("sec-fetch-site", "cross-site", "cross-site"),
        ("sec-fetch-site", "same-site", "same-site"),
    ] {
        let answer = script.send(Method::GET, "/prompt", &[(name, value)], vec![]).await;
        script.line(format!("{name} {word}: {}", answer.status));
    }
}

fn with(mut graph: Value, change: impl FnOnce(&mut Value)) -> Value {
    change(&mut graph);
    graph
}

/// Prompts that are refused, and odd ones that are not.
pub async fn refusals(script: &mut Script) {
    script.scene("refusals");
    let good = json!({
        "1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 255}},
        "2": {"class_type": "ImageBlur", "inputs": {"image": ["1", 0], "blur_radius": 1, "sigma": 1.0}},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "w"}},
    });
    for body in ["{bad", "", "[]", r#"{"foo":1}"#, r#"{"prompt":{}}"#, r#"{"prompt":{"1":5}}"#] {
        script.line(format!("prompt {body}"));
        script.ask(Method::POST, "/prompt", body).await;
    }
    let cases: Vec<(&str, Value)> = vec![
        ("no output", with(good.clone(), |g| drop(g.as_object_mut().unwrap().remove("3")))),
        ("no class", with(good.clone(), |g| drop(g["1"].as_object_mut().unwrap().remove("class_type")))),
        ("unknown class", with(good.clone(), |g| g["1"]["class_type"] = json!("NoSuchNode"))),
        (
            "input missing",
            with(good.clone(), |g| drop(g["3"]["inputs"].as_object_mut().unwrap().remove("images"))),
        ),
        ("too big", with(good.clone(), |g| g["1"]["inputs"]["width"] = json!(999_999))),
        ("too small", with(good.clone(), |g| g["1"]["inputs"]["width"] = json!(0))),
        ("float too small", with(good.clone(), |g| g["2"]["inputs"]["sigma"] = json!(0.01))),
        ("wrong type", with(good.clone(), |g| g["1"]["inputs"]["width"] = json!("abc"))),
        ("link to nowhere", with(good.clone(), |g| g["3"]["inputs"]["images"] = json!(["99", 0]))),
        ("inner link to nowhere", with(good.clone(), |g| g["2"]["inputs"]["image"] = json!(["99", 0]))),
        ("link to no slot", with(good.clone(), |g| g["3"]["inputs"]["images"] = json!(["1", 7]))),
        ("link of one", with(good.clone(), |g| g["3"]["inputs"]["images"] = json!(["1"]))),
        (
            "link of another type",
            with(good.clone(), |g| {
                g["4"] = json!({"class_type": "LoadImage", "inputs": {"image": "none.png"}});
                g["3"]["inputs"]["images"] = json!(["4", 1]);
            }),
        ),
        (
            "no such file",
            with(good.clone(), |g| {
                g["4"] = json!({"class_type": "LoadImage", "inputs": {"image": "none.png"}});
                g["3"]["inputs"]["images"] = json!(["4", 0]);
            }),
        ),
        (
            "in a circle",
            with(good.clone(), |g| {
                g["4"] = json!({"class_type": "ImageBlur",
                    "inputs": {"image": ["2", 0], "blur_radius": 1, "sigma": 1.0}});
                g["2"]["inputs"]["image"] = json!(["4", 0]);
            }),
        ),
        (
            "not in list",
            with(good.clone(), |g| {
                g["2"] = json!({"class_type": "ImageScale", "inputs": {"image": ["1", 0], "upscale_method": "magic",
                "width": 64, "height": 64, "crop": "disabled"}});
            }),
        ),
    ];
    for (name, graph) in cases {
        script.line(format!("prompt {name}"));
        script.prompt(&graph, None, None).await;
    }
    for given in [json!("my-own-id"), json!(5), Value::Null, json!(id().to_uppercase()), json!(id())] {
        let kind = given
            .as_str()
            .map_or(given.to_string(), |t| if t.len() == 36 { "a UUID".into() } else { t.into() });
        script.line(format!("prompt with id {kind}"));
        let body = json!({"prompt": good, "prompt_id": given}).to_string();
        script.ask(Method::POST, "/prompt", &body).await;
        script.idle().await;
    }
}

/// Files in, and files out.
pub async fn uploads(script: &mut Script) {
    script.scene("uploads");
    let (name, up) = (script.tagged(".png"), script.tagged("../up.png"));
    let first = b"\x89PNG first".as_slice();
    let other = b"\x89PNG other".as_slice();
    for (word, name, bytes, fields) in [
        ("new", &name, first, &[][..]),
        ("the same again", &name, first, &[]),
        ("other bytes", &name, other, &[]),
        ("overwrite", &name, other, &[("overwrite", "true")]),
        ("to temp", &name, first, &[("type", "temp"), ("subfolder", "s1")]),
        ("out of its folder", &name, first, &[("subfolder", "../..")]),
        ("no image", &up, first, &[("subfolder", "..")]),
    ] {
        let answer = upload(script, name, bytes, fields).await;
        script.write(&format!("upload {word}"), &answer);
    }
    script.ask(Method::POST, "/upload/image", r#"{"a":1}"#).await;
    let path = format!("/view?filename={name}&type=input");
    for range in ["", "bytes=0-3", "bytes=6-", "bytes=-3", "bytes=99-"] {
        let headers: &[_] = if range.is_empty() { &[] } else { &[("range", range)] };
        let answer = script.send(Method::GET, &path, headers, vec![]).await;
        let text = |name| answer.headers.get(name).map_or("-", |v| v.to_str().unwrap());
        let (about, units) = (text(header::CONTENT_RANGE), text(header::ACCEPT_RANGES));
        let body = if answer.status < 300 {
            String::from_utf8_lossy(&answer.body).into_owned()
        } else {
            String::new()
        };
        script.line(format!("view {range:?} -> {} {about} {units} {body:?}", answer.status));
    }
}

async fn upload(script: &Script, name: &str, bytes: &[u8], fields: &[(&str, &str)]) -> super::script::Answer {
    let mut body = Vec::new();
    for (field, value) in fields {
        body.extend(
            format!("--X\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n{value}\r\n").bytes(),
        );
    }
    let head = format!("--X\r\nContent-Disposition: form-data; name=\"image\"; filename=\"{name}\"\r\n");
    body.extend(head.bytes());
    body.extend(b"Content-Type: image/png\r\n\r\n");
    body.extend(bytes);
    body.extend(b"\r\n--X--\r\n");
    let kind = [("content-type", "multipart/form-data; boundary=X")];
    script.send(Method::POST, "/upload/image", &kind, body).await
}
