//! The dashboard: hand-written modules, embedded in the binary; no request of it leaves its origin.
//!
//! A debug build with `UI_DIR=src/http/dashboard` reads the files from the disk at each request, so that a change
//! shows at the next reload.

mod asset;

use axum::{
    Extension, Router,
    body::Body,
    extract::{OriginalUri, Path},
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header};

use self::asset::Asset;
use super::{Access, Bounds, Context, answer, guard};
use crate::Handle;

/// Stands in the page where its own files begin, since a host may mount it below any path.
const HERE: &str = "{{here}}";
/// Stands in the page where it says what it is over.
const STAGE: &str = "{{stage}}";

/// What the page is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "only the binary plays a demo"))]
pub(crate) enum Stage {
    /// Simulated servers that can be broken: the page has a drawer for it.
    Demo,
}

/// The page and its files.
pub(crate) fn routes() -> Router<Context> {
    Router::new().route("/", get(page)).route("/ui/{file}", get(file))
}

/// The API and the dashboard with a drawer that breaks things; `acts` are its routes, under the same rules of access.
#[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "only the binary plays a demo"))]
pub(crate) fn over_a_stage(handle: Handle, access: Access, acts: Router) -> Router {
    let context = Context::new(handle.clone(), access.clone(), &Bounds::default());
    let acts = acts
        .layer(middleware::from_fn_with_state(context.clone(), guard::with_token))
        .layer(middleware::from_fn_with_state(context, guard::from_here));
    super::router(handle, access).merge(acts).layer(Extension(Stage::Demo))
}

async fn page(
    OriginalUri(uri): OriginalUri,
    stage: Option<Extension<Stage>>,
    headers: HeaderMap,
) -> Response {
    let text = asset::page();
    let text = String::from_utf8_lossy(&text).replace(HERE, &here(&uri)).replace(
        STAGE,
        match stage {
            Some(Extension(Stage::Demo)) => "data-demo",
            None => "",
        },
    );
    answered("text/html; charset=utf-8", text.into_bytes(), &headers)
}

async fn file(Path(name): Path<String>, uri: Uri, headers: HeaderMap) -> Response {
    match Asset::named(&name) {
        Some(asset) => answered(asset.media_type(), asset.bytes().into_owned(), &headers),
        None => answer::not_found(uri).await,
    }
}

/// Where the page's files are, relative to the address that was asked for. Mounted at `/backline` the page is asked for
/// without a slash at its end, and a relative address would leave the mount.
fn here(uri: &Uri) -> String {
    let last = uri.path().rsplit('/').next().unwrap_or_default();
    let plain = last.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.~".contains(&b));
    if last.is_empty() || !plain { String::new() } else { format!("{last}/") }
}

/// The bytes with a tag, or 304 to who has them. A reload always asks: another version may run behind the address.
fn answered(media_type: &'static str, bytes: Vec<u8>, headers: &HeaderMap) -> Response {
    let tag = asset::tag(&bytes);
    let mut answer = match headers.get(header::IF_NONE_MATCH) {
        Some(seen) if seen.as_bytes() == tag.as_bytes() => StatusCode::NOT_MODIFIED.into_response(),
        _ => Response::new(Body::from(bytes)),
    };
    let head = answer.headers_mut();
    head.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    head.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        head.insert(header::ETAG, tag);
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_are_found_wherever_the_page_is_mounted() {
        for (asked, files) in
            [("/", ""), ("/backline", "backline/"), ("/backline/", ""), ("/a/b", "b/"), ("/a/%22onload", "")]
        {
            assert_eq!(here(&asked.parse().unwrap()), files, "{asked}");
        }
    }

    #[test]
    fn who_has_a_file_is_told_so() {
        let first = answered("text/css", b"a{}".to_vec(), &HeaderMap::new());
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_NONE_MATCH, first.headers()[header::ETAG].clone());
        assert_eq!(answered("text/css", b"a{}".to_vec(), &headers).status(), StatusCode::NOT_MODIFIED);
        assert_eq!(answered("text/css", b"b{}".to_vec(), &headers).status(), StatusCode::OK);
    }
}
