//! The state database on a real disk: its files, its fixtures, and what remains after crashes and failing disks.
#![cfg(unix)]

mod child;
mod crash;
mod damage;
mod disk;
mod files;
mod model;
mod place;
mod upgrade;
