//! All backends that the prober watches over: who is due, who is being probed, who shares a server. No I/O: times go
//! in.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, HashSet},
    time::Duration,
};

use tokio::time::Instant;

use super::{endpoint::Endpoint, patient::Patient};
use crate::{
    config::{BackendConfig, ProbeConfig},
    model::{BackendId, Epoch},
};

/// All patients. What is asked often costs by those whom it concerns, not by all there are.
#[derive(Default)]
pub(super) struct Ward {
    /// Boxed: half of a map's places are empty.
    patients: HashMap<BackendId, Box<Patient>>,
    /// When they are due. A time that is not its patient's any more is passed over.
    agenda: BinaryHeap<Reverse<(Instant, BackendId)>>,
    /// Who is being probed, and where.
    probing: HashMap<BackendId, Option<Endpoint>>,
    /// Who has which endpoint, of those that can be shared.
    shared: HashMap<Endpoint, HashSet<BackendId>>,
}

impl Ward {
    pub(super) fn get(&self, id: &BackendId) -> Option<&Patient> {
        self.patients.get(id).map(|patient| &**patient)
    }

    pub(super) fn get_mut(&mut self, id: &BackendId) -> Option<&mut Patient> {
        self.patients.get_mut(id).map(|patient| &mut **patient)
    }

    /// Drops those who are gone.
    pub(super) fn retain(&mut self, wanted: impl Fn(&BackendId) -> bool) {
        let gone: Vec<_> = self.patients.keys().filter(|id| !wanted(id)).cloned().collect();
        for id in &gone {
            let endpoint = self.patients.remove(id).and_then(|patient| patient.endpoint);
            self.part(id, endpoint);
            self.probing.remove(id);
        }
    }

    /// Shares this endpoint no more.
    fn part(&mut self, id: &BackendId, endpoint: Option<Endpoint>) {
        let Some(endpoint) = endpoint else { return };
        if let Some(ids) = self.shared.get_mut(&endpoint) {
            ids.remove(id);
            if ids.is_empty() {
                self.shared.remove(&endpoint);
            }
        }
    }

    /// Has a session: meets the one that is open now, and says whether it is to be probed now. That is so where it is
    /// due, and nobody with the same endpoint is being probed.
    pub(super) fn visit(
        &mut self,
        config: &BackendConfig,
        epoch: Epoch,
        probe: &ProbeConfig,
        now: Instant,
    ) -> bool {
        let id = &config.id;
        let patient = self.patients.entry(id.clone()).or_insert_with(|| Box::new(Patient::new(probe, now)));
        let before = patient.endpoint;
        if patient.epoch != epoch {
            patient.meet(epoch, Endpoint::of(config), probe, now);
        }
        let (due, endpoint) = (patient.due, patient.endpoint);
        if before != endpoint {
            self.part(id, before);
            if let Some(endpoint) = endpoint {
                self.shared.entry(endpoint).or_default().insert(id.clone());
            }
        }
        if self.probing.contains_key(id) {
            return false;
        }
        let busy = endpoint.is_some() && self.probing.values().any(|other| *other == endpoint);
        if busy || due.is_none_or(|due| due > now) {
            self.expect(id);
            return false;
        }
        self.probing.insert(id.clone(), endpoint);
        true
    }

    /// Has no session: there is nothing to probe, and the wheel must not turn for it.
    pub(super) fn leave(&mut self, id: &BackendId) {
        if let Some(patient) = self.get_mut(id) {
            patient.due = None;
        }
    }

    /// A probe has come to its end.
    pub(super) fn probed(&mut self, id: &BackendId) {
        self.probing.remove(id);
    }

    /// Is due then.
    pub(super) fn put_off(&mut self, id: &BackendId, due: Instant) {
        if let Some(patient) = self.get_mut(id) {
            patient.due = Some(due);
            self.expect(id);
        }
    }

    /// Has the time at which it is due noted.
    pub(super) fn expect(&mut self, id: &BackendId) {
        if let Some(due) = self.get(id).and_then(|patient| patient.due) {
            self.agenda.push(Reverse((due, id.clone())));
        }
    }

    /// When somebody may be due next.
    pub(super) fn next(&self) -> Option<Instant> {
        self.agenda.peek().map(|Reverse((due, _))| *due)
    }

    /// Takes those whose time has come off the agenda; [`Self::visit`] puts them on it again.
    pub(super) fn take_due(&mut self, now: Instant) -> Vec<BackendId> {
        let mut all = Vec::new();
        while self.next().is_some_and(|due| due <= now) {
            let Some(Reverse((due, id))) = self.agenda.pop() else { break };
            let still = self.get(&id).is_some_and(|patient| patient.due == Some(due));
            if still && !self.probing.contains_key(&id) {
                all.push(id);
            }
        }
        all
    }

    /// Takes all times off the agenda: everybody is visited next.
    pub(super) fn begin_round(&mut self) {
        self.agenda.clear();
    }

    /// The others with the endpoint of this one, of whom a probe that took so long tells, too.
    pub(super) fn companions(&self, id: &BackendId, now: Instant, took: Duration) -> Vec<(BackendId, Epoch)> {
        let endpoint = self.get(id).and_then(|patient| patient.endpoint);
        let Some(ids) = endpoint.and_then(|endpoint| self.shared.get(&endpoint)) else { return Vec::new() };
        let others = ids.iter().filter(|other| *other != id && !self.probing.contains_key(*other));
        let told = others.filter_map(|other| Some((other, self.get(other)?)));
        let begun = now - took;
        told.filter(|(_, patient)| patient.since <= begun)
            .map(|(other, patient)| (other.clone(), patient.epoch))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::Kind, net::Address};

    const INTERVAL: Duration = Duration::from_secs(5);

    fn config(id: &str, port: u16) -> BackendConfig {
        BackendConfig::new(id.parse().unwrap(), Kind::Comfyui, Address::loopback(port))
    }

    /// The ward, and a time at which all who were there at the beginning are due.
    fn ward(all: &[&BackendConfig]) -> (Ward, Instant) {
        let (mut ward, now) = (Ward::default(), Instant::now());
        for config in all {
            assert!(!ward.visit(config, Epoch::new(1), &config.probe, now), "its dial was the first proof");
        }
        (ward, now + INTERVAL)
    }

    fn turn(ward: &mut Ward, all: &[&BackendConfig], now: Instant) -> Vec<BackendId> {
        let due = ward.take_due(now);
        let visited = due.iter().map(|id| all.iter().find(|config| config.id == *id).unwrap());
        let probed = visited.filter(|config| ward.visit(config, Epoch::new(1), &config.probe, now));
        probed.map(|config| config.id.clone()).collect()
    }

    #[test]
    fn one_of_an_endpoint_is_probed_and_the_others_are_told() {
        let all = [&config("a", 1), &config("b", 1), &config("c", 2)];
        let (mut ward, now) = ward(&all);
        let probed = turn(&mut ward, &all, now);
        assert_eq!(probed.len(), 2, "{probed:?}");
        assert!(probed.contains(&all[2].id));
        let asked = probed.iter().find(|id| **id != all[2].id).unwrap();
        let told = ward.companions(asked, now, Duration::from_millis(3));
        assert_eq!(told.len(), 1);
        assert_eq!(turn(&mut ward, &all, now), [], "the other one waits for the outcome");
        assert_eq!(ward.next(), ward.get(&told[0].0).unwrap().due, "and is not lost");
        // Nobody told it: then it asks itself.
        ward.probed(asked);
        ward.put_off(asked, now + INTERVAL);
        assert_eq!(turn(&mut ward, &all, now), [told[0].0.clone()]);
    }

    #[test]
    fn a_time_that_was_put_off_is_passed_over() {
        let all = [&config("a", 1)];
        let (mut ward, now) = ward(&all);
        ward.put_off(&all[0].id, now + INTERVAL);
        assert_eq!(ward.take_due(now), []);
        assert_eq!(ward.next(), Some(now + INTERVAL));
        ward.leave(&all[0].id);
        assert_eq!(ward.take_due(now + INTERVAL), [], "no session, no probe");
    }

    #[test]
    fn who_has_moved_shares_with_nobody_at_the_old_place() {
        let (here, there) = ([&config("a", 1), &config("b", 1)], config("b", 2));
        let (mut ward, now) = ward(&here);
        assert_eq!(ward.companions(&here[0].id, now, Duration::ZERO).len(), 1);
        ward.visit(&there, Epoch::new(2), &there.probe, now);
        assert_eq!(ward.companions(&here[0].id, now, Duration::ZERO), []);
        ward.retain(|id| *id != here[0].id);
        assert!(ward.get(&here[0].id).is_none());
    }
}
