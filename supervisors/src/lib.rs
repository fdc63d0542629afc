//! OTP-style supervision trees on ractor.

/// Placeholder of the tree's snapshot, until the crate brings its own.
#[derive(Debug, Clone, serde::Serialize)]
pub struct TreeSnapshot {
    /// The supervisor's id.
    pub id: String,
}
