//! The accepted socket: counts its bytes, gives up on a peer that takes none or is gone, and holds the connection's place under the cap.
//!
//! hyper has no write timeout of its own; this is the one place that every transport's writes pass through, an upgraded
//! WebSocket's too.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::OwnedSemaphorePermit,
    time::{Instant, Sleep},
};

use crate::{
    peer,
    settings::ServerSettings,
    stats::{GaugeGuard, Stats},
};

/// A peer is looked at twice before it counts as gone, the first time by this part of its time earlier: a probe may be on its way just
/// then. Looks are no closer than that.
const SUSPECTED_EARLIER: u32 = 10;

/// A connection, from accept to close.
pub struct Connection {
    stream: TcpStream,
    stats: Arc<Stats>,
    write_timeout: Duration,
    /// Runs while a write waits for the peer; gone as soon as a byte went out.
    stall: Option<Pin<Box<Sleep>>>,
    /// How long the peer's kernel may say nothing. It is asked something every heartbeat of silence: data, or a probe.
    silence: Duration,
    /// Runs while a read waits, to the next look at the peer.
    look: Option<Pin<Box<Sleep>>>,
    /// The last look found nobody.
    suspect: bool,
    _permit: OwnedSemaphorePermit,
    _open: GaugeGuard,
}

impl Connection {
    pub fn new(stream: TcpStream, stats: Arc<Stats>, settings: &ServerSettings, permit: OwnedSemaphorePermit) -> Self {
        stats.connections_total.inc();
        let open = GaugeGuard::new(&stats.connections);
        Self {
            stream,
            stats,
            write_timeout: settings.write_timeout,
            stall: None,
            silence: settings.heartbeat + settings.peer_timeout,
            look: None,
            suspect: false,
            _permit: permit,
            _open: open,
        }
    }

    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Pending for as long as the peer is there.
    fn watch(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let (gone, suspect) = (self.silence, self.silence - self.silence / SUSPECTED_EARLIER);
        let look = self.look.get_or_insert_with(|| Box::pin(tokio::time::sleep(suspect)));
        loop {
            ready!(look.as_mut().poll(cx));
            let signs = peer::signs(&self.stream).filter(|signs| signs.asked);
            let silent_for = signs.map_or(Duration::ZERO, |signs| signs.silent_for);
            if self.suspect && silent_for >= gone {
                self.stats.vanished_peers.inc();
                return Poll::Ready(io::Error::new(io::ErrorKind::TimedOut, "the peer is gone"));
            }
            self.suspect = silent_for >= suspect;
            let next = if self.suspect { gone } else { suspect }.saturating_sub(silent_for);
            look.as_mut()
                .reset(Instant::now() + next.max(suspect / SUSPECTED_EARLIER));
        }
    }

    fn wrote(&mut self, cx: &mut Context<'_>, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match result {
            Poll::Ready(result) => {
                self.stall = None;
                if let Ok(bytes) = result {
                    self.stats.bytes_sent.inc_by(bytes as u64);
                }
                Poll::Ready(result)
            }
            Poll::Pending => {
                let stall = self
                    .stall
                    .get_or_insert_with(|| Box::pin(tokio::time::sleep(self.write_timeout)));
                ready!(stall.as_mut().poll(cx));
                self.stats.write_stalls.inc();
                Poll::Ready(Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    "the peer took no byte in time",
                )))
            }
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        if Pin::new(&mut self.stream).poll_read(cx, buf)?.is_pending() {
            return self.watch(cx).map(Err);
        }
        self.stats.bytes_received.inc_by((buf.filled().len() - before) as u64);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.wrote(cx, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.wrote(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
