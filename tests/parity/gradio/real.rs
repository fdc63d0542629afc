//! A real app of one's own, run by a python that an environment variable names.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use backline::sim::gradio::Version;
use serde_json::Value;
use tempfile::TempDir;

use crate::{golden, port::free_port};

/// It imports half of Python first.
const START: Duration = Duration::from_secs(120);

/// Whether it asks for a log-in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Door {
    Open,
    Locked,
}

/// A real app; dropping it ends it.
pub struct Real {
    pub url: String,
    pub log: std::path::PathBuf,
    port: u16,
    python: String,
    child: Child,
    home: TempDir,
}

impl Real {
    /// As `kill -9`.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again on the same port.
    pub async fn restart(&mut self) {
        self.kill();
        self.child = spawn(&self.python, self.port, Door::Open, &self.home, &self.log);
        wait(&self.url, &mut self.child).await;
    }

    /// What its functions wrote down.
    pub fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Real {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            let said = std::fs::read_to_string(self.home.path().join("out")).unwrap_or_default();
            eprintln!("the app said: {said}");
        }
    }
}

/// Starts one; `None` where none is installed.
pub async fn start(variable: &str, version: Version, door: Door) -> Option<Real> {
    let Ok(python) = std::env::var(variable) else {
        golden::skip(&format!("parity with a real Gradio {}: {variable} names no python", version.as_str()));
        return None;
    };
    let home = TempDir::new().unwrap();
    let port = free_port();
    let log = home.path().join("functions.log");
    let mut child = spawn(&python, port, door, &home, &log);
    let url = format!("http://127.0.0.1:{port}");
    wait(&url, &mut child).await;
    Some(Real { url, log, port, python, child, home })
}

fn spawn(python: &str, port: u16, door: Door, home: &TempDir, log: &Path) -> Child {
    let app = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/backends/gradio_app.py");
    let out = std::fs::File::create(home.path().join("out")).unwrap();
    let mut command = Command::new(python);
    command.arg(app).arg(port.to_string());
    if door == Door::Locked {
        command.arg("auth");
    }
    command
        .env("GRADIO_ANALYTICS_ENABLED", "False")
        .env("GRADIO_APP_LOG", log)
        .stdin(Stdio::null())
        .stdout(out.try_clone().unwrap())
        .stderr(out)
        .spawn()
        .unwrap_or_else(|e| panic!("{python} does not start: {e}"))
}

async fn wait(url: &str, child: &mut Child) {
    let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build().unwrap();
    let deadline = tokio::time::Instant::now() + START;
    loop {
        let page = http.get(format!("{url}/config")).send().await;
        // A locked one answers 401.
        if let Ok(answer) = page
            && answer.json::<Value>().await.is_ok()
        {
            return;
        }
        let ended = child.try_wait().unwrap();
        if ended.is_some() || tokio::time::Instant::now() > deadline {
            let _ = child.kill();
            panic!("the app did not start at {url}");
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
