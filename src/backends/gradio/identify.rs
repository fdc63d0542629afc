//! Who answers on the port: the fingerprint, then the log-in. Nothing secret goes out before the fingerprint matched.

use bytes::Bytes;
use http::{Method, StatusCode, header};
use secrecy::ExposeSecret;

use crate::{
    backends::{
        Target,
        gradio::{
            cookies::Cookies,
            page::{AppIdAnswer, Page},
            refusal::{Refusal, wants_login},
        },
    },
    model::{Code, Fault, Kind},
    net::{
        Http, body,
        course::{self, Step},
    },
};

/// The routes of `app_id`: from 5 on, and in 4.
const APP_ID: [&str; 2] = ["gradio_api/app_id", "app_id"];

/// A Gradio app that let us in.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) page: Page,
    pub(super) boot: String,
    pub(super) cookies: Option<Cookies>,
}

/// What answers at `/config`.
enum Door {
    Open(Bytes),
    Locked,
}

/// Finds out who answers, and logs in where that is asked for.
pub(super) async fn identify(http: &Http, target: &Target) -> Result<Found, Fault> {
    let (body, cookies) = match knock(http, target, None).await? {
        Door::Open(body) => (body, None),
        Door::Locked => enter(http, target).await?,
    };
    let page = Page::read(&body).map_err(|fault| explain(fault, target))?;
    course::passed(Step::Api);
    course::passed(Step::Auth);
    let boot = match &page.app_id {
        Some(id) => id.0.clone(),
        None => boot(http, target, &format!("{}/app_id", page.api_prefix)).await?,
    };
    Ok(Found { page, boot, cookies })
}

/// The boot id that the app has now.
pub(super) async fn boot(http: &Http, target: &Target, path: &str) -> Result<String, Fault> {
    let answer = http.send(http.request(Method::GET, path), target.timeouts.request).await?;
    if !answer.status().is_success() {
        return Err(Refusal::of(answer).await.fault);
    }
    let answer: AppIdAnswer = body::json(answer, body::ERROR_CAP).await?;
    Ok(answer.app_id.0)
}

/// A locked app shows its `app_id` all the same, which proves that it is one before it gets our password.
async fn enter(http: &Http, target: &Target) -> Result<(Bytes, Option<Cookies>), Fault> {
    let mut proved = false;
    for path in APP_ID {
        proved = proved || boot(http, target, path).await.is_ok();
    }
    if !proved {
        let message = format!("{}: /config wants a log-in, but no Gradio app answers", target.address);
        return Err(explain(Fault::new(Code::WrongProgram, message), target));
    }
    course::passed(Step::Api);
    let cookies = match &target.login {
        Some((user, password)) => Some(login(http, target, user, password.expose_secret()).await?),
        None if http.has_key() => None,
        None => {
            let message = format!("{} wants a log-in, and none is configured", target.address);
            return Err(Fault::new(Code::AuthRequired, message)
                .with_fix("Set `login: (\"USER\", \"env:NAME\")` for this backend."));
        }
    };
    let admission = Admission { cookies: cookies.as_ref() };
    match knock(http, target, Some(admission)).await? {
        Door::Open(body) => {
            course::passed(Step::Auth);
            Ok((body, cookies))
        }
        Door::Locked => {
            Err(Fault::new(Code::AuthWrong, format!("{} does not let us in with it", target.address)))
        }
    }
}

/// What may be sent once the fingerprint matched.
struct Admission<'c> {
    cookies: Option<&'c Cookies>,
}

async fn knock(http: &Http, target: &Target, admission: Option<Admission<'_>>) -> Result<Door, Fault> {
    let mut request = http.request(Method::GET, "config");
    if let Some(Admission { cookies }) = admission {
        request = http.with_key(request);
        if let Some(cookies) = cookies {
            request = request.header(header::COOKIE, cookies.header().clone());
        }
    }
    let answer = http.send(request, target.timeouts.request).await?;
    match answer.status() {
        StatusCode::OK => {
            // The page of an app with a hundred models is megabytes.
            let body = body::read(answer, body::LIST_CAP);
            let limit = target.timeouts.request;
            let late = || Fault::new(Code::RequestTimeout, format!("no whole /config in {limit:?}"));
            tokio::time::timeout(limit, body).await.map_err(|_| late())?.map(Door::Open)
        }
        StatusCode::UNAUTHORIZED => {
            let text = body::read_beginning(answer, body::ERROR_CAP).await;
            if wants_login(&text) {
                return Ok(Door::Locked);
            }
            let message = format!("{} wants a log-in that is not Gradio's", target.address);
            Err(Fault::new(Code::WrongProgram, message))
        }
        status if status.is_redirection() => {
            let message = format!("{}: /config is redirected elsewhere ({status})", target.address);
            Err(explain(Fault::new(Code::WrongProgram, message), target))
        }
        _ => {
            let fault = Refusal::of(answer).await.fault;
            Err(match fault.code() {
                Code::NotFound | Code::BadRequest => {
                    let message = format!("{} is no Gradio app: {fault}", target.address);
                    explain(Fault::new(Code::WrongProgram, message), target)
                }
                _ => fault,
            })
        }
    }
}

async fn login(http: &Http, target: &Target, user: &str, password: &str) -> Result<Cookies, Fault> {
    let form = [("username", user), ("password", password)];
    let request = http.request(Method::POST, "login").form(&form);
    let answer = http.send(request, target.timeouts.request).await?;
    let status = answer.status();
    if status.is_success() {
        let none = || {
            let message = format!("{}: the log-in sets no cookie that may be sent here", target.address);
            Fault::new(Code::Protocol, message)
        };
        return Cookies::of(answer.headers(), target.address.scheme()).ok_or_else(none);
    }
    let fault = Refusal::of(answer).await.fault;
    Err(match status {
        // `{"detail":"Incorrect credentials."}` in 4.44.1, 5.29.0 and 6.31.0.
        StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED => {
            Fault::new(Code::AuthWrong, format!("{} refuses the log-in of `{user}`", target.address))
        }
        _ => fault,
    })
}

/// Adds what a person who expects a WanGP needs to know.
fn explain(fault: Fault, target: &Target) -> Fault {
    match target.kind {
        Kind::Wan2gp => fault.with_fix(
            "Start WanGP, with its web page or as an MCP server (`--mcp --mcp-transport streamable-http --mcp-port \
             7866`), and give its address in `url`.",
        ),
        _ => fault,
    }
}
