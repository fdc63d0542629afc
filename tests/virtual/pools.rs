//! Pools: one fair line each, slots that are never exceeded and never lost, and reasons that can be read.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use backline::{
    Error, Lease, NodeState,
    backends::Session,
    model::{Capability, PoolStatus},
    pool::Ask,
};
use tokio::{task::JoinSet, time::Instant};

use crate::world::{Mood, World, address, pool};

const NOW: Duration = Duration::ZERO;

type Held = Lease<dyn Session>;

async fn fill(world: &World, target: &str) -> Vec<Held> {
    let mut held = Vec::new();
    while let Ok(lease) = world.supervisor.lease_within(target, NOW).await {
        held.push(lease);
    }
    held
}

/// Leases held, by session.
type Used = Arc<Mutex<HashMap<String, usize>>>;

struct Leave(Used, String);

impl Leave {
    fn enter(used: &Used, lease: &Held) -> Self {
        let session = format!("{} {}", lease.backend(), lease.epoch());
        let mut counts = used.lock().unwrap();
        let now = counts.entry(session.clone()).or_default();
        *now += 1;
        assert!(*now <= 2, "{session} gave {now} slots");
        Self(used.clone(), session)
    }
}

impl Drop for Leave {
    fn drop(&mut self) {
        *self.0.lock().unwrap().get_mut(&self.1).unwrap() -= 1;
    }
}

fn by_backend(held: &[Held]) -> HashMap<String, usize> {
    held.iter().fold(HashMap::new(), |mut counts, lease| {
        *counts.entry(lease.backend().to_string()).or_default() += 1;
        counts
    })
}

fn shown(world: &World, id: &str) -> PoolStatus {
    let snapshot = world.supervisor.snapshot();
    snapshot.pools.iter().find(|pool| &*pool.id == id).unwrap().clone()
}

async fn a_moment() {
    tokio::time::sleep(Duration::from_secs(1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_pool_and_a_capability_give_the_slots_of_all_members_and_say_why_there_is_none_left() {
    let world = World::pooled(&["a", "b"], &[pool("both", &["a", "b"])], |b| b.limits.slots = 2).await;
    for target in ["both", Capability::TextChat.as_str()] {
        let held = fill(&world, target).await;
        assert_eq!(by_backend(&held), HashMap::from([("a".into(), 2), ("b".into(), 2)]), "{target}");
        let late = world.supervisor.lease_within(target, Duration::from_secs(3)).await.map(drop);
        let Err(Error::Unavailable { wait: "a free slot", why, .. }) = late else { panic!("{late:?}") };
        assert_eq!(why, "a: 2 of 2 slots used; b: 2 of 2 slots used");
    }
    world.actor("a").becomes(Mood::Down);
    a_moment().await;
    let held = fill(&world, "both").await;
    assert_eq!(by_backend(&held), HashMap::from([("b".into(), 2)]));
    let routed = held[0].routed();
    assert!(routed.starts_with("b: 2 of 2 slots used; a: not ready, "), "{routed}");
    world.actor("b").becomes(Mood::Down);
    a_moment().await;
    let none = world.supervisor.lease_within("both", Duration::from_secs(1)).await.map(drop);
    assert!(
        matches!(none, Err(Error::Unavailable { wait: "a ready session", fault: Some(_), .. })),
        "{none:?}"
    );
    let unknown = world.supervisor.lease_within("image.generate", NOW).await.map(drop);
    assert!(matches!(unknown, Err(Error::UnknownBackend { .. })), "{unknown:?}");
}

#[tokio::test(start_paused = true)]
async fn a_thousand_leases_wait_for_eight_slots_in_a_fair_order() {
    let world = World::pooled(&["a", "b"], &[pool("both", &["a", "b"])], |b| b.limits.slots = 4).await;
    let held = fill(&world, "both").await;
    assert_eq!(held.len(), 8);
    let (tell, mut served) = tokio::sync::mpsc::channel(1_000);
    let mut waiters = JoinSet::new();
    for turn in 0..1_000u32 {
        let (handle, tell) = (world.supervisor.handle(), tell.clone());
        // Some are more urgent.
        let priority = i32::from(turn % 10 == 0);
        waiters.spawn(async move {
            let ask = Ask::new().priority(priority);
            let _lease = handle.lease_for("both", &ask, Duration::from_secs(60)).await.unwrap();
            tell.send((priority, turn)).await.unwrap();
            tokio::time::sleep(Duration::from_millis(10)).await;
        });
        tokio::task::yield_now().await;
    }
    drop((held, tell));
    let mut order = Vec::new();
    while let Some(one) = served.recv().await {
        order.push(one);
    }
    let mut fair = order.clone();
    fair.sort_by_key(|(priority, turn)| (std::cmp::Reverse(*priority), *turn));
    assert_eq!(order, fair);
    assert_eq!(order.len(), 1_000);
    a_moment().await;
    let status = shown(&world, "both");
    assert_eq!((status.leases, status.waiting, status.waited), (0, 0, 1_000), "{status:?}");
    assert!(status.reused * 100 / status.leased >= 99, "{status:?}");
}

#[tokio::test(start_paused = true)]
async fn under_cancels_panics_and_kills_slots_are_neither_exceeded_nor_lost_and_nobody_is_stranded() {
    let pools = [pool("both", &["a", "b"]), pool("all", &["a", "b", "c"]).with_slots(5)];
    let world = World::pooled(&["a", "b", "c"], &pools, |b| b.limits.slots = 2).await;
    let mut dice = fastrand::Rng::with_seed(11);
    let used: Used = Arc::default();
    let mut hosts = JoinSet::new();
    for turn in 0..3_000 {
        let (handle, fate) = (world.supervisor.handle(), dice.u32(0..10));
        let target = ["a", "b", "c", "both", "all", "text.chat"][dice.usize(0..6)];
        let (work, patience) = (dice.u64(0..50), dice.u64(1..40));
        let used = used.clone();
        let host = hosts.spawn(async move {
            // Each has its own patience, and longer than anybody is away.
            let limit = if fate == 0 { Duration::from_millis(patience) } else { Duration::from_secs(600) };
            let Ok(lease) = handle.lease_within(target, limit).await else {
                assert_eq!(fate, 0, "{target} stranded {turn}");
                return;
            };
            let leave = Leave::enter(&used, &lease);
            // What is left of a session that ended is not counted against the next.
            for _ in 0..work {
                if lease.ended().is_some() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            drop(leave);
            assert!(fate != 1, "a panic was injected into a host");
        });
        match dice.u32(0..40) {
            0..4 => host.abort(),
            4 => {
                let name = ["a", "b", "c"][dice.usize(0..3)];
                world.actor(name).becomes(Mood::Down);
                tokio::time::sleep(Duration::from_millis(dice.u64(1..300))).await;
                world.actor(name).becomes(Mood::Up);
            }
            5 => drop(world.supervisor.inject_panic(["both", "all"][dice.usize(0..2)])),
            _ => tokio::time::sleep(Duration::from_millis(dice.u64(0..3))).await,
        }
    }
    let (mut ended, mut panicked) = (0, 0);
    while let Some(host) = hosts.join_next().await {
        match host {
            Ok(()) => ended += 1,
            Err(error) if error.is_cancelled() => {}
            Err(error) => {
                let panic = error.into_panic();
                let text = panic.downcast_ref::<&str>().map(ToString::to_string);
                let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap();
                assert!(text.starts_with("a panic was injected"), "{text}");
                panicked += 1;
            }
        }
    }
    assert!(ended > 1_500 && panicked > 100, "{ended} {panicked}");
    for name in ["a", "b", "c"] {
        world.until(name, |b| b.phase == backline::model::Phase::Ready).await;
    }
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(fill(&world, "both").await.len(), 4, "a slot was lost");
    assert_eq!(fill(&world, "all").await.len(), 5, "a place of the pool was lost");
    assert_eq!(fill(&world, "c").await.len(), 2);
    assert!(world.supervisor.snapshot().pools.iter().all(|pool| pool.stale == 0));
}

#[tokio::test(start_paused = true)]
async fn a_cordoned_backend_keeps_its_session_and_gets_nothing_new() {
    let world = World::pooled(&["a", "b"], &[pool("both", &["a", "b"])], |b| b.limits.slots = 2).await;
    let held = world.supervisor.lease("a").await.unwrap();
    let epoch = world.status("a").epoch;
    world.supervisor.cordon("a").unwrap();
    world.supervisor.cordon("a").unwrap();
    assert_eq!(by_backend(&fill(&world, "both").await), HashMap::from([("b".into(), 2)]));
    let refused = world.supervisor.lease_within("a", NOW).await.map(drop).unwrap_err();
    assert!(refused.to_string().contains("cordoned since"), "{refused}");
    assert!(world.status("a").cordoned_at.is_some() && held.ended().is_none());
    let (handle, mut waiting) = (world.supervisor.handle(), JoinSet::new());
    waiting.spawn(async move { handle.lease("a").await.map(|lease| lease.backend().to_string()) });
    a_moment().await;
    assert!(shown(&world, "both").routes[0].standing.starts_with("cordoned"));
    world.supervisor.uncordon("a").unwrap();
    assert_eq!(waiting.join_next().await.unwrap().unwrap().unwrap(), "a");
    assert_eq!((world.status("a").epoch, world.status("a").cordoned_at), (epoch, None));
    assert!(matches!(world.supervisor.cordon("nobody"), Err(Error::UnknownBackend { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_pool_gives_no_more_than_its_own_limit_and_serves_who_waits_for_it_from_any_member() {
    let pools = [pool("few", &["a", "b"]).with_slots(1), pool("many", &["a", "b"])];
    let world = World::pooled(&["a", "b"], &pools, |b| b.limits.slots = 4).await;
    let first = world.supervisor.lease("few").await.unwrap();
    let full = world.supervisor.lease_within("few", Duration::from_secs(1)).await.map(drop);
    assert!(matches!(full, Err(Error::Unavailable { wait: "a free slot of the pool", .. })), "{full:?}");
    assert_eq!(fill(&world, "many").await.len(), 7, "others are not held up");
    let (handle, mut waiting) = (world.supervisor.handle(), JoinSet::new());
    waiting.spawn(async move { handle.lease("few").await.map(drop) });
    a_moment().await;
    drop(first);
    waiting.join_next().await.unwrap().unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_pool_whose_actor_keeps_crashing_is_set_aside_and_its_routes_still_lead_somewhere() {
    let world = World::pooled(&["a", "b"], &[pool("both", &["a", "b"])], |b| b.limits.slots = 2).await;
    for _ in 0..6 {
        // Between two lives there is none.
        let _ = world.supervisor.inject_panic("both");
        tokio::time::sleep(Duration::from_secs(3)).await;
    }
    let tree = world.supervisor.query(backline::supervisor::query::Tree).await.unwrap();
    assert_eq!(tree.child("pools/both").unwrap().state, NodeState::Quarantined, "{tree:?}");
    assert_eq!((tree.child("pools").unwrap().restarts, tree.child("backends").unwrap().restarts), (0, 0));
    let held = fill(&world, "both").await;
    assert_eq!(held.len(), 4);
    let (handle, mut waiting) = (world.supervisor.handle(), JoinSet::new());
    waiting.spawn(async move { handle.lease("both").await.map(drop) });
    tokio::task::yield_now().await;
    drop(held);
    waiting.join_next().await.unwrap().unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_comes_back_gets_a_tenth_of_its_share_and_all_of_it_after_ten_seconds() {
    let world = World::pooled(&["a", "b"], &[pool("both", &["a", "b"])], |b| b.limits.slots = 10).await;
    world.actor("b").becomes(Mood::Down);
    a_moment().await;
    world.actor("b").becomes(Mood::Up);
    world.until("b", |b| b.phase == backline::model::Phase::Ready).await;
    let share = async || {
        let mut count = 0;
        for _ in 0..500 {
            let lease = world.supervisor.lease_within("both", NOW).await.unwrap();
            count += usize::from(lease.backend().as_str() == "b");
        }
        count as f32 / 500.0
    };
    let first = share().await;
    let held = fill(&world, "both").await;
    assert_eq!(by_backend(&held)["b"], 1, "of ten slots it has one");
    drop(held);
    tokio::time::sleep(Duration::from_secs(5)).await;
    let half = share().await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    let whole = share().await;
    assert!(
        first < 0.16 && (0.2..0.48).contains(&half) && (0.42..0.58).contains(&whole),
        "{first} {half} {whole}"
    );
    assert_eq!(fill(&world, "both").await.len(), 20);
}

/// Leases of `both` over two seconds, of as many hosts as it has slots, each for 20 ms.
async fn under_load(world: &World, hosts: usize) -> HashMap<String, usize> {
    let (mut running, end) = (JoinSet::new(), Instant::now() + Duration::from_secs(2));
    for _ in 0..hosts {
        let handle = world.supervisor.handle();
        running.spawn(async move {
            let mut counts = HashMap::<String, usize>::new();
            while Instant::now() < end {
                let lease = handle.lease("both").await.unwrap();
                *counts.entry(lease.backend().to_string()).or_default() += 1;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            counts
        });
    }
    running.join_all().await.into_iter().flatten().fold(HashMap::new(), |mut counts, (backend, count)| {
        *counts.entry(backend).or_default() += count;
        counts
    })
}

/// A restarted server got 21 of 36 requests within its first two seconds: it was the freer one of two each time.
#[tokio::test(start_paused = true)]
async fn a_backend_that_comes_back_under_load_gets_no_more_than_its_share_however_free_it_is() {
    let world = World::pooled(&["a", "b"], &[pool("both", &["a", "b"])], |b| b.limits.slots = 40).await;
    world.actor("b").becomes(Mood::Down);
    a_moment().await;
    world.actor("b").becomes(Mood::Up);
    world.until("b", |b| b.phase == backline::model::Phase::Ready).await;
    // The other one has a slot for each of the hosts.
    let counts = under_load(&world, 40).await;
    let share = counts["b"] * 100 / (counts["a"] + counts["b"]);
    // From a tenth to a quarter of what the other one gets.
    assert!((8..22).contains(&share), "{share} % of {counts:?}");
}

/// The start of one takes the machine's cores, so that the other one's session is lost, too.
#[tokio::test(start_paused = true)]
async fn of_two_that_came_back_the_later_one_begins_with_less_and_two_at_once_are_equal() {
    let world = World::pooled(&["a", "b"], &[pool("both", &["a", "b"])], |b| b.limits.slots = 40).await;
    let back = async |name: &str, pause: u64| {
        world.actor(name).becomes(Mood::Down);
        a_moment().await;
        world.actor(name).becomes(Mood::Up);
        world.until(name, |b| b.phase == backline::model::Phase::Ready).await;
        tokio::time::sleep(Duration::from_secs(pause)).await;
    };
    back("a", 5).await;
    back("b", 0).await;
    let counts = under_load(&world, 40).await;
    let share = counts["b"] * 100 / (counts["a"] + counts["b"]);
    assert!((10..30).contains(&share), "{share} % of {counts:?}");
    ["a", "b"].iter().for_each(|name| world.actor(name).becomes(Mood::Down));
    a_moment().await;
    ["a", "b"].iter().for_each(|name| world.actor(name).becomes(Mood::Up));
    for name in ["a", "b"] {
        world.until(name, |b| b.phase == backline::model::Phase::Ready).await;
    }
    let counts = under_load(&world, 40).await;
    let share = counts["b"] * 100 / (counts["a"] + counts["b"]);
    assert!((35..65).contains(&share), "{share} % of {counts:?}");
}

#[tokio::test(start_paused = true)]
async fn asks_with_one_key_get_one_session_as_long_as_it_lives() {
    let world = World::pooled(&["a", "b"], &[pool("both", &["a", "b"])], |b| b.limits.slots = 2).await;
    let ask = Ask::new().sticky("ann");
    let lease = async || world.supervisor.lease_for("both", &ask, Duration::from_secs(5)).await;
    let first = lease().await.unwrap().backend().to_string();
    for _ in 0..50 {
        assert_eq!(lease().await.unwrap().backend().as_str(), first);
    }
    let (_one, _two) = (lease().await.unwrap(), lease().await.unwrap());
    assert!(lease().await.is_err(), "it waits for that one, though the other is free");
    world.actor(&first).becomes(Mood::Down);
    a_moment().await;
    let next = lease().await.unwrap().backend().to_string();
    assert_ne!(next, first);
    world.actor(&first).becomes(Mood::Up);
    a_moment().await;
    for _ in 0..50 {
        assert_eq!(lease().await.unwrap().backend().as_str(), next);
    }
}

#[tokio::test(start_paused = true)]
async fn p11_with_one_backend_wedged_nobody_else_waits_longer_and_each_host_gets_its_share() {
    let names = ["a", "b", "c", "wedged"];
    let world = World::pooled(&names, &[pool("all", &names[..3])], |b| b.limits.slots = 2).await;
    world.actor("wedged").becomes(Mood::Silent);
    let _held = fill(&world, "wedged").await;
    let mut stuck = JoinSet::new();
    for _ in 0..100 {
        let handle = world.supervisor.handle();
        stuck.spawn(async move { handle.lease_within("wedged", Duration::from_secs(3600)).await.map(drop) });
    }
    let mut hosts = JoinSet::new();
    let end = Instant::now() + Duration::from_secs(60);
    for host in 0..12 {
        let handle = world.supervisor.handle();
        hosts.spawn(async move {
            let (mut served, mut longest) = (0, Duration::ZERO);
            while Instant::now() < end {
                let asked = Instant::now();
                let _lease = handle.lease("all").await.unwrap();
                longest = longest.max(asked.elapsed());
                served += 1;
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            (host, served, longest)
        });
    }
    // Twelve hosts on six slots: each waits for one turn of 10 ms, and a timer's grain.
    while let Some(host) = hosts.join_next().await {
        let (host, served, longest) = host.unwrap();
        assert!(longest <= Duration::from_millis(20), "host {host} waited {longest:?}");
        assert!((2_000..=3_200).contains(&served), "host {host} was served {served} times");
    }
}

#[tokio::test(start_paused = true)]
async fn pools_come_and_go_with_the_configuration() {
    use backline::{
        config::{BackendConfig, Config},
        model::Kind,
    };
    let world = World::pooled(&["a", "b"], &[pool("old", &["a"])], |_| {}).await;
    let epochs = || world.supervisor.snapshot().backends.iter().map(|b| b.epoch).collect::<Vec<_>>();
    let before = epochs();
    let backend = |id: &str, at| BackendConfig::new(id.parse().unwrap(), Kind::Openai, address(at));
    let config = Config::new().backend(backend("a", 0)).backend(backend("b", 1)).pool(pool("new", &["b"]));
    let held = world.supervisor.lease("old").await.unwrap();
    let _more = fill(&world, "old").await;
    let (handle, mut waiting) = (world.supervisor.handle(), JoinSet::new());
    waiting.spawn(async move { handle.lease("old").await.map(drop) });
    a_moment().await;
    let begun = Instant::now();
    world.supervisor.apply(config).await.unwrap();
    let told = waiting.join_next().await.unwrap().unwrap();
    assert!(matches!(told, Err(Error::UnknownBackend { .. })), "{told:?}");
    assert_eq!(
        (begun.elapsed(), held.ended()),
        (Duration::ZERO, None),
        "it waited to be told, or lost its lease"
    );
    a_moment().await;
    assert_eq!(world.supervisor.lease("new").await.unwrap().backend().as_str(), "b");
    assert!(matches!(world.supervisor.lease_within("old", NOW).await, Err(Error::UnknownBackend { .. })));
    a_moment().await;
    let asked = world.supervisor.query(backline::supervisor::query::Pools).await.unwrap();
    assert_eq!(asked, world.supervisor.snapshot().pools);
    let ids: Vec<_> = asked.iter().map(|pool| pool.id.to_string()).collect();
    assert_eq!((ids, epochs()), (vec!["new".to_owned()], before));
    let tree = world.supervisor.query(backline::supervisor::query::Tree).await.unwrap();
    assert!(tree.child("pools/new").is_some() && tree.child("pools/old").is_none());
}

#[tokio::test(start_paused = true)]
async fn backends_on_one_card_take_turns_and_neither_keeps_the_other_out() {
    let world = World::pooled(&["a", "b", "c"], &[], |backend| {
        backend.limits.slots = 2;
        backend.exclusive = (backend.id.as_str() != "c").then(|| "card".parse().unwrap());
    })
    .await;
    let held = fill(&world, "a").await;
    assert_eq!((held.len(), fill(&world, "b").await.len(), fill(&world, "c").await.len()), (2, 0, 2));
    drop(held);
    assert_eq!(fill(&world, "b").await.len(), 2);
    // Both are wanted all the time, each by more than it has slots for.
    let mut hosts = JoinSet::new();
    let (turns, end) = (Arc::<Mutex<Vec<String>>>::default(), Instant::now() + Duration::from_secs(30));
    let busy = Arc::<Mutex<HashMap<String, usize>>>::default();
    for host in 0..8 {
        let (handle, target) = (world.supervisor.handle(), ["a", "b"][host % 2]);
        let (turns, busy) = (turns.clone(), busy.clone());
        hosts.spawn(async move {
            while Instant::now() < end {
                let _lease = handle.lease_within(target, Duration::from_secs(10)).await.unwrap();
                *busy.lock().unwrap().entry(target.to_owned()).or_default() += 1;
                let both = busy.lock().unwrap().values().filter(|count| **count > 0).count();
                assert_eq!(both, 1, "two had the card at once");
                turns.lock().unwrap().push(target.to_owned());
                tokio::time::sleep(Duration::from_millis(50)).await;
                *busy.lock().unwrap().get_mut(target).unwrap() -= 1;
            }
        });
    }
    hosts.join_all().await;
    let turns = turns.lock().unwrap().clone();
    let share = turns.iter().filter(|turn| *turn == "a").count() * 100 / turns.len();
    assert!((35..=65).contains(&share), "a got {share} % of {}", turns.len());
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(fill(&world, "a").await.len(), 2, "a place on the card was lost");
}

#[tokio::test(start_paused = true)]
async fn work_goes_where_its_model_is_loaded_as_long_as_there_is_a_slot() {
    let world = World::pooled(&["a", "b"], &[pool("both", &["a", "b"])], |b| b.limits.slots = 2).await;
    let job = backline::jobs::Job::chat("a", serde_json::json!({ "model": "m", "messages": [] }));
    world.supervisor.run(job).await.unwrap().outcome().await;
    a_moment().await;
    assert_eq!(world.status("a").loaded, ["m"]);
    let ask = Ask::new().model("m");
    let first = world.supervisor.lease_for("both", &ask, NOW).await.unwrap();
    let second = world.supervisor.lease_for("both", &ask, NOW).await.unwrap();
    let third = world.supervisor.lease_for("both", &ask, NOW).await.unwrap();
    assert_eq!([&first, &second, &third].map(|lease| lease.backend().to_string()), ["a", "a", "b"]);
    world.actor("a").becomes(Mood::Down);
    a_moment().await;
    assert!(world.status("a").loaded.is_empty());
}
