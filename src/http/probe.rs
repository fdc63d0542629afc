//! The staged test of a backend, or of one to be.

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use utoipa::ToSchema;

use super::{
    Context,
    backends::{BackendFields, bad_body, known},
    describe::{Away, Bad, Missing},
    piece::{Pieces, any},
};
use crate::{
    Handle,
    model::{BackendId, Kind},
    settings::Fields,
    supervisor::probe::{ProbeReport, probe},
};

/// A backend to be. Its further fields are those of `GET /config/schema` below `backends.*`.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is the description of what `candidate` takes")]
struct ProbeTarget {
    kind: Kind,
    url: String,
    #[serde(flatten)]
    fields: std::collections::BTreeMap<String, serde_json::Value>,
}

/// Tests a backend stage by stage, with the fields of the body over those that it has. Nothing is changed.
#[utoipa::path(
    post, path = "/backends/{id}/test", params(("id" = BackendId, Path)), request_body = Option<BackendFields>,
    responses((status = 200, body = ProbeReport), Bad, Missing, Away)
)]
pub(crate) async fn test(State(context): State<Context>, Path(id): Path<String>, body: Bytes) -> Response {
    let handle = &context.handle;
    match known(handle, &id) {
        Ok(id) => tested(handle, Some(id), &body).await,
        Err(error) => error.into_response(),
    }
}

/// Tests a candidate that is not configured, stage by stage. Nothing is changed.
#[utoipa::path(
    post, path = "/probe", request_body = ProbeTarget, responses((status = 200, body = ProbeReport), Bad, Away)
)]
pub(crate) async fn candidate(State(context): State<Context>, body: Bytes) -> Response {
    tested(&context.handle, None, &body).await
}

async fn tested(handle: &Handle, id: Option<BackendId>, body: &[u8]) -> Response {
    let fields = match (fields(body), &id) {
        (Ok(fields), None) if fields.is_empty() => return bad_body("it names no field"),
        (Ok(fields), _) => fields,
        (Err(why), _) => return bad_body(&why),
    };
    match handle.candidate(id, fields).await {
        Ok(backend) => Json(probe(&backend).await).into_response(),
        Err(error) => error.into_response(),
    }
}

fn fields(body: &[u8]) -> Result<Fields, String> {
    let mut pieces = match body {
        [] => Pieces::new(),
        body => serde_json::from_slice(body).map_err(|e| e.to_string())?,
    };
    // A form has it; a candidate needs none.
    pieces.shift_remove("id");
    any(pieces).map_err(str::to_owned)
}
