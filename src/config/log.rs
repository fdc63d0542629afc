//! The settings of the rolling log in the state directory.

/// How much of its log the binary keeps; the library writes none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogConfig {
    /// Largest size of one file, in bytes, before the next is begun. Default 10 MiB.
    pub size: u64,
    /// Files that are kept, the current one included. Default 3.
    pub files: u32,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { size: 10 * 1024 * 1024, files: 3 }
    }
}
