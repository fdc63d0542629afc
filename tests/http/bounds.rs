//! What a client may hold open or send.

use std::{fmt::Write as _, time::Duration};

use backline::{
    Supervisor,
    config::Config,
    http::Bounds,
    model::{Code, Severity},
    notices::Draft,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

use crate::api::{Answer, Api, LIMIT, TOKEN};

async fn within(change: impl FnOnce(&mut Bounds)) -> Api {
    let mut bounds = Bounds::default();
    change(&mut bounds);
    Api::within(Supervisor::builder().config(Config::new()), bounds).await
}

/// A connection that is kept after a request; its first answer says whether there was room.
async fn guest(api: &Api) -> (TcpStream, Answer) {
    let mut stream = TcpStream::connect(api.server.address).await.unwrap();
    let request = format!("GET /healthz HTTP/1.1\r\nHost: {}\r\n\r\n", api.host());
    stream.write_all(request.as_bytes()).await.unwrap();
    let answer = timeout(LIMIT, Answer::read(&mut stream)).await.unwrap();
    (stream, answer)
}

fn events(api: &Api) -> String {
    let host = api.host();
    format!("GET /api/v1/events HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n")
}

/// Asks again until there is room: the server frees a place when it sees the end of who had it.
async fn room(api: &Api, request: &str) {
    let asking = async {
        while api.raw(request).await.status != 200 {
            tokio::task::yield_now().await;
        }
    };
    timeout(LIMIT, asking).await.expect("the place is never free again");
}

#[tokio::test]
async fn a_head_that_is_too_long_or_has_too_many_headers_is_refused() {
    let api = Api::start().await;
    let many = (0..200).fold(String::new(), |mut all, n| {
        let _ = write!(all, "X-{n}: y\r\n");
        all
    });
    let long = format!("X-Long: {}\r\n", "y".repeat(100_000));
    for headers in [many, long] {
        let request = format!("GET /healthz HTTP/1.1\r\nHost: {}\r\n{headers}\r\n", api.host());
        assert_eq!(api.raw(&request).await.status, 431);
    }
    let fine = format!("GET /healthz HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", api.host());
    assert_eq!(api.raw(&fine).await.status, 200);
}

/// Letter by letter, each in time: it is the whole head that has a limit.
#[tokio::test]
async fn a_head_that_never_ends_is_cut_off() {
    let api = within(|bounds| bounds.head = Duration::from_millis(300)).await;
    let (mut reading, mut writing) = TcpStream::connect(api.server.address).await.unwrap().into_split();
    let dribble = async {
        let begun = b"GET /healthz HTTP/1.1\r\nX-Slow: ";
        let mut went = writing.write_all(begun).await;
        while went.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
            went = writing.write_all(b"y").await;
        }
    };
    let cut = async {
        // An end, with or without a word; a reset says the same.
        let _ = reading.read_to_end(&mut Vec::new()).await;
    };
    timeout(LIMIT, async { tokio::join!(dribble, cut) }).await.expect("it is still waited for");
    assert_eq!(guest(&api).await.1.status, 200, "others are served");
}

/// The same holds between two requests.
#[tokio::test]
async fn a_connection_that_rests_too_long_is_closed() {
    let api = within(|bounds| bounds.head = Duration::from_millis(300)).await;
    let (mut stream, answer) = guest(&api).await;
    assert_eq!(answer.status, 200);
    let ended = timeout(LIMIT, stream.read(&mut [0; 64])).await.expect("it is kept for ever");
    assert!(matches!(ended, Ok(0) | Err(_)), "{ended:?}");
}

/// Its place is what shows it: there is but one, and it is free again although the client is still there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_takes_nothing_of_its_answer_is_let_go() {
    let api = within(|bounds| (bounds.connections, bounds.stall) = (1, Duration::from_millis(300))).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stalled = socket.connect(api.server.address).await.unwrap();
    stalled.write_all(events(&api).as_bytes()).await.unwrap();
    timeout(LIMIT, stalled.readable()).await.unwrap().unwrap();
    let (_, full) = guest(&api).await;
    assert_eq!((full.status, full.code().as_str()), (503, "too_many_connections"));
    let desk = api.supervisor.desk();
    // More than the kernel keeps for it.
    for turn in 0..4_000 {
        let draft = Draft::new(Code::Flapping, Severity::Info).detail("y".repeat(400));
        desk.raise(draft.subject(turn.to_string()));
        desk.clear_subject(Code::Flapping, None, &turn.to_string());
        if turn % 100 == 0 {
            tokio::task::yield_now().await;
        }
    }
    let healthz = format!("GET /healthz HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", api.host());
    room(&api, &healthz).await;
    drop(stalled);
}

#[tokio::test]
async fn one_connection_too_many_is_told_so_and_the_next_is_served() {
    assert_eq!(Bounds::default().connections, 1024);
    let api = within(|bounds| bounds.connections = 3).await;
    let mut guests = Vec::new();
    for _ in 0..3 {
        let (stream, answer) = guest(&api).await;
        assert_eq!(answer.status, 200);
        guests.push(stream);
    }
    let (mut fourth, refused) = guest(&api).await;
    assert_eq!((refused.status, refused.code().as_str()), (503, "too_many_connections"));
    assert!(matches!(fourth.read(&mut [0; 1]).await, Ok(0) | Err(_)), "it is closed");
    drop(guests.pop());
    let healthz = format!("GET /healthz HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", api.host());
    room(&api, &healthz).await;
}

#[tokio::test]
async fn one_reader_of_the_events_too_many_is_told_so_and_the_next_is_served() {
    assert_eq!(Bounds::default().readers, 512);
    let api = within(|bounds| bounds.readers = 2).await;
    let mut readers = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(api.server.address).await.unwrap();
        stream.write_all(events(&api).as_bytes()).await.unwrap();
        assert_eq!(timeout(LIMIT, Answer::read(&mut stream)).await.unwrap().status, 200);
        readers.push(stream);
    }
    let refused = api.raw(&events(&api)).await;
    assert_eq!((refused.status, refused.code().as_str()), (503, "too_many_readers"));
    assert_eq!(guest(&api).await.1.status, 200, "all else is served");
    drop(readers.pop());
    room(&api, &events(&api)).await;
}
