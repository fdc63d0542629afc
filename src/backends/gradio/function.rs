//! The functions of an app: found by name or index.

use std::collections::HashMap;

use crate::{
    backends::gradio::page::{Component, Page},
    model::{Code, Fault},
};

/// The most names that a message lists.
const LISTED: usize = 12;

/// One function of an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Its index (`fn_index`).
    pub index: u64,
    /// Its name, without the slash; `None` where the app gave it none.
    pub name: Option<String>,
    /// Whether the app shows it to callers of its API.
    pub shown: bool,
    /// What it reads, in order.
    pub inputs: Vec<Input>,
}

/// One input of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A value that the caller gives; the label is the component's.
    Value(Option<String>),
    /// A state of the session: the app keeps it, and the request has `null` in its place, as Gradio's own clients
    /// send it.
    State,
}

/// The functions of an app.
#[derive(Debug, Clone, Default)]
pub struct Functions {
    all: Vec<Function>,
}

impl Functions {
    /// The functions of a page that have Python behind them.
    pub fn of(page: &Page) -> Self {
        let components: HashMap<i64, &Component> = page.components.iter().map(|c| (c.id, c)).collect();
        let input = |id: &i64| match components.get(id) {
            Some(c) if c.skip_api == Some(true) || c.sort.as_deref() == Some("state") => Input::State,
            Some(c) => Input::Value(c.props.label.clone()),
            None => Input::Value(None),
        };
        let all = page.dependencies.iter().enumerate().filter(|(_, d)| d.backend_fn);
        let all = all.map(|(place, d)| {
            let name = d.api_name.as_deref().map(|n| n.trim_start_matches('/')).filter(|n| *n != "false");
            let visible = d.api_visibility.as_deref().is_none_or(|v| v == "public");
            Function {
                index: d.id.unwrap_or(place as u64),
                name: name.map(str::to_owned),
                shown: name.is_some() && visible && d.show_api != Some(false),
                inputs: d.inputs.iter().map(input).collect(),
            }
        });
        Self { all: all.collect() }
    }

    /// All of them, hidden ones too.
    pub fn all(&self) -> &[Function] {
        &self.all
    }

    /// The names of those that the app shows, with the slash.
    pub fn names(&self) -> Vec<String> {
        let shown = self.all.iter().filter(|f| f.shown);
        shown.filter_map(|f| f.name.as_ref()).map(|n| format!("/{n}")).collect()
    }

    /// The function with this name (with or without the slash) or this index.
    ///
    /// # Errors
    /// [`Code::NotFound`], which lists the nearest names.
    pub fn find(&self, wanted: &str) -> Result<&Function, Fault> {
        let name = wanted.trim_start_matches('/');
        let by_name = self.all.iter().find(|f| f.name.as_deref() == Some(name));
        let by_index = || {
            let index: u64 = wanted.parse().ok()?;
            self.all.iter().find(|f| f.index == index)
        };
        by_name.or_else(by_index).ok_or_else(|| self.missing(name))
    }

    fn missing(&self, name: &str) -> Fault {
        let mut names = self.names();
        names.sort_by(|a, b| {
            let near = |n: &str| strsim::jaro_winkler(n.trim_start_matches('/'), name);
            near(b).total_cmp(&near(a))
        });
        let more = names.len().saturating_sub(LISTED);
        names.truncate(LISTED);
        let list = match (names.is_empty(), more) {
            (true, _) => "it shows none by name".to_owned(),
            (_, 0) => format!("it has {}", names.join(", ")),
            (_, more) => format!("it has {} and {more} more", names.join(", ")),
        };
        let fault = Fault::new(Code::NotFound, format!("the app has no function `{name}`; {list}"));
        match names.first() {
            Some(near) if strsim::jaro_winkler(near.trim_start_matches('/'), name) > 0.8 => {
                fault.with_fix(format!("Did you mean `{near}`?"))
            }
            _ => fault,
        }
    }
}

#[cfg(test)]
mod tests;
