//! `/api/jobs`: queue and history of newer servers as one list.

use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use url::Url;

use crate::{
    backends::comfyui::{
        control::checked,
        session::{Session, unexpected},
    },
    model::{Code, Fault},
    net::body,
};

/// A prompt as `/api/jobs` tells it (0.24.0). Times are milliseconds of the wall clock.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[non_exhaustive]
pub struct RemoteJob {
    /// Its id.
    pub id: String,
    /// Where it is.
    #[serde(default)]
    pub status: RemoteStatus,
    /// When it was queued.
    #[serde(default)]
    pub create_time: Option<f64>,
    /// When it began.
    #[serde(default)]
    pub execution_start_time: Option<f64>,
    /// When it ended.
    #[serde(default)]
    pub execution_end_time: Option<f64>,
    /// How many files and texts it left.
    #[serde(default)]
    pub outputs_count: Option<u64>,
    /// What failed, where it did.
    #[serde(default)]
    pub execution_error: Option<Box<RawValue>>,
    /// The outputs by node, where one job was asked for.
    #[serde(default)]
    pub outputs: Option<Box<RawValue>>,
}

/// Where a prompt is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names say it")]
pub enum RemoteStatus {
    Pending,
    InProgress,
    Completed,
    Failed,
    Cancelled,
    /// A word that is not known here.
    #[default]
    #[serde(other)]
    Unknown,
}

/// A part of the list.
#[derive(Debug, Clone, Deserialize)]
#[non_exhaustive]
pub struct RemoteJobs {
    /// The jobs, the newest first.
    pub jobs: Vec<RemoteJob>,
    /// Where in the list they stand.
    #[serde(default)]
    pub pagination: Pagination,
}

/// Where in the list a part of it stands.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names are the protocol's")]
pub struct Pagination {
    pub offset: u64,
    pub limit: Option<u64>,
    pub total: u64,
    pub has_more: bool,
}

#[derive(Deserialize)]
struct Cancelled {
    #[serde(default)]
    cancelled: bool,
}

impl Session {
    /// Jobs from place `offset` on, at most `limit`.
    ///
    /// # Errors
    /// [`Code::NotFound`] where the server has no such list (0.3.64). Else the network's faults.
    ///
    /// # Cancel safety
    /// Safe: it changes nothing.
    pub async fn jobs(&self, offset: u64, limit: u64) -> Result<RemoteJobs, Fault> {
        let (offset, limit) = (offset.to_string(), limit.to_string());
        let url = self.http().address().url_with("api/jobs", &[("offset", &offset), ("limit", &limit)]);
        let (status, text) = self.exchange(Method::GET, url).await?;
        match status {
            StatusCode::OK => body::typed("api/jobs", text.as_bytes()),
            StatusCode::NOT_FOUND => Err(absent("`queue` and `recent` tell the same.")),
            status => Err(unexpected(status, "api/jobs")),
        }
    }

    /// One job; `None` for an id that the server does not know.
    ///
    /// # Errors
    /// As [`Self::jobs`].
    ///
    /// # Cancel safety
    /// Safe: it changes nothing.
    pub async fn job(&self, id: &str) -> Result<Option<RemoteJob>, Fault> {
        let url = self.http().address().url(&format!("api/jobs/{}", checked(id)?));
        let (status, text) = self.exchange(Method::GET, url).await?;
        match status {
            StatusCode::OK => body::typed("api/jobs/ID", text.as_bytes()).map(Some),
            // `{"error": "Job not found"}` in 0.24.0; without the route the body is empty.
            StatusCode::NOT_FOUND if text.contains("Job not found") => Ok(None),
            StatusCode::NOT_FOUND => Err(absent("`queue` and `history` tell the same.")),
            status => Err(unexpected(status, "api/jobs/ID")),
        }
    }

    /// Cancels a job where the server can by itself, and tells whether there was anything to cancel.
    ///
    /// # Errors
    /// [`Code::NotFound`] where it cannot (0.3.64, and 0.24.0, which has the list only). Else the network's faults.
    ///
    /// # Cancel safety
    /// Dropping the future leaves it open whether the server was told.
    pub async fn cancel_job(&self, id: &str) -> Result<bool, Fault> {
        let url = self.http().address().url(&format!("api/jobs/{}/cancel", checked(id)?));
        let (status, text) = self.exchange(Method::POST, url).await?;
        match status {
            StatusCode::OK => {
                body::typed::<Cancelled>("cancel", text.as_bytes()).map(|answer| answer.cancelled)
            }
            StatusCode::NOT_FOUND if text.contains("Job not found") => Ok(false),
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
                Err(absent("`interrupt` and `delete_pending` do it in every version."))
            }
            status => Err(unexpected(status, "api/jobs/ID/cancel")),
        }
    }

    async fn exchange(&self, method: Method, url: Url) -> Result<(StatusCode, String), Fault> {
        let http = self.http();
        let exchange = async {
            let answer = http.send(http.with_key(http.request_url(method, url)), self.limit()).await?;
            let status = answer.status();
            let body = body::read(answer, body::LIST_CAP).await?;
            Ok((status, String::from_utf8_lossy(&body).into_owned()))
        };
        self.bounded(self.limit(), exchange).await
    }
}

fn absent(fix: &str) -> Fault {
    Fault::new(Code::NotFound, "this version of ComfyUI has no such route under /api/jobs").with_fix(fix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recorded_list_and_one_of_the_future_are_read() {
        let list = r#"{"jobs": [{"id": "a", "status": "failed", "priority": 40, "create_time": 1795417687621,
            "execution_error": {"node_id": "2"}, "outputs_count": 0}, {"id": "b", "status": "resting"}],
            "pagination": {"offset": 0, "limit": 2, "total": 7, "has_more": true}}"#;
        let list: RemoteJobs = serde_json::from_str(list).unwrap();
        assert_eq!((list.jobs[0].status, list.jobs[1].status), (RemoteStatus::Failed, RemoteStatus::Unknown));
        assert_eq!((list.pagination.total, list.pagination.has_more), (7, true));
        assert_eq!(list.jobs[0].create_time, Some(1_795_417_687_621.0));
    }

    #[test]
    fn an_id_leads_nowhere_else() {
        for no in ["", "..", "a/b", "a?b", "a%2f", "a b", "\u{e9}"] {
            assert_eq!(checked(no).unwrap_err().code(), Code::BadRequest, "{no}");
        }
        assert!(checked("7f3d2a51-0000-4000-8000-000000000001").is_ok() && checked("my-own_id").is_ok());
    }
}
