//! The `backline` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    backline::cli::main()
}
