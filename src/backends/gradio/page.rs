//! What a Gradio app says of itself at `/config`, and how it is recognised.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::model::{Code, Fault};

/// The document at `/config`, as far as it is of use. Read from 4.44.1, 5.29.0 and 6.31.0; 100 KB and more for a
/// large app.
#[derive(Debug, Clone, Deserialize)]
pub struct Page {
    /// Gradio's version.
    pub version: String,
    /// Where the API's routes begin: empty in 4, `/gradio_api` from 5 on.
    #[serde(default)]
    pub api_prefix: String,
    /// The app's name.
    #[serde(default, deserialize_with = "text")]
    pub title: Option<String>,
    /// How events are delivered: `sse_v3` in all three versions.
    #[serde(default, deserialize_with = "text")]
    pub protocol: Option<String>,
    /// Random at each start of the app.
    #[serde(default)]
    pub app_id: Option<AppId>,
    /// What stands on the page.
    pub components: Vec<Component>,
    /// The functions behind it.
    pub dependencies: Vec<Dependency>,
}

/// The number that an app draws at each start: a boot id. It exceeds what a double holds, so it is kept as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppId(pub String);

/// The answer of `/app_id`, which needs no log-in.
#[derive(Debug, Clone, Deserialize)]
pub struct AppIdAnswer {
    /// The id.
    pub app_id: AppId,
}

/// Something on the page.
#[derive(Debug, Clone, Deserialize)]
pub struct Component {
    /// Its number, by which functions name their inputs.
    pub id: i64,
    /// `textbox`, `state`, `markdown` and so on.
    #[serde(rename = "type", default, deserialize_with = "text")]
    pub sort: Option<String>,
    /// Whether the API leaves it out, as it does with a state.
    #[serde(default)]
    pub skip_api: Option<bool>,
    /// Its settings.
    #[serde(default)]
    pub props: Props,
}

/// The settings of a component.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Props {
    /// What stands above it.
    #[serde(default, deserialize_with = "text")]
    pub label: Option<String>,
    /// What it holds at the start, where that is a text.
    #[serde(default, deserialize_with = "text")]
    pub value: Option<String>,
}

/// A function of the app.
#[derive(Debug, Clone, Deserialize)]
pub struct Dependency {
    /// Its index.
    #[serde(default)]
    pub id: Option<u64>,
    /// Its name. A function with `api_name=False` has JSON `false` in 4 and 5 and the text `"false"` in 6.31.0.
    #[serde(default, deserialize_with = "text")]
    pub api_name: Option<String>,
    /// The components that it reads.
    #[serde(default)]
    pub inputs: Vec<i64>,
    /// Whether Python stands behind it, or the browser alone.
    #[serde(default = "yes")]
    pub backend_fn: bool,
    /// Whether it is shown in the API's page (4 and 5).
    #[serde(default)]
    pub show_api: Option<bool>,
    /// `public`, `private` or `undocumented` (6).
    #[serde(default, deserialize_with = "text")]
    pub api_visibility: Option<String>,
}

fn yes() -> bool {
    true
}

/// A text, or nothing where another type stands.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Any {
        Text(String),
        Other(serde::de::IgnoredAny),
    }
    Ok(match Any::deserialize(deserializer)? {
        Any::Text(text) => Some(text),
        Any::Other(_) => None,
    })
}

impl<'de> Deserialize<'de> for AppId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Ok(Self(raw.get().trim_matches('"').chars().take(80).collect()))
    }
}

impl Page {
    /// Reads a document, which proves that a Gradio app answers.
    ///
    /// # Errors
    /// [`Code::WrongProgram`] where it is something else, [`Code::VersionUnsupported`] for a Gradio whose protocol is not
    /// spoken here.
    pub fn read(body: &[u8]) -> Result<Self, Fault> {
        let page: Self = serde_json::from_slice(body)
            .map_err(|_| Fault::new(Code::WrongProgram, "/config is no configuration of a Gradio app"))?;
        let spoken = page.protocol.as_deref().is_some_and(|p| p.starts_with("sse_v"));
        if !spoken {
            let message = format!(
                "the app runs on Gradio {}, whose protocol ({}) is not spoken here",
                page.version,
                page.protocol.as_deref().unwrap_or("none named")
            );
            return Err(Fault::new(Code::VersionUnsupported, message)
                .with_fix("Update the app to Gradio 4.44 or newer; 4, 5 and 6 are supported."));
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || "/_-".contains(c);
        if !page.api_prefix.chars().all(plain) {
            return Err(Fault::new(Code::Protocol, "the app's `api_prefix` is no path"));
        }
        Ok(page)
    }

    /// Whether it is WanGP, and which version its page names.
    pub fn wangp(&self) -> Option<WanGp> {
        let credit = self
            .components
            .iter()
            .filter_map(|c| c.props.value.as_deref())
            .find(|text| text.contains("by DeepBeepMeep"));
        let titled = self.title.as_deref() == Some("WanGP");
        (titled || credit.is_some()).then(|| WanGp { version: credit.and_then(version_in) })
    }
}

/// A WanGP behind a Gradio page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WanGp {
    /// Its version, `v12.60`, where the page shows one.
    pub version: Option<String>,
}

/// The first `v` with numbers after it.
fn version_in(text: &str) -> Option<String> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '.').find_map(|word| {
        let numbers = word.strip_prefix('v')?.trim_end_matches('.');
        let fits =
            numbers.starts_with(|c: char| c.is_ascii_digit()) && numbers.len() < 20 && numbers.contains('.');
        fits.then(|| format!("v{numbers}"))
    })
}

#[cfg(test)]
mod tests;
