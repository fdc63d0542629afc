//! Any two sets of backends, and each field of one.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::{
    config::{Secret, Trust},
    model::{Kind, status::Source},
    net::Address,
};

fn backend(id: &str, port: u16) -> BackendConfig {
    BackendConfig::new(id.parse().unwrap(), Kind::Comfyui, Address::loopback(port))
}

fn set(backends: impl IntoIterator<Item = BackendConfig>) -> IndexMap<BackendId, Arc<BackendConfig>> {
    backends.into_iter().map(|backend| (backend.id.clone(), Arc::new(backend))).collect()
}

fn how(change: impl FnOnce(&mut BackendConfig)) -> Option<How> {
    let before = backend("a", 1);
    let mut after = before.clone();
    change(&mut after);
    Change::between(&set([before]), &set([after])).changed.first().map(|changed| changed.how)
}

#[test]
fn what_a_session_can_take_keeps_it() {
    let kept: [fn(&mut BackendConfig); 7] = [
        |b| b.required = true,
        |b| b.source = Source::Api,
        |b| b.probe.interval = Duration::from_secs(9),
        |b| b.hang_limit = Duration::from_secs(9),
        |b| b.limits.slots = 1,
        |b| b.depends_on = vec!["b".parse().unwrap()],
        |b| b.unload = true,
    ];
    for change in kept {
        assert_eq!(how(change), Some(How::InPlace));
    }
    assert_eq!(how(|_| {}), None);
}

#[test]
fn what_makes_a_session_needs_another() {
    let renewed: [fn(&mut BackendConfig); 12] = [
        |b| b.url = Address::loopback(2),
        |b| b.kind = Kind::Gradio,
        |b| b.enabled = false,
        |b| b.api_key = Some(Secret::Env("KEY".to_owned())),
        |b| *b = b.clone().with_login("u", Secret::Env("P".to_owned())),
        |b| {
            b.headers.insert(http::header::COOKIE, Secret::Env("C".to_owned()));
        },
        |b| b.tls.danger_accept_invalid = true,
        |b| b.timeouts.request = Duration::from_secs(9),
        |b| b.keepalive.interval = Duration::from_secs(9),
        |b| b.exclusive = Some("card".parse().unwrap()),
        |b| b.proxy = Some(Secret::Env("PROXY".to_owned())),
        |b| b.trust = Trust::LoopbackOnly { file: std::sync::Arc::default() },
    ];
    for (place, change) in renewed.into_iter().enumerate() {
        assert_eq!(how(change), Some(How::Anew), "the change at {place}");
    }
    // Both at once need the larger step.
    assert_eq!(how(|b| (b.required, b.url) = (true, Address::loopback(2))), Some(How::Anew));
}

/// A set of backends, each with an address and one setting that a session can take.
fn any_set() -> impl Strategy<Value = IndexMap<BackendId, Arc<BackendConfig>>> {
    proptest::collection::vec((0..6_u8, 1..4_u16, any::<bool>()), 0..6).prop_map(|rows| {
        set(rows.into_iter().map(|(id, port, required)| {
            let mut backend = backend(&format!("b{id}"), port);
            backend.required = required;
            backend
        }))
    })
}

proptest! {
    #[test]
    fn each_backend_stands_in_one_list(before in any_set(), after in any_set()) {
        let change = Change::between(&before, &after);
        let mut all: Vec<_> = [&change.added, &change.removed, &change.untouched]
            .into_iter()
            .flatten()
            .chain(change.changed.iter().map(|changed| &changed.id))
            .cloned()
            .collect();
        all.sort();
        let mut known: Vec<_> = before.keys().chain(after.keys()).cloned().collect();
        known.sort();
        known.dedup();
        prop_assert_eq!(all, known);
        for id in &change.untouched {
            prop_assert_eq!(&before[id], &after[id]);
        }
        for id in change.in_place() {
            prop_assert_eq!(&before[id].url, &after[id].url);
        }
    }

    #[test]
    fn carried_out_nothing_differs(before in any_set(), after in any_set()) {
        let change = Change::between(&before, &after);
        let mut now = before.clone();
        now.retain(|id, _| !change.removed.contains(id));
        for id in change.added.iter().chain(change.anew()) {
            now.insert(id.clone(), after[id].clone());
        }
        for id in change.in_place() {
            let taken = retuned(&now[id], &after[id]);
            now.insert(id.clone(), Arc::new(taken));
        }
        prop_assert!(Change::between(&now, &after).is_empty());
    }
}
