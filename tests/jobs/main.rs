//! Jobs under every fault: what was accepted ends once, in a state that has its evidence, and nothing runs twice without
//! proof. The backends' own counts are the witnesses.
#![allow(clippy::unwrap_used, reason = "a test may")]
#![allow(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "what was played is seen, and a child tells its parent"
)]

mod binding;
mod bytes;
mod cells;
mod child;
mod deaths;
mod home;
mod hostile;
mod kills;
mod leaving;
mod listing;
mod mangler;
mod matrix;
mod mute;
mod scissors;
mod served;
mod stand;
mod trail;
mod unsent;
