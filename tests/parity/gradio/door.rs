//! An app that asks for a log-in.

use http::{Method, header};
use serde_json::json;

use super::script::Script;

/// What is open, and what is not.
pub async fn knock(script: &mut Script) {
    script.scene("without a log-in");
    let api = script.api.clone();
    for path in ["/", "/config"] {
        script.get(path).await;
    }
    for route in
        ["app_id", "startup-events", "info", "queue/status", "queue/data?session_hash=x", "file=/etc/passwd"]
    {
        script.get(&format!("{api}/{route}")).await;
    }
    let join = script.join("x", 3, &json!(["x"])).await;
    script.write("join", &join);
    let cancel = script.cancel("nobody", 0, "nothing").await;
    script.write("cancel", &cancel);
    let beat = script.request(Method::GET, &format!("{api}/heartbeat/x")).send().await.unwrap();
    script.line(format!("heartbeat -> {}", beat.status().as_u16()));
}

/// The way in.
pub async fn enter(script: &mut Script, (user, password): (&str, &str)) {
    script.scene("the log-in");
    let form = |password: &str| format!("username={user}&password={password}");
    const KIND: &str = "application/x-www-form-urlencoded";
    script.post("/login", KIND, &form("wrong")).await;
    let let_in = script.post("/login", KIND, &form(password)).await;
    let mut unsecure = None;
    for cookie in let_in.headers.get_all(header::SET_COOKIE) {
        let (pair, marks) = cookie.to_str().unwrap().split_once("; ").unwrap();
        let kept = ["access-token-unsecure-", "access-token-"];
        let name = kept.into_iter().find(|name| pair.starts_with(name)).unwrap();
        if name.contains("unsecure") {
            unsecure = Some(pair.to_owned());
        }
        script.line(format!("  cookie {name}… {marks}"));
    }
    script.cookie = unsecure;
    let status = format!("{}/queue/status", script.api);
    script.get(&status).await;
    let page = script.send(script.request(Method::GET, "/config")).await;
    script.line(format!("config with the cookie -> {} {}", page.status, page.json()["version"]));
    script.call("noop with the cookie", 3, json!(["in"])).await;
}
