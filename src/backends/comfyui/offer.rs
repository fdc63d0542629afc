//! What a server offers, asked of it: nodes with their choices, and model files.

use std::collections::BTreeMap;

use crate::{
    backends::comfyui::{
        Session,
        catalogue::Catalogue,
        identify::{Stats, identity},
    },
    model::{Fault, Identity},
    net::body,
};

/// Folders of models that are looked into, at most; 0.24.0 has 26, and custom nodes add some.
const FOLDERS: usize = 200;

impl Session {
    /// What the server can run now, by `/object_info`: 0.5 to 1.3 MB without custom nodes, 0.3 s (0.3.64, 0.24.0).
    /// Read at most 64 MiB far.
    ///
    /// # Cancel safety
    /// Safe: it changes nothing.
    ///
    /// # Errors
    /// The network's faults, [`TooLarge`](crate::model::Code::TooLarge), and
    /// [`Protocol`](crate::model::Code::Protocol) where the answer is none.
    pub async fn catalogue(&self) -> Result<Catalogue, Fault> {
        Catalogue::parse(&self.bytes("object_info", body::LIST_CAP).await?)
    }

    /// The whole of what the server is and offers.
    pub(super) async fn whole(&self) -> Result<Identity, Fault> {
        let stats: Stats = self.get("system_stats", body::JSON_CAP).await?;
        Ok(identity(stats.system.comfyui_version, &self.catalogue().await?))
    }

    /// The model files by folder, like `checkpoints`, by `/models`: those that no node offers too.
    ///
    /// # Cancel safety
    /// Safe: it changes nothing.
    ///
    /// # Errors
    /// As [`Self::catalogue`].
    pub async fn models(&self) -> Result<BTreeMap<String, Vec<String>>, Fault> {
        let folders: Vec<String> = self.get("models", body::JSON_CAP).await?;
        let mut found = BTreeMap::new();
        for folder in folders.into_iter().filter(|name| is_step(name)).take(FOLDERS) {
            let files = self.get(&format!("models/{folder}"), body::JSON_CAP).await?;
            found.insert(folder, files);
        }
        Ok(found)
    }
}

/// Whether a remote name is one step of a path, as it stands.
fn is_step(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    name.chars().all(fits) && name.contains(|c: char| c.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_leads_nowhere_else() {
        assert!(["loras", "vae_approx", "ip-adapter", "v1.5"].iter().all(|name| is_step(name)));
        assert!(!["..", ".", "", "a/b", "a?b", "a%2fb", "a b", "\u{e9}"].iter().any(|name| is_step(name)));
    }
}
