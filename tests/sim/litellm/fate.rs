//! A chat cut at every byte: it never runs twice, and what is said of it is true.

use std::{ops::Range, time::Duration};

use backline::{
    backends::Setback,
    model::{Code, Kind},
    sim::{
        FaultProxy,
        litellm::SimLitellm,
        proxy::{End, Gate, Limit, Way},
    },
};

use super::rig::{Line, ask, dial, sim, target};
use crate::log::PATIENCE;

struct Rig {
    sim: SimLitellm,
    proxy: FaultProxy,
    line: Line,
}

async fn rig() -> Rig {
    let sim = sim().await;
    let proxy = FaultProxy::before(sim.port()).await.unwrap();
    let mut target = target(&proxy.url(), Kind::Litellm, Some(sim.key()));
    target.timeouts.idle_stream = Duration::from_secs(5);
    let line = dial(target).await.unwrap();
    Rig { sim, proxy, line }
}

impl Rig {
    /// Closes idle connections, so that the next chat has a connection of its own, counted from its first byte.
    async fn fresh(&self) {
        self.proxy.cut(End::Fin);
        let closed = async {
            while self.proxy.tally().open > 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(PATIENCE, closed).await.expect("idle connections close");
    }

    /// How many bytes of this way a chat has.
    async fn measure(&self, way: Way) -> u64 {
        self.fresh().await;
        let count = || match way {
            Way::Request => self.proxy.tally().request_bytes,
            Way::Answer => self.proxy.tally().answer_bytes,
        };
        let before = count();
        self.line.chat(&ask("stub")).await.0.unwrap();
        count() - before
    }

    /// Cuts one chat after so many bytes, and checks what is said of it.
    async fn cut(&self, way: Way, bytes: u64, end: End) -> Result<(), Setback> {
        self.fresh().await;
        let (before, cuts) = (self.sim.executions(), self.proxy.tally().cuts);
        self.proxy.limit(Limit { way, bytes, end, times: Some(1) });
        let (ended, log) = self.line.chat(&ask("stub")).await;
        assert_eq!(self.proxy.tally().cuts, cuts + 1, "{way:?} {bytes}: the fault was injected");
        let ran = self.sim.executions() - before;
        assert!(ran <= 1, "{way:?} {bytes} {end:?}: ran {ran} times");
        match &ended {
            Ok(_) => assert_eq!((ran, log.text().as_str()), (1, "tok0 tok1 tok2 tok3 "), "{way:?} {bytes}"),
            Err(Setback::Refused(fault) | Setback::Unsent(fault)) => {
                assert_eq!(ran, 0, "{way:?} {bytes}: {fault:?}")
            }
            Err(Setback::Uncertain(fault)) => assert!(
                matches!(fault.code(), Code::ConnectionReset | Code::Truncated),
                "{way:?} {bytes}: {fault:?}"
            ),
            Err(other) => panic!("{way:?} {bytes} {end:?}: {other:?}"),
        }
        ended.map(|_| ())
    }

    async fn sweep(&self, way: Way, bytes: Range<u64>, step: usize) -> (usize, usize) {
        let (mut whole, mut cut) = (0, 0);
        for (place, bytes) in bytes.step_by(step).enumerate() {
            let end = if place % 2 == 0 { End::Fin } else { End::Rst };
            match self.cut(way, bytes, end).await {
                Ok(()) => whole += 1,
                Err(_) => cut += 1,
            }
        }
        (whole, cut)
    }
}

#[tokio::test]
async fn p8_a_request_cut_at_any_byte_runs_at_most_once() {
    let rig = rig().await;
    let length = rig.measure(Way::Request).await;
    assert!(length > 200, "{length}");
    // At its last byte the server has it whole, and the answer is lost.
    let (whole, cut) = rig.sweep(Way::Request, 0..length + 1, 3).await;
    assert_eq!(whole, 0);
    assert!(cut > 60, "{cut}");
}

#[tokio::test]
async fn p8_an_answer_cut_at_any_byte_is_whole_or_uncertain() {
    let rig = rig().await;
    let length = rig.measure(Way::Answer).await;
    let (whole, cut) = rig.sweep(Way::Answer, 0..length, 31).await;
    assert!(cut > 50, "{cut} cut, {whole} whole of {length} bytes");
    // The last bytes come after the marker: an answer that has it is whole.
    rig.cut(Way::Answer, length - 1, End::Fin).await.unwrap();
    rig.cut(Way::Answer, length - 40, End::Fin).await.unwrap_err();
}

#[tokio::test]
async fn a_refused_connection_is_safe_to_send_again() {
    let rig = rig().await;
    rig.fresh().await;
    rig.proxy.refuse().await;
    let Err(Setback::Unsent(fault)) = rig.line.chat(&ask("stub")).await.0 else { panic!("not refused") };
    assert_eq!(fault.code(), Code::ConnectionRefused);
    rig.proxy.accept().await.unwrap();
    assert!(rig.line.chat(&ask("stub")).await.0.is_ok());
    assert_eq!(rig.sim.executions(), 1);
}

#[tokio::test]
async fn slow_small_pieces_change_nothing() {
    let rig = rig().await;
    rig.proxy.poison(|t| t.slice = std::num::NonZeroUsize::new(7));
    let (ended, log) = rig.line.chat(&ask("stub")).await;
    ended.unwrap();
    assert_eq!(log.text(), "tok0 tok1 tok2 tok3 ");
}

#[tokio::test]
async fn a_black_hole_in_the_middle_is_uncertain_by_the_deadline() {
    let rig = rig().await;
    let mut target = target(&rig.proxy.url(), Kind::Litellm, Some(rig.sim.key()));
    target.timeouts.idle_stream = Duration::from_millis(300);
    let line = dial(target).await.unwrap();
    rig.proxy.poison(|t| t.gate = Gate::Swallow);
    let Err(Setback::Uncertain(fault)) = line.chat(&ask("stub")).await.0 else { panic!("not uncertain") };
    assert_eq!(fault.code(), Code::RequestTimeout);
    assert!(rig.proxy.tally().swallowed > 0);
    assert_eq!(rig.sim.executions(), 0);
}
