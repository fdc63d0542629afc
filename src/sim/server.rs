//! A simulated server on a loopback port that can be killed, restarted, frozen, cut and scripted.

use std::{
    convert::Infallible,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use crate::sim::{
    fault::{Act, Rule, Script},
    line::{Flow, Line},
};

/// How long a restart waits for the port of the program that it killed.
const REBIND: Duration = Duration::from_secs(1);

/// The body of an answer; a stream may end in an error, which cuts the connection.
pub type Body = UnsyncBoxBody<Bytes, io::Error>;

/// One boot of a simulated program. It is dropped at a kill, with all that it knows and all tasks that it owns.
pub trait App: Send + Sync + 'static {
    /// Answers one request. WebSocket upgrades are taken by `hyper::upgrade::on`.
    fn answer(self: Arc<Self>, request: Request<Incoming>) -> BoxFuture<'static, Response<Body>>;
}

/// A request that arrived, for a test to look at.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Its method.
    pub method: Method,
    /// Its path and query.
    pub path: String,
    /// Its headers.
    pub headers: HeaderMap,
}

/// A simulated server on a loopback port. Dropping it kills it.
pub struct SimServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    boot: Mutex<Option<Boot>>,
    make: Box<dyn Fn() -> Arc<dyn App> + Send + Sync>,
}

struct Shared {
    script: Script,
    seen: Mutex<Vec<Seen>>,
    flow: watch::Sender<Flow>,
    cut: Mutex<CancellationToken>,
}

/// The running program: dropping it kills the program, its listener and its connections.
struct Boot {
    tasks: JoinSet<()>,
    off: CancellationToken,
}

impl Drop for Boot {
    fn drop(&mut self) {
        self.off.cancel();
        self.tasks.abort_all();
    }
}

impl SimServer {
    /// Starts a program on a free loopback port; `make` boots it, now and at each restart.
    ///
    /// # Errors
    /// No port can be had.
    pub async fn start(make: impl Fn() -> Arc<dyn App> + Send + Sync + 'static) -> io::Result<Self> {
        Self::start_on(0, make).await
    }

    /// As [`Self::start`], on this port.
    ///
    /// # Errors
    /// The port is taken.
    pub async fn start_on(
        port: u16,
        make: impl Fn() -> Arc<dyn App> + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            script: Script::default(),
            seen: Mutex::default(),
            flow: watch::channel(Flow::Open).0,
            cut: Mutex::default(),
        });
        let boot = boot(listener, make(), shared.clone());
        Ok(Self { address, shared, boot: Mutex::new(Some(boot)), make: Box::new(make) })
    }

    /// Its port; the same after a restart.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Its address, as a configuration names it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// As `kill -9`: the port refuses, the connections end, the memory is gone.
    pub fn kill(&self) {
        lock(&self.boot).take();
        self.shared.flow.send_replace(Flow::Open);
    }

    /// Starts the program anew on the same port, killing the old one first.
    ///
    /// # Errors
    /// The port was taken by another program meanwhile.
    pub async fn restart(&self) -> io::Result<()> {
        self.kill();
        let listener = self.rebind().await?;
        *lock(&self.boot) = Some(boot(listener, (self.make)(), self.shared.clone()));
        Ok(())
    }

    /// Binds the port again. The killed program's own listener is dropped by its task, a moment after the kill.
    async fn rebind(&self) -> io::Result<TcpListener> {
        let deadline = tokio::time::Instant::now() + REBIND;
        loop {
            match TcpListener::bind(self.address).await {
                Err(error)
                    if error.kind() == io::ErrorKind::AddrInUse && tokio::time::Instant::now() < deadline =>
                {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                bound => return bound,
            }
        }
    }

    /// As SIGSTOP: connections are taken by the kernel, and nothing is read or answered.
    pub fn freeze(&self) {
        self.shared.flow.send_replace(Flow::Frozen);
    }

    /// As SIGCONT.
    pub fn thaw(&self) {
        self.shared.flow.send_replace(Flow::Open);
    }

    /// Cuts every connection that is open now; the program lives on.
    pub fn cut(&self) {
        std::mem::take(&mut *lock(&self.shared.cut)).cancel();
    }

    /// Adds a rule of trouble.
    pub fn trouble(&self, path: impl Into<String>, times: Option<u32>, act: Act) {
        self.shared.script.add(Rule { path: path.into(), times, act });
    }

    /// Drops all rules.
    pub fn calm(&self) {
        self.shared.script.clear();
    }

    /// The requests that arrived, over all boots, in order.
    pub fn seen(&self) -> Vec<Seen> {
        lock(&self.shared.seen).clone()
    }
}

fn boot(listener: TcpListener, app: Arc<dyn App>, shared: Arc<Shared>) -> Boot {
    let off = CancellationToken::new();
    let mut tasks = JoinSet::new();
    tasks.spawn(listen(listener, app, shared, off.clone()));
    Boot { tasks, off }
}

async fn listen(listener: TcpListener, app: Arc<dyn App>, shared: Arc<Shared>, off: CancellationToken) {
    let mut lines = JoinSet::new();
    let mut flow = shared.flow.subscribe();
    loop {
        // A stopped process accepts nothing; its kernel still completes the handshake.
        if flow.wait_for(|f| *f == Flow::Open).await.is_err() {
            return;
        }
        let stream = tokio::select! {
            stream = listener.accept() => stream,
            _ = flow.wait_for(|f| *f == Flow::Frozen) => continue,
            Some(_) = lines.join_next() => continue,
        };
        let Ok((stream, _)) = stream else { continue };
        lines.spawn(serve(stream, app.clone(), shared.clone(), off.clone()));
    }
}

async fn serve(stream: TcpStream, app: Arc<dyn App>, shared: Arc<Shared>, off: CancellationToken) {
    // Loopback without delay is what the real servers set, too.
    let _ = stream.set_nodelay(true);
    let cut = lock(&shared.cut).child_token();
    let line = Line::new(stream, shared.flow.subscribe(), &either(&cut, &off));
    let answer = service_fn(|request| {
        let (app, shared, cut) = (app.clone(), shared.clone(), cut.clone());
        async move { Ok::<_, Infallible>(scripted(app, &shared, &cut, request).await) }
    });
    let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(line), answer);
    if let Err(error) = connection.with_upgrades().await {
        tracing::trace!(%error, "a line of a simulated server ended");
    }
}

/// A token that is cancelled with either.
fn either(cut: &CancellationToken, off: &CancellationToken) -> CancellationToken {
    let both = cut.child_token();
    let (off, child) = (off.clone(), both.clone());
    #[expect(clippy::disallowed_methods, reason = "ends with the line or the program, whichever ends first")]
    tokio::spawn(async move {
        tokio::select! {
            () = off.cancelled() => child.cancel(),
            () = child.cancelled() => {}
        }
    });
    both
}

async fn scripted(
    app: Arc<dyn App>,
    shared: &Shared,
    cut: &CancellationToken,
    request: Request<Incoming>,
) -> Response<Body> {
    let path = request.uri().path_and_query().map(|p| p.as_str().to_owned()).unwrap_or_default();
    lock(&shared.seen).push(Seen {
        method: request.method().clone(),
        path: path.clone(),
        headers: request.headers().clone(),
    });
    match shared.script.pick(&path) {
        None => app.answer(request).await,
        Some(Act::Delay(wait)) => {
            tokio::time::sleep(wait).await;
            app.answer(request).await
        }
        Some(Act::Hang) => std::future::pending().await,
        Some(Act::Answer(status, text)) => plain(status, "application/json", text),
        Some(Act::LoseRequest) => {
            cut.cancel();
            std::future::pending().await
        }
        Some(Act::LoseAnswer) => {
            let _lost = app.answer(request).await;
            cut.cancel();
            std::future::pending().await
        }
        Some(Act::CutAfter(bytes)) => cut_after(app.answer(request).await, bytes),
    }
}

/// The answer with its body cut short: the connection ends in the middle.
pub(crate) fn cut_after(answer: Response<Body>, bytes: usize) -> Response<Body> {
    let (mut head, body) = answer.into_parts();
    // With its length announced hyper would refuse the short body before it is sent.
    head.headers.remove(http::header::CONTENT_LENGTH);
    let stream = futures_util::stream::unfold(Some((body, bytes)), |state| async {
        let (mut body, room) = state?;
        let data = match body.frame().await {
            Some(Ok(frame)) if room > 0 => frame.into_data().unwrap_or_default(),
            _ => return Some((Err(io::Error::from(io::ErrorKind::ConnectionReset)), None)),
        };
        let data = data.slice(..data.len().min(room));
        let room = room - data.len();
        Some((Ok(hyper::body::Frame::data(data)), Some((body, room))))
    });
    Response::from_parts(head, http_body_util::StreamBody::new(stream).boxed_unsync())
}

/// A whole answer.
pub fn plain(status: StatusCode, media_type: &'static str, body: impl Into<Bytes>) -> Response<Body> {
    let body = Full::new(body.into()).map_err(|never| match never {}).boxed_unsync();
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    answer.headers_mut().insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static(media_type));
    answer
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
