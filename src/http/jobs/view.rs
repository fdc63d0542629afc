//! A job as the API shows it.

use http::Uri;

use crate::model::JobStatus;

/// Where the API is mounted: what stands before `/api/v1` in the address that was asked.
pub(crate) fn base(uri: &Uri) -> String {
    uri.path().split_once("/api/v1").map_or("", |(before, _)| before).to_owned()
}

/// The job with addresses of the API in place of paths of this machine.
pub(crate) fn view(status: &JobStatus, base: &str) -> JobStatus {
    let mut shown = status.clone();
    for output in &mut shown.outputs {
        output.url = format!("{base}/api/v1/jobs/{}/outputs/{}", status.id, output.name);
    }
    shown
}
