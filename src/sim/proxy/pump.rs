//! One way of one connection through a fault proxy.

use std::{io, num::NonZeroUsize, sync::atomic::Ordering::Relaxed, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::tcp::{ReadHalf, WriteHalf},
    sync::watch,
};

use crate::sim::proxy::{End, Gate, Shared, Toxics, Way};

/// Most bytes of one read.
const PIECE: usize = 16 * 1024;

/// Carries the bytes of one way. Ends well with the sender's FIN, which is passed on.
///
/// # Errors
/// How the whole connection has to end: by a limit, or as its other side broke.
pub(super) async fn pump(
    way: Way,
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    shared: &Shared,
) -> Result<(), End> {
    let mut toxics = shared.toxics.subscribe();
    let mut room = vec![0; PIECE];
    let mut passed = 0;
    loop {
        held(&mut toxics).await;
        let now = toxics.borrow().clone();
        let most = now.slice.map_or(PIECE, NonZeroUsize::get).min(PIECE);
        let read = tokio::select! {
            biased;
            _ = toxics.changed() => continue,
            read = from.read(&mut room[..most]) => read.map_err(broken)?,
        };
        if read == 0 {
            return to.shutdown().await.map_err(broken);
        }
        tokio::time::sleep(delay(&now, read)).await;
        held(&mut toxics).await;
        if toxics.borrow().gate == Gate::Swallow {
            shared.counters.swallowed.fetch_add(read as u64, Relaxed);
            continue;
        }
        let (part, cut) = shared.limits.take(way, passed, read);
        to.write_all(&room[..part]).await.map_err(broken)?;
        passed += part as u64;
        shared.counters.passed(way, part);
        if let Some(end) = cut {
            shared.counters.cuts.fetch_add(1, Relaxed);
            return Err(end);
        }
    }
}

/// Waits while the gate holds bytes back.
async fn held(toxics: &mut watch::Receiver<Toxics>) {
    // The sender lives in what the connection's task shares.
    let _ = toxics.wait_for(|t| t.gate != Gate::Hold).await;
}

fn delay(toxics: &Toxics, bytes: usize) -> Duration {
    let slow = toxics
        .bandwidth
        .map_or(Duration::ZERO, |rate| Duration::from_secs_f64(bytes as f64 / rate.get() as f64));
    toxics.latency + slow
}

/// A side that broke breaks the other one the same way.
fn broken(_error: io::Error) -> End {
    End::Rst
}
