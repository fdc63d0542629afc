//! The `backline` binary.

fn main() {}
