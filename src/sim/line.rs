//! The line under a simulated server's connection: it can be frozen and cut.

use std::{
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::watch,
};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// Whether the lines of a server carry bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    Open,
    /// As under SIGSTOP: the kernel takes bytes, nobody reads or answers.
    Frozen,
}

/// A TCP stream that a test can freeze or cut at any byte.
pub(crate) struct Line {
    stream: TcpStream,
    flow: watch::Receiver<Flow>,
    thaw: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Line {
    pub(crate) fn new(stream: TcpStream, flow: watch::Receiver<Flow>, cut: &CancellationToken) -> Self {
        Self { stream, flow, thaw: None, cut: Box::pin(cut.clone().cancelled_owned()) }
    }

    /// Ready once bytes may pass; an error once the line is cut.
    fn poll_pass(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.cut.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        while *self.flow.borrow() == Flow::Frozen {
            let thaw = self.thaw.get_or_insert_with(|| {
                let mut flow = self.flow.clone();
                Box::pin(async move {
                    // A server that is gone thaws too; the cut says the rest.
                    let _ = flow.wait_for(|f| *f == Flow::Open).await;
                })
            });
            if thaw.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            self.thaw = None;
        }
        self.thaw = None;
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        std::task::ready!(self.poll_pass(cx))?;
        let filled = buf.filled().len();
        std::task::ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        // Frozen while it waited: what the kernel gave stays unread by the program.
        if *self.flow.borrow() == Flow::Frozen && buf.filled().len() > filled {
            tracing::trace!("bytes arrived as the line froze");
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        std::task::ready!(self.poll_pass(cx))?;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        std::task::ready!(self.poll_pass(cx))?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
