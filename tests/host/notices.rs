//! What a person is told, and that it outlives the process.

use std::time::Duration;

use backline::{
    Supervisor,
    config::{Config, Secret},
    model::{Code, EventBody, Kind, Notice},
    notices::{Mute, Wanted},
    sim::litellm::{Options, SimLitellm},
    state::Store,
};
use futures_util::StreamExt;

use crate::world::backend;

/// Longest wait for anything; far above what is needed, so that only a hang meets it.
const LIMIT: Duration = Duration::from_secs(20);

/// Waits until the notices are as `fits` says. Of a muted one no event tells, so it looks by itself as well.
async fn until(supervisor: &Supervisor, fits: impl Fn(&[Notice]) -> bool) -> Vec<Notice> {
    let (mut events, begun) = (supervisor.events(), tokio::time::Instant::now());
    loop {
        let now = supervisor.notices(Wanted::All);
        if fits(&now) {
            return now;
        }
        assert!(begun.elapsed() < LIMIT, "it never became so: {now:#?}");
        // Nothing heard is a reason to look, too.
        let _ = tokio::time::timeout(Duration::from_millis(50), events.next()).await;
    }
}

fn with_key(server: &SimLitellm, key: &str) -> Config {
    let backend = backend("litellm", Kind::Litellm, server.port());
    Config::new().backend(backend.with_key(Secret::Inline(key.to_owned().into())))
}

#[tokio::test]
async fn an_open_notice_outlives_the_process_and_ends_when_its_cause_is_gone() {
    let server = SimLitellm::start(Options::default()).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let run = |key: String| {
        let builder = Supervisor::builder().config(with_key(&server, &key));
        builder.state_dir(directory.path().join("state")).start()
    };
    let first = run("sk-wrong-wrong-wrong".to_owned()).await.unwrap();
    let told = until(&first, |all| all.iter().any(|n| n.code == Code::AuthWrong)).await;
    let notice = told.iter().find(|n| n.code == Code::AuthWrong).unwrap().clone();
    let shown = serde_json::to_string(&told).unwrap();
    assert!(!shown.contains("sk-wrong-wrong-wrong"), "a key is told: {shown}");
    first.mute_notice(&notice.id.to_string(), Some(Mute::ForGood)).unwrap();
    assert!(first.notices(Wanted::Shown).iter().all(|n| n.id != notice.id));
    first.shutdown(Duration::from_secs(1)).await;

    let second = run(server.key().to_owned()).await.unwrap();
    let ended = |all: &[Notice]| all.iter().any(|n| n.id == notice.id && n.cleared_at.is_some());
    let all = until(&second, ended).await;
    let kept = all.iter().find(|n| n.id == notice.id).unwrap();
    assert_eq!((kept.first_at, &kept.message), (notice.first_at, &notice.message));
    second.shutdown(Duration::from_secs(1)).await;

    // The mute is remembered, too.
    let third = run("sk-wrong-wrong-wrong".to_owned()).await.unwrap();
    let anew = |all: &[Notice]| all.iter().any(|n| n.code == Code::AuthWrong && n.hidden.is_some());
    until(&third, anew).await;
}

#[tokio::test]
async fn a_disk_that_refuses_is_told_although_it_cannot_be_kept() {
    let store = Store::in_memory().await.unwrap();
    let supervisor = Supervisor::builder().store(store.clone()).start().await.unwrap();
    let mut events = supervisor.events();
    store.fail_openings(2);
    store.fail_commits(1, 1);
    let refused = store.write("a thing", |on| on.execute("INSERT INTO meta VALUES ('a', 'b')", ())).await;
    assert!(refused.is_err());
    let disk = |n: &Notice| matches!(n.code, Code::DiskFull | Code::DiskTrouble);
    let (mut raised, mut cleared) = (false, false);
    while !(raised && cleared) {
        match tokio::time::timeout(LIMIT, events.next()).await.expect("it was never told").unwrap() {
            Ok(event) => match &event.body {
                EventBody::NoticeRaised(n) if disk(n) => raised = true,
                EventBody::NoticeCleared(n) if disk(n) => cleared = true,
                _ => {}
            },
            Err(lagged) => panic!("{lagged}"),
        }
    }
    assert!(supervisor.notices(Wanted::Shown).iter().all(|n| !disk(n)));
}

#[tokio::test]
async fn history_that_is_dropped_is_told_with_its_count() {
    let store = Store::in_memory().await.unwrap();
    // Nobody serves it yet, and 8192 may wait.
    for _ in 0..8_200 {
        store.later("a sample", |_| Ok(()));
    }
    let supervisor = Supervisor::builder().store(store).start().await.unwrap();
    let dropped = |n: &&Notice| n.code == Code::HistoryDropped;
    let told = until(&supervisor, |all| all.iter().any(|n| dropped(&n))).await;
    assert_eq!(told.iter().find(dropped).unwrap().count, 8);
}
