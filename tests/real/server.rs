//! A real server as a child process, on a port of its own.

use std::{
    fs::File,
    io::Write,
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;

use crate::port::free_port;

/// Longest start: a real server imports for up to 80 s on a loaded machine.
const START: Duration = Duration::from_secs(150);

/// How to start it on a port, with a directory of its own.
type Recipe = Box<dyn Fn(u16, &Path) -> Command + Send>;

pub(crate) struct Server {
    pub(crate) port: u16,
    recipe: Recipe,
    child: Option<Child>,
    home: TempDir,
}

impl Server {
    pub(crate) fn new(recipe: impl Fn(u16, &Path) -> Command + Send + 'static) -> Self {
        Self { port: free_port(), recipe: Box::new(recipe), child: None, home: TempDir::new().unwrap() }
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Starts it, and returns once it listens.
    pub(crate) async fn start(&mut self) {
        let log = File::create(self.home.path().join("log")).unwrap();
        let mut command = (self.recipe)(self.port, self.home.path());
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let child = command.spawn().unwrap_or_else(|e| panic!("{command:?} does not start: {e}"));
        self.child = Some(child);
        let deadline = tokio::time::Instant::now() + START;
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let ended = self.child.as_mut().unwrap().try_wait().unwrap();
            let late = tokio::time::Instant::now() > deadline;
            assert!(ended.is_none() && !late, "it did not start: {}", self.log());
            // There is no event to wait for: nobody tells us when another process listens.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// As `kill -9`.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// As Ctrl-C: it ends by itself, within this time.
    pub(crate) async fn interrupt(&mut self, within: Duration) {
        self.signal(Signal::SIGINT);
        let deadline = tokio::time::Instant::now() + within;
        while self.child.as_mut().expect("it runs").try_wait().unwrap().is_none() {
            assert!(tokio::time::Instant::now() < deadline, "it does not stop: {}", self.log());
            // Nobody tells us when another process ends.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.child = None;
    }

    /// As `kill -STOP`.
    pub(crate) fn stop(&self) {
        self.signal(Signal::SIGSTOP);
    }

    /// As `kill -CONT`.
    pub(crate) fn resume(&self) {
        self.signal(Signal::SIGCONT);
    }

    fn signal(&self, signal: Signal) {
        let id = self.child.as_ref().expect("it runs").id();
        kill(Pid::from_raw(i32::try_from(id).unwrap()), signal).unwrap();
    }

    /// What it has written so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.home.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // One that has ended already needs no kill.
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            eprintln!("the server at {} said: {}", self.port, self.log());
        }
    }
}

pub(crate) fn apps() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/backends")
}

/// The value of a variable, or a skip that is seen and counted.
pub(crate) fn installed(variable: &str, what: &str) -> Option<String> {
    if let Ok(value) = std::env::var(variable) {
        return Some(value);
    }
    skip(&format!("{what}: {variable} is not set"));
    None
}

pub(crate) fn skip(why: &str) {
    eprintln!("SKIP: {why}");
    if let Ok(path) = std::env::var("BACKLINE_SKIPS") {
        let mut file = File::options().create(true).append(true).open(path).unwrap();
        writeln!(file, "SKIP: {why}").unwrap();
    }
}
