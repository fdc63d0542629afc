//! The server's tools in the caller's hands, and its gallery.

use std::path::Path;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::{
    backends::wan2gp::{gallery, session::Session, tool},
    model::{Code, Fault},
};

impl Session {
    /// Calls one of the server's tools (`wangp_list_loras`, `wangp_get_default_settings`, …) and gives the document
    /// that it answers with; a list comes as `{"result": […]}`. A generation is better a job, which is seen through:
    /// `wangp_generate` has its id from the server, and a reply that is lost leaves it unknown.
    ///
    /// # Errors
    /// What the tool complains of, the network's; [`Code::BadRequest`] for `wait: true`: the whole server stands still
    /// until such a call is over (12.60: every other request waited 4 s).
    ///
    /// # Cancel safety
    /// Dropping the future leaves it open whether the server acts on it.
    pub async fn tool(&self, name: &str, arguments: &impl Serialize) -> Result<Box<RawValue>, Fault> {
        #[derive(serde::Deserialize)]
        struct Waits {
            #[serde(default)]
            wait: serde_json::Value,
        }
        let _flight = self.wire.tie.fly();
        let bad = |e: serde_json::Error| Fault::new(Code::BadRequest, format!("the arguments: {e}"));
        let arguments = to_raw_value(arguments).map_err(bad)?;
        let Waits { wait } = serde_json::from_str(arguments.get()).map_err(bad)?;
        if !matches!(wait, serde_json::Value::Null | serde_json::Value::Bool(false)) {
            let message = "a call with `wait` stops the whole of WanGP until it is over";
            return Err(Fault::new(Code::BadRequest, message)
                .with_fix("Leave `wait` out, and poll `wangp_get_job`; or submit it as a job."));
        }
        let answer = self.wire.order(name, arguments).await?;
        tool::document(&answer).map_err(|trouble| self.wire.trouble(trouble))
    }

    /// Sends a file to the gallery, as a stream, under this name; its id there stands for it in the settings of a
    /// generation. At most 8 GiB (12.60).
    ///
    /// # Errors
    /// [`Code::Disk`] where it cannot be read, [`Code::TooLarge`], what the server complains of, the network's.
    ///
    /// # Cancel safety
    /// Dropping the future gives up the upload; the token for it is used.
    pub async fn upload(&self, path: &Path, name: &str) -> Result<String, Fault> {
        let _flight = self.wire.tie.fly();
        gallery::upload(self, path, name).await
    }
}
