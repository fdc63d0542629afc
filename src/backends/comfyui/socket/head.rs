//! The answer to a WebSocket upgrade, read no further than its head.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// A stream that gives out an answer's head and holds back what came with it. The handshake of the library has a buffer
/// of 4 KiB that stays with the socket for its life; with what is held back the socket can begin on a smaller one.
pub(super) struct Head {
    tcp: TcpStream,
    end: End,
    rest: Vec<u8>,
}

impl Head {
    pub(super) fn new(tcp: TcpStream) -> Self {
        Self { tcp, end: End::default(), rest: Vec::new() }
    }

    /// The stream, and what was read of it after the head.
    pub(super) fn into_parts(self) -> (TcpStream, Vec<u8>) {
        (self.tcp, self.rest)
    }
}

impl AsyncRead for Head {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let from = buf.filled().len();
        ready!(Pin::new(&mut this.tcp).poll_read(cx, buf))?;
        if let Some(length) = this.end.within(&buf.filled()[from..]) {
            this.rest.extend_from_slice(&buf.filled()[from + length..]);
            buf.set_filled(from + length);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Head {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

/// Finds the end of a head: an empty line, also where lines end without a carriage return.
#[derive(Debug, Default, PartialEq, Eq)]
enum End {
    #[default]
    InLine,
    AfterLine,
    Passed,
}

impl End {
    /// How many of these bytes, which follow those of the last call, still belong to the head; `None` where all do.
    fn within(&mut self, bytes: &[u8]) -> Option<usize> {
        for (at, byte) in bytes.iter().enumerate() {
            *self = match (&self, byte) {
                (Self::Passed, _) => return Some(at),
                (Self::AfterLine, b'\n') => Self::Passed,
                (Self::InLine, b'\n') => Self::AfterLine,
                (Self::AfterLine, b'\r') => Self::AfterLine,
                _ => Self::InLine,
            };
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_found_however_the_bytes_come() {
        for head in ["HTTP/1.1 101 Switching\r\nA: b\r\n\r\n", "HTTP/1.1 101 Switching\nA: b\n\n", "X\r\n\n"]
        {
            let all = format!("{head}\u{1}\r\n\r\nframes");
            for size in 1..=all.len() {
                let mut end = End::default();
                let given: usize =
                    all.as_bytes().chunks(size).map(|part| end.within(part).unwrap_or(part.len())).sum();
                assert_eq!(given, head.len(), "{head:?} in parts of {size}");
            }
            assert_eq!(End::default().within(head.as_bytes()), None);
        }
    }
}
