//! Connections beside the measured clients that open a session and then never read again, until the row ends.
//!
//! ```text
//! start() -> thread "stalled": opens them (streams: the handshake; polls: one request is written) -> they are never polled again
//!                              `- counters and sockets of their own: nothing of them is in the row's figures
//! ```
//!
//! Their receive buffers are small, so that what is written to them soon waits at the server: what it does about that is theirs to find out.

use std::{
    cell::Cell,
    future::{Future, pending, poll_fn},
    pin::Pin,
    rc::Rc,
    sync::{Arc, atomic::Ordering::Relaxed},
    task::Poll,
    thread::JoinHandle,
    time::Duration,
};

use anyhow::{Context, bail};
use futures_util::{StreamExt, TryStreamExt, stream};
use server::clock::Clock;
use tokio::{sync::oneshot, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::{
    net::{Net, sources::Sources},
    transports::{Asks, ClientTransport, Endpoint, SessionError},
};

/// What the kernel is asked to keep for a connection (it takes twice that).
const RECEIVE_BUFFER_BYTES: u32 = 4 * 1024;
/// Connects under way at once.
const CONNECTS_AT_ONCE: usize = 64;
/// How long opening all of them may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A session that is opened, or a request that is written, and what comes of it is never read.
type Held = Pin<Box<dyn Future<Output = Result<(), SessionError>>>>;

/// Connections that stand and read nothing; they end when this is dropped.
pub struct StalledPeers {
    net: Net,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl StalledPeers {
    /// Opens one connection for each endpoint, from so many source addresses; returns when all of them stand.
    ///
    /// # Errors
    /// When one cannot be opened, or not in time: fewer would be another scenario.
    pub async fn start(
        transport: &'static ClientTransport,
        endpoints: Vec<Arc<Endpoint>>,
        clock: Clock,
        sources: u8,
    ) -> anyhow::Result<Self> {
        let net = Net {
            sources: Sources::new(sources),
            receive_buffer_bytes: Some(RECEIVE_BUFFER_BYTES),
            ..Net::new(clock)
        };
        let stop = CancellationToken::new();
        let (say, said) = oneshot::channel();
        let (theirs, stopped, all) = (net.clone(), stop.clone(), endpoints.len());
        let thread = std::thread::Builder::new()
            .name("stalled".into())
            .spawn(move || hold_all(transport, endpoints, &theirs, &stopped, say))
            .context("a thread for the stalled clients could not start")?;
        let peers = Self {
            net,
            stop,
            thread: Some(thread),
        };
        match timeout(PATIENCE, said).await {
            Ok(Ok(Ok(()))) => Ok(peers),
            Ok(Ok(Err(error))) => Err(error).context("a stalled client could not connect"),
            Ok(Err(_)) => bail!("the thread of the stalled clients ended before they stood"),
            Err(_) => bail!(
                "{} of {all} stalled clients stood after {} s: ask for fewer stalled_clients",
                peers.requests(),
                PATIENCE.as_secs()
            ),
        }
    }

    /// Requests they have written: one each.
    pub fn requests(&self) -> u64 {
        self.net.counters.requests.load(Relaxed)
    }

    /// Connections with bytes that nobody has read, and how many bytes.
    pub fn unread(&self) -> (u64, u64) {
        let counts = self.net.sockets.counts(true);
        (counts.unread_sockets, counts.unread_bytes)
    }
}

impl Drop for StalledPeers {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            // It only drops what it holds. If it panicked, there is nothing left of it.
            let _ = thread.join();
        }
    }
}

fn hold_all(
    transport: &'static ClientTransport,
    endpoints: Vec<Arc<Endpoint>>,
    net: &Net,
    stop: &CancellationToken,
    say: oneshot::Sender<anyhow::Result<()>>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return drop(say.send(Err(error.into()))),
    };
    runtime.block_on(async {
        let opening = stream::iter(endpoints).map(|endpoint| hold(transport, endpoint, net));
        let opened = opening.buffer_unordered(CONNECTS_AT_ONCE).try_collect::<Vec<Held>>();
        let opened = tokio::select! {
            opened = opened => opened,
            () = stop.cancelled() => return,
        };
        let held = match opened {
            Ok(held) => held,
            Err(error) => return drop(say.send(Err(error.into()))),
        };
        // Nobody waits any more when the row was given up: then it stops at once, too.
        let _ = say.send(Ok(()));
        stop.cancelled().await;
        drop(held);
    });
}

/// Opens one. What it returns holds the connection, and nobody will ever wait for it.
async fn hold(transport: &ClientTransport, endpoint: Arc<Endpoint>, net: &Net) -> Result<Held, SessionError> {
    let (counters, net, open) = (net.counters.clone(), net.clone(), transport.open);
    let stands = Rc::new(Cell::new(false));
    let opened = stands.clone();
    let mut session: Held = Box::pin(async move {
        let session = open(&net, &endpoint, None).await?;
        opened.set(true);
        pending::<()>().await;
        drop(session);
        Ok(())
    });
    // Whoever asks again and again is stopped right behind the first request, whoever is sent everything when it is about to come.
    let behind_request = transport.asks != Asks::Once;
    poll_fn(|cx| {
        let before = counters.requests.load(Relaxed);
        if let Poll::Ready(Err(error)) = session.as_mut().poll(cx) {
            return Poll::Ready(Err(error));
        }
        // All are on this thread: what was counted in this poll is this one's.
        let asked = counters.requests.load(Relaxed) > before;
        if stands.get() || (behind_request && asked) {
            Poll::Ready(Ok(()))
        } else {
            Poll::Pending
        }
    })
    .await?;
    Ok(session)
}
