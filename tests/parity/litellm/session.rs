//! Our session on a real server.

use super::real::Real;

pub async fn check(server: Real) {
    let _ = server;
}
