//! Causes in Backline itself, in its configuration, and on its machine.

use std::{process::Command, time::Duration};

use backline::{
    Supervisor,
    config::{Config, Secret},
    model::{BackendId, Code, Fault, Kind, Phase},
    net::Address,
    sim::comfyui::{SimComfyui, Version},
    state::Store,
};

use crate::{
    place::{
        Instance, backend, binary, dead_port, ended, plain, raised, ready, ready_with, start, succeeds,
        until, workflow,
    },
    reach::loader,
};

async fn comfyui() -> (SimComfyui, Supervisor) {
    let server = SimComfyui::start(Version::V0_24_0).await.unwrap();
    let supervisor = ready_with(backend(Kind::Comfyui, server.server().port())).await;
    (server, supervisor)
}

/// A file stands where the directory is to be.
pub(crate) async fn an_output_that_cannot_be_written() -> Option<Code> {
    let (_server, supervisor) = comfyui().await;
    let directory = tempfile::tempdir().unwrap();
    let blocked = directory.path().join("out");
    std::fs::write(&blocked, "in the way").unwrap();
    let job = supervisor.run(workflow(1).save_to(&blocked)).await.unwrap();
    let notice = raised(&supervisor, Code::Disk).await;
    job.cancel();
    std::fs::remove_file(&blocked).unwrap();
    succeeds(&supervisor, workflow(2).save_to(&blocked)).await;
    ended(&supervisor, Code::Disk).await;
    Some(notice.code)
}

/// A picture that a job leaves in the state directory; then a higher budget, as the remedy says.
pub(crate) async fn files_of_jobs_that_fill_their_budget() -> Option<Code> {
    let server = SimComfyui::start(Version::V0_24_0).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let mut config = Config::new().backend(backend(Kind::Comfyui, server.server().port()));
    config.jobs.outputs = 100;
    let builder = Supervisor::builder().config(config.clone()).state_dir(directory.path().join("state"));
    let supervisor = builder.start().await.unwrap();
    let job = supervisor.run(workflow(1)).await.unwrap();
    let done = job.outcome().await;
    let notice = raised(&supervisor, Code::OutputsBudget).await;
    assert!(notice.message.contains(" of 100 B"), "{}", notice.message);
    // Told of, and not erased yet.
    let output = std::fs::metadata(&done.outputs[0].url).unwrap().len();
    config.jobs.outputs = 2 * output;
    supervisor.apply(config).await.unwrap();
    ended(&supervisor, Code::OutputsBudget).await;
    // The other remedy: what is not needed goes.
    let second = supervisor.run(workflow(2)).await.unwrap();
    second.outcome().await;
    raised(&supervisor, Code::OutputsBudget).await;
    supervisor.erase_job(second.id()).await.unwrap();
    ended(&supervisor, Code::OutputsBudget).await;
    Some(notice.code)
}

pub(crate) async fn an_address_that_is_none() -> Option<Code> {
    Address::parse("http://127.0.0.1:8188").unwrap();
    let fault = Fault::from(Address::parse("http://me:secret@127.0.0.1:1").unwrap_err());
    assert!(!fault.message().contains("secret"), "{fault}");
    Some(fault.code())
}

pub(crate) async fn a_key_whose_variable_is_missing() -> Option<Code> {
    let server = backline::sim::litellm::SimLitellm::start(Default::default()).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("key");
    let keyed = || backend(Kind::Litellm, server.port()).with_key(Secret::File(file.clone()));
    let supervisor = start(keyed()).await;
    let notice = raised(&supervisor, Code::BadConfig).await;
    assert!(notice.message.contains("does not exist"), "{}", notice.message);
    std::fs::write(&file, server.key()).unwrap();
    ready(&supervisor).await;
    ended(&supervisor, Code::BadConfig).await;
    Some(notice.code)
}

/// A supervisor over a file, which is then another.
struct Filed {
    directory: tempfile::TempDir,
    supervisor: Supervisor,
    port: u16,
}

impl Filed {
    async fn start() -> Self {
        let (directory, port) = (tempfile::tempdir().unwrap(), dead_port());
        let file = directory.path().join("backline.ron");
        std::fs::write(&file, Self::text(port, "")).unwrap();
        let builder = Supervisor::builder().loader(loader(&file)).state_dir(directory.path().join("state"));
        Self { supervisor: builder.start().await.unwrap(), directory, port }
    }

    fn text(port: u16, more: &str) -> String {
        format!(
            r#"(backends: {{ "a": (kind: comfyui, url: "http://127.0.0.1:{port}"{more}) }}, discovery: (enabled: false))"#
        )
    }

    fn write(&self, text: &str) {
        let next = self.directory.path().join("next");
        std::fs::write(&next, text).unwrap();
        std::fs::rename(&next, self.directory.path().join("backline.ron")).unwrap();
    }
}

pub(crate) async fn a_file_that_was_saved_with_a_mistake() -> Option<Code> {
    let filed = Filed::start().await;
    filed.write("(backends: { \"a\": (kind: comfy");
    let notice = raised(&filed.supervisor, Code::ConfigInvalid).await;
    filed.write(&Filed::text(filed.port, ", required: true"));
    ended(&filed.supervisor, Code::ConfigInvalid).await;
    Some(notice.code)
}

pub(crate) async fn a_change_under_an_edit() -> Option<Code> {
    let filed = Filed::start().await;
    let id = || BackendId::new("a").unwrap();
    let fields = backline::settings::Fields::new().set("hang_limit", "90s");
    filed.supervisor.change_backend(id(), fields).await.unwrap();
    filed.write(&Filed::text(filed.port, ", hang_limit: \"3m\""));
    let notice = raised(&filed.supervisor, Code::ConfigMasked).await;
    assert!(notice.message.contains("backends.a.hang_limit"), "{}", notice.message);
    filed.supervisor.revert_backend(id()).await.unwrap();
    ended(&filed.supervisor, Code::ConfigMasked).await;
    Some(notice.code)
}

pub(crate) async fn an_actor_that_crashes() -> Option<Code> {
    let (_server, supervisor) = comfyui().await;
    supervisor.inject_panic("a").unwrap();
    let notice = raised(&supervisor, Code::Crashed).await;
    ready(&supervisor).await;
    Some(notice.code)
}

pub(crate) async fn an_actor_that_keeps_crashing() -> Option<Code> {
    let (_server, supervisor) = comfyui().await;
    let (mut cell, begun) = (supervisor.watch(), tokio::time::Instant::now());
    while supervisor.snapshot().backends[0].phase != Phase::Quarantined {
        assert!(begun.elapsed() < crate::place::LIMIT, "{:#?}", supervisor.snapshot().backends);
        // One that is being restarted takes no message.
        let _ = supervisor.inject_panic("a");
        let _ = tokio::time::timeout(Duration::from_millis(50), cell.changed()).await;
    }
    let notice = raised(&supervisor, Code::CrashLoop).await;
    supervisor.reconnect("a", backline::supervisor::Force::No).await.unwrap();
    until(&supervisor, |b| b.phase == Phase::Ready).await;
    ended(&supervisor, Code::CrashLoop).await;
    Some(notice.code)
}

pub(crate) async fn a_backend_that_a_person_paused() -> Option<Code> {
    let (_server, supervisor) = comfyui().await;
    supervisor.pause_backend("a").unwrap();
    failed_or_paused(&supervisor).await;
    let error = supervisor.lease_within("a", Duration::from_millis(50)).await.map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("paused"), "{error}");
    supervisor.resume_backend("a").unwrap();
    until(&supervisor, |b| b.phase == Phase::Ready).await;
    succeeds(&supervisor, workflow(1)).await;
    Some(Code::Paused)
}

/// A person pauses what another backend needs.
pub(crate) async fn a_backend_whose_need_a_person_paused() -> Option<Code> {
    let servers = [
        SimComfyui::start(Version::V0_24_0).await.unwrap(),
        SimComfyui::start(Version::V0_24_0).await.unwrap(),
    ];
    let mut needed = backend(Kind::Comfyui, servers[0].server().port());
    needed.id = BackendId::new("needed").unwrap();
    let mut needing = backend(Kind::Comfyui, servers[1].server().port());
    needing.depends_on = vec![needed.id.clone()];
    let config = Config::new().backend(needed).backend(needing);
    let supervisor = Supervisor::builder().config(config).start().await.unwrap();
    until(&supervisor, |b| b.id.as_str() == "a" && b.phase == Phase::Ready).await;
    supervisor.pause_backend("needed").unwrap();
    let notice = raised(&supervisor, Code::DependencyDown).await;
    assert_eq!(notice.message, "a is degraded because needed is paused");
    supervisor.resume_backend("needed").unwrap();
    ended(&supervisor, Code::DependencyDown).await;
    Some(notice.code)
}

async fn failed_or_paused(supervisor: &Supervisor) {
    until(supervisor, |b| {
        b.phase == Phase::Paused && b.last_error.as_ref().is_some_and(|e| e.code == Code::Paused)
    })
    .await;
}

/// The kernel is told to let it write no file any more, as a quota does; then the limit is lifted.
#[cfg(target_os = "linux")]
pub(crate) async fn a_disk_that_refuses() -> Option<Code> {
    let directory = tempfile::tempdir().unwrap();
    // A backend that is off makes notices, which are to be written.
    let text = format!(r#"(backends: {{ "a": (kind: comfyui, url: "http://127.0.0.1:{}") }})"#, dead_port());
    std::fs::write(directory.path().join("backline.ron"), text).unwrap();
    let mut run = Command::new("sh");
    // The signal that goes with the limit is not to end it: what is tried is the answer of the write.
    run.args(["-c", "trap '' XFSZ; exec \"$0\" run --listen 127.0.0.1:0", env!("CARGO_BIN_EXE_backline")]);
    plain(&mut run, directory.path());
    let instance = Instance::start(run, directory.path()).await;
    let limit = |to: &str| {
        let mut prlimit = Command::new("prlimit");
        prlimit.args(["--pid", &instance.pid().to_string(), &format!("--fsize={to}:unlimited")]);
        prlimit.output().is_ok_and(|done| done.status.success())
    };
    if !limit("0") {
        eprintln!("skipped: this machine limits no other process (prlimit)");
        return None;
    }
    let notice = instance.told("disk_trouble", true);
    assert!(notice["message"].as_str().unwrap().contains("nothing is kept since"), "{notice}");
    assert!(limit("unlimited"));
    instance.told("disk_trouble", false);
    Some(Code::DiskTrouble)
}

/// Another program holds the database, as a browser of databases does; its end is the remedy.
pub(crate) async fn a_database_that_another_program_holds() -> Option<Code> {
    let directory = tempfile::tempdir().unwrap();
    let config = Config::new().backend(backend(Kind::Comfyui, dead_port()));
    let state = directory.path().join("state");
    let supervisor = Supervisor::builder().config(config).state_dir(&state).start().await.unwrap();
    let other = rusqlite::Connection::open(state.join("state.db")).unwrap();
    other.busy_timeout(crate::place::LIMIT).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let notice = raised(&supervisor, Code::DiskTrouble).await;
    assert!(notice.fix.contains("Close the other program"), "{}", notice.fix);
    drop(other);
    ended(&supervisor, Code::DiskTrouble).await;
    Some(notice.code)
}

#[cfg(not(target_os = "linux"))]
pub(crate) async fn a_disk_that_refuses() -> Option<Code> {
    eprintln!("skipped: only Linux limits the files of another process");
    None
}

/// A tmpfs of 4 MiB, in a mount namespace of the binary's own.
#[cfg(target_os = "linux")]
pub(crate) async fn a_disk_that_is_full() -> Option<Code> {
    let directory = tempfile::tempdir().unwrap();
    let small = directory.path().join("small");
    std::fs::create_dir(&small).unwrap();
    let mount = "mount -t tmpfs -o size=4m,mode=0700 none small";
    let may = |script: &str| {
        let mut tried = Command::new("unshare");
        tried.args(["-rm", "sh", "-c", script]).current_dir(directory.path());
        tried.output().is_ok_and(|tried| tried.status.success())
    };
    if !may(mount) {
        eprintln!("skipped: this machine mounts nothing for us (unshare -rm, tmpfs)");
        return None;
    }
    // A backend that is off makes notices, which are to be written.
    let text = format!(r#"(backends: {{ "a": (kind: comfyui, url: "http://127.0.0.1:{}") }})"#, dead_port());
    std::fs::write(directory.path().join("backline.ron"), text).unwrap();
    let script = format!(
        "{mount} && export BACKLINE_STATE_DIR=small/state && mkdir -m 700 small/state && \
         {{ timeout 100 $BACKLINE run --listen 127.0.0.1:0 2>log & }} && \
         i=0; until grep -q dashboard log || [ $i -gt 200 ]; do sleep 0.05; i=$((i+1)); done; \
         dd if=/dev/zero of=small/filler bs=4k 2>/dev/null; \
         i=0; until $BACKLINE --json notices | grep -q disk_full || [ $i -gt 200 ]; do sleep 0.1; i=$((i+1)); done; \
         $BACKLINE --json notices >told; rm small/filler; \
         i=0; while $BACKLINE --json notices | grep -q disk_full && [ $i -lt 300 ]; do sleep 0.1; i=$((i+1)); done; \
         $BACKLINE --json notices >after; kill %1 2>/dev/null; wait; true"
    );
    let mut command = Command::new("unshare");
    command.args(["-rm", "bash", "-c", &script]).current_dir(directory.path()).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", directory.path());
    command.env("BACKLINE", env!("CARGO_BIN_EXE_backline"));
    let ended = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let read = |name: &str| std::fs::read_to_string(directory.path().join(name)).unwrap_or_default();
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(read("told").contains("disk_full"), "{} {} {said}", read("told"), read("log"));
    assert!(!read("after").contains("disk_full"), "it did not end: {}", read("after"));
    Some(Code::DiskFull)
}

#[cfg(not(target_os = "linux"))]
pub(crate) async fn a_disk_that_is_full() -> Option<Code> {
    eprintln!("skipped: a small disk is made by Linux only");
    None
}

pub(crate) async fn a_database_that_was_damaged() -> Option<Code> {
    let directory = tempfile::tempdir().unwrap();
    let run = || Supervisor::builder().state_dir(directory.path().join("state")).start();
    run().await.unwrap().shutdown(Duration::from_secs(5)).await;
    std::fs::write(directory.path().join("state/state.db"), "no database, but a text ".repeat(400)).unwrap();
    let supervisor = run().await.unwrap();
    let notice = raised(&supervisor, Code::StateSalvaged).await;
    assert!(notice.message.contains("lies at"), "{}", notice.message);
    Some(notice.code)
}

pub(crate) async fn samples_that_are_too_many() -> Option<Code> {
    let store = Store::in_memory().await.unwrap();
    // Nobody serves it yet, and 8192 may wait.
    for _ in 0..8_200 {
        store.later("a sample", |_| Ok(()));
    }
    let supervisor = Supervisor::builder().store(store).start().await.unwrap();
    Some(raised(&supervisor, Code::HistoryDropped).await.code)
}

/// A thread of its own: its clock for waits runs ahead by an hour while the wall's stands, as after a set clock.
pub(crate) async fn a_clock_that_jumps() -> Option<Code> {
    let jumped = std::thread::spawn(|| {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let supervisor = Supervisor::builder().config(Config::new()).start().await.unwrap();
            tokio::time::sleep(Duration::from_secs(3_600)).await;
            raised(&supervisor, Code::ClockJump).await.code
        })
    });
    Some(tokio::task::spawn_blocking(|| jumped.join().unwrap()).await.unwrap())
}

/// Between the program and the kernel: the wall's clock is ahead by what a file says, and the steady one is not touched.
#[cfg(target_os = "linux")]
const CLOCK: &str = r#"
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t id, struct timespec *at) {
    long done = syscall(SYS_clock_gettime, id, at);
    if (done != 0 || id != CLOCK_REALTIME) return done;
    char text[16] = {0};
    int file = open(getenv("AHEAD"), O_RDONLY);
    if (file >= 0) {
        if (read(file, text, 15) > 0) at->tv_sec += atol(text);
        close(file);
    }
    return 0;
}
"#;

/// The clock of a running program is set, an hour ahead.
#[cfg(target_os = "linux")]
pub(crate) async fn a_clock_that_is_set() -> Option<Code> {
    let directory = tempfile::tempdir().unwrap();
    let (source, shim) = (directory.path().join("clock.c"), directory.path().join("clock.so"));
    let ahead = directory.path().join("ahead");
    std::fs::write(&source, CLOCK).unwrap();
    let built = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&shim).arg(&source).output();
    if !built.is_ok_and(|built| built.status.success()) {
        eprintln!("skipped: there is no C compiler to make a clock with (cc)");
        return None;
    }
    let mut run = binary(directory.path());
    run.args(["run", "--listen", "127.0.0.1:0"]).env("LD_PRELOAD", &shim).env("AHEAD", &ahead);
    let instance = Instance::start(run, directory.path()).await;
    std::fs::write(&ahead, "3600").unwrap();
    let notice = instance.told("clock_jump", true);
    assert!(notice["message"].as_str().unwrap().contains("ahead by 3"), "{notice}");
    Some(Code::ClockJump)
}

#[cfg(not(target_os = "linux"))]
pub(crate) async fn a_clock_that_is_set() -> Option<Code> {
    eprintln!("skipped: only Linux is given a clock this way");
    None
}
