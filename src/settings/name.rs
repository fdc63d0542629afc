//! Names for backends that nobody named. Pure.

use std::collections::HashSet;

use crate::{
    discovery::Find,
    model::{BackendId, Kind},
};

/// Longest name that is made of a title; a number still fits behind it.
const LONGEST: usize = 32;

/// Titles that name the framework and not the app.
const GENERIC: [&str; 3] = ["gradio", "gradio-app", "app"];

/// Names in use, as they stand in the environment: `a-b` and `a_b` are one there.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names(HashSet<String>);

impl Names {
    pub(crate) fn take(&mut self, id: &BackendId) {
        self.0.insert(id.env_name());
    }

    /// A free name for a find: its kind's, or that of the app, with a number from the second on. It is taken then.
    pub(crate) fn name(&mut self, find: &Find) -> BackendId {
        let stem = stem(find);
        let free = (1..)
            .map(|count: u64| if count == 1 { stem.clone() } else { format!("{stem}-{count}") })
            .filter_map(|text| BackendId::new(text).ok())
            .find(|id| !self.0.contains(&id.env_name()))
            .expect("finitely many names are taken, and a stem with any number is an id");
        self.take(&free);
        free
    }
}

/// A ComfyUI, a Wan2GP and a LiteLLM are what their kind says. A Gradio app has a title, and a compatible server the
/// name of its program; a title is a stranger's text, so only letters and digits are taken of it.
fn stem(find: &Find) -> String {
    let kind = find.kind.as_str();
    if !matches!(find.kind, Kind::Gradio | Kind::Openai) {
        return kind.to_owned();
    }
    let slug = slug(find.title.as_deref().unwrap_or_default());
    if slug.is_empty() || GENERIC.contains(&slug.as_str()) { kind.to_owned() } else { slug }
}

fn slug(title: &str) -> String {
    let mut slug = String::new();
    for letter in title.chars().take(200) {
        match letter.to_ascii_lowercase() {
            letter if letter.is_ascii_alphanumeric() => slug.push(letter),
            _ if slug.is_empty() || slug.ends_with('-') => {}
            _ => slug.push('-'),
        }
        if slug.len() >= LONGEST {
            break;
        }
    }
    slug.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::net::Address;

    fn find(kind: Kind, title: &str) -> Find {
        let mut find = Find::new(kind, Address::loopback(1), "x");
        find.title = Some(title.to_owned());
        find
    }

    #[test]
    fn a_name_says_what_it_is_and_is_free() {
        let mut names = Names::default();
        let mut name = |kind, title: &str| names.name(&find(kind, title)).to_string();
        assert_eq!(name(Kind::Comfyui, "whatever"), "comfyui");
        assert_eq!(name(Kind::Comfyui, ""), "comfyui-2");
        assert_eq!(name(Kind::Gradio, "Gradio"), "gradio");
        assert_eq!(name(Kind::Gradio, "RVC WebUI (v2)"), "rvc-webui-v2");
        assert_eq!(name(Kind::Gradio, "RVC_WebUI: v2!"), "rvc-webui-v2-2");
        assert_eq!(name(Kind::Gradio, "音声"), "gradio-2");
        assert_eq!(name(Kind::Openai, "Ollama"), "ollama");
        names.take(&"lite_llm".parse().unwrap());
        assert_eq!(names.name(&find(Kind::Openai, "lite llm")).as_str(), "lite-llm-2");
    }

    proptest! {
        #[test]
        fn any_title_gives_an_id_and_no_two_are_one_in_the_environment(titles in proptest::collection::vec(".*", 0..20)) {
            let mut names = Names::default();
            let ids: Vec<_> = titles.iter().map(|title| names.name(&find(Kind::Gradio, title)).env_name()).collect();
            let different: HashSet<_> = ids.iter().collect();
            prop_assert_eq!(different.len(), ids.len());
        }
    }
}
