use jiff::Timestamp;
use serde_json::value::RawValue;

use super::{disk::Disk as Journal, *};
use crate::{
    jobs::machine::{
        Effect, Event, Keep, Machine, Terms,
        tests::{COMFY, output, run},
    },
    model::Work,
    state::{Cause, Serving, Store},
};

async fn journal(bounds: JobsConfig) -> (Journal, Serving) {
    let store = Store::in_memory().await.unwrap();
    let serving = store.serve();
    (Journal::new(store, watch::channel(bounds).1), serving)
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + seconds).unwrap()
}

fn entry(key: Option<&str>, graph: &str) -> Entry {
    let raw = RawValue::from_string(graph.to_owned()).unwrap();
    Entry {
        id: JobId::random(),
        key: key.map(str::to_owned),
        target: "a".to_owned(),
        request: Request { work: Work::Workflow(raw.into()), save_to: None },
        terms: Terms::default(),
        at: at(0),
        inputs: Vec::new(),
    }
}

fn number(accepted: Accepted) -> i64 {
    match accepted {
        Accepted::New { number } => number,
        Accepted::Known { .. } => panic!("{accepted:?}"),
    }
}

/// Lives through these events, each written down as the driver would.
async fn live(journal: &Journal, number: i64, mut machine: Machine, events: Vec<Event>) -> Machine {
    for (index, event) in events.into_iter().enumerate() {
        let seq = u32::try_from(index).unwrap() + 1;
        let age = Duration::from_secs(u64::from(seq));
        let (next, effects) = machine.step(event.clone(), age);
        machine = next;
        let Some(Effect::Record { evidence }) = effects.first() else { panic!("{event:?} is no step") };
        let step = Step {
            seq,
            at: at(i64::from(seq)),
            age,
            event,
            evidence: evidence.clone(),
            state: machine.state(),
            keep_request: machine.terms().keep == Keep::All,
        };
        journal.append(number, &step).await.unwrap();
        // A write of unknown outcome is repeated.
        journal.append(number, &step).await.unwrap();
    }
    machine
}

/// A job that is done and has left one file of so many bytes.
pub(crate) async fn leaves(journal: &Journal, bytes: u64, save_to: Option<&str>) -> JobId {
    let terms = Terms { files: crate::jobs::machine::Files::Fetch, ..Terms::default() };
    let mut entry = Entry { terms, inputs: vec![("aa".to_owned(), 5)], ..entry(None, "{}") };
    entry.request.save_to = save_to.map(Into::into);
    let n = number(journal.accept(entry.clone()).await.unwrap());
    let files = vec![crate::jobs::machine::tests::file("x")];
    let output = crate::model::OutputFile { bytes, ..output("0.png") };
    let events = vec![
        Event::Bound(Box::new(run(COMFY))),
        Event::Finished { files, result: None },
        Event::Fetched { index: 0, output },
    ];
    let machine = live(journal, n, Machine::accepted(entry.terms), events).await;
    assert_eq!(machine.state(), crate::model::JobState::Done);
    entry.id
}

fn done() -> Vec<Event> {
    let bound = Event::Bound(Box::new(run(COMFY)));
    vec![
        bound,
        Event::Arrived,
        Event::Started,
        Event::Finished { files: Vec::new(), result: Some("{}".to_owned()) },
    ]
}

#[tokio::test(start_paused = true)]
async fn what_was_accepted_is_there_again_with_the_machine_that_it_was() {
    let (journal, _serving) = journal(JobsConfig::default()).await;
    let (first, second) = (entry(None, "{\"1\":2}"), entry(None, "{}"));
    let a = number(journal.accept(first.clone()).await.unwrap());
    number(journal.accept(second.clone()).await.unwrap());
    let half = done().into_iter().take(2).collect();
    let machine = live(&journal, a, Machine::accepted(first.terms.clone()), half).await;
    let loaded = journal.load(10).await.unwrap();
    assert_eq!(loaded.iter().map(|l| l.id).collect::<Vec<_>>(), [first.id, second.id]);
    assert_eq!(
        (&loaded[0].machine, loaded[0].last_seq, loaded[0].age),
        (&machine, 2, Duration::from_secs(2))
    );
    assert!(loaded.iter().all(|l| l.damage.is_none()));
    let Some(Request { work: Work::Workflow(graph), .. }) = &loaded[0].request else { panic!("{loaded:?}") };
    assert_eq!(graph.get(), "{\"1\":2}");
    let states: Vec<_> = loaded[0].timeline.iter().map(|(_, state, _)| state.as_str()).collect();
    assert_eq!(states, ["queued", "sent", "sent"]);
}

#[tokio::test(start_paused = true)]
async fn a_key_makes_one_job_also_at_once_and_another_request_is_a_conflict() {
    let (journal, _serving) = journal(JobsConfig::default()).await;
    // Spaces and the order of fields are no other request.
    let (a, b) = (entry(Some("k"), "{\"a\":1,\"b\":2}"), entry(Some("k"), "{ \"b\": 2, \"a\": 1 }"));
    let (x, y) = tokio::join!(journal.accept(a.clone()), journal.accept(b.clone()));
    number(x.unwrap());
    assert_eq!(y.unwrap(), Accepted::Known { id: a.id, state: None });
    let other = journal.accept(entry(Some("k"), "{}")).await.unwrap_err();
    assert_eq!((other.code(), other.class().to_owned()), ("key_conflict", crate::model::Class::Conflict));
    assert_eq!(journal.load(10).await.unwrap().len(), 1);
    number(journal.accept(entry(None, "{}")).await.unwrap());
    number(journal.accept(entry(None, "{}")).await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_key_outlives_its_job_by_its_time() {
    let bounds = JobsConfig { ended: 0, keep: Duration::from_secs(100), ..JobsConfig::default() };
    let (journal, _serving) = journal(bounds).await;
    let first = entry(Some("k"), "{}");
    let n = number(journal.accept(first.clone()).await.unwrap());
    live(&journal, n, Machine::accepted(first.terms.clone()), done()).await;
    let known = journal.accept(entry(Some("k"), "{}")).await.unwrap();
    assert_eq!(known, Accepted::Known { id: first.id, state: Some(crate::model::JobState::Done) });
    assert_eq!(journal.sweep(bounds, at(50)).await.unwrap().jobs, [first.id.to_string()]);
    let known = journal.accept(entry(Some("k"), "{}")).await.unwrap();
    assert_eq!(known, Accepted::Known { id: first.id, state: None });
    assert!(journal.find(first.id).await.unwrap().is_none());
    journal.sweep(bounds, at(105)).await.unwrap();
    number(journal.accept(entry(Some("k"), "{}")).await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn too_many_open_jobs_are_a_named_error() {
    let (journal, _serving) = journal(JobsConfig { open: 1, ..JobsConfig::default() }).await;
    let first = entry(Some("k"), "{}");
    let n = number(journal.accept(first.clone()).await.unwrap());
    assert_eq!(journal.accept(entry(None, "{}")).await.unwrap_err().code(), "journal_full");
    // A known key needs no room.
    assert!(matches!(journal.accept(entry(Some("k"), "{}")).await, Ok(Accepted::Known { .. })));
    live(&journal, n, Machine::accepted(first.terms), done()).await;
    number(journal.accept(entry(None, "{}")).await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn the_oldest_ended_jobs_make_room_for_outputs() {
    let bounds = JobsConfig { outputs: 150, ..JobsConfig::default() };
    let (journal, _serving) = journal(bounds).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(leaves(&journal, 100, None).await.to_string());
    }
    // What lies at a place of the caller's is no load, and never goes.
    let elsewhere = leaves(&journal, 1_000, Some("/home/somebody")).await;
    assert_eq!(journal.weight().await.unwrap(), 300);
    let swept = journal.sweep(bounds, at(10)).await.unwrap();
    assert!(journal.find(elsewhere).await.unwrap().is_some());
    assert_eq!((swept.jobs, swept.bytes), (ids[..2].to_vec(), 200));
    // The third takes the same input.
    assert!(swept.inputs.is_empty());
    let last = journal.load(10).await.unwrap().remove(0);
    assert!(journal.erase(last.number).await.unwrap().inputs.is_empty(), "the fourth takes it");
}

#[tokio::test(start_paused = true)]
async fn an_open_job_is_never_erased() {
    let bounds = JobsConfig { ended: 0, outputs: 0, ..JobsConfig::default() };
    let (journal, _serving) = journal(bounds).await;
    let n = number(journal.accept(entry(None, "{}")).await.unwrap());
    assert_eq!(journal.erase(n).await.unwrap(), Swept::default());
    assert_eq!(journal.sweep(bounds, at(1 << 30)).await.unwrap(), Swept::default());
    assert_eq!(journal.load(0).await.unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_wants_nothing_kept_keeps_its_verdict_and_its_hash() {
    let (journal, _serving) = journal(JobsConfig::default()).await;
    let terms = Terms { keep: Keep::Verdict, ..Terms::default() };
    let inputs = vec![("ab".repeat(32), 3)];
    let secret = Entry { terms, inputs, ..entry(Some("k"), "{\"prompt\":\"secret\"}") };
    let n = number(journal.accept(secret.clone()).await.unwrap());
    live(&journal, n, Machine::accepted(secret.terms.clone()), done()).await;
    let kept = |c: &rusqlite::Connection| {
        c.query_row("SELECT request IS NULL, length(hash), state FROM jobs", (), |r| {
            Ok((r.get::<_, bool>(0)?, r.get::<_, i64>(1)?, r.get::<_, String>(2)?))
        })
    };
    assert_eq!(journal.store().read("it", kept).await.unwrap(), (true, 32, "done".to_owned()));
    let left = |c: &rusqlite::Connection| {
        let sql = "SELECT (SELECT count(*) FROM job_steps WHERE event <> '' OR evidence <> '')
                   + (SELECT count(*) FROM job_outputs) + (SELECT count(*) FROM job_inputs)";
        c.query_row(sql, (), |r| r.get::<_, i64>(0))
    };
    assert_eq!(journal.store().read("the rest", left).await.unwrap(), 0);
    let loaded = journal.find(secret.id).await.unwrap().unwrap();
    assert!(loaded.request.is_none() && loaded.machine.stage().is_end(), "{loaded:?}");
    let known = journal.accept(Entry { id: JobId::random(), ..secret.clone() }).await.unwrap();
    assert!(matches!(known, Accepted::Known { id, .. } if id == secret.id));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_accepted_that_the_disk_refused() {
    let (journal, _serving) = journal(JobsConfig::default()).await;
    journal.store().fail_commits(1, 1);
    let refused = journal.accept(entry(Some("k"), "{}")).await.unwrap_err();
    assert!(matches!(&refused, Error::State(trouble) if trouble.cause() == Cause::Io), "{refused:?}");
    assert_eq!(journal.store().failures_played(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_damaged_step_is_named_and_harms_no_other_job() {
    let (journal, _serving) = journal(JobsConfig::default()).await;
    let first = entry(None, "{}");
    let n = number(journal.accept(first.clone()).await.unwrap());
    live(&journal, n, Machine::accepted(first.terms.clone()), done().into_iter().take(2).collect()).await;
    number(journal.accept(entry(None, "{}")).await.unwrap());
    let spoil = |t: &rusqlite::Transaction<'_>| {
        t.execute("UPDATE job_steps SET event = '{\"kind\":\"??\"}' WHERE seq = 2", ()).map(|_| ())
    };
    journal.store().write("damage", spoil).await.unwrap();
    let loaded = journal.load(10).await.unwrap();
    assert_eq!((loaded.len(), loaded[0].last_seq), (2, 2));
    assert!(loaded[0].damage.as_ref().is_some_and(|fault| fault.message().contains("arrived")));
    assert!(loaded[1].damage.is_none());
}
