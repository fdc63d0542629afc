//! Who is let in.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use serde_json::json;

use crate::sim::{
    Body,
    gradio::{Version, answer},
};

/// Who is let in. The cookies' names are random at each start: after a restart everybody logs in again.
pub(super) struct Door {
    version: Version,
    login: Option<(String, String)>,
    cookie: String,
    tokens: Mutex<HashSet<String>>,
}

impl Door {
    pub(super) fn new(version: Version, login: Option<(String, String)>) -> Self {
        Self { version, login, cookie: token(), tokens: Mutex::default() }
    }

    /// Whether a request has the cookie of a log-in, where one is needed.
    pub(super) fn admits(&self, headers: &HeaderMap) -> bool {
        if self.login.is_none() {
            return true;
        }
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let names =
            [format!("access-token-{}", self.cookie), format!("access-token-unsecure-{}", self.cookie)];
        let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
        let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.any(|(name, value)| names.iter().any(|n| n == name) && tokens.contains(value))
    }

    pub(super) fn refusal(&self) -> Response<Body> {
        let detail = match self.version {
            Version::V6_31_0 => json!({"error": "Not authenticated", "auth_message": null}),
            _ => json!("Not authenticated"),
        };
        answer::refused(StatusCode::UNAUTHORIZED, &detail)
    }

    /// Answers `POST /login`.
    pub(super) fn login(&self, form: &[u8]) -> Response<Body> {
        let Some((user, password)) = &self.login else {
            let mut answer = answer::signed(crate::sim::server::plain(StatusCode::FOUND, "text/plain", ""));
            answer.headers_mut().insert(header::LOCATION, HeaderValue::from_static("/"));
            return answer;
        };
        let fields: Vec<(String, String)> = url::form_urlencoded::parse(form).into_owned().collect();
        let field = |name: &str| fields.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
        let (Some(given_user), Some(given_password)) = (field("username"), field("password")) else {
            return answer::missing_field(["body", "username"]);
        };
        if given_user.trim() != user || given_password != password {
            return answer::refused(StatusCode::BAD_REQUEST, &json!("Incorrect credentials."));
        }
        let token = token();
        let mut answer = answer::ok(&json!({"success": true}));
        let cookies = [
            format!("access-token-{}={token}; HttpOnly; Path=/; SameSite=none; Secure", self.cookie),
            format!("access-token-unsecure-{}={token}; HttpOnly; Path=/; SameSite=lax", self.cookie),
        ];
        for cookie in cookies {
            let cookie = HeaderValue::from_str(&cookie).expect("a cookie of letters");
            answer.headers_mut().append(header::SET_COOKIE, cookie);
        }
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner).insert(token);
        answer
    }
}

fn token() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}
