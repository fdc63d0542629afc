//! The proxy between a raw client and a raw server.

use std::num::{NonZeroU64, NonZeroUsize};

use tokio::time::Instant;

use super::*;

/// A server that answers each connection's bytes with the same bytes, and reports how each connection ended for it.
struct Echo {
    address: SocketAddr,
    ends: tokio::sync::mpsc::Receiver<(Vec<u8>, io::Result<()>)>,
    _tasks: JoinSet<()>,
}

async fn echo() -> Echo {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (report, ends) = tokio::sync::mpsc::channel(16);
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut lines = JoinSet::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let report = report.clone();
            lines.spawn(async move {
                let (mut got, mut room) = (Vec::new(), [0; 4096]);
                let end = loop {
                    match stream.read(&mut room).await {
                        Ok(0) => break Ok(()),
                        Ok(n) => {
                            got.extend_from_slice(&room[..n]);
                            let _ = stream.write_all(&room[..n]).await;
                        }
                        Err(error) => break Err(error),
                    }
                };
                report.send((got, end)).await.unwrap();
            });
        }
    });
    Echo { address, ends, _tasks: tasks }
}

async fn client(proxy: &FaultProxy) -> TcpStream {
    TcpStream::connect(("127.0.0.1", proxy.port())).await.unwrap()
}

/// Sends, half-closes and reads to the end: what came back, and how it ended.
async fn exchange(proxy: &FaultProxy, bytes: &[u8]) -> (Vec<u8>, io::Result<()>) {
    let mut stream = client(proxy).await;
    if stream.write_all(bytes).await.is_ok() {
        let _ = stream.shutdown().await;
    }
    let mut got = Vec::new();
    let end = stream.read_to_end(&mut got).await.map(|_| ());
    (got, end)
}

#[tokio::test]
async fn a_healthy_proxy_passes_everything_and_both_ends() {
    let mut echo = echo().await;
    let proxy = FaultProxy::start(echo.address).await.unwrap();
    let bytes: Vec<u8> = (0..200_000u32).map(|n| n as u8).collect();
    let (got, end) = exchange(&proxy, &bytes).await;
    assert!(got == bytes && end.is_ok(), "{} bytes, {end:?}", got.len());
    let (_, end) = echo.ends.recv().await.unwrap();
    assert!(end.is_ok(), "the half-close arrived as an end: {end:?}");
    let tally = proxy.tally();
    assert_eq!((tally.connections, tally.cuts), (1, 0));
    assert_eq!((tally.request_bytes, tally.answer_bytes), (200_000, 200_000));
}

#[tokio::test]
async fn a_limit_of_request_bytes_passes_exactly_so_many() {
    let mut echo = echo().await;
    let proxy = FaultProxy::start(echo.address).await.unwrap();
    for bytes in [0, 1, 7, 10] {
        proxy.limit(Limit { way: Way::Request, bytes, end: End::Fin, times: Some(1) });
        exchange(&proxy, b"0123456789").await.1.unwrap();
        let (arrived, _) = echo.ends.recv().await.unwrap();
        assert_eq!(arrived, b"0123456789"[..bytes as usize], "limit {bytes}");
    }
    assert_eq!(proxy.tally().cuts, 4);
    assert_eq!(exchange(&proxy, b"whole").await.0, b"whole", "spent limits cut nothing");
}

#[tokio::test]
async fn a_limit_of_answer_bytes_lets_the_server_act() {
    let mut echo = echo().await;
    let proxy = FaultProxy::start(echo.address).await.unwrap();
    proxy.limit(Limit { way: Way::Answer, bytes: 0, end: End::Rst, times: Some(1) });
    let mut stream = client(&proxy).await;
    stream.write_all(b"0123456789").await.unwrap();
    let error = stream.read(&mut [0; 64]).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    let (arrived, end) = echo.ends.recv().await.unwrap();
    assert_eq!(arrived, b"0123456789");
    assert_eq!(end.unwrap_err().kind(), io::ErrorKind::ConnectionReset, "the server sees a reset, too");

    proxy.limit(Limit { way: Way::Answer, bytes: 4, end: End::Fin, times: Some(1) });
    let (got, end) = exchange(&proxy, b"0123456789").await;
    assert!(got == b"0123" && end.is_ok(), "{got:?} {end:?}");
}

#[tokio::test]
async fn a_cut_now_meets_every_open_connection() {
    let echo = echo().await;
    let proxy = FaultProxy::start(echo.address).await.unwrap();
    for (end, kind) in [(End::Rst, Some(io::ErrorKind::ConnectionReset)), (End::Fin, None)] {
        let mut streams = Vec::new();
        for _ in 0..3 {
            let mut stream = client(&proxy).await;
            stream.write_all(b"x").await.unwrap();
            stream.read_exact(&mut [0]).await.unwrap();
            streams.push(stream);
        }
        proxy.cut(end);
        for mut stream in streams {
            let seen = stream.read(&mut [0]).await;
            assert_eq!(seen.map_err(|e| e.kind()), kind.map_or(Ok(0), Err), "{end:?}");
        }
    }
    assert_eq!(proxy.tally().cuts, 6);
}

#[tokio::test]
async fn a_refusing_proxy_refuses_and_comes_back_on_its_port() {
    let echo = echo().await;
    let proxy = FaultProxy::start(echo.address).await.unwrap();
    let mut before = client(&proxy).await;
    before.write_all(b"x").await.unwrap();
    before.read_exact(&mut [0]).await.unwrap();
    proxy.refuse().await;
    let refused = TcpStream::connect(("127.0.0.1", proxy.port())).await.unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    before.write_all(b"y").await.unwrap();
    before.read_exact(&mut [0]).await.expect("open connections stay");
    proxy.accept().await.unwrap();
    proxy.accept().await.unwrap();
    assert_eq!(exchange(&proxy, b"again").await.0, b"again");
}

#[tokio::test]
async fn a_dead_server_shows_as_a_reset_and_is_counted() {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let nowhere = free.local_addr().unwrap();
    drop(free);
    let proxy = FaultProxy::start(nowhere).await.unwrap();
    let (got, end) = exchange(&proxy, b"hello").await;
    assert!(got.is_empty() && end.is_err());
    assert_eq!(proxy.tally().refused, 1);
}

#[tokio::test]
async fn a_black_hole_loses_bytes_and_a_held_line_keeps_them() {
    let echo = echo().await;
    let proxy = FaultProxy::start(echo.address).await.unwrap();
    let mut stream = client(&proxy).await;
    proxy.poison(|t| t.gate = Gate::Swallow);
    stream.write_all(b"lost").await.unwrap();
    while proxy.tally().swallowed < 4 {
        tokio::task::yield_now().await;
    }
    proxy.poison(|t| t.gate = Gate::Hold);
    stream.write_all(b"kept").await.unwrap();
    let silence = tokio::time::timeout(Duration::from_millis(50), stream.read_exact(&mut [0])).await;
    assert!(silence.is_err(), "a held line answers nothing");
    proxy.heal();
    let mut got = [0; 4];
    stream.read_exact(&mut got).await.unwrap();
    assert_eq!(&got, b"kept");
}

#[tokio::test]
async fn slices_latency_and_bandwidth_make_it_slow_and_change_nothing() {
    let echo = echo().await;
    let proxy = FaultProxy::start(echo.address).await.unwrap();
    proxy.poison(|t| {
        t.slice = NonZeroUsize::new(10);
        t.latency = Duration::from_millis(5);
    });
    let begun = Instant::now();
    assert_eq!(exchange(&proxy, &[b'x'; 100]).await.0, [b'x'; 100]);
    assert!(begun.elapsed() >= Duration::from_millis(50), "10 pieces of 5 ms took {:?}", begun.elapsed());

    proxy.heal();
    proxy.poison(|t| t.bandwidth = NonZeroU64::new(100_000));
    let begun = Instant::now();
    assert_eq!(exchange(&proxy, &[b'x'; 10_000]).await.0.len(), 10_000);
    assert!(begun.elapsed() >= Duration::from_millis(100), "10 kB at 100 kB/s took {:?}", begun.elapsed());
}

#[tokio::test]
async fn dropping_the_proxy_cuts_its_connections() {
    let echo = echo().await;
    let proxy = FaultProxy::start(echo.address).await.unwrap();
    let mut stream = client(&proxy).await;
    stream.write_all(b"x").await.unwrap();
    stream.read_exact(&mut [0]).await.unwrap();
    assert_eq!(proxy.tally().open, 1);
    drop(proxy);
    assert!(matches!(stream.read(&mut [0]).await, Ok(0) | Err(_)));
}
