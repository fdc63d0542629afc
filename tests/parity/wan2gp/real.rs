//! A real MCP server of WanGP over a session without a card, from the checkout that `BACKLINE_WAN2GP_DIR` names and the
//! Python that `BACKLINE_WAN2GP_PYTHON` names.

use std::{
    fs::File,
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;

use crate::{golden, port::free_port};

/// It imports for seconds, more on a loaded machine.
const START: Duration = Duration::from_secs(120);

/// A real server; dropping it ends it.
pub struct Real {
    pub url: String,
    child: Child,
    _home: TempDir,
}

impl Drop for Real {
    fn drop(&mut self) {
        // One that has ended already needs no kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts one; `None` where none is installed.
pub async fn start() -> Option<Real> {
    let variable = |name: &str| {
        std::env::var(name).map_err(|_| golden::skip(&format!("parity with a real WanGP: {name} is not set")))
    };
    let (checkout, python) =
        (variable("BACKLINE_WAN2GP_DIR").ok()?, variable("BACKLINE_WAN2GP_PYTHON").ok()?);
    let home = TempDir::new().unwrap();
    let port = free_port();
    let log = File::create(home.path().join("log")).unwrap();
    let mut command = Command::new(python);
    command
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/backends/wan2gp_stub.py"))
        .args([&checkout, &port.to_string()])
        .arg(home.path().join("outputs"))
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log);
    let mut child = command.spawn().unwrap_or_else(|e| panic!("{command:?} does not start: {e}"));
    let deadline = tokio::time::Instant::now() + START;
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        let ended = child.try_wait().unwrap().is_some();
        let log = || std::fs::read_to_string(home.path().join("log")).unwrap();
        assert!(!ended && tokio::time::Instant::now() < deadline, "WanGP did not start: {}", log());
        // Nobody tells us when another process listens.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Some(Real { url: format!("http://127.0.0.1:{port}"), child, _home: home })
}
