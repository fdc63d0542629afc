//! Gradio apps 4, 5 and 6, WanGP's page among them, by `/config`.

pub(crate) mod app;

use crate::{
    backends::gradio::{
        Functions,
        page::{AppIdAnswer, Page},
        refusal::wants_login,
    },
    discovery::{Need, answer::Answer, identity::identity, question::Question, sighting::Sighting},
    model::Kind,
};

/// What `/config` shows.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::discovery) enum Door {
    Open(Sighting),
    /// It asks for a log-in as Gradio does: `app_id`, which needs none, is the proof.
    Locked,
    Strange,
}

/// Looks at an answer to `/config`. The identity is made of the app's title and the names of its functions: two copies
/// of one app share it, and an app whose functions changed has another.
pub(in crate::discovery) fn knock(answer: &Answer) -> Door {
    match answer.status.as_u16() {
        200 => Page::read(&answer.body).map_or(Door::Strange, |page| Door::Open(sight(&page))),
        401 if wants_login(&answer.text()) => Door::Locked,
        _ => Door::Strange,
    }
}

fn sight(page: &Page) -> Sighting {
    let functions = Functions::of(page);
    let mut names: Vec<&str> = functions.all().iter().filter_map(|f| f.name.as_deref()).collect();
    names.sort_unstable();
    let wangp = page.wangp();
    let kind = if wangp.is_some() { Kind::Wan2gp } else { Kind::Gradio };
    let parts = std::iter::once(page.title.as_deref().unwrap_or_default()).chain(names.iter().copied());
    let title = match app::known(page.title.as_deref(), &names) {
        Some(app) if wangp.is_none() => Some(app.name),
        _ => page.title.as_deref(),
    };
    let mut sighting = Sighting::new(kind, identity(kind, parts)).title(title);
    sighting = match wangp {
        Some(wangp) => sighting.version(wangp.version.as_deref()),
        None => sighting.version(Some(&page.version)),
    };
    sighting.boot = page.app_id.as_ref().map(|id| id.0.clone());
    sighting
}

/// A locked app shows nothing but that it is one: all locked apps of 4, and all of 5 and 6, share an identity.
pub(in crate::discovery) fn locked(asked: Question, answer: &Answer) -> Option<Sighting> {
    let id: AppIdAnswer = answer.json().filter(|_| answer.status.is_success())?;
    let identity = identity(Kind::Gradio, ["locked", asked.path()]);
    let mut sighting = Sighting::new(Kind::Gradio, identity).needs(Some(Need::Auth));
    sighting.boot = Some(id.app_id.0);
    Some(sighting)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discovery::answer::tests::answer;

    fn recorded(version: &str) -> Sighting {
        let path = format!("{}/tests/fixtures/gradio/{version}/config.json", env!("CARGO_MANIFEST_DIR"));
        match knock(&answer(200, "uvicorn", std::fs::read(path).unwrap())) {
            Door::Open(sighting) => sighting,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn recorded_apps_are_known_with_their_version() {
        for version in ["4.44.1", "5.29.0", "6.31.0"] {
            let sighting = recorded(version);
            assert_eq!((sighting.kind, sighting.version.as_deref()), (Kind::Gradio, Some(version)));
            assert_eq!(sighting.needs, None);
        }
    }

    #[test]
    fn a_locked_app_is_proved_by_its_id() {
        let refusal = r#"{"detail":{"error":"Not authenticated","auth_message":null}}"#;
        assert_eq!(knock(&answer(401, "uvicorn", refusal)), Door::Locked);
        assert_eq!(knock(&answer(401, "", r#"{"detail":"Unauthorized"}"#)), Door::Strange);
        let proof = locked(Question::AppId, &answer(200, "", r#"{"app_id":18446744073709551615}"#)).unwrap();
        assert_eq!((proof.needs, proof.boot.as_deref()), (Some(Need::Auth), Some("18446744073709551615")));
        assert_eq!(locked(Question::AppId, &answer(404, "", r#"{"app_id":1}"#)), None);
        assert_eq!(locked(Question::AppId, &answer(200, "", "<html>")), None);
    }

    #[test]
    fn a_restart_changes_no_identity_and_another_function_does() {
        let page = |app_id: u64, name: &str| {
            let body = format!(
                r#"{{"version":"5.29.0","protocol":"sse_v3","app_id":{app_id},"title":"RVC","components":[],
                "dependencies":[{{"id":0,"api_name":"{name}"}}]}}"#
            );
            match knock(&answer(200, "", body)) {
                Door::Open(sighting) => sighting,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(page(1, "a").identity, page(2, "a").identity);
        assert!(!page(1, "a").is_same_as(&page(2, "a")), "two starts are two processes");
        assert_ne!(page(1, "a").identity, page(1, "b").identity);
    }
}
