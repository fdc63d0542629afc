//! Whether a backend could run a piece of work, asked before it is sent.

use std::fmt;

use serde::Serialize;

use crate::model::{Work, fault::clean};

/// Things of one sort that a sentence lists.
const SHOWN: usize = 5;

/// Whether a backend could run a piece of work. It speaks of what is there, not of what fits: wrong values stay the
/// backend's to judge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[serde(tag = "verdict", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fitness {
    /// Nothing lacks.
    Runs,
    /// Something does.
    Lacks {
        /// What.
        lacks: Vec<Lack>,
    },
    /// It cannot be said.
    Unsaid {
        /// Why not.
        why: String,
    },
}

/// One thing that a backend lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "dashboard", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct Lack {
    /// What it is: `node`, `model`, `function`, `argument`, or `work` where the backend does not take such work at all.
    pub what: &'static str,
    /// Its name, or what is wrong with it.
    pub name: String,
    /// Where the request wants it, as far as it has a place there.
    pub place: Option<String>,
}

#[cfg_attr(
    not(any(feature = "comfyui", feature = "gradio", feature = "litellm")),
    allow(dead_code, reason = "the kinds make them")
)]
impl Lack {
    pub(crate) fn new(what: &'static str, name: impl AsRef<str>) -> Self {
        Self { what, name: clean(name.as_ref(), 300), place: None }
    }

    pub(crate) fn at(mut self, place: impl AsRef<str>) -> Self {
        self.place = Some(clean(place.as_ref(), 200));
        self
    }
}

#[cfg_attr(
    not(any(feature = "comfyui", feature = "gradio", feature = "litellm")),
    allow(dead_code, reason = "the kinds make them")
)]
impl Fitness {
    /// Runs where nothing lacks.
    pub(crate) fn of(lacks: Vec<Lack>) -> Self {
        if lacks.is_empty() { Self::Runs } else { Self::Lacks { lacks } }
    }

    /// The backend does not take this kind of work.
    pub(crate) fn not_this(work: &Work) -> Self {
        Self::Lacks { lacks: vec![Lack::new("work", work.name())] }
    }

    /// It cannot be said.
    pub(crate) fn unsaid(why: impl AsRef<str>) -> Self {
        Self::Unsaid { why: clean(why.as_ref(), 300) }
    }
}

impl fmt::Display for Fitness {
    /// The rest of a sentence that begins with the backend: `runs it`, `lacks node X, model Y`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Runs => f.write_str("runs it"),
            Self::Unsaid { why } => write!(f, "cannot be asked: {why}"),
            Self::Lacks { lacks } => {
                let mut sentence = Vec::new();
                for (what, begin, many) in [
                    ("work", "takes no ", "takes no "),
                    ("node", "lacks node ", "lacks nodes "),
                    ("model", "lacks model ", "lacks models "),
                    ("function", "lacks function ", "lacks functions "),
                    ("argument", "", ""),
                ] {
                    let mut names: Vec<_> =
                        lacks.iter().filter(|l| l.what == what).map(|l| l.name.as_str()).collect();
                    names.sort_unstable();
                    names.dedup();
                    if names.is_empty() {
                        continue;
                    }
                    let surplus = names.len().saturating_sub(SHOWN);
                    let begin = if names.len() == 1 { begin } else { many };
                    names.truncate(SHOWN);
                    let more = if surplus == 0 { String::new() } else { format!(" and {surplus} more") };
                    sentence.push(format!("{begin}{}{more}", names.join(", ")));
                }
                f.write_str(&sentence.join(", ").replace(", lacks ", ", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_says_what_lacks() {
        let lacks = vec![Lack::new("model", "flux"), Lack::new("node", "X"), Lack::new("node", "X").at("7")];
        assert_eq!(Fitness::of(lacks).to_string(), "lacks node X, model flux");
        assert_eq!(Fitness::of(Vec::new()).to_string(), "runs it");
        let many = (0..8).map(|n| Lack::new("node", format!("N{n}"))).collect();
        assert_eq!(Fitness::of(many).to_string(), "lacks nodes N0, N1, N2, N3, N4 and 3 more");
        assert_eq!(Fitness::unsaid("it is away").to_string(), "cannot be asked: it is away");
    }
}
