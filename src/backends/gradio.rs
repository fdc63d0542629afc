//! To be written.

use futures_util::future::BoxFuture;

use crate::{
    backends::{Connector, Dialed, Target},
    model::{Code, Epoch, Fault},
};

/// The connector of this kind.
pub struct Gradio;

impl Gradio {
    /// A connector for a target.
    ///
    /// # Errors
    /// A setting cannot be used.
    pub fn new(_target: Target) -> Result<Self, Fault> {
        Err(Fault::new(Code::BadConfig, "not written yet"))
    }
}

impl Connector for Gradio {
    fn dial(&self, _epoch: Epoch) -> BoxFuture<'_, Result<Dialed, Fault>> {
        Box::pin(async { Err(Fault::new(Code::BadConfig, "not written yet")) })
    }
}
