//! The description of the API: made from the routes themselves, and completed by what holds for all of them.

use std::sync::{Arc, OnceLock};

use axum::{
    Json,
    extract::{OriginalUri, State},
    response::{IntoResponse, Response},
};
use utoipa::{
    IntoResponses, OpenApi,
    openapi::{
        Components, Content, Ref, RefOr, Response as Described, ResponseBuilder, Server,
        path::{HttpMethod, Operation, PathItem},
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use super::{Context, answer::Refused};
use crate::model::Event;

/// Where everything that is described lies.
const ROOT: &str = "/api/v1";

/// The description as the routes came to it; set once they are all known.
pub(crate) type Description = Arc<OnceLock<utoipa::openapi::OpenApi>>;

/// What the routes are added to.
#[derive(OpenApi)]
#[openapi(
    info(title = "Backline", description = "Keeps an application connected to its generative-AI backends."),
    components(schemas(Refused<'_>, Event)),
    security(("token" = []))
)]
pub(crate) struct Base;

macro_rules! refusals {
    ($($name:ident = $status:literal, $text:literal;)*) => {$(
        #[doc = $text]
        pub(crate) struct $name;

        impl IntoResponses for $name {
            fn responses() -> std::collections::BTreeMap<String, RefOr<Described>> {
                [($status.to_owned(), refused($text))].into()
            }
        }
    )*};
}

refusals! {
    Bad = "400", "The request is wrong: the message says what.";
    Missing = "404", "There is none with this name.";
    Conflicting = "409", "It cannot be done as things stand.";
    Outdated = "412", "What `If-Match` names is not what counts now.";
    Failing = "500", "A file or disk of Backline's refuses: the message says which.";
    Away = "503", "Whoever answers this is being restarted, or busy: ask again.";
}

fn refused(text: &str) -> RefOr<Described> {
    let content = Content::new(Some(Ref::from_schema_name("Refused")));
    ResponseBuilder::new().description(text).content("application/json", content).build().into()
}

/// The description of everything under `/api/v1`, true to what is served.
#[utoipa::path(get, path = "/openapi.json", responses((status = 200, body = Object)))]
pub(crate) async fn openapi(State(context): State<Context>, OriginalUri(asked): OriginalUri) -> Response {
    let mut described = context.description.get().cloned().unwrap_or_default();
    // A host may have mounted us anywhere.
    let prefix = asked.path().strip_suffix("/api/v1/openapi.json").unwrap_or_default();
    described.servers = Some(vec![Server::new(if prefix.is_empty() { "/" } else { prefix })]);
    Json(described).into_response()
}

/// Adds what holds for every route: names, the token, and what any request may be refused for.
pub(crate) fn complete(api: &mut utoipa::openapi::OpenApi) {
    let token = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("The instance's, or a session's."))
        .build();
    api.components
        .get_or_insert_with(Components::new)
        .add_security_scheme("token", SecurityScheme::Http(token));
    for (path, item) in &mut api.paths.paths {
        for (method, operation) in operations(item) {
            finish(path, &method, operation);
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (HttpMethod, &mut Operation)> {
    [
        (HttpMethod::Get, &mut item.get),
        (HttpMethod::Put, &mut item.put),
        (HttpMethod::Post, &mut item.post),
        (HttpMethod::Patch, &mut item.patch),
        (HttpMethod::Delete, &mut item.delete),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

fn finish(path: &str, method: &HttpMethod, operation: &mut Operation) {
    let verb = match method {
        HttpMethod::Get => "get",
        HttpMethod::Put => "put",
        HttpMethod::Post => "post",
        HttpMethod::Patch => "patch",
        _ => "delete",
    };
    let words = path.strip_prefix(ROOT).unwrap_or(path).split(['/', '{', '}', '.']).filter(|w| !w.is_empty());
    operation.operation_id = Some([verb].into_iter().chain(words).collect::<Vec<_>>().join("_"));
    let mut may = vec![
        ("401", "The token is missing or wrong."),
        ("403", "A page of another origin sent it, or the token may only read."),
        ("421", "The `Host` is not one of ours."),
        ("504", "No answer within the time that a request has."),
    ];
    if verb != "get" {
        may.push(("413", "The body is too large."));
        may.push(("415", "The body is not `application/json`."));
    }
    if path.contains('{') {
        may.push(("400", "The path is no text."));
    }
    for (status, text) in may {
        operation.responses.responses.entry(status.to_owned()).or_insert_with(|| refused(text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described() -> serde_json::Value {
        let routes = utoipa_axum::router::OpenApiRouter::with_openapi(Base::openapi());
        let (_, mut api) = routes.nest(ROOT, crate::http::routes()).split_for_parts();
        complete(&mut api);
        serde_json::to_value(api).unwrap()
    }

    #[test]
    fn every_route_says_what_it_answers_and_every_schema_that_is_named_is_there() {
        let api = described();
        let mut names = std::collections::HashSet::new();
        for (path, item) in api["paths"].as_object().unwrap() {
            assert!(path.starts_with("/api/v1/"), "{path}");
            for (method, operation) in item.as_object().unwrap() {
                let answers = operation["responses"].as_object().unwrap();
                assert!(answers.keys().any(|status| status.starts_with('2')), "{method} {path}");
                assert!(answers.contains_key("401") && answers.contains_key("421"), "{method} {path}");
                assert!(
                    names.insert(operation["operationId"].as_str().unwrap().to_owned()),
                    "{method} {path}"
                );
            }
        }
        let text = api.to_string();
        for (at, _) in text.match_indices("#/components/schemas/") {
            let name = text[at + 21..].split('"').next().unwrap();
            assert!(api["components"]["schemas"].get(name).is_some(), "nobody describes {name}");
        }
    }
}
