//! The kinds of backend. A kind's folder is the only place that knows its protocol; adding one touches that folder
//! and one line of [`connector_for`].

pub(crate) mod attachment;
pub mod connector;
pub(crate) mod preflight;
pub mod report;
pub mod session;
pub mod target;
#[cfg(any(feature = "litellm", feature = "wan2gp"))]
mod tie;

#[cfg(feature = "comfyui")]
pub mod comfyui;
#[cfg(feature = "gradio")]
pub mod gradio;
#[cfg(feature = "litellm")]
pub mod litellm;
#[cfg(feature = "wan2gp")]
pub mod wan2gp;

pub use connector::{Connector, Dialed, Sign};
pub use preflight::{Fitness, Lack};
pub use report::{Report, Sink};
pub use session::{Abilities, Attempt, Download, Finished, Past, RemoteFile, Seen, Session, Setback, Start};
pub use target::Target;

use std::sync::Arc;

#[allow(unused_imports, reason = "used where a kind's feature is on")]
use crate::model::{Code, Fault, Kind};

/// The connector of a backend's kind.
///
/// # Errors
/// [`Code::BadConfig`] where the kind is not compiled in, or a setting cannot be used.
pub fn connector_for(target: Target) -> Result<Arc<dyn Connector>, Fault> {
    match target.kind {
        #[cfg(feature = "comfyui")]
        Kind::Comfyui => Ok(Arc::new(comfyui::Comfyui::new(target)?)),
        #[cfg(feature = "gradio")]
        Kind::Gradio => Ok(Arc::new(gradio::Gradio::new(target)?)),
        #[cfg(feature = "wan2gp")]
        Kind::Wan2gp => Ok(Arc::new(wan2gp::Wan2gp::new(target)?)),
        #[cfg(all(feature = "gradio", not(feature = "wan2gp")))]
        Kind::Wan2gp => Ok(Arc::new(gradio::Gradio::new(target)?)),
        #[cfg(feature = "litellm")]
        Kind::Litellm | Kind::Openai => Ok(Arc::new(litellm::Litellm::new(target)?)),
        #[allow(unreachable_patterns, reason = "reached where a kind's feature is off")]
        kind => Err(Fault::new(Code::BadConfig, format!("this build of Backline has no support for {kind}"))
            .with_fix(format!("Build it with the feature `{kind}`."))),
    }
}
