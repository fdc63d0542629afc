//! Backends over HTTP: added, changed under a tag, removed; and what is refused.

use backline::{
    Supervisor,
    config::Loader,
    http::{Access, Token, listen},
};
use reqwest::{Client, Method, StatusCode, header};
use serde_json::{Value, json};

struct Api {
    client: Client,
    root: String,
}

impl Api {
    async fn ask(
        &self,
        method: Method,
        path: &str,
        tag: Option<&str>,
        body: Value,
    ) -> (StatusCode, String, Value) {
        let mut asked = self
            .client
            .request(method, format!("{}{path}", self.root))
            .bearer_auth("a-token-of-sixteen-letters")
            .json(&body);
        if let Some(tag) = tag {
            asked = asked.header(header::IF_MATCH, tag);
        }
        let answer = asked.send().await.unwrap();
        let tag = answer.headers().get(header::ETAG).map(|tag| tag.to_str().unwrap().to_owned());
        (answer.status(), tag.unwrap_or_default(), answer.json().await.unwrap_or_default())
    }
}

#[tokio::test]
async fn backends_are_added_changed_under_a_tag_and_removed() {
    let supervisor = Supervisor::builder().loader(Loader::new().directory("/nowhere")).start().await.unwrap();
    let access = Access::token(Token::fixed("a-token-of-sixteen-letters").unwrap());
    let server = listen("127.0.0.1:0".parse().unwrap()).await.unwrap().serve(supervisor.handle(), access);
    let client = Client::builder().no_proxy().build().unwrap();
    let api = Api { client, root: format!("http://{}/api/v1/backends", server.address) };
    let new = json!({
        "id": "llm", "kind": "openai", "url": "http://127.0.0.1:1", "api_key": "sk-hidden", "enabled": false,
        "probe": { "interval": "7s", "rise": 3 }, "headers": { "x-tenant": "t" },
    });
    let (status, tag, added) = api.ask(Method::POST, "", None, new.clone()).await;
    assert_eq!(status, StatusCode::CREATED, "{added}");
    assert!(!added.to_string().contains("sk-hidden"), "{added}");
    assert_eq!(added["status"]["source"], "api");
    assert_eq!(supervisor.config().backends["llm"].probe.rise, 3);
    assert_eq!(api.ask(Method::POST, "", None, new).await.0, StatusCode::CONFLICT);

    let wrong = json!({ "probe": { "rise": "many" }, "urk": 1 });
    let (status, _, refused) = api.ask(Method::PATCH, "/llm", None, wrong).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(refused["error"]["detail"].as_array().unwrap().len(), 2, "{refused}");

    let change = json!({ "required": true });
    let (status, later, _) = api.ask(Method::PATCH, "/llm", Some(&tag), change.clone()).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(api.ask(Method::PATCH, "/llm", Some(&tag), change).await.0, StatusCode::PRECONDITION_FAILED);
    let undo = json!({ "required": null });
    assert_eq!(api.ask(Method::PATCH, "/llm", Some(&later), undo).await.0, StatusCode::OK);
    assert!(!supervisor.config().backends["llm"].required);

    assert_eq!(api.ask(Method::DELETE, "/llm", None, Value::Null).await.0, StatusCode::OK);
    assert_eq!(api.ask(Method::DELETE, "/llm", None, Value::Null).await.0, StatusCode::NOT_FOUND);
    assert!(supervisor.snapshot().backends.is_empty());
}
