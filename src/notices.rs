//! Messages for a person: the catalogue of causes and remedies.

pub mod catalogue;
