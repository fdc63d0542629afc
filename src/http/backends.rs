//! Backends added, changed and removed through the API. Secrets go in and never come out.

use axum::{
    Json,
    body::Bytes,
    extract::{OriginalUri, Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Context,
    answer::refusal,
    describe::{Away, Bad, Conflicting, Missing, Outdated},
    piece::{Pieces, flat},
};
use crate::{
    Error, Handle,
    config::ValueRow,
    model::{BackendId, BackendStatus, Class, Kind},
    settings::{Change, Edit},
};

#[derive(Deserialize)]
struct Addition {
    id: String,
    #[serde(flatten)]
    fields: Pieces,
}

/// A new backend. Its further fields are those of `GET /config/schema` below `backends.*`, as the file has them.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is the description of `Addition`, which takes what it cannot describe")]
pub(super) struct NewBackend {
    id: BackendId,
    kind: Kind,
    url: String,
    #[serde(flatten)]
    fields: std::collections::BTreeMap<String, serde_json::Value>,
}

/// Fields of a backend by name, as the file has them; `null` takes the edit of a field back.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is a description")]
pub(super) struct BackendFields(std::collections::BTreeMap<String, Option<serde_json::Value>>);

/// One backend: its state, and its settings with their sources.
#[derive(Serialize, ToSchema)]
struct View {
    id: BackendId,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<std::sync::Arc<BackendStatus>>,
    /// Each value with its source, without secrets; empty where the host's own code gave it.
    values: Vec<ValueRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<Change>,
}

/// One backend's settings, each with its source; the tag is for `If-Match`.
#[utoipa::path(get, path = "/backends/{id}", params(("id" = BackendId, Path, description = "The backend")), responses((status = 200, body = View), Missing))]
pub(crate) async fn show(State(context): State<Context>, Path(id): Path<String>) -> Response {
    match known(&context.handle, &id) {
        Ok(id) => seen(&context.handle, StatusCode::OK, id, None),
        Err(error) => error.into_response(),
    }
}

/// Adds one: 201.
#[utoipa::path(
    post, path = "/backends", params(("If-Match" = Option<String>, Header)), request_body = NewBackend,
    responses((status = 201, body = View), Bad, Conflicting, Outdated, Away)
)]
pub(crate) async fn add(
    State(context): State<Context>,
    OriginalUri(asked): OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Addition { id, fields } = match serde_json::from_slice(&body) {
        Ok(addition) => addition,
        Err(error) => return bad_body(&error.to_string()),
    };
    let id = match BackendId::new(&id) {
        Ok(id) => id,
        Err(error) => return bad_body(&error.to_string()),
    };
    let fields = match flat(fields) {
        Ok(fields) => fields,
        Err(why) => return bad_body(why),
    };
    let place = format!("{}/{id}", asked.path().trim_end_matches('/'));
    match context.handle.edit(Edit::Add(id.clone(), fields), tag(&headers)).await {
        Ok(change) => {
            let mut answer = seen(&context.handle, StatusCode::CREATED, id, Some(change));
            if let Ok(place) = HeaderValue::from_str(&place) {
                answer.headers_mut().insert(header::LOCATION, place);
            }
            answer
        }
        Err(error) => error.into_response(),
    }
}

/// Changes fields of one; `null` takes the edit of a field back.
#[utoipa::path(
    patch, path = "/backends/{id}", params(("id" = BackendId, Path), ("If-Match" = Option<String>, Header)),
    request_body = BackendFields, responses((status = 200, body = View), Bad, Missing, Conflicting, Outdated, Away)
)]
pub(crate) async fn change(
    State(context): State<Context>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let fields = serde_json::from_slice::<Pieces>(&body);
    let fields =
        match fields.map_err(|e| e.to_string()).and_then(|fields| flat(fields).map_err(str::to_owned)) {
            Ok(fields) => fields,
            Err(why) => return bad_body(&why),
        };
    let handle = &context.handle;
    let id = match known(handle, &id) {
        Ok(id) => id,
        Err(error) => return error.into_response(),
    };
    match handle.edit(Edit::Change(id.clone(), fields), tag(&headers)).await {
        Ok(change) => seen(handle, StatusCode::OK, id, Some(change)),
        Err(error) => error.into_response(),
    }
}

/// Removes one, after what is in flight there has ended, or 20 s.
#[utoipa::path(
    delete, path = "/backends/{id}", params(("id" = BackendId, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = Change), Bad, Missing, Conflicting, Outdated, Away)
)]
pub(crate) async fn remove(
    State(context): State<Context>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let handle = &context.handle;
    let removed = match known(handle, &id) {
        Ok(id) => handle.edit(Edit::Remove(id), tag(&headers)).await,
        Err(error) => Err(error),
    };
    match removed {
        Ok(change) => tagged(handle, Json(change).into_response()),
        Err(error) => error.into_response(),
    }
}

/// Takes back everything that was edited about one: what the layers below say counts again.
#[utoipa::path(
    post, path = "/backends/{id}/revert", params(("id" = BackendId, Path)),
    responses((status = 200, body = Change), Bad, Missing, Conflicting, Away)
)]
pub(crate) async fn revert(State(context): State<Context>, Path(id): Path<String>) -> Response {
    let handle = &context.handle;
    let reverted = match BackendId::new(&id) {
        Ok(id) => handle.revert_backend(id).await,
        Err(_) => Err(unknown(handle, &id)),
    };
    match reverted {
        Ok(change) => tagged(handle, Json(change).into_response()),
        Err(error) => error.into_response(),
    }
}

pub(super) fn known(handle: &Handle, id: &str) -> Result<BackendId, Error> {
    let config = handle.config();
    config.backends.get_key_value(id).map(|(id, _)| id.clone()).ok_or_else(|| unknown(handle, id))
}

fn unknown(handle: &Handle, id: &str) -> Error {
    let config = handle.config();
    let known: Vec<_> = config.backends.keys().map(BackendId::as_str).collect();
    Error::UnknownBackend { id: id.chars().take(80).collect(), known: known.join(", ") }
}

fn seen(handle: &Handle, code: StatusCode, id: BackendId, change: Option<Change>) -> Response {
    let group = format!("backends.{id}.");
    let rows = handle.loaded().map(|loaded| loaded.values()).unwrap_or_default();
    let values = rows.into_iter().filter(|row| row.path.starts_with(&group)).collect();
    let status = handle.snapshot().backend(id.as_str()).cloned();
    tagged(handle, (code, Json(View { id, status, values, change })).into_response())
}

/// Names the configuration that counts now, for `If-Match`.
pub(super) fn tagged(handle: &Handle, mut answer: Response) -> Response {
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{}\"", handle.config_tag())) {
        answer.headers_mut().insert(header::ETAG, tag);
    }
    answer
}

/// The tag that the configuration has to have; `*` is any.
pub(super) fn tag(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(header::IF_MATCH)?;
    // What is no text is no tag of ours, and matches none.
    let text = text.to_str().unwrap_or_default().trim();
    (text != "*").then(|| text.trim_matches('"').to_owned())
}

pub(super) fn bad_body(why: &str) -> Response {
    let message = format!("the body is no backend: {why}");
    let fix = "Send an object with the fields of a backend, like {\"id\":\"comfyui\",\"kind\":\"comfyui\",\"url\":\"http://127.0.0.1:8188\"}.";
    refusal(StatusCode::BAD_REQUEST, "bad_body", Class::Usage, &message, fix)
}
