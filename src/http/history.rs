//! What was, of one backend.

use std::time::Duration;

use axum::{
    Json,
    extract::{Path, RawQuery, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{
    Context,
    answer::refusal,
    describe::{Away, Bad, Missing},
};
use crate::{
    config::duration::parse_duration,
    history::HistoryReport,
    model::{BackendId, Class},
    supervisor::query::HistoryOf,
};

/// What is asked for in the address.
#[derive(Debug, PartialEq, Eq)]
struct Wish {
    window: Duration,
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, utoipa::ToSchema)]
#[schema(rename_all = "lowercase")]
enum Format {
    Json,
    Csv,
}

/// `window` is a duration (15 minutes without it; no more than what is kept is answered), `format` is `json` or `csv`.
#[utoipa::path(
    get, path = "/backends/{id}/history",
    params(
        ("id" = BackendId, Path, description = "The backend"),
        ("window" = Option<String>, Query, description = "A duration like `15m`, `6h` or `24h`", example = "15m"),
        ("format" = inline(Option<Format>), Query, description = "`csv` has the columns of `buckets`, with the bucket's width"),
    ),
    responses((status = 200, content((HistoryReport = "application/json"), (String = "text/csv"))), Bad, Missing, Away)
)]
pub(crate) async fn history(
    State(context): State<Context>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let wish = match Wish::parse(query.as_deref().unwrap_or_default()) {
        Ok(wish) => wish,
        Err((code, message, fix)) => {
            return refusal(StatusCode::BAD_REQUEST, code, Class::Usage, &message, fix);
        }
    };
    match context.handle.query(HistoryOf::id(id).window(wish.window)).await {
        Ok(report) if wish.format == Format::Csv => {
            let kind = [
                (header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present"),
                (header::CACHE_CONTROL, "no-cache"),
            ];
            (kind, report.csv()).into_response()
        }
        Ok(report) => ([(header::CACHE_CONTROL, "no-cache")], Json(report)).into_response(),
        Err(error) => error.into_response(),
    }
}

impl Wish {
    fn parse(query: &str) -> Result<Self, (&'static str, String, &'static str)> {
        let mut wish = Self { window: Duration::from_secs(15 * 60), format: Format::Json };
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let shown: String = value.chars().take(40).collect();
            match (&*name, &*value) {
                ("window", text) => wish.window = window(text, &shown)?,
                ("format", "json") => wish.format = Format::Json,
                ("format", "csv") => wish.format = Format::Csv,
                ("format", _) => {
                    let message = format!("`format`: `{shown}` is no format of a history");
                    return Err(("bad_format", message, "Ask for `json` or `csv`."));
                }
                // What a later version asks for is not ours to refuse.
                _ => {}
            }
        }
        Ok(wish)
    }
}

fn window(text: &str, shown: &str) -> Result<Duration, (&'static str, String, &'static str)> {
    let fix = "Write a duration of a second or more, like `15m`, `6h` or `24h`.";
    match parse_duration(text) {
        Ok(window) if window >= Duration::from_secs(1) => Ok(window),
        Ok(_) => Err(("bad_window", format!("`window`: `{shown}` is less than a second"), fix)),
        Err(why) => {
            Err(("bad_window", format!("`window`: {}", why.chars().take(200).collect::<String>()), fix))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_wish_is_refused_with_a_remedy() {
        let fine = Wish::parse("window=2h&format=csv&later=1").unwrap();
        assert_eq!(fine, Wish { window: Duration::from_secs(7_200), format: Format::Csv });
        assert_eq!(Wish::parse("").unwrap().window, Duration::from_secs(900));
        for (query, code) in [
            ("window=soon", "bad_window"),
            ("window=", "bad_window"),
            ("window=0s", "bad_window"),
            ("window=-5m", "bad_window"),
            ("window=99999999999999999999h", "bad_window"),
            ("format=xml", "bad_format"),
        ] {
            let (told, message, fix) = Wish::parse(query).unwrap_err();
            assert_eq!(told, code, "{query}");
            assert!(message.len() < 300 && fix.starts_with(['A', 'W']), "{query}: {message}");
        }
    }
}
