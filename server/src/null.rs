//! A null server: it writes prepared bytes to plain sockets and does nothing else, so that what a bench client adds by itself can
//! be measured.
//!
//! ```text
//! hub -> watch -> waker -> event_loop (one thread, epoll): frame, once per update and framing -> connection: write() to each socket
//!                               request (path, cursor) <- connection <- sockets
//! ```
//!
//! For a transport's client the bytes are those of the ordinary server, but for two numbers: `due_us` and `sent_us` are overwritten, socket by socket,
//! with the clock as it stands when that socket's turn has come. So receive − due is the way from this write() to the client's
//! read: the kernel's part and the client's, and not how long one thread takes over thousands of sockets.
//!
//! It also writes the **floor**: `GET /feed/floor?topic=T|all` has no answer head, and then each update as a WebSocket's frame whose
//! times are left as they are. A row of it is measured as any other ([`floor`]).
//!
//! It runs beside an ordinary server in the same process, which answers `/api` and keeps the publish log with the real due
//! times. Absent on purpose: hyper, tungstenite, tasks, heartbeats, header timeouts, resets and error answers. It knows what the
//! bench client asks and closes the connection on everything else.

mod connection;
mod event_loop;
pub mod floor;
mod frame;
pub(crate) mod request;

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Release},
    },
    thread::JoinHandle,
};

use mio::Waker;
use tokio::sync::oneshot;

use crate::{hub::Hub, stats::Stats};
use event_loop::EventLoop;

/// True when the null server speaks the transport with this id. The floor is none.
pub fn speaks(id: &str) -> bool {
    request::Kind::by_id(id).is_some_and(|kind| kind != request::Kind::Floor)
}

/// A running null server; dropping it stops it and closes its connections.
pub struct Null {
    pub address: SocketAddr,
    /// How its thread ended, as long as nobody told it to.
    ended: oneshot::Receiver<io::Result<()>>,
    stopped: Arc<AtomicBool>,
    waker: Arc<Waker>,
    thread: Option<JoinHandle<()>>,
    /// Wakes the thread with every update.
    bell: tokio::task::JoinHandle<()>,
}

/// Listens at this address (port 0 takes a free one) and follows the hub. Counts connections, requests and deliveries in `stats`, as
/// the ordinary server does. Must be called within a runtime.
pub fn start(address: SocketAddr, hub: Arc<Hub>, stats: &Arc<Stats>) -> io::Result<Null> {
    let stopped = Arc::new(AtomicBool::new(false));
    let mut wakes = hub.wakes();
    let event_loop = EventLoop::new(address, hub, stats.clone(), stopped.clone())?;
    let (address, waker) = (event_loop.address()?, event_loop.waker()?);
    let (end, ended) = oneshot::channel();
    let thread = std::thread::Builder::new().name("null".into()).spawn(move || {
        // Nobody waits for it when the server is stopped.
        let _ = end.send(event_loop.run());
    })?;
    let ringer = waker.clone();
    let bell = tokio::spawn(async move {
        while wakes.changed().await.is_ok() {
            if ringer.wake().is_err() {
                break;
            }
        }
    });
    Ok(Null {
        address,
        ended,
        stopped,
        waker,
        thread: Some(thread),
        bell,
    })
}

/// Waits until a null server breaks, and says how; forever where there is none.
pub async fn broken(null: Option<&mut Null>) -> io::Error {
    match null {
        None => std::future::pending().await,
        Some(null) => match (&mut null.ended).await {
            Ok(Err(error)) => error,
            Ok(Ok(())) => io::Error::other("it stopped by itself"),
            Err(_) => io::Error::other("its thread panicked"),
        },
    }
}

impl Drop for Null {
    fn drop(&mut self) {
        self.bell.abort();
        self.stopped.store(true, Release);
        // Where it cannot be woken it looks by itself, at its next tick.
        let _ = self.waker.wake();
        if let Some(thread) = self.thread.take() {
            // A panic was already printed by the thread; there is nobody left to hand it to.
            let _ = thread.join();
        }
    }
}
