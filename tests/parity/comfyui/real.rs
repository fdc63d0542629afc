//! A real server of one's own, from a checkout that `BACKLINE_COMFYUI_DIR` names.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{golden, port::free_port};

/// It imports torch first.
const START: Duration = Duration::from_secs(180);

/// A real server; dropping it ends it.
pub struct Real {
    pub url: String,
    pub version: String,
    child: Child,
    _home: TempDir,
}

impl Real {
    /// As `kill -9`.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Real {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Starts one, with the nodes of the tests and folders of its own; `None` where none is installed.
pub async fn start() -> Option<Real> {
    let Ok(checkout) = std::env::var("BACKLINE_COMFYUI_DIR") else {
        golden::skip("parity with a real ComfyUI: BACKLINE_COMFYUI_DIR names no checkout");
        return None;
    };
    let python = std::env::var("BACKLINE_COMFYUI_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let home = TempDir::new().unwrap();
    let nodes = home.path().join("custom_nodes");
    std::fs::create_dir(&nodes).unwrap();
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/backends/comfyui_test_nodes.py");
    std::fs::copy(own, nodes.join("comfyui_test_nodes.py")).unwrap();
    let port = free_port();
    let log = home.path().join("log");
    let file = std::fs::File::create(&log).unwrap();
    let mut child = Command::new(python)
        .current_dir(&checkout)
        .args(["main.py", "--cpu", "--listen", "127.0.0.1", "--preview-method", "auto"])
        .args(["--port", &port.to_string(), "--base-directory"])
        .arg(home.path())
        .env("HF_HUB_OFFLINE", "1")
        .stdin(Stdio::null())
        .stdout(file.try_clone().unwrap())
        .stderr(file)
        .spawn()
        .unwrap_or_else(|e| panic!("ComfyUI does not start: {e}"));
    let url = format!("http://127.0.0.1:{port}");
    let deadline = tokio::time::Instant::now() + START;
    loop {
        if let Some(version) = version(&url).await {
            return Some(Real { url, version, child, _home: home });
        }
        let ended = child.try_wait().unwrap();
        if ended.is_some() || tokio::time::Instant::now() > deadline {
            let _ = child.kill();
            panic!("ComfyUI did not start: {}", std::fs::read_to_string(&log).unwrap_or_default());
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

/// The version of the server at an address, once it answers.
pub async fn version(base: &str) -> Option<String> {
    let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build().unwrap();
    let stats: Value = http.get(format!("{base}/system_stats")).send().await.ok()?.json().await.ok()?;
    Some(stats["system"]["comfyui_version"].as_str()?.to_owned())
}
