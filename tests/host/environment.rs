//! A proxy of the environment sees nothing of us: keys would go through it.

use std::{
    net::TcpListener,
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use crate::world::{Servers, chat, done, stream, supervise, workflow};

/// Set for the child, which is the host whose environment names the proxy.
const CHILD: &str = "BACKLINE_TEST_PROXY_CHILD";
const NAME: &str = "environment::a_proxy_of_the_environment_sees_no_request_of_any_kind";

#[test]
fn a_proxy_of_the_environment_sees_no_request_of_any_kind() {
    if std::env::var_os(CHILD).is_some() {
        return work();
    }
    let canary = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", canary.local_addr().unwrap());
    let hits = Arc::new(AtomicU32::new(0));
    let seen = hits.clone();
    // It ends with the process.
    std::thread::spawn(move || {
        for connection in canary.incoming() {
            drop(connection);
            seen.fetch_add(1, Ordering::SeqCst);
        }
    });
    // The canary sings where somebody asks it.
    drop(std::net::TcpStream::connect(url.trim_start_matches("http://")).unwrap());
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args([NAME, "--exact", "--nocapture"]).env(CHILD, "1").stdin(Stdio::null());
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
        child.env(name, &url);
    }
    let ended = child.env_remove("NO_PROXY").env_remove("no_proxy").output().unwrap();
    let said = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success(), "{said}{}", String::from_utf8_lossy(&ended.stderr));
    assert!(said.contains("three jobs were done"), "the child did nothing: {said}");
    assert_eq!(hits.load(Ordering::SeqCst), 1, "somebody asked the proxy");
}

/// A job of each kind, under the proxy's nose.
fn work() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let servers = Servers::start().await;
        let supervisor = supervise(servers.config()).await;
        let out = tempfile::tempdir().unwrap();
        for job in [workflow(1, 1).save_to(out.path()), stream(1), chat("stub")] {
            done(&supervisor.run(job).await.unwrap()).await;
        }
    });
    #[expect(clippy::print_stdout, reason = "the parent reads it")]
    {
        println!("three jobs were done");
    }
}
