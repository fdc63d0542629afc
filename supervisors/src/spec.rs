//! What a tree is made of, before it lives.

mod child;
mod supervisor;

pub use child::ChildSpec;
pub use supervisor::SupervisorSpec;
