//! Notices of the settings that came to nothing meanwhile: what they advise was done, or is not needed any more. Pure.

use crate::{
    model::{Code, Phase, Snapshot},
    net::Address,
    notices::group::Group,
    settings::{masked, place::Spot, standing::Settings},
};

/// Whether nothing is left of it. Another cause's notice is not judged here.
pub(super) fn is_moot(group: &Group, settings: &Settings, snapshot: &Snapshot, settled: bool) -> bool {
    let Some(subject) = group.subject.as_deref() else { return false };
    let place = || Address::parse(subject).ok().map(|address| Spot::of(&address));
    match (group.code, &group.backend) {
        (Code::BackendMoved, Some(id)) => {
            let Some(backend) = settings.config.backends.get(id) else { return settled };
            let ready = snapshot.backend(id.as_str()).is_some_and(|b| b.phase == Phase::Ready);
            // It answers where it is configured, or is configured where it answers.
            ready || place().is_some_and(|there| there == Spot::of(&backend.url))
        }
        (Code::BackendFound, _) => {
            let place = place();
            settings.config.backends.values().any(|backend| Some(Spot::of(&backend.url)) == place)
        }
        (Code::ConfigMasked, _) => settings
            .loaded
            .as_ref()
            .is_some_and(|loaded| masked::over(subject, loaded, &settings.edits).is_none()),
        _ => false,
    }
}
