//! A supervisor over what a test needs, and waits for what it is told.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::JoinHandle,
    time::Duration,
};

use backline::{
    Supervisor,
    config::{BackendConfig, Config, Secret},
    jobs::Job,
    model::{BackendId, BackendStatus, Code, EventBody, JobState, Kind, Notice, Phase},
    net::Address,
    notices::Wanted,
    sim::litellm::{Options, SimLitellm},
    supervisor::Force,
};
use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::port::free_port;

/// Longest wait for anything; far above what is needed, so that only a hang meets it.
pub(crate) const LIMIT: Duration = Duration::from_secs(40);

pub(crate) fn backend(kind: Kind, port: u16) -> BackendConfig {
    let mut backend = BackendConfig::new(BackendId::new("a").unwrap(), kind, Address::loopback(port));
    // Fast enough for a test, slow enough for a busy machine.
    backend.timeouts.request = Duration::from_secs(5);
    backend
}

pub(crate) async fn start(backend: BackendConfig) -> Supervisor {
    Supervisor::builder().config(Config::new().backend(backend)).start().await.unwrap()
}

pub(crate) async fn ready_with(backend: BackendConfig) -> Supervisor {
    let supervisor = start(backend).await;
    ready(&supervisor).await;
    supervisor
}

pub(crate) async fn litellm() -> (SimLitellm, Supervisor) {
    let server = SimLitellm::start(Options::default()).await.unwrap();
    let supervisor = ready_with(keyed(&server)).await;
    (server, supervisor)
}

pub(crate) fn keyed(server: &SimLitellm) -> BackendConfig {
    backend(Kind::Litellm, server.port()).with_key(Secret::Inline(server.key().into()))
}

/// A port that nobody listens at.
pub(crate) fn dead_port() -> u16 {
    free_port()
}

/// Waits until the backend is as `fits` says.
pub(crate) async fn until(supervisor: &Supervisor, fits: impl Fn(&BackendStatus) -> bool) {
    let mut cell = supervisor.watch();
    let met = tokio::time::timeout(LIMIT, cell.wait_for(|now| now.backends.iter().any(|b| fits(b)))).await;
    assert!(matches!(met, Ok(Ok(_))), "it never became so: {:#?}", supervisor.snapshot().backends);
}

/// Waits until an attempt or a session failed for this cause.
pub(crate) async fn failed(supervisor: &Supervisor, code: Code) -> Option<Code> {
    until(supervisor, |b| b.last_error.as_ref().is_some_and(|e| e.code == code && !e.fix.is_empty())).await;
    Some(code)
}

/// Waits until it is ready, with a push for one that is parked.
pub(crate) async fn ready(supervisor: &Supervisor) {
    if supervisor.snapshot().backends[0].phase == Phase::Parked {
        supervisor.reconnect("a", Force::No).await.unwrap();
    }
    until(supervisor, |b| b.phase == Phase::Ready).await;
}

/// Waits until the notices are as `fits` says. Not each change is an event, so it looks by itself as well.
pub(crate) async fn told(supervisor: &Supervisor, fits: impl Fn(&[Notice]) -> bool) -> Vec<Notice> {
    let (mut events, begun) = (supervisor.events(), tokio::time::Instant::now());
    loop {
        let now = supervisor.notices(Wanted::All);
        if fits(&now) {
            return now;
        }
        assert!(begun.elapsed() < LIMIT, "it never became so: {now:#?}");
        let _ = tokio::time::timeout(Duration::from_millis(50), events.next()).await;
    }
}

/// Waits for an open notice of this cause.
pub(crate) async fn raised(supervisor: &Supervisor, code: Code) -> Notice {
    let is = |n: &&Notice| n.code == code && n.cleared_at.is_none();
    let all = told(supervisor, |all| all.iter().any(|n| is(&n))).await;
    let notice = all.iter().find(is).unwrap().clone();
    assert!(!notice.fix.is_empty() && !notice.title.is_empty(), "{notice:?}");
    notice
}

/// Waits until no notice of this cause is open, and one has ended.
pub(crate) async fn ended(supervisor: &Supervisor, code: Code) {
    let of =
        |all: &[Notice], open: bool| all.iter().any(|n| n.code == code && n.cleared_at.is_none() == open);
    told(supervisor, |all| !of(all, true) && of(all, false)).await;
}

/// Runs a job to its end and says why it failed.
pub(crate) async fn fails(supervisor: &Supervisor, job: Job) -> Option<Code> {
    let handle = supervisor.run(job).await.unwrap();
    let end = tokio::time::timeout(LIMIT, handle.outcome()).await;
    let end = end.unwrap_or_else(|_| panic!("no end: {:#?}", handle.status()));
    let error = end.error.as_ref().unwrap_or_else(|| panic!("it went well: {end:#?}"));
    assert!(!error.fix().is_empty());
    Some(error.code())
}

pub(crate) async fn succeeds(supervisor: &Supervisor, job: Job) {
    let handle = supervisor.run(job).await.unwrap();
    let end = tokio::time::timeout(LIMIT, handle.outcome()).await;
    let end = end.unwrap_or_else(|_| panic!("no end: {:#?}", handle.status()));
    assert_eq!(end.state, JobState::Done, "{end:#?}");
}

pub(crate) fn chat(model: &str) -> Job {
    Job::chat("a", json!({ "model": model, "messages": [{ "role": "user", "content": "hi" }] }))
}

/// A workflow of so many steps, 100 ms each.
pub(crate) fn workflow(steps: u32) -> Job {
    Job::workflow("a", graph(steps))
}

pub(crate) fn graph(steps: u32) -> Value {
    json!({
        "1": { "class_type": "EmptyImage", "inputs": { "width": 8, "height": 8, "batch_size": 1, "color": 1 } },
        "2": { "class_type": "WireSlow", "inputs": {
            "image": ["1", 0], "steps": steps, "delay": 0.1, "preview": false, "fail_at": -1, "nonce": steps } },
        "3": { "class_type": "SaveImage", "inputs": { "images": ["2", 0], "filename_prefix": "x" } },
    })
}

/// Waits for an event whose reason has this code.
pub(crate) async fn reason(supervisor: &Supervisor, code: Code, act: impl AsyncFnOnce()) -> Option<Code> {
    let mut events = supervisor.events();
    act().await;
    let heard = async {
        loop {
            let event = events.next().await.expect("the stream ended").expect("it lagged");
            if let EventBody::BackendPhase { reason: Some(fault), .. } = &event.body
                && fault.code() == code
            {
                return;
            }
        }
    };
    tokio::time::timeout(LIMIT, heard).await.unwrap_or_else(|_| panic!("`{code}` was never a reason"));
    Some(code)
}

/// The built binary, with nothing of this machine's configuration.
pub(crate) fn binary(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_backline"));
    plain(&mut command, directory);
    command
}

/// A script over `$BACKLINE`, in a network namespace of its own, which has no route to anywhere; `None` where this
/// machine allows none.
pub(crate) fn secluded(directory: &Path, script: &str) -> Option<()> {
    let may =
        Command::new("unshare").args(["-rn", "true"]).output().is_ok_and(|tried| tried.status.success());
    if !may {
        eprintln!("skipped: this machine makes no network namespaces (unshare -rn)");
        return None;
    }
    let mut command = Command::new("unshare");
    command.args(["-rn", "sh", "-c", script]);
    plain(&mut command, directory);
    command.env("BACKLINE", env!("CARGO_BIN_EXE_backline"));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    Some(())
}

/// The binary as it runs, until it is dropped.
pub(crate) struct Instance {
    child: Child,
    reader: Option<JoinHandle<()>>,
    directory: PathBuf,
}

impl Instance {
    /// Starts a command that becomes `backline run`, and waits until it serves.
    pub(crate) async fn start(mut command: Command, directory: &Path) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        // What it says further must not fill the pipe.
        let (tell, heard) = tokio::sync::oneshot::channel();
        let reader = std::thread::spawn(move || {
            let mut tell = Some(tell);
            for line in lines.map_while(Result::ok) {
                if line.starts_with("dashboard: ")
                    && let Some(tell) = tell.take()
                {
                    let _ = tell.send(());
                }
            }
        });
        let begun = Self { child, reader: Some(reader), directory: directory.to_owned() };
        tokio::time::timeout(LIMIT, heard).await.unwrap().unwrap();
        begun
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks it, by the command line, until a notice of this cause is open, or none is.
    pub(crate) fn told(&self, code: &str, open: bool) -> Value {
        let begun = tokio::time::Instant::now();
        let ask = || loop {
            let listed = binary(&self.directory).args(["--json", "notices"]).output().unwrap();
            let document: Value = serde_json::from_slice(&listed.stdout).unwrap();
            let notice = document["notices"].as_array().unwrap().iter().find(|n| n["code"] == code).cloned();
            if notice.is_some() == open {
                return notice.unwrap_or_default();
            }
            assert!(begun.elapsed() < LIMIT, "`{code}` open: {open} never became so: {document}");
        };
        tokio::task::block_in_place(ask)
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

pub(crate) fn plain(command: &mut Command, directory: &Path) {
    command.current_dir(directory).env_clear();
    for kept in ["PATH", "SYSTEMROOT", "TEMP", "LLVM_PROFILE_FILE"] {
        if let Some(value) = std::env::var_os(kept) {
            command.env(kept, value);
        }
    }
    command.env("HOME", directory).env("USERPROFILE", directory).env("APPDATA", directory);
    command.env("BACKLINE_STATE_DIR", directory.join("state"));
}
