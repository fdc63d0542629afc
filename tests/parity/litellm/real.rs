//! A real LiteLLM of one's own, with its upstream, from the environment that `BACKLINE_REAL_LITELLM` names.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;

use crate::{golden, port::free_port};

/// It imports for half a minute, more on a loaded machine.
const START: Duration = Duration::from_secs(180);

/// A real server and its upstream; dropping it ends both.
pub struct Real {
    pub url: String,
    pub key: String,
    server: Process,
    _upstream: Process,
    _home: TempDir,
}

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Real {
    /// As `kill -9`.
    pub fn kill(&mut self) {
        let _ = self.server.0.kill();
        let _ = self.server.0.wait();
    }

    /// Its process id.
    #[cfg(unix)]
    pub fn pid(&self) -> i32 {
        i32::try_from(self.server.0.id()).unwrap()
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.url.rsplit(':').next().unwrap().parse().unwrap()
    }
}

/// Starts one; `None` where none is installed.
pub async fn start() -> Option<Real> {
    let Ok(python) = std::env::var("BACKLINE_REAL_LITELLM").map(PathBuf::from) else {
        golden::skip("parity with a real LiteLLM: BACKLINE_REAL_LITELLM names no Python with one");
        return None;
    };
    let home = TempDir::new().unwrap();
    let (port, stub) = (free_port(), free_port());
    let key = format!("sk-{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
    let mut upstream = Command::new(&python);
    upstream.arg(backends().join("openai_stub.py")).arg(stub.to_string());
    let upstream = Process(spawn(&mut upstream, &home.path().join("upstream.log")));
    let mut server = serve(&python, port, &key, &format!("http://127.0.0.1:{stub}/v1"), home.path());
    let url = format!("http://127.0.0.1:{port}");
    listening(&mut server, &url, home.path()).await;
    Some(Real { url, key, server, _upstream: upstream, _home: home })
}

fn serve(python: &Path, port: u16, key: &str, upstream: &str, home: &Path) -> Process {
    let mut server = Command::new(python.with_file_name("litellm"));
    server
        .arg("--config")
        .arg(backends().join("litellm.yaml"))
        .args(["--host", "127.0.0.1", "--port", &port.to_string()])
        .current_dir(home)
        .env("LITELLM_MASTER_KEY", key)
        .env("LITELLM_LOCAL_MODEL_COST_MAP", "True")
        .env("OPENAI_STUB", upstream);
    Process(spawn(&mut server, &home.join("litellm.log")))
}

fn spawn(command: &mut Command, log: &Path) -> Child {
    let log = File::create(log).unwrap();
    command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
    command.spawn().unwrap_or_else(|e| panic!("{command:?} does not start: {e}"))
}

async fn listening(server: &mut Process, url: &str, home: &Path) {
    let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build().unwrap();
    let deadline = tokio::time::Instant::now() + START;
    while http.get(format!("{url}/health/liveliness")).send().await.is_err() {
        let ended = server.0.try_wait().unwrap();
        if ended.is_some() || tokio::time::Instant::now() > deadline {
            panic!("LiteLLM did not start: {}", std::fs::read_to_string(home.join("litellm.log")).unwrap());
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

fn backends() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/backends")
}
