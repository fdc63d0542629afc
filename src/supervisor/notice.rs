//! What a host reads and says of notices.

use super::Handle;
use crate::{
    error::Error,
    model::Notice,
    notices::{Desk, Mute, Wanted},
};

impl Handle {
    /// What a person should know: open notices, and with [`Wanted::All`] hidden and ended ones too.
    pub fn notices(&self, wanted: Wanted) -> Vec<Notice> {
        self.0.desk.list(wanted)
    }

    /// Where the host raises notices of its own.
    pub fn desk(&self) -> Desk {
        self.0.desk.clone()
    }

    /// Hides a notice until its cause comes again after its end.
    ///
    /// # Errors
    /// An unknown notice.
    pub fn dismiss_notice(&self, id: &str) -> Result<Notice, Error> {
        self.0.desk.dismiss(id)
    }

    /// Hides a notice's cause at its backend, for a time or for good; `None` takes that off again.
    ///
    /// # Errors
    /// An unknown notice.
    pub fn mute_notice(&self, id: &str, mute: Option<Mute>) -> Result<Notice, Error> {
        self.0.desk.mute(id, mute)
    }
}
