//! A web application that mounts the API and the dashboard under a path of its own, beside its own routes.
//!
//! `cargo run --example axum`, then open the address that it prints.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example shows what it does")]

use std::time::Duration;

use axum::{Json, Router, extract::State, routing::get};
use backline::{
    Handle, Supervisor,
    config::Config,
    http::{Access, Token, router},
};
use serde_json::{Value, json};

/// A route of the application's own: it reads what is known without waiting for anybody.
async fn front(State(backline): State<Handle>) -> Json<Value> {
    let snapshot = backline.snapshot();
    Json(json!({ "overall": snapshot.overall, "backends": snapshot.backends.len() }))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let supervisor = Supervisor::builder().config(Config::load()?).start().await?;
    let access = Access::token(Token::random());
    // Paid once, it opens the dashboard; programs send the token.
    let code = access.one_time_code();

    let app = Router::new()
        .route("/", get(front))
        .with_state(supervisor.handle())
        .nest_service("/backline", router(supervisor.handle(), access));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}/backline/#{code}", listener.local_addr()?);
    axum::serve(listener, app)
        .with_graceful_shutdown(async {
            if let Err(error) = tokio::signal::ctrl_c().await {
                eprintln!("Ctrl-C is not heard: {error}");
            }
        })
        .await?;

    supervisor.shutdown(Duration::from_secs(5)).await;
    Ok(())
}
