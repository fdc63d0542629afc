//! What a person would find out next about an attempt that failed: who answers in the server's place, whose machine
//! 127.0.0.1 is, whether a proxy is the way out.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::{
    backends::{Connector, Dialed},
    config::BackendConfig,
    discovery::{Find, recognise},
    model::{Code, Epoch, Fault, Kind},
    net::{Address, container::container, proxied},
};

/// A connector whose faults say what a look around adds.
struct Diagnosing {
    plain: Arc<dyn Connector>,
    wanted: Kind,
    address: Address,
    proxy: Proxy,
}

/// Whether a proxy is configured for the backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proxy {
    Configured,
    None,
}

/// The connector of a real kind, looking around where it fails.
pub(crate) fn connector(config: &BackendConfig, plain: Arc<dyn Connector>) -> Arc<dyn Connector> {
    let proxy = if config.proxy.is_some() { Proxy::Configured } else { Proxy::None };
    Arc::new(Diagnosing { plain, wanted: config.kind, address: config.url.clone(), proxy })
}

impl Connector for Diagnosing {
    fn dial(&self, epoch: Epoch) -> BoxFuture<'_, Result<Dialed, Fault>> {
        Box::pin(async move {
            match self.plain.dial(epoch).await {
                Err(fault) if fault.code() == Code::WrongProgram => Err(self.name(fault).await),
                Err(fault) if self.proxy == Proxy::None => Err(unreached(fault, &self.address)),
                dialed => dialed,
            }
        })
    }
}

impl Diagnosing {
    /// Says which program it is that answers. Only at a root over plain http: nowhere else is asked in discovery.
    async fn name(&self, fault: Fault) -> Fault {
        let askable = self.address.scheme() == "http" && self.address.base_path().is_empty();
        if !askable || self.proxy == Proxy::Configured {
            return fault;
        }
        match recognise(&self.address).await {
            Some(find) if find.kind != self.wanted => named(&fault, &find, self.wanted),
            _ => fault,
        }
    }
}

fn named(fault: &Fault, find: &Find, wanted: Kind) -> Fault {
    let title = find.title.as_deref().unwrap_or(find.kind.title());
    let version = find.version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
    let message = format!(
        "port {} of {} answers, but it is {title}{version}, not a {}",
        find.url.port(),
        find.url.host(),
        wanted.title()
    );
    let fix = format!(
        "If that is the server that you mean, set `kind: {}`; else correct `url`, or start the {} there.",
        find.kind,
        wanted.title()
    );
    let named = Fault::new(Code::WrongProgram, message).with_fix(fix);
    named.with_detail(fault.detail().unwrap_or(fault.message()))
}

/// What this machine adds to a server that was not reached.
pub(crate) fn unreached(fault: Fault, address: &Address) -> Fault {
    match fault.code() {
        Code::ConnectionRefused if address.is_loopback() => match container() {
            // That nothing listens is the fact; that another machine was meant is a guess, and told as one.
            Some(name) => {
                let fix = format!(
                    "{} Backline runs in {name}, so this address is the container's own: for a server outside it see `backline explain {}`.",
                    fault.fix(),
                    Code::ContainerLoopback
                );
                fault.with_fix(fix)
            }
            None => fault,
        },
        Code::ConnectTimeout | Code::NoRoute | Code::Dns if !address.is_loopback() => match proxied() {
            Some(name) => {
                let fix = format!(
                    "{} If the way out leads through the proxy that {name} names, set `proxy` for this backend: the variable is never obeyed.",
                    fault.fix()
                );
                fault.with_fix(fix)
            }
            None => fault,
        },
        _ => fault,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_on_the_port_is_named_and_both_remedies() {
        let mut find = Find::new(Kind::Openai, Address::loopback(8000), "x");
        (find.title, find.version) = (Some("vLLM".to_owned()), Some("0.6.1".to_owned()));
        let told = named(&Fault::new(Code::WrongProgram, "before"), &find, Kind::Comfyui);
        assert_eq!(told.message(), "port 8000 of 127.0.0.1 answers, but it is vLLM 0.6.1, not a ComfyUI");
        assert!(told.fix().contains("`kind: openai`"), "{}", told.fix());
        assert_eq!(told.detail(), Some("before"));
    }
}
