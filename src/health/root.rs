//! The root of a trouble: of the backends that one needs, the deepest that is not ready. Pure.

use crate::model::{BackendId, BackendStatus, Health, Phase, RootCause};

/// The root for a backend that needs these. The first that is found counts, in the order of the configuration; one that
/// is not configured is passed over.
pub(super) fn root_of(
    needs: &[BackendId],
    look: &dyn Fn(&BackendId) -> Option<BackendStatus>,
) -> Option<RootCause> {
    descend(needs, look, &mut Vec::new())
}

/// `way` holds who was looked at: a circle, which the configuration refuses, must not hang the prober.
fn descend(
    needs: &[BackendId],
    look: &dyn Fn(&BackendId) -> Option<BackendStatus>,
    way: &mut Vec<BackendId>,
) -> Option<RootCause> {
    needs.iter().find_map(|id| {
        if way.contains(id) {
            return None;
        }
        way.push(id.clone());
        let status = look(id)?;
        let mut deeper = || descend(&status.depends_on, look, way);
        // One that a person stopped would not come back with those that it needs.
        if is_stopped(&status) { trouble(&status) } else { deeper().or_else(|| trouble(&status)) }
    })
}

fn is_stopped(status: &BackendStatus) -> bool {
    !status.enabled || matches!(status.phase, Phase::Paused | Phase::Closed)
}

/// Why a backend is not ready, as those that need it say it; `None` where it is, or where nothing is known yet.
fn trouble(status: &BackendStatus) -> Option<RootCause> {
    let (how, why) = match status.phase {
        _ if !status.enabled => ("is disabled", None),
        Phase::Ready if status.health == Health::Unhealthy => ("does not answer", status.reason.as_deref()),
        Phase::Ready | Phase::Draining => return None,
        Phase::Idle | Phase::Dialing if status.reason.is_none() => return None,
        Phase::Idle | Phase::Dialing | Phase::Waiting => ("is down", status.reason.as_deref()),
        Phase::Parked => ("is parked", status.reason.as_deref()),
        Phase::Quarantined => ("is set aside", status.reason.as_deref()),
        Phase::Paused => ("is paused", None),
        Phase::Closed => ("is closed", None),
    };
    let why = why.map(|why| format!(": {why}")).unwrap_or_default();
    let message = format!("{} {how}{why}", status.id);
    Some(RootCause { backend: status.id.clone(), phase: status.phase, message })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::{config::BackendConfig, connection::record::blank, model::Kind, net::Address};

    fn id(id: &str) -> BackendId {
        id.parse().unwrap()
    }

    fn backend(name: &str, needs: &[&str], phase: Phase) -> BackendStatus {
        let config = BackendConfig::new(id(name), Kind::Openai, Address::loopback(1));
        let mut status = blank(&config);
        (status.phase, status.health) = (phase, Health::Healthy);
        status.depends_on = needs.iter().map(|need| id(need)).collect();
        status.reason = (phase != Phase::Ready).then(|| "nothing is listening".to_owned());
        status
    }

    fn root(needs: &[&str], backends: &[BackendStatus]) -> Option<String> {
        let known: HashMap<_, _> =
            backends.iter().map(|status| (status.id.clone(), status.clone())).collect();
        let needs: Vec<_> = needs.iter().map(|need| id(need)).collect();
        root_of(&needs, &|id| known.get(id).cloned()).map(|root| root.message)
    }

    #[test]
    fn the_deepest_that_is_not_ready_is_named_also_over_one_that_is() {
        let gone = backend("c", &[], Phase::Waiting);
        let words = "c is down: nothing is listening";
        for phase in [Phase::Ready, Phase::Waiting, Phase::Parked] {
            let between = backend("b", &["c"], phase);
            assert_eq!(root(&["b"], &[between, gone.clone()]).as_deref(), Some(words), "{phase}");
        }
        let between = backend("b", &["c"], Phase::Waiting);
        let paused = backend("b", &["c"], Phase::Paused);
        assert_eq!(root(&["b"], &[paused, gone]).as_deref(), Some("b is paused"));
        let there = backend("c", &[], Phase::Ready);
        assert_eq!(root(&["b"], &[between, there]).as_deref(), Some("b is down: nothing is listening"));
    }

    #[test]
    fn what_a_person_did_is_told_as_that_and_what_is_not_known_yet_is_no_trouble() {
        assert_eq!(root(&["c"], &[backend("c", &[], Phase::Paused)]).as_deref(), Some("c is paused"));
        let off = BackendStatus { enabled: false, ..backend("c", &[], Phase::Idle) };
        assert_eq!(root(&["c"], &[off]).as_deref(), Some("c is disabled"));
        let mut hung = backend("c", &[], Phase::Ready);
        hung.health = Health::Unhealthy;
        hung.reason = Some("no answer".to_owned());
        assert_eq!(root(&["c"], &[hung]).as_deref(), Some("c does not answer: no answer"));
        let first = BackendStatus { reason: None, ..backend("c", &[], Phase::Dialing) };
        assert_eq!(root(&["c"], &[first]), None);
        assert_eq!(root(&["c", "nobody"], &[backend("c", &[], Phase::Ready)]), None);
    }

    #[test]
    fn a_circle_ends() {
        let (a, b) = (backend("a", &["b"], Phase::Ready), backend("b", &["a"], Phase::Waiting));
        assert_eq!(root(&["b"], &[a, b]).as_deref(), Some("b is down: nothing is listening"));
    }
}
