//! The running instance: published in the state directory by `run`, found there by the other commands.

use std::{
    fs,
    io::Write,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use http::{Method, header};
use secrecy::SecretString;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::outcome::{FAILED, Stop, USAGE};
use crate::{
    http::Token,
    model::Class,
    net::{Address, Http, body, http::HttpSettings},
};

/// How long a running instance has to answer.
const ANSWER: Duration = Duration::from_secs(5);
/// How long it has where it asks backends itself.
const LONG_ANSWER: Duration = Duration::from_secs(30);

/// What `instance.json` holds.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Instance {
    pub(crate) address: SocketAddr,
    pub(crate) token: String,
    pub(crate) pid: u32,
}

/// An instance that is published; dropping it takes the file away.
pub(crate) struct Published(PathBuf);

impl Drop for Published {
    fn drop(&mut self) {
        // A file that is left behind is recognised by its dead address.
        let _ = fs::remove_file(&self.0);
    }
}

/// Makes the state directory, for its owner alone, and refuses one that others could tamper with.
pub(crate) fn make_directory(directory: &Path) -> Result<(), Stop> {
    let made = crate::state::directory::prepare(directory);
    made.map(|_| ()).map_err(|trouble| Stop::usage(trouble.to_string(), trouble.fix()))
}

impl Instance {
    /// Publishes this process: written beside, then renamed, so that nobody reads half of it.
    pub(crate) fn publish(directory: &Path, address: SocketAddr, token: &Token) -> Result<Published, Stop> {
        let place = directory.join("instance.json");
        let part = directory.join(format!(".instance.{}.part", std::process::id()));
        let instance = Self { address, token: token.expose().to_owned(), pid: std::process::id() };
        let write = || -> std::io::Result<()> {
            let mut options = fs::OpenOptions::new();
            options.create(true).truncate(true).write(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut file = options.open(&part)?;
            file.write_all(serde_json::to_string(&instance)?.as_bytes())?;
            fs::rename(&part, &place)
        };
        write().map_err(|e| {
            Stop::usage(
                format!("{}: cannot be written: {e}", place.display()),
                "Correct the directory's rights.",
            )
        })?;
        Ok(Published(place))
    }

    /// The instance that is published and answers.
    pub(crate) async fn find(directory: &Path) -> Result<Reached, Stop> {
        let place = directory.join("instance.json");
        let text = fs::read_to_string(&place).map_err(|_| Stop::no_instance("none is published"))?;
        let instance: Self = serde_json::from_str(&text)
            .map_err(|e| Stop::no_instance(&format!("{}: {e}", place.display())))?;
        let key = Some(SecretString::from(instance.token.clone()));
        let mut address = instance.address;
        if address.ip().is_unspecified() {
            // It listens on every address; we ask by the one that is always ours.
            address.set_ip(if address.is_ipv4() {
                Ipv4Addr::LOCALHOST.into()
            } else {
                Ipv6Addr::LOCALHOST.into()
            });
        }
        let address =
            Address::parse(&format!("http://{address}")).map_err(|e| Stop::no_instance(&e.to_string()))?;
        let http = Http::new(address, &HttpSettings { key, ..HttpSettings::default() })
            .map_err(|e| Stop::no_instance(e.message()))?;
        let reached = Reached { instance, http };
        let answer = reached.http.send(reached.http.request(Method::GET, "healthz"), ANSWER).await;
        match answer {
            Ok(answer) if answer.status().is_success() => Ok(reached),
            _ => Err(Stop::no_instance("the one that is published does not answer")),
        }
    }
}

/// A running instance.
#[derive(Clone)]
pub(crate) struct Reached {
    pub(crate) instance: Instance,
    http: Http,
}

impl Reached {
    /// Reads a document of the API.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Stop> {
        self.ask(Method::GET, path).await
    }

    /// Reads a document of the API, with a query.
    pub(crate) async fn get_with<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<T, Stop> {
        self.send(self.http.keyed(Method::GET, path).query(query)).await
    }

    /// Asks for something, and reads the answer.
    pub(crate) async fn ask<T: DeserializeOwned>(&self, method: Method, path: &str) -> Result<T, Stop> {
        self.send(self.http.keyed(method, path)).await
    }

    async fn send<T: DeserializeOwned>(&self, request: reqwest::RequestBuilder) -> Result<T, Stop> {
        let answer = self.answer(request, ANSWER).await?;
        self.read(answer).await
    }

    /// Sends a document, and reads the answer.
    pub(crate) async fn post<T: DeserializeOwned>(&self, path: &str, body: String) -> Result<T, Stop> {
        let answer = self.answer(self.request(Method::POST, path, Some(body)), LONG_ANSWER).await?;
        self.read(answer).await
    }

    /// Asks for something that has no answer but its success.
    pub(crate) async fn command(&self, method: Method, path: &str) -> Result<(), Stop> {
        self.answer(self.request(method, path, None), ANSWER).await.map(drop)
    }

    /// A request, with a document where it has one.
    pub(crate) fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<String>,
    ) -> reqwest::RequestBuilder {
        let request = self.http.keyed(method, path);
        match body {
            Some(body) => request.header(header::CONTENT_TYPE, "application/json").body(body),
            None => request,
        }
    }

    /// The answer to a request, where it is a good one; its body is still to be read.
    pub(crate) async fn answer(
        &self,
        request: reqwest::RequestBuilder,
        limit: Duration,
    ) -> Result<reqwest::Response, Stop> {
        let sent = self.http.send(request, limit).await;
        let answer = sent.map_err(|e| Stop::no_instance(e.message()))?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status();
        let text = body::read_beginning(answer, body::ERROR_CAP).await;
        let Ok(Refusal { error }) = serde_json::from_str::<Refusal>(&text) else {
            let text = crate::model::fault::clean(&text, 300);
            return Err(Stop::failed(format!("the instance answered {status}: {text}")));
        };
        let wrong = matches!(error.class, Class::Usage | Class::Config) || error.code == "unknown_backend";
        Err(Stop::new(if wrong { USAGE } else { FAILED }, error.message, error.fix))
    }

    /// The document of an answer.
    pub(crate) async fn read<T: DeserializeOwned>(&self, answer: reqwest::Response) -> Result<T, Stop> {
        body::json(answer, body::LIST_CAP).await.map_err(|e| Stop::failed(e.message()))
    }
}

/// The API's one shape of an error.
#[derive(Deserialize)]
struct Refusal {
    error: Refused,
}

#[derive(Deserialize)]
struct Refused {
    code: String,
    class: Class,
    message: String,
    fix: String,
}
