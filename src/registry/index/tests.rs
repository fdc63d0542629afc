use super::*;
use crate::{
    config::BackendConfig,
    connection::record::blank,
    model::{Capability, Depth, Epoch, Evidence, Health, Identity, Kind, Phase, status::Slots},
    net::Address,
    registry::{SCHEMA, Standing},
};

fn status(id: &str, epoch: u64, phase: Phase, used: u32) -> Arc<BackendStatus> {
    let config = BackendConfig::new(id.parse().unwrap(), Kind::Comfyui, Address::loopback(1));
    let mut status = blank(&config);
    (status.epoch, status.phase, status.slots) = (epoch, phase, Slots { used, limit: 4 });
    Arc::new(status)
}

fn observed(epoch: u64, version: &str, models: &[&str]) -> Arc<Observed> {
    let models: Vec<String> = models.iter().map(|model| (*model).to_owned()).collect();
    let evidence = Evidence { models: models.clone(), ..Evidence::of(Capability::ImageGenerate) };
    let others = Evidence::of(Capability::WorkflowRun);
    let identity = Identity {
        version: Some(version.to_owned()),
        capabilities: vec![Capability::ImageGenerate, Capability::WorkflowRun],
        models: models.into(),
        evidence: vec![evidence, others],
        ..Identity::default()
    };
    let at = Timestamp::now();
    Arc::new(Observed { epoch: Epoch::new(epoch), at, depth: Depth::Whole, identity: Arc::new(identity) })
}

fn ids(entries: &[Entry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.id.as_str()).collect()
}

#[test]
fn the_best_comes_first_and_only_the_evidence_asked_for() {
    let mut index = Index::default();
    let backends = [
        status("away", 1, Phase::Waiting, 0),
        status("busy", 1, Phase::Ready, 3),
        status("free", 1, Phase::Ready, 0),
        status("never", 0, Phase::Idle, 0),
    ];
    for id in ["away", "busy", "free"] {
        index.put(&id.parse().unwrap(), &observed(1, "0.24.0", &["sd.safetensors"]));
    }
    let fit = index.capable(&Capable::of("image.generate"), &backends).unwrap();
    assert_eq!(ids(&fit), ["free", "busy", "away"]);
    assert_eq!(fit[0].evidence.len(), 1);
    assert_eq!((fit[0].standing, fit[2].standing), (Standing::Current, Standing::LastKnown));
    assert_eq!(index.capable(&Capable::of(Capability::TextChat), &backends).unwrap().len(), 0);
    let all = index.register(&backends);
    assert_eq!((all.schema, all.backends.len(), all.backends[3].standing), (SCHEMA, 4, Standing::Unknown));
    assert_eq!(all.backends[0].health, Health::Unknown);
}

#[test]
fn a_wish_may_name_a_version_and_a_model() {
    let mut index = Index::default();
    let backends = [status("old", 1, Phase::Ready, 0), status("new", 1, Phase::Ready, 0)];
    index.put(&"old".parse().unwrap(), &observed(1, "0.3.64", &["sub/SD.safetensors"]));
    index.put(&"new".parse().unwrap(), &observed(1, "0.24.0", &["xl.ckpt"]));
    let ask = |wish: Capable| {
        index.capable(&wish, &backends).map(|fit| fit.iter().map(|e| e.id.to_string()).collect::<Vec<_>>())
    };
    let images = || Capable::of("image.generate");
    assert_eq!(ask(images().at_least("0.4")).unwrap(), ["new"]);
    assert_eq!(ask(images().model("sd.safetensors")).unwrap(), ["old"]);
    assert_eq!(ask(images().model("sub/sd.safetensors")).unwrap(), ["old"]);
    assert_eq!(ask(images().model("d.safetensors")).unwrap(), [""; 0], "a part of a name is no name");
    let bad = [(Capable::of("image.paint"), "is no capability"), (images().at_least("new"), "is no version")];
    for (wish, why) in bad {
        assert!(ask(wish).unwrap_err().message().contains(why));
    }
}

#[test]
fn what_is_late_changes_nothing() {
    let mut index = Index::default();
    let id = "a".parse().unwrap();
    index.put(&id, &observed(5, "2", &[]));
    index.put(&id, &observed(4, "1", &[]));
    let version =
        |index: &Index| index.register(&[status("a", 5, Phase::Ready, 0)]).backends[0].version.clone();
    assert_eq!(version(&index).as_deref(), Some("2"));
    index.forget(&id);
    assert_eq!(version(&index), None);
    index.put(&id, &observed(1, "1", &[]));
    index.retain(|known| known.as_str() != "a");
    assert_eq!(version(&index), None);
}
