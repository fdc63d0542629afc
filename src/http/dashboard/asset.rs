//! The dashboard's files, as they are embedded.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use crate::net::body::hex;

/// One file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asset {
    name: &'static str,
    text: &'static str,
}

macro_rules! assets {
    ($($name:literal)*) => {
        const ASSETS: &[Asset] = &[$(Asset { name: $name, text: include_str!(concat!("ui/", $name)) },)*];
    };
}

assets! {
    "act.js" "activity.js" "api.js" "base.css" "beats.js" "card.css" "card.js" "change.js" "chart.js"
    "charts.js" "demo.js" "dialog.js" "discover.js" "dom.js" "draft.js" "empty.js" "field.js" "files.js"
    "form.css" "form.js" "format.js" "help.js" "icon-bad.svg" "icon-busy.svg" "icon-good.svg"
    "icon-idle.svg" "icon-warn.svg" "icons.js" "job.js" "jobs.js" "keys.js" "live.js" "login.js" "logs.js"
    "main.js" "notices.js" "output.js" "overview.js" "palette.js" "past.js" "phase.js" "pools.js" "rights.js" "rows.js"
    "settings.js" "sheet.js" "shell.css" "shell.js" "spark.js" "staged.js" "store.js" "stream.js" "stretch.js" "strip.js"
    "theme.js" "tick.js" "toasts.js" "tokens.css" "tree.js" "views.css" "views.js"
}

const PAGE: &str = include_str!("page.html");

/// The page itself.
pub(super) fn page() -> Cow<'static, [u8]> {
    from_disk("page.html").map_or(Cow::Borrowed(PAGE.as_bytes()), Cow::Owned)
}

impl Asset {
    /// The file with this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        ASSETS.iter().find(|asset| asset.name == name).copied()
    }

    pub(super) fn bytes(self) -> Cow<'static, [u8]> {
        from_disk(&format!("ui/{}", self.name)).map_or(Cow::Borrowed(self.text.as_bytes()), Cow::Owned)
    }

    pub(super) fn media_type(self) -> &'static str {
        match self.name.rsplit('.').next() {
            Some("js") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("svg") => "image/svg+xml",
            _ => "application/octet-stream",
        }
    }
}

/// Names the bytes, for `ETag`.
pub(super) fn tag(bytes: &[u8]) -> String {
    format!("\"{}\"", &hex(&Sha256::digest(bytes))[..32])
}

/// The file as it is on the disk now, while the dashboard is worked on. Only names of the table get here.
#[cfg(debug_assertions)]
fn from_disk(name: &str) -> Option<Vec<u8>> {
    let directory = std::env::var_os("UI_DIR")?;
    std::fs::read(std::path::Path::new(&directory).join(name)).ok()
}

#[cfg(not(debug_assertions))]
fn from_disk(_name: &str) -> Option<Vec<u8>> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folder_is_served_and_every_import_is_there() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/http/dashboard/ui");
        for file in std::fs::read_dir(folder).unwrap() {
            let name = file.unwrap().file_name().into_string().unwrap();
            assert!(Asset::named(&name).is_some(), "{name} is not in the table");
        }
        for asset in ASSETS {
            assert_ne!(asset.media_type(), "application/octet-stream", "{}", asset.name);
            for part in asset.text.split(" from './").skip(1) {
                let wanted = part.split('\'').next().unwrap();
                assert!(Asset::named(wanted).is_some(), "{} imports {wanted}", asset.name);
            }
        }
    }

    /// The policy of the page forbids them, and text of others must never be parsed.
    #[test]
    fn no_file_parses_html_or_sets_style_by_attribute() {
        let banned = [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
            "DOMParser",
        ];
        for asset in ASSETS.iter().filter(|asset| asset.name.ends_with(".js")) {
            for word in banned {
                assert!(!asset.text.contains(word), "{} uses {word}", asset.name);
            }
            assert!(!asset.text.contains("style: '"), "{} sets the attribute style", asset.name);
        }
        let page = String::from_utf8(page().into_owned()).unwrap();
        assert!(
            !page.contains("<style") && !page.contains(" style=") && !page.contains("<script>"),
            "{page}"
        );
    }
}
