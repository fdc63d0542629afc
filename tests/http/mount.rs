//! The router below a path of the host's, and one that nobody changes anything through.

use backline::{
    Supervisor,
    config::Config,
    http::{Access, Token, router},
};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

const TOKEN: &str = "a-token-of-sixteen-letters";

/// How a host has it below a path.
#[derive(Clone, Copy, PartialEq)]
enum By {
    Nest,
    NestService,
}

async fn mounted(access: Access, by: By) -> (Supervisor, String, tokio::task::JoinSet<()>) {
    let supervisor = Supervisor::builder().config(Config::new()).start().await.unwrap();
    let (app, ours) = (axum::Router::new(), router(supervisor.handle(), access));
    let app = match by {
        By::Nest => app.nest("/backline", ours),
        By::NestService => app.nest_service("/backline", ours),
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let root = format!("http://{}/backline", listener.local_addr().unwrap());
    let mut serving = tokio::task::JoinSet::new();
    serving.spawn(async move { axum::serve(listener, app).await.unwrap() });
    (supervisor, root, serving)
}

#[tokio::test]
async fn below_a_path_every_address_that_is_told_has_it() {
    for by in [By::Nest, By::NestService] {
        every_address_has_it(by).await;
    }
}

async fn every_address_has_it(by: By) {
    let (_supervisor, root, _serving) = mounted(Access::token(Token::fixed(TOKEN).unwrap()), by).await;
    let client = Client::builder().no_proxy().build().unwrap();
    let described =
        client.get(format!("{root}/api/v1/openapi.json")).bearer_auth(TOKEN).send().await.unwrap();
    let described: Value = described.json().await.unwrap();
    assert_eq!(described["servers"][0]["url"], "/backline");
    let added = client.post(format!("{root}/api/v1/backends")).bearer_auth(TOKEN);
    let added =
        added.json(&json!({"id": "x", "kind": "openai", "url": "http://127.0.0.1:1"})).send().await.unwrap();
    assert_eq!(added.status(), StatusCode::CREATED);
    assert_eq!(added.headers()["location"], "/backline/api/v1/backends/x");
    // With and without a slash at its end, and each finds its files.
    let mut pages = vec![(root.clone(), "\"backline/ui/")];
    if by == By::NestService {
        pages.push((format!("{root}/"), "\"ui/"));
    }
    for (page, files) in pages {
        let answer = client.get(&page).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{page}");
        let text = answer.text().await.unwrap();
        assert!(text.contains(files), "{page}: {text}");
    }
    let style = client.get(format!("{root}/ui/shell.css")).send().await.unwrap();
    assert_eq!(style.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_read_only_router_shows_all_and_changes_nothing() {
    let access = Access::token(Token::fixed(TOKEN).unwrap()).read_only();
    let (_supervisor, root, _serving) = mounted(access, By::Nest).await;
    let client = Client::builder().no_proxy().build().unwrap();
    let looked = client.get(format!("{root}/api/v1/snapshot")).bearer_auth(TOKEN).send().await.unwrap();
    assert_eq!(looked.status(), StatusCode::OK);
    for path in ["session/code", "config/undo", "backends/x/reconnect"] {
        let asked = client.post(format!("{root}/api/v1/{path}")).bearer_auth(TOKEN).send().await.unwrap();
        assert_eq!(asked.status(), StatusCode::FORBIDDEN, "{path}");
        let error: Value = asked.json().await.unwrap();
        assert_eq!(error["error"]["code"], "read_only");
    }
}
