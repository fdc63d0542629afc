//! What jobs met at a backend, as notices: pure, from one look to the next.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;

use crate::{
    model::{BackendId, Code, Fault, Phase, Snapshot},
    notices::{
        catalogue,
        draft::Draft,
        group::Group,
        toll::{Heard, is_told},
    },
};

/// Without a further one for this long it is over.
const CALM: Duration = Duration::from_secs(30 * 60);
/// Notices of this sort at once.
const MOST: usize = 256;

/// The notices that jobs gave rise to and that still stand.
#[derive(Debug, Default)]
pub(super) struct Labour(BTreeMap<Group, Standing>);

#[derive(Debug)]
struct Standing {
    until: Instant,
    /// The session that it was met in.
    epoch: u64,
}

/// Whether a notice is of this sort. One of the same cause without a subject is about the connection.
pub(super) fn is_of_jobs(group: &Group) -> bool {
    is_told(group.code) && group.subject.is_some()
}

impl Labour {
    /// Takes what was heard; a trouble is to be raised.
    pub(super) fn hear(&mut self, heard: Heard, snapshot: &Snapshot, now: Instant) -> Option<Draft> {
        match heard {
            Heard::Well(backend) => {
                self.0.retain(|group, _| stays(group, &backend));
                None
            }
            Heard::Trouble(backend, fault) => {
                let epoch = snapshot.backend(backend.as_str()).map_or(0, |status| status.epoch);
                let draft = draft(backend, &fault);
                self.0.insert(draft.group(), Standing { until: now + CALM, epoch });
                while self.0.len() > MOST {
                    let oldest = self.0.iter().min_by_key(|(_, standing)| standing.until);
                    let Some(oldest) = oldest.map(|(group, _)| group.clone()) else { break };
                    self.0.remove(&oldest);
                }
                Some(draft)
            }
        }
    }

    /// Drops what is over, and says when the next will be.
    pub(super) fn look(&mut self, snapshot: &Snapshot, now: Instant) -> Option<Instant> {
        self.0.retain(|group, standing| {
            let calm = standing.until <= now;
            let anew = group.backend.as_ref().is_some_and(|backend| {
                // What it lacked may be there after a restart; if not, the next job says so again.
                let lacks = matches!(group.code, Code::MissingNode | Code::MissingModel);
                snapshot
                    .backend(backend.as_str())
                    .is_none_or(|b| lacks && b.phase == Phase::Ready && b.epoch != standing.epoch)
            });
            !calm && !anew
        });
        self.0.values().map(|standing| standing.until).min()
    }

    /// Whether the notice still stands.
    pub(super) fn holds(&self, group: &Group) -> bool {
        self.0.contains_key(group)
    }
}

/// Whether a notice stays although work went well at the backend: another piece of work may still lack a node.
fn stays(group: &Group, backend: &BackendId) -> bool {
    match group.code {
        Code::MissingNode | Code::MissingModel => true,
        Code::Disk => false,
        _ => group.backend.as_ref() != Some(backend),
    }
}

fn draft(backend: BackendId, fault: &Fault) -> Draft {
    let draft = Draft::of(fault, catalogue::entry(fault.code()).severity);
    match fault.code() {
        // The disk is ours, whoever the file came from.
        Code::Disk => draft.subject("outputs"),
        Code::MissingNode | Code::MissingModel => draft.backend(backend).subject(lacking(fault.message())),
        _ => draft.backend(backend).subject("jobs"),
    }
}

/// What is missing, as ComfyUI and LiteLLM name it in their sentences: between quotes, or after `model=` and `node `.
fn lacking(message: &str) -> &str {
    let quoted = message.split('\'').nth(1);
    let after =
        |mark: &str| message.split_once(mark).and_then(|(_, rest)| rest.split([' ', ',', '.']).next());
    let named =
        quoted.or_else(|| after("model=")).or_else(|| after("because node ")).or_else(|| message.get(..120));
    named.filter(|name| !name.is_empty()).unwrap_or(message)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{config::BackendConfig, connection::record::Record, hub::Hub, model::Kind, net::Address};

    fn snapshot(epoch: u64) -> Snapshot {
        let hub = Arc::new(Hub::new(backline_supervisors::TreeSnapshot::down("root")));
        let config = BackendConfig::new("a".parse().unwrap(), Kind::Comfyui, Address::loopback(1));
        let mut status = Record::new(&config, hub.clone()).read(Clone::clone);
        (status.phase, status.epoch) = (Phase::Ready, epoch);
        let mut snapshot = Snapshot::clone(&hub.snapshot());
        snapshot.backends = vec![Arc::new(status)];
        snapshot
    }

    fn trouble(code: Code, message: &str) -> Heard {
        Heard::Trouble("a".parse().unwrap(), Fault::new(code, message))
    }

    #[test]
    fn what_a_job_met_stands_until_work_goes_well() {
        let (mut labour, first, now) = (Labour::default(), snapshot(1), Instant::now());
        let memory = labour.hear(trouble(Code::OutOfMemory, "no memory"), &first, now).unwrap().group();
        let node = labour.hear(trouble(Code::MissingNode, "Node 'Fancy' not found."), &first, now).unwrap();
        assert_eq!(node.subject.as_deref(), Some("Fancy"));
        labour.hear(Heard::Well("b".parse().unwrap()), &first, now);
        assert!(labour.holds(&memory));
        labour.hear(Heard::Well("a".parse().unwrap()), &first, now);
        assert!(!labour.holds(&memory) && labour.holds(&node.group()));
        labour.look(&first, now);
        assert!(labour.holds(&node.group()));
        labour.look(&snapshot(2), now);
        assert!(!labour.holds(&node.group()), "after a restart it may be there");
    }

    #[test]
    fn what_is_not_met_again_is_over_after_a_while() {
        let (mut labour, first, now) = (Labour::default(), snapshot(1), Instant::now());
        let full = labour.hear(trouble(Code::QueueFull, "full"), &first, now).unwrap().group();
        assert_eq!(labour.look(&first, now), Some(now + CALM));
        labour.look(&first, now + CALM);
        assert!(!labour.holds(&full));
    }

    #[test]
    fn there_are_never_too_many() {
        let (mut labour, first, now) = (Labour::default(), snapshot(1), Instant::now());
        for turn in 0..2 * MOST as u64 {
            let later = now + Duration::from_secs(turn);
            labour.hear(trouble(Code::MissingModel, &format!("'m{turn}' is no model")), &first, later);
        }
        assert_eq!(labour.0.len(), MOST);
    }

    #[test]
    fn what_is_missing_is_named_by_each_server_in_its_way() {
        for (message, name) in [
            (
                "Node 'NoSuchNode' not found. The custom node may not be installed.: Node ID '#1'",
                "NoSuchNode",
            ),
            ("Cannot execute because node NoSuchNode does not exist.: Node ID #1", "NoSuchNode"),
            (
                "node 1 (CheckpointLoaderSimple): Value not in list: ckpt_name: 'dream.safetensors' not in []",
                "dream.safetensors",
            ),
            ("x answers 400: Invalid model name passed in model=nonexistent. Call", "nonexistent"),
            ("", ""),
        ] {
            assert_eq!(lacking(message), name, "{message}");
        }
    }
}
