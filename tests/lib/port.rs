//! A port that is free, and stays so until its server is there.

use std::net::{Ipv4Addr, TcpListener};

/// A port that nobody has, below those that systems give to whoever asks for any (32768 and up on Linux): a real server
/// listens seconds later, and by then one of those may be another test's.
pub(crate) fn free_port() -> u16 {
    loop {
        let port = fastrand::u16(20_000..32_000);
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}
