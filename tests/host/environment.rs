//! What the environment of the host must not change.

use std::{
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

use crate::world::{Servers, supervise};

/// Run by the test below in a process of its own, whose environment names a proxy.
#[tokio::test]
async fn everything_connects_whatever_the_environment_says() {
    let servers = Servers::start().await;
    supervise(servers.config()).await;
}

#[test]
fn a_proxy_of_the_environment_gets_no_request() {
    static HITS: AtomicU32 = AtomicU32::new(0);
    let canary = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = format!("http://{}", canary.local_addr().unwrap());
    std::thread::spawn(move || {
        for _stream in canary.incoming() {
            HITS.fetch_add(1, Ordering::SeqCst);
        }
    });
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "environment::everything_connects_whatever_the_environment_says"]);
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        child.env(name, &proxy);
    }
    let output = child.env_remove("NO_PROXY").env_remove("no_proxy").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    assert_eq!(HITS.load(Ordering::SeqCst), 0, "the proxy was asked");
}
