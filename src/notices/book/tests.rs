use proptest::prelude::*;

use super::*;
use crate::model::notice::Severity;

fn draft(code: Code) -> Draft {
    Draft::new(code, Severity::Error).backend("comfyui".parse().unwrap())
}

/// Both clocks, moved together.
struct Clock(Moment);

impl Clock {
    fn new() -> Self {
        let wall = "2026-01-01T00:00:00Z".parse().unwrap();
        // Far enough from the clock's zero to look back from.
        Self(Moment { wall, tick: Instant::now() + Duration::from_secs(3600) })
    }

    fn pass(&mut self, time: Duration) -> Moment {
        self.0.tick += time;
        self.0.wall = self.0.wall.checked_add(time).unwrap();
        self.0
    }
}

#[test]
fn one_outage_is_one_notice_and_its_end_is_told() {
    let (mut book, mut clock) = (Book::default(), Clock::new());
    let raised = book.raise(draft(Code::ConnectionRefused), clock.0);
    let [Turn::Raised(first)] = &raised[..] else { panic!("{raised:?}") };
    for _ in 0..10 {
        assert_eq!(book.raise(draft(Code::ConnectionRefused), clock.pass(Duration::from_secs(1))), []);
    }
    assert_eq!(book.next_due(clock.0), Some(clock.0.tick + Duration::from_secs(20)));
    let told = book.due(clock.pass(Duration::from_secs(20)));
    assert!(matches!(&told[..], [Turn::Recounted(n)] if n.count == 11 && n.id == first.id), "{told:?}");
    let ended = book.clear(Code::ConnectionRefused, first.backend.as_ref(), clock.0);
    assert!(matches!(&ended[..], [Turn::Cleared(n)] if n.cleared_at.is_some()), "{ended:?}");
    assert!(book.open(clock.0).is_empty());
    assert_eq!(book.ended().count(), 1);
}

#[test]
fn a_cause_that_comes_and_goes_within_the_quiet_time_stays_one_notice() {
    let (mut book, mut clock) = (Book::default(), Clock::new());
    let mut turns = book.raise(draft(Code::Hang), clock.0);
    for _ in 0..5 {
        turns.extend(book.clear_where(clock.pass(Duration::from_secs(1)), |_| true));
        turns.extend(book.raise(draft(Code::Hang), clock.pass(Duration::from_secs(1))));
    }
    assert_eq!(turns.len(), 2, "raised and cleared once, then silence: {turns:?}");
    // It stays open, so the world hears of it again, with all that was counted.
    let told = book.due(clock.pass(Duration::from_secs(20)));
    assert!(matches!(&told[..], [Turn::Raised(n)] if n.count == 6), "{told:?}");
    assert_eq!(book.ended().count(), 0);
}

#[test]
fn a_dismissed_notice_comes_back_only_after_its_end() {
    let (mut book, mut clock) = (Book::default(), Clock::new());
    book.raise(draft(Code::Tls), clock.0);
    let id = book.open(clock.0)[0].id;
    assert_eq!(book.dismiss(id, clock.0).unwrap().hidden, Some(Hidden::Dismissed));
    book.raise(draft(Code::Tls), clock.pass(QUIET));
    assert_eq!(book.due(clock.pass(QUIET)), []);
    assert_eq!((book.open(clock.0)[0].hidden, book.open(clock.0)[0].count), (Some(Hidden::Dismissed), 2));
    book.clear_where(clock.pass(QUIET), |_| true);
    let turns = book.raise(draft(Code::Tls), clock.pass(QUIET));
    assert!(matches!(&turns[..], [Turn::Raised(n)] if n.hidden.is_none() && n.id != id), "{turns:?}");
}

#[test]
fn a_mute_holds_for_its_time_and_says_then_what_is_open() {
    let (mut book, mut clock) = (Book::default(), Clock::new());
    book.raise(draft(Code::Dns), clock.0);
    let id = book.open(clock.0)[0].id;
    let end = clock.0.wall.checked_add(Duration::from_secs(600)).unwrap();
    book.mute(id, Some(Mute::Until(end)), clock.0).unwrap();
    assert_eq!(book.raise(draft(Code::Dns), clock.pass(QUIET * 2)), []);
    assert_eq!(book.open(clock.0)[0].hidden, Some(Hidden::Muted));
    let due = book.next_due(clock.0).unwrap();
    assert_eq!(due - clock.0.tick, Duration::from_secs(540));
    let told = book.due(clock.pass(Duration::from_secs(540)));
    assert!(matches!(&told[..], [Turn::Recounted(n)] if n.count == 2), "{told:?}");
    // For good, and through an end and a new beginning.
    book.mute(id, Some(Mute::ForGood), clock.0).unwrap();
    book.clear_where(clock.pass(QUIET), |_| true);
    assert_eq!(book.raise(draft(Code::Dns), clock.pass(QUIET * 100)), []);
    assert_eq!(book.due(clock.pass(QUIET * 100)), []);
}

#[test]
fn what_an_earlier_run_left_goes_on_with_its_name_and_count() {
    let (mut book, mut clock) = (Book::default(), Clock::new());
    book.raise(draft(Code::Hang).times(4), clock.0);
    let left = book.open(clock.0);
    let mut next = Book::default();
    next.raise(draft(Code::Hang), clock.pass(QUIET));
    next.restore(left.clone(), vec![], clock.0);
    let now = next.open(clock.0);
    assert_eq!((now[0].id, now[0].count, now[0].first_at), (left[0].id, 5, left[0].first_at));
}

#[test]
fn history_is_bounded_in_number_and_age() {
    let (mut book, mut clock) = (Book::default(), Clock::new());
    for _ in 0..HISTORY + 20 {
        book.raise(draft(Code::Hang), clock.pass(QUIET));
        book.clear_where(clock.pass(QUIET), |_| true);
    }
    assert_eq!(book.ended().count(), HISTORY);
    book.due(clock.pass(KEPT + QUIET));
    assert_eq!(book.ended().count(), 0);
}

#[test]
fn too_many_open_ones_give_way_to_the_newest_least_first() {
    let (mut book, mut clock) = (Book::default(), Clock::new());
    book.raise(Draft::new(Code::BackendFound, Severity::Info), clock.0);
    for n in 0..OPEN {
        let turns =
            book.raise(draft(Code::Hang).subject(n.to_string()), clock.pass(Duration::from_millis(1)));
        assert_eq!(turns.len(), if n + 1 == OPEN { 2 } else { 1 });
    }
    assert_eq!(book.open(clock.0).len(), OPEN);
    assert!(book.open(clock.0).iter().all(|n| n.code == Code::Hang));
}

#[derive(Debug, Clone)]
enum Step {
    Raise(usize, u64),
    Clear(usize),
    Dismiss(usize),
    Mute(usize, u64),
    Unmute(usize),
    Due,
    Pass(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..4usize, 1..4u64).prop_map(|(g, n)| Step::Raise(g, n)),
        3 => (0..4usize).prop_map(Step::Clear),
        1 => (0..4usize).prop_map(Step::Dismiss),
        1 => (0..4usize, 1..100u64).prop_map(|(g, n)| Step::Mute(g, n)),
        1 => (0..4usize).prop_map(Step::Unmute),
        3 => Just(Step::Due),
        4 => (0..40u64).prop_map(Step::Pass),
    ];
    prop::collection::vec(step, 0..120)
}

const CODES: [Code; 4] = [Code::Hang, Code::Tls, Code::Dns, Code::Flapping];

/// What somebody who only hears the turns knows.
#[derive(Default)]
struct Listener {
    told: BTreeMap<Code, (Instant, NoticeId)>,
    open: BTreeMap<Code, Notice>,
}

impl Listener {
    fn hear(&mut self, turns: &[Turn], now: Instant) {
        for turn in turns {
            match turn {
                Turn::Raised(n) | Turn::Recounted(n) => {
                    if let Some((at, _)) = self.told.insert(n.code, (now, n.id)) {
                        assert!(now - at >= QUIET, "{}: a storm, {:?} after the last", n.code, now - at);
                    }
                    let before = self.open.insert(n.code, n.clone());
                    assert_eq!(before.is_some(), matches!(turn, Turn::Recounted(_)), "{turn:?}");
                    assert!(before.is_none_or(|b| b.count < n.count), "told without news");
                }
                Turn::Cleared(n) => {
                    let before = self.open.remove(&n.code).expect("cleared without having been told of");
                    assert_eq!(before.id, n.id);
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn no_history_loses_a_count_storms_or_hides_an_end(steps in steps()) {
        let (mut book, mut clock) = (Book::default(), Clock::new());
        let mut listener = Listener::default();
        let mut raised = BTreeMap::<Code, u64>::new();
        for step in steps {
            let id = |book: &Book, g: usize| book.open(clock.0).iter().find(|n| n.code == CODES[g]).map(|n| n.id);
            let turns = match step {
                Step::Raise(g, times) => {
                    *raised.entry(CODES[g]).or_default() += times;
                    book.raise(draft(CODES[g]).times(times), clock.0)
                }
                Step::Clear(g) => book.clear_where(clock.0, |group| group.code == CODES[g]),
                Step::Dismiss(g) => {
                    id(&book, g).map(|id| book.dismiss(id, clock.0).unwrap());
                    vec![]
                }
                Step::Mute(g, seconds) => {
                    let end = clock.0.wall.checked_add(Duration::from_secs(seconds)).unwrap();
                    id(&book, g).map(|id| book.mute(id, Some(Mute::Until(end)), clock.0).unwrap());
                    vec![]
                }
                Step::Unmute(g) => {
                    id(&book, g).map(|id| book.mute(id, None, clock.0).unwrap());
                    vec![]
                }
                Step::Due => book.due(clock.0),
                Step::Pass(seconds) => {
                    clock.pass(Duration::from_secs(seconds));
                    vec![]
                }
            };
            listener.hear(&turns, clock.0.tick);
            let open = book.open(clock.0);
            prop_assert!(listener.open.keys().all(|c| open.iter().any(|n| n.code == *c)));
            for code in CODES {
                let kept = open.iter().chain(book.ended()).filter(|n| n.code == code).map(|n| n.count);
                prop_assert_eq!(kept.sum::<u64>(), raised.get(&code).copied().unwrap_or_default());
            }
        }
        // After every wait the listener knows of all that is open, with its count, unless a person hid it.
        let turns = book.due(clock.pass(Duration::from_secs(200)));
        listener.hear(&turns, clock.0.tick);
        for notice in book.open(clock.0).iter().filter(|n| n.hidden.is_none()) {
            prop_assert_eq!(listener.open.get(&notice.code).map(|n| n.count), Some(notice.count));
        }
        let ids: std::collections::BTreeSet<_> =
            book.open(clock.0).iter().chain(book.ended()).map(|n| n.id).collect();
        prop_assert_eq!(ids.len(), book.open(clock.0).len() + book.ended().count());
    }
}
