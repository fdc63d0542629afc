//! One backend as the watcher sees it: what its state means, and how it stands to its limits.

use std::sync::Arc;

use tokio::time::Instant;

use crate::{
    config::{Config, Thresholds},
    model::{BackendId, BackendStatus, Code},
    net::{Address, container::container},
    notices::{
        catalogue,
        derive::{Case, Keep, Weight},
        draft::Draft,
        gauge::{Gauges, is_gauge},
        moment::Moment,
    },
};

/// Dependents that a notice names.
const NAMED: usize = 5;

/// What the terms of all backends come from.
#[derive(Debug, Clone)]
pub(super) struct Common {
    pub(super) any_required: bool,
    pub(super) config: Arc<Config>,
}

impl PartialEq for Common {
    fn eq(&self, other: &Self) -> bool {
        self.any_required == other.any_required && Arc::ptr_eq(&self.config, &other.config)
    }
}

impl Common {
    /// The terms of one backend, because of which these are degraded.
    pub(super) fn terms(&self, status: &BackendStatus, dependents: &[&Arc<BackendStatus>]) -> Terms {
        let counts = |status: &BackendStatus| status.required || !self.any_required;
        let needed = counts(status) || dependents.iter().any(|status| counts(status));
        let own = self.config.backends.get(&status.id).map(|backend| backend.thresholds).unwrap_or_default();
        Terms {
            weight: if needed { Weight::Needed } else { Weight::Optional },
            limits: own.or(self.config.thresholds),
            container: container(),
            dependents: dependents.iter().map(|status| status.id.clone()).collect(),
        }
    }
}

/// Under which terms a backend is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Terms {
    pub(super) weight: Weight,
    pub(super) limits: Thresholds,
    /// What runs Backline in a container, where something does.
    pub(super) container: Option<&'static str>,
    /// Those that are degraded because of it.
    pub(super) dependents: Vec<BackendId>,
}

/// One backend, and what is remembered of it between looks.
#[derive(Debug, Default)]
pub(super) struct Watched {
    case: Case,
    gauges: Gauges,
    seen: Option<(Arc<BackendStatus>, Terms)>,
    due: Option<Instant>,
    home: Home,
}

/// Whose machine a backend's address means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Home {
    /// The one that it says.
    #[default]
    AsWritten,
    /// This container's, where nothing ever answered: another was meant, most likely.
    Container,
}

impl Home {
    fn of(status: &BackendStatus, container: Option<&str>) -> Self {
        let near = || Address::parse(&status.url).is_ok_and(|address| address.is_loopback());
        match container {
            // A server that answered there is in the container, too.
            Some(_) if status.connected_at.is_none() && near() => Self::Container,
            _ => Self::AsWritten,
        }
    }
}

impl Watched {
    /// Whether there is nothing new to see, as long as what all terms come from is as before, and as long as it has no
    /// dependents now.
    pub(super) fn is_as_seen(&self, status: &Arc<BackendStatus>, now: Instant) -> bool {
        self.is_seen(status, now, |terms| terms.dependents.is_empty())
    }

    fn is_seen(&self, status: &Arc<BackendStatus>, now: Instant, under: impl Fn(&Terms) -> bool) -> bool {
        self.seen.as_ref().is_some_and(|(seen, terms)| Arc::ptr_eq(seen, status) && under(terms))
            && self.due.is_none_or(|due| now < due)
    }

    /// Looks at it, where it changed or something is due; what is to be raised.
    pub(super) fn look(&mut self, status: &Arc<BackendStatus>, terms: Terms, now: Moment) -> Vec<Draft> {
        if self.is_seen(status, now.tick, |under| *under == terms) {
            return Vec::new();
        }
        let verdict = self.case.look(status, terms.weight, now);
        self.home = Home::of(status, terms.container);
        // Slow answers and failures are the other's, too.
        let limits = if status.root_cause.is_some() { Thresholds::default() } else { terms.limits };
        let (mut raise, due) = self.gauges.look(status, &limits, now.tick);
        let own = verdict.raise.into_iter().map(|draft| self.at_home(draft, terms.container));
        raise.extend(own.map(|draft| with_dependents(draft, &terms.dependents)));
        self.due = [verdict.due, due].into_iter().flatten().min();
        self.seen = Some((status.clone(), terms));
        raise
    }

    /// When to look again even if nothing changes.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// A refusal by the container itself is called by its own name.
    fn at_home(&self, draft: Draft, container: Option<&str>) -> Draft {
        match (self.home, container) {
            (Home::Container, Some(name)) if draft.code == Code::ConnectionRefused => {
                let message = format!("{}; Backline runs in {name}", draft.message);
                let fix = catalogue::entry(Code::ContainerLoopback).fix;
                Draft { code: Code::ContainerLoopback, ..draft }.message(message).fix(fix)
            }
            _ => draft,
        }
    }

    /// Whether an open notice of this cause still holds.
    pub(super) fn keeps(&self, code: Code) -> bool {
        let code = match (code, self.home) {
            (Code::ContainerLoopback, Home::Container) => Code::ConnectionRefused,
            (Code::ConnectionRefused, Home::Container) => return self.case.keep == Keep::All,
            (code, _) => code,
        };
        match &self.case.keep {
            _ if is_gauge(code) => self.gauges.is_past(code),
            Keep::All => true,
            Keep::Only(codes) => codes.contains(&code),
        }
    }
}

/// Names those that suffer with it: they have no notices of their own meanwhile.
fn with_dependents(draft: Draft, dependents: &[BackendId]) -> Draft {
    let names: Vec<_> = dependents.iter().take(NAMED).map(BackendId::as_str).collect();
    let more = dependents.len().saturating_sub(NAMED);
    let named = match more {
        _ if names.is_empty() => return draft,
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    };
    let verb = if dependents.len() == 1 { "is" } else { "are" };
    let message = format!("{}; {named} {verb} degraded because of it", draft.message);
    draft.message(message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::BackendConfig,
        connection::record::Record,
        hub::Hub,
        model::{Fault, Kind, Phase, status::LastError},
    };

    const IN_DOCKER: Terms = Terms {
        weight: Weight::Needed,
        limits: Thresholds { latency: None, queue: None, success: None, vram_free: None },
        container: Some("a Docker container"),
        dependents: Vec::new(),
    };

    fn refused(url: &str) -> BackendStatus {
        let config = BackendConfig::new("a".parse().unwrap(), Kind::Comfyui, Address::parse(url).unwrap());
        let hub = Arc::new(Hub::new(backline_supervisors::TreeSnapshot::down("root")));
        let mut status = Record::new(&config, hub).read(Clone::clone);
        let fault = Fault::new(Code::ConnectionRefused, "nothing is listening");
        (status.phase, status.reason) = (Phase::Waiting, Some(fault.message().to_owned()));
        status.last_error = Some(LastError::new(&fault, jiff::Timestamp::UNIX_EPOCH));
        status
    }

    fn told(status: BackendStatus, terms: Terms) -> Code {
        let (mut watched, now, status) = (Watched::default(), Moment::now(), Arc::new(status));
        watched.look(&status, terms.clone(), now);
        let later = Moment { tick: now.tick + std::time::Duration::from_secs(5), ..now };
        let raised = watched.look(&status, terms, later);
        assert!(watched.keeps(raised[0].code), "{raised:?}");
        raised[0].code
    }

    #[test]
    fn a_refusal_by_the_container_itself_has_its_own_name() {
        let near = refused("http://127.0.0.1:8188");
        assert_eq!(told(near.clone(), IN_DOCKER), Code::ContainerLoopback);
        assert_eq!(told(near.clone(), Terms { container: None, ..IN_DOCKER }), Code::ConnectionRefused);
        assert_eq!(told(refused("http://10.0.0.1:8188"), IN_DOCKER), Code::ConnectionRefused);
        // One that answered there before is in the container, too.
        let known = BackendStatus { connected_at: Some(jiff::Timestamp::UNIX_EPOCH), ..near };
        assert_eq!(told(known, IN_DOCKER), Code::ConnectionRefused);
    }
}
