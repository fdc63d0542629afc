//! The HTTP client of one backend: bound to its origin, with its key apart.

use std::{fmt, sync::Arc, time::Duration};

use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use reqwest::{Client, RequestBuilder, Response, redirect};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::{
    model::{Code, Fault},
    net::{
        Address, Clients, Reuse, blame,
        course::{self, Step},
        tls, wait,
        witness::{Errand, Sworn, errand},
    },
};

/// What a client is made of.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// Longest wait for a connection. Default 2 s.
    pub connect: Duration,
    /// Certificates.
    pub tls: tls::TlsSettings,
    /// An http proxy for this backend; none unless configured, whatever the environment says. It is not used for
    /// an address of this machine.
    pub proxy: Option<Url>,
    /// Sent with every request to this backend.
    pub headers: HeaderMap,
    /// Sent as `Authorization: Bearer` by [`Http::keyed`] only.
    pub key: Option<SecretString>,
    /// Who hears what came of each request.
    pub witness: Option<Sworn>,
    /// Where the parts that do not differ between backends are shared; by default with nobody.
    pub clients: Clients,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(2),
            tls: tls::TlsSettings::default(),
            proxy: None,
            headers: HeaderMap::new(),
            key: None,
            witness: None,
            clients: Clients::default(),
        }
    }
}

/// Requests to one backend, and to nothing else.
///
/// [`Self::request`] carries no key, so that a fingerprint can be taken from whatever answers on the port; once it
/// matched, [`Self::keyed`] adds it. Both are bound to the backend's origin by construction: they take paths.
#[derive(Clone)]
pub struct Http {
    client: Arc<Client>,
    address: Arc<Address>,
    headers: HeaderMap,
    bearer: Option<HeaderValue>,
    tls: Arc<rustls::ClientConfig>,
    proxy: Option<Url>,
    witness: Option<Sworn>,
}

impl Http {
    /// A client for an address.
    ///
    /// # Errors
    /// [`Code::BadConfig`] for a certificate file, a proxy or a key that cannot be used, and for a key that would
    /// meet an unchecked certificate off loopback. Whether a key may cross a network in the clear is not asked here:
    /// [`BackendConfig::target`](crate::config::BackendConfig::target) does, which alone knows what the user allowed.
    pub fn new(address: Address, settings: &HttpSettings) -> Result<Self, Fault> {
        Self::with_reuse(address, settings, Reuse::default())
    }

    /// As [`Self::new`], with another use of connections.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_reuse(address: Address, settings: &HttpSettings, reuse: Reuse) -> Result<Self, Fault> {
        if settings.key.is_some() && !address.is_loopback() && settings.tls.danger_accept_invalid {
            return Err(Fault::new(
                Code::BadConfig,
                "a key and `danger_accept_invalid` do not go together off loopback",
            )
            .with_fix(
                "Pin the certificate with `tls: (pin: …)` or name its authority with `tls: (ca: …)`.",
            ));
        }
        let tls = tls::client_config(&settings.tls)?;
        let proxy = settings.proxy.clone().filter(|_| !address.is_loopback());
        let make = || {
            let (most, time) = reuse.kept();
            let mut builder = plain(&tls, settings.connect)
                .pool_idle_timeout(time)
                .pool_max_idle_per_host(most)
                .tcp_nodelay(true);
            if let Some(proxy) = &proxy {
                let proxy = reqwest::Proxy::all(proxy.clone())
                    .map_err(|_| Fault::new(Code::BadConfig, "`proxy` is no address of a proxy"))?;
                builder = builder.proxy(proxy);
            }
            built(builder)
        };
        let is_like_others = proxy.is_none() && settings.tls == tls::TlsSettings::default();
        let client = if is_like_others {
            settings.clients.one(settings.connect, reuse, make)?
        } else {
            Arc::new(make()?)
        };
        let bearer = settings.key.as_ref().map(bearer).transpose()?;
        let (headers, witness) = (settings.headers.clone(), settings.witness.clone());
        Ok(Self { client, address: Arc::new(address), headers, bearer, tls, proxy, witness })
    }

    /// Where it goes.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The TLS configuration, for a WebSocket to the same backend.
    pub fn tls(&self) -> Arc<rustls::ClientConfig> {
        self.tls.clone()
    }

    /// The configured headers, for a WebSocket to the same backend.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The key as a header, for a WebSocket to the same backend.
    pub fn bearer(&self) -> Option<&HeaderValue> {
        self.bearer.as_ref()
    }

    /// The proxy that its requests go through, for a WebSocket to the same backend.
    pub fn proxy(&self) -> Option<&Url> {
        self.proxy.as_ref()
    }

    /// Whether a key is configured.
    pub fn has_key(&self) -> bool {
        self.bearer.is_some()
    }

    /// A request to a path below the base, without the key.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.request_url(method, self.address.url(path))
    }

    /// A request to a URL made by [`Self::address`], without the key.
    pub fn request_url(&self, method: Method, url: Url) -> RequestBuilder {
        assert!(self.address.is_origin_of(&url), "a request stays at its backend's origin");
        self.client.request(method, url).headers(self.headers.clone())
    }

    /// A request to a path below the base, with the key where there is one.
    pub fn keyed(&self, method: Method, path: &str) -> RequestBuilder {
        self.with_key(self.request(method, path))
    }

    /// Adds the key to a request of this client.
    pub fn with_key(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.bearer {
            Some(bearer) => request.header(header::AUTHORIZATION, bearer.clone()),
            None => request,
        }
    }

    /// Sends a request and waits for the head of its answer, at most `limit`.
    ///
    /// # Cancel safety
    /// Dropping the future closes the connection; whether the server acts on the request is unknown then.
    ///
    /// # Errors
    /// The network's faults. A status is not an error here; a redirect comes back as it is.
    pub async fn send(&self, request: RequestBuilder, limit: Duration) -> Result<Response, Fault> {
        let request = request.build().map_err(|e| blame::request(&e))?;
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let begun = tokio::time::Instant::now();
        let answer = tokio::time::timeout(limit, self.client.execute(request)).await;
        let took = begun.elapsed();
        let answer = match answer {
            Ok(Ok(answer)) => {
                tracing::trace!(target: "wire", %method, path, status = answer.status().as_u16(),
                    length = answer.content_length(), ?took, "answer");
                Ok(answer)
            }
            Ok(Err(error)) => {
                let fault = blame::request(&error);
                tracing::trace!(target: "wire", %method, path, code = %fault.code(), ?took, "no answer");
                Err(fault)
            }
            Err(_) => {
                tracing::trace!(target: "wire", %method, path, ?took, "no answer in time");
                let place = self.address.authority();
                Err(Fault::new(Code::RequestTimeout, format!("{place}: no answer to {path} in {limit:?}")))
            }
        };
        if answer.is_ok() {
            course::passed(Step::Http);
        }
        self.tell(&answer, &method, &path, took);
        answer
    }

    fn tell(&self, answer: &Result<Response, Fault>, method: &Method, path: &str, took: Duration) {
        let Some(Sworn(witness)) = &self.witness else { return };
        let errand = errand();
        if errand == Errand::Check {
            return;
        }
        match answer {
            Err(fault) => witness.hears(errand, Err(fault), took),
            Ok(answer) => {
                match self.complaint(answer, path) {
                    Some(fault) => witness.hears(errand, Err(&fault), took),
                    None => witness.hears(errand, Ok(()), took),
                }
                // Who reads may look for what need not be there.
                if *method != Method::GET && is_strange(answer.status()) {
                    witness.wonders(errand);
                }
            }
        }
    }

    /// What a status says of the server; those that speak of the request say nothing of it.
    fn complaint(&self, answer: &Response, path: &str) -> Option<Fault> {
        let code = match answer.status() {
            StatusCode::TOO_MANY_REQUESTS => Code::RateLimited,
            status if status.is_server_error() => Code::BackendError,
            _ => return None,
        };
        let (place, status) = (self.address.authority(), answer.status().as_u16());
        let fault = Fault::new(code, format!("{place}: {status} to {path}"));
        Some(match wait::asked(answer.headers(), jiff::Timestamp::now()) {
            Some(wait) => fault.with_retry_after(wait),
            None => fault,
        })
    }
}

/// What is asked for by a name that is not there, or in a form that is not known: a model that was removed, a node or a
/// function that an update changed. ComfyUI and LiteLLM say so with 400, Gradio with 404 and 422.
fn is_strange(status: StatusCode) -> bool {
    matches!(status, StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND | StatusCode::UNPROCESSABLE_ENTITY)
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http")
            .field("address", &self.address)
            .field("key", &self.has_key())
            .finish_non_exhaustive()
    }
}

/// A client for one request to an address that is no backend's, under the same rules.
pub(crate) fn client(connect: Duration) -> Result<Client, Fault> {
    let tls = tls::client_config(&tls::TlsSettings::default())?;
    built(plain(&tls, connect).pool_max_idle_per_host(0))
}

/// What holds for every client: no redirect, no proxy of the environment's.
fn plain(tls: &rustls::ClientConfig, connect: Duration) -> reqwest::ClientBuilder {
    Client::builder()
        .tls_backend_preconfigured(tls.clone())
        .redirect(redirect::Policy::none())
        .no_proxy()
        .user_agent(concat!("backline/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(connect)
}

fn built(builder: reqwest::ClientBuilder) -> Result<Client, Fault> {
    builder.build().map_err(|e| Fault::new(Code::Internal, format!("no HTTP client can be made: {e}")))
}

fn bearer(key: &SecretString) -> Result<HeaderValue, Fault> {
    // LiteLLM before 1.83.7 let a quote in the header reach its database (CVE-2026-42208): visible ASCII only.
    let key = key.expose_secret().trim();
    let fits = !key.is_empty() && key.bytes().all(|b| b.is_ascii_graphic() && b != b'\'' && b != b'"');
    if !fits {
        return Err(Fault::new(Code::BadConfig, "`api_key` is empty or has letters that no key has")
            .with_fix("Check that the variable or file holds the key alone, without quotes."));
    }
    let mut value = HeaderValue::from_str(&format!("Bearer {key}"))
        .map_err(|_| Fault::new(Code::BadConfig, "`api_key` cannot be sent in a header"))?;
    value.set_sensitive(true);
    Ok(value)
}
