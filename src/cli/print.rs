//! The one place where the command line writes: a reader that went away ends nothing and panics nothing.
//!
//! `backline config show | head -1` closes our standard output in the middle. What comes after is dropped without a
//! word, as a reader that leaves wants it; what fails for another reason (a full disk) is told at the end and makes
//! the command fail, since a document was lost.

use std::{
    fmt::Arguments,
    io::{self, ErrorKind, Write},
    sync::OnceLock,
};

use super::outcome::Stop;

/// What first kept standard output from being written; nothing is tried after it.
static CLOSED: OnceLock<ErrorKind> = OnceLock::new();

/// Writes to standard output, without a new line.
macro_rules! out {
    ($($words:tt)*) => { $crate::cli::print::write_out(format_args!($($words)*)) };
}

/// Writes a line to standard output.
macro_rules! outln {
    () => { $crate::cli::print::write_out(format_args!("\n")) };
    ($($words:tt)*) => { $crate::cli::print::write_out(format_args!("{}\n", format_args!($($words)*))) };
}

/// Writes a line to standard error.
macro_rules! errln {
    ($($words:tt)*) => { $crate::cli::print::write_err(format_args!("{}\n", format_args!($($words)*))) };
}

pub(crate) use {errln, out, outln};

/// Where the macros end.
pub(crate) fn write_out(words: Arguments<'_>) {
    if CLOSED.get().is_some() {
        return;
    }
    let mut out = io::stdout().lock();
    // A part without a new line (streamed text) is to be seen at once.
    if let Err(error) = out.write_fmt(words).and_then(|()| out.flush()) {
        CLOSED.get_or_init(|| error.kind());
    }
}

/// Where the macros end.
pub(crate) fn write_err(words: Arguments<'_>) {
    // There is no other place where this could be told.
    let _ = io::stderr().lock().write_fmt(words);
}

/// Whether nobody reads standard output any more: what goes on only for its reader ends then.
pub(crate) fn is_closed() -> bool {
    CLOSED.get().is_some()
}

/// Fails where a document was lost for another reason than that its reader went away.
pub(crate) fn delivered() -> Result<(), Stop> {
    match CLOSED.get() {
        None | Some(ErrorKind::BrokenPipe) => Ok(()),
        Some(kind) => Err(Stop::failed(format!("standard output cannot be written: {kind}"))),
    }
}
