//! The pages of the causes: text of ours and nothing else, so they want no token.

use std::fmt::Write as _;

use axum::{
    Json,
    extract::Path,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header};

use super::answer::refusal;
use crate::{
    model::{Class, Code},
    notices::{Page, catalogue},
};

/// Every cause, with a link to its page.
pub(crate) async fn index() -> Response {
    let mut body = String::from("<h1>What can be wrong</h1>\n<ul class=\"index\">\n");
    for code in Code::ALL {
        let title = catalogue::entry(*code).title;
        let _ = writeln!(body, "<li><a href=\"help/{code}\">{}</a> <code>{code}</code></li>", escaped(title));
    }
    body.push_str("</ul>\n");
    html(StatusCode::OK, "What can be wrong", "", &body)
}

/// The page of one cause; JSON for whoever asks for that alone. An unknown one names its neighbour.
pub(crate) async fn cause(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let wanted = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let json = wanted.contains("application/json") && !wanted.contains("text/html");
    match catalogue::find(&name) {
        Ok(code) if json => Json(Page::of(code)).into_response(),
        Ok(code) => {
            let page = Page::of(code);
            html(StatusCode::OK, page.title, "../", &article(&page))
        }
        Err(near) if json => {
            let message = format!("there is no such cause; did you mean `{near}`?");
            refusal(StatusCode::NOT_FOUND, "unknown_cause", Class::NotFound, &message, "See `GET /help`.")
        }
        Err(near) => {
            let body = format!(
                "<h1>There is no such cause</h1>\n<p>Did you mean <a href=\"{near}\"><code>{near}</code></a>?</p>\n"
            );
            html(StatusCode::NOT_FOUND, "There is no such cause", "../", &body)
        }
    }
}

/// Their style.
pub(crate) async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("help/help.css")).into_response()
}

fn article(page: &Page) -> String {
    let mut body = format!(
        "<p class=\"{severity}\">{severity} · <code>{}</code></p>\n<h1>{}</h1>\n<h2>Likely reasons</h2>\n<ul>\n",
        page.code,
        escaped(page.title),
        severity = page.severity.as_str(),
    );
    for reason in page.reasons {
        let _ = writeln!(body, "<li>{}</li>", marked(reason));
    }
    let _ = writeln!(body, "</ul>\n<h2>What to do</h2>\n<p class=\"fix\">{}</p>", marked(page.fix));
    if !page.steps.is_empty() {
        body.push_str("<ol>\n");
        for step in page.steps {
            let _ = writeln!(body, "<li>{}</li>", marked(step));
        }
        body.push_str("</ol>\n");
    }
    if !page.advice.is_empty() {
        body.push_str("<h2>By the kind of server</h2>\n<dl>\n");
        for advice in &page.advice {
            let _ = writeln!(body, "<dt>{}</dt><dd>{}</dd>", advice.kind.title(), marked(advice.text));
        }
        body.push_str("</dl>\n");
    }
    let _ =
        writeln!(body, "<p class=\"also\">In a terminal: <code>backline explain {}</code></p>", page.code);
    body
}

/// `up` leads from the page to where Backline is mounted.
fn html(status: StatusCode, title: &str, up: &str, body: &str) -> Response {
    let text = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{} – Backline</title>\n\
         <link rel=\"icon\" href=\"data:,\">\n<link rel=\"stylesheet\" href=\"{up}help.css\">\n</head>\n<body>\n\
         <nav><a href=\"{up}.\">Backline</a> <a href=\"{up}help\">All causes</a></nav>\n<main>\n{body}</main>\n\
         </body>\n</html>\n",
        escaped(title)
    );
    let kind = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
    (status, kind, text).into_response()
}

/// A text of the catalogue: what stands in backticks is code.
fn marked(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 32);
    for (at, part) in text.split('`').enumerate() {
        match at % 2 {
            0 => out.push_str(&escaped(part)),
            _ => {
                let _ = write!(out, "<code>{}</code>", escaped(part));
            }
        }
    }
    out
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_become_code_and_nothing_becomes_markup() {
        assert_eq!(marked("a `b <c>` & \"d\""), "a <code>b &lt;c&gt;</code> &amp; &quot;d&quot;");
    }

    #[test]
    fn every_page_closes_what_it_opens() {
        for code in Code::ALL {
            let body = article(&Page::of(*code));
            for tag in ["p", "h1", "h2", "ul", "ol", "li", "dl", "dt", "dd", "code"] {
                let (open, close) = (format!("<{tag}"), format!("</{tag}>"));
                let opened = body
                    .match_indices(&open)
                    .filter(|(at, _)| matches!(body.as_bytes().get(at + open.len()), Some(b'>' | b' ')));
                assert_eq!(opened.count(), body.matches(&close).count(), "{code}: {tag}");
            }
        }
    }
}
