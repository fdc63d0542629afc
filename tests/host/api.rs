//! Jobs over HTTP: what is answered is what the contract says.

use std::time::Duration;

use backline::{
    Supervisor,
    http::{Access, Server, Token},
    net::{Address, Http, body, http::HttpSettings},
    sim::litellm::Options,
};
use http::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::world::Servers;

const LIMIT: Duration = Duration::from_secs(20);

/// An instance over simulated servers, and a program that asks it.
struct Asked {
    servers: Servers,
    supervisor: Supervisor,
    http: Http,
    home: tempfile::TempDir,
    server: Server,
}

impl Asked {
    async fn new() -> Self {
        let (servers, home) = (Servers::with(Options::default()).await, tempfile::tempdir().unwrap());
        let builder = Supervisor::builder().config(servers.config()).state_dir(home.path().join("state"));
        let supervisor = builder.start().await.unwrap();
        supervisor.ready(backline::Wanted::All, LIMIT).await.unwrap();
        let token = Token::random();
        let listening = backline::http::listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let key = Some(token.expose().to_owned().into());
        let server = listening.serve(supervisor.handle(), Access::token(token));
        let address = Address::loopback(server.address.port());
        let http = Http::new(address, &HttpSettings { key, ..HttpSettings::default() }).unwrap();
        Self { servers, supervisor, http, home, server }
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> reqwest::Response {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let pairs: Vec<_> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
        let mut request = self.http.keyed(method, &format!("api/v1/{path}")).query(&pairs).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.http.send(request, LIMIT).await.unwrap()
    }

    /// Without the token, at an address as it was given.
    async fn stranger(&self, path: &str, headers: &[(&str, &str)]) -> reqwest::Response {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut request = client.get(format!("http://{}{path}", self.server.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap()
    }

    async fn get(&self, path: &str) -> Value {
        document(self.send(Method::GET, path, &[], Vec::new()).await).await.1
    }

    async fn post(&self, path: &str, headers: &[(&str, &str)], body: Value) -> (StatusCode, Value) {
        document(
            self.send(
                Method::POST,
                path,
                &[&[("content-type", "application/json")], headers].concat(),
                body.to_string().into(),
            )
            .await,
        )
        .await
    }

    /// All events of a job, to its end.
    async fn events(&self, id: &str, headers: &[(&str, &str)]) -> Vec<(String, Value)> {
        let answer = self.send(Method::GET, &format!("jobs/{id}/events"), headers, Vec::new()).await;
        assert_eq!(answer.status(), 200);
        let text = tokio::time::timeout(LIMIT, body::read(answer, body::JSON_CAP)).await.unwrap().unwrap();
        let text = String::from_utf8(text.to_vec()).unwrap();
        let field = |block: &str, name: &str| {
            block.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(": ").map(str::to_owned))
        };
        text.split("\n\n")
            .filter_map(|block| {
                Some((field(block, "event")?, serde_json::from_str(&field(block, "data")?).unwrap()))
            })
            .collect()
    }

    async fn ended(&self, id: &str) -> Value {
        let events = self.events(id, &[]).await;
        let (name, last) = events.last().unwrap();
        assert_eq!(name, "job.state");
        last["status"].clone()
    }
}

async fn document(answer: reqwest::Response) -> (StatusCode, Value) {
    let status = answer.status();
    let bytes = body::read(answer, body::JSON_CAP).await.unwrap();
    (status, if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() })
}

fn graph(steps: u32, nonce: u32) -> Value {
    json!({
        "1": { "class_type": "EmptyImage", "inputs": { "width": 8, "height": 8, "batch_size": 1, "color": 1 } },
        "2": { "class_type": "WireSlow", "inputs": {
            "image": ["1", 0], "steps": steps, "delay": 0.05, "preview": true, "fail_at": -1, "nonce": nonce } },
        "3": { "class_type": "SaveImage", "inputs": { "images": ["2", 0], "filename_prefix": "api" } },
    })
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

#[tokio::test]
async fn a_job_is_taken_once_by_its_key_seen_to_its_end_and_its_file_is_read_in_parts() {
    let asked = Asked::new().await;
    let (key, body) =
        ([("idempotency-key", "monday")], json!({ "target": "comfyui", "workflow": graph(3, 1) }));
    let headers = [key[0], ("content-type", "application/json")];
    let answer = asked.send(Method::POST, "jobs", &headers, body.to_string().into()).await;
    assert_eq!(answer.status(), 202);
    let place = answer.headers()[header::LOCATION].to_str().unwrap().to_owned();
    let job = document(answer).await.1;
    let id = text(&job["id"]).to_owned();
    assert_eq!((place, &job["work"]), (format!("/api/v1/jobs/{id}"), &json!("workflow")));
    let (again, same) = asked.post("jobs", &key, body).await;
    assert_eq!((again, &same["id"]), (StatusCode::OK, &job["id"]));
    let other = json!({ "target": "comfyui", "workflow": graph(3, 2) });
    let (conflict, error) = asked.post("jobs", &key, other).await;
    assert_eq!((conflict, &error["error"]["code"]), (StatusCode::CONFLICT, &json!("key_conflict")));

    let ended = asked.ended(&id).await;
    assert_eq!((&ended["state"], &ended["attempts"]), (&json!("done"), &json!(1)), "{ended:#}");
    assert_eq!(asked.get(&format!("jobs/{id}")).await["outputs"], ended["outputs"]);
    assert_eq!(asked.servers.comfyui.all_executions(), 1);
    let output = &ended["outputs"][0];
    assert_eq!(output["url"], format!("/api/v1/jobs/{id}/outputs/0.png"));
    let path = format!("jobs/{id}/outputs/0.png");
    let whole = asked.send(Method::GET, &path, &[], Vec::new()).await;
    let headers = whole.headers().clone();
    assert_eq!(
        (whole.status(), &headers["content-type"], &headers["x-content-type-options"]),
        (StatusCode::OK, &"image/png".parse().unwrap(), &"nosniff".parse().unwrap())
    );
    assert_eq!(headers["content-disposition"], "inline; filename=\"0.png\"");
    let bytes = body::read(whole, body::JSON_CAP).await.unwrap();
    assert_eq!(output["bytes"], bytes.len());
    let part = asked.send(Method::GET, &path, &[("range", "bytes=1-3")], Vec::new()).await;
    assert_eq!(
        (part.status(), part.headers()["content-range"].to_str().unwrap()),
        (StatusCode::PARTIAL_CONTENT, format!("bytes 1-3/{}", bytes.len()).as_str())
    );
    assert_eq!(body::read(part, body::JSON_CAP).await.unwrap(), bytes.slice(1..4));
    let tag = headers["etag"].to_str().unwrap();
    for (header, value, code) in [("if-none-match", tag, 304), ("range", "bytes=999999-", 416)] {
        assert_eq!(asked.send(Method::GET, &path, &[(header, value)], Vec::new()).await.status(), code);
    }
    for name in ["1.png", "..%2F..%2Fbackline.db", "%2Fetc%2Fpasswd"] {
        assert_eq!(
            asked.send(Method::GET, &format!("jobs/{id}/outputs/{name}"), &[], Vec::new()).await.status(),
            404,
            "{name}"
        );
    }
    let (_, given) =
        document(asked.send(Method::GET, &format!("{path}/ticket"), &[], Vec::new()).await).await;
    let way = text(&given["url"]);
    assert!(way.starts_with(&format!("/api/v1/{path}?ticket=")), "{way}");
    for (way, code) in [
        (way.to_owned(), 206),
        (way.replace("0.png", "1.png"), 401),
        (way.replace("outputs/0.png", "preview"), 401),
        (way[..way.len() - 1].to_owned(), 401),
        (format!("/api/v1/{path}"), 401),
    ] {
        let answer = asked.stranger(&way, &[("range", "bytes=1-3")]).await;
        assert_eq!(answer.status(), code, "without a token: {way}");
    }
    let preview = asked.send(Method::GET, &format!("jobs/{id}/preview"), &[], Vec::new()).await;
    assert!(preview.status() == 200 && preview.headers().contains_key("etag"), "{preview:?}");
    assert_eq!(asked.send(Method::DELETE, &format!("jobs/{id}"), &[], Vec::new()).await.status(), 204);
    assert_eq!(asked.send(Method::GET, &format!("jobs/{id}"), &[], Vec::new()).await.status(), 404);
}

#[tokio::test]
async fn the_text_of_a_chat_comes_whole_and_from_where_a_reader_was() {
    let asked = Asked::new().await;
    let chat = json!({ "messages": [{ "role": "user", "content": "hi" }] });
    let (code, job) = asked.post("jobs", &[], json!({ "target": "litellm", "chat": chat })).await;
    assert_eq!(code, 202, "{job}");
    let id = text(&job["id"]);
    let events = asked.events(id, &[]).await;
    let said = |events: &[(String, Value)]| {
        let deltas = events.iter().filter(|(name, _)| name == "job.delta");
        deltas.fold(String::new(), |all, (_, delta)| {
            assert_eq!(delta["job"], job["id"]);
            all + text(&delta["text"])
        })
    };
    let (_, last) = events.last().unwrap();
    let result = &last["status"]["result"];
    assert_eq!(last["state"], "done", "{last:#}");
    let whole = said(&events);
    assert_eq!(text(&result["choices"][0]["message"]["content"]), whole);
    assert!(whole.len() > 4, "{whole}");
    let rest = asked.events(id, &[("last-event-id", "4")]).await;
    assert_eq!(said(&rest), whole[4..]);
}

#[tokio::test]
async fn a_file_that_was_sent_before_is_taken_by_its_handle_and_a_path_only_from_here() {
    let asked = Asked::new().await;
    let sent = asked.send(Method::POST, "files?name=in/start.png", &[], b"pixels".to_vec()).await;
    let (code, kept) = document(sent).await;
    assert_eq!((code, &kept["name"], &kept["bytes"]), (StatusCode::CREATED, &json!("start.png"), &json!(6)));
    let load = |file: &Value| {
        json!({ "target": "comfyui", "workflow": {
            "1": { "class_type": "LoadImage", "inputs": { "image": { "$file": file } } },
            "2": { "class_type": "SaveImage", "inputs": { "images": ["1", 0], "filename_prefix": "x" } },
        } })
    };
    let (code, job) = asked.post("jobs", &[], load(&kept["handle"])).await;
    assert_eq!(code, 202, "{job}");
    assert_eq!(asked.ended(text(&job["id"])).await["state"], "done");
    let path = asked.home.path().join("other.png");
    std::fs::write(&path, "other pixels").unwrap();
    let path = json!(path);
    assert_eq!(asked.post("jobs", &[], load(&path)).await.0, 202);
    let (code, error) = asked.post("jobs", &[("x-forwarded-for", "10.0.0.9")], load(&path)).await;
    assert_eq!(code, 400);
    assert!(text(&error["error"]["message"]).contains("`workflow.1.inputs.image`"), "{error}");
    assert!(text(&error["error"]["fix"]).contains("/api/v1/files"), "{error}");
}

#[tokio::test]
async fn an_open_job_is_cancelled_runs_again_and_is_erased_only_after_its_end() {
    let asked = Asked::new().await;
    let (_, job) = asked.post("jobs", &[], json!({ "target": "comfyui", "workflow": graph(200, 5) })).await;
    let id = text(&job["id"]).to_owned();
    let open = asked.send(Method::DELETE, &format!("jobs/{id}"), &[], Vec::new()).await;
    assert_eq!(open.status(), 409);
    let (code, error) = asked.post(&format!("jobs/{id}/retry"), &[], Value::Null).await;
    assert_eq!((code, &error["error"]["code"]), (StatusCode::CONFLICT, &json!("job_open")));
    assert_eq!(asked.post(&format!("jobs/{id}/cancel"), &[], Value::Null).await.0, 202);
    assert_eq!(asked.ended(&id).await["state"], "cancelled");
    assert_eq!(asked.post(&format!("jobs/{id}/cancel"), &[], Value::Null).await.0, 200);
    assert_eq!(asked.post(&format!("jobs/{id}/retry"), &[], Value::Null).await.0, 202);
    assert_eq!(asked.post(&format!("jobs/{id}/cancel"), &[], Value::Null).await.0, 202);
    assert_eq!(asked.ended(&id).await["state"], "cancelled");
    assert_eq!(asked.send(Method::DELETE, &format!("jobs/{id}"), &[], Vec::new()).await.status(), 204);
    for none in [&id, "no-id-at-all"] {
        assert_eq!(asked.post(&format!("jobs/{none}/cancel"), &[], Value::Null).await.0, 404);
    }
}

#[tokio::test]
async fn a_preflight_names_what_lacks_and_queues_nothing() {
    let asked = Asked::new().await;
    let mut lacking = graph(1, 1);
    lacking["2"]["class_type"] = json!("FaceDetailer");
    let (code, found) =
        asked.post("preflight", &[], json!({ "target": "workflow.run", "workflow": lacking })).await;
    assert_eq!(code, 200, "{found}");
    let candidate = &found["candidates"][0];
    assert_eq!(
        (&candidate["verdict"], &candidate["says"]),
        (&json!("lacks"), &json!("comfyui lacks node FaceDetailer"))
    );
    assert_eq!(
        candidate["lacks"],
        json!([{ "what": "node", "name": "FaceDetailer", "place": "workflow.2" }])
    );
    for (body, says) in [
        (json!({ "target": "comfyui", "workflow": graph(1, 1) }), "comfyui runs it"),
        (
            json!({ "target": "gradio", "call": "/generate", "data": ["a cat", 1, null, "t2v"] }),
            "gradio runs it",
        ),
        (json!({ "target": "gradio", "call": "generat" }), "gradio lacks function generat"),
        (json!({ "target": "gradio", "chat": {} }), "gradio takes no chat"),
        (json!({ "target": "litellm", "chat": { "model": "no-such" } }), "litellm lacks model no-such"),
    ] {
        let (_, found) = asked.post("preflight", &[], body).await;
        assert_eq!(found["candidates"][0]["says"], says, "{found}");
    }
    assert!(asked.supervisor.jobs().is_empty());
}

#[tokio::test]
async fn jobs_are_listed_by_state_in_pages_and_wrong_requests_are_told_why() {
    let asked = Asked::new().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let body =
            json!({ "target": "litellm", "chat": { "messages": [{ "role": "user", "content": "hi" }] } });
        let id = text(&asked.post("jobs", &[], body).await.1["id"]).to_owned();
        asked.ended(&id).await;
        ids.insert(0, id);
    }
    let listed = |page: &Value| -> Vec<String> {
        page["jobs"].as_array().unwrap().iter().map(|job| text(&job["id"]).to_owned()).collect()
    };
    let first = asked.get("jobs?limit=2&state=done").await;
    assert_eq!((listed(&first), &first["next"]), (ids[..2].to_vec(), &json!(ids[1])));
    let second = asked.get(&format!("jobs?limit=2&before={}", ids[1])).await;
    assert_eq!((listed(&second), &second["next"]), (ids[2..].to_vec(), &Value::Null));
    assert!(listed(&asked.get("jobs?state=running,held").await).is_empty());
    for (body, code, says) in [
        (json!({ "target": "nobody", "chat": {} }), 404, "no backend `nobody`"),
        (json!({ "target": "litellm", "chatt": {} }), 400, "did you mean `chat`?"),
        (json!({ "target": "litellm" }), 400, "names no work"),
    ] {
        let (answered, error) = asked.post("jobs", &[], body).await;
        assert_eq!(answered, code);
        assert!(text(&error["error"]["message"]).contains(says), "{error}");
    }
    let described = asked.get("openapi.json").await;
    let paths = described["paths"].as_object().unwrap();
    for (path, methods) in [("/api/v1/jobs", ["get", "post"]), ("/api/v1/jobs/{id}", ["get", "delete"])] {
        assert!(methods.iter().all(|method| paths[path].get(method).is_some()), "{path}");
    }
}
