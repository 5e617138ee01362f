//! The accept loop: HTTP/1.1 and h2c on one port, with the limits that `axum::serve` does not set.
//!
//! ```text
//! bind (backlog 4096) -> accept -> cap (503 above it) -> front: plain requests for the feed
//!                          |                               `- anything else: header timeout -> hyper -> router
//!                          `- shutdown: stop accepting, let connections finish, cut what is left at the deadline
//! ```

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::Router;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
    service::TowerToHyperService,
};
use nix::errno::Errno;
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::timeout,
};

use crate::{
    Stop, front,
    http::{App, HEAD_MAX_BYTES},
    io::Connection,
    peer,
    settings::ServerSettings,
    stats::Stats,
};

/// Connections that wait for accept(); the kernel cuts it to net.core.somaxconn.
const BACKLOG: i32 = 4096;
const HEADERS_MAX: usize = 100;
/// Streams of one HTTP/2 connection.
const H2_STREAMS_MAX: u32 = 10_000;
/// What HTTP/2 buffers per stream.
const H2_STREAM_BUFFER_BYTES: usize = 16 * 1024;
/// Connections above the cap that are answered at once; beyond, they are closed without a word.
const REFUSALS_MAX: usize = 256;
/// How long a refused peer may take to read its 503.
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(1);
/// How much later than the write timeout the kernel may give up on a peer.
const WRITE_TIMEOUT_MARGIN: Duration = Duration::from_secs(5);
/// Pause after accept() failed for want of descriptors or memory: the queue keeps the peers meanwhile.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

const REFUSAL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-type: application/json\r\n\
cache-control: no-store\r\nconnection: close\r\ncontent-length: 54\r\n\r\n\
{\"error\":\"the server is full: try again in a second\"}\n";

/// Binds with a deep accept queue. The address may name port 0.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::from_std(bind_std(address)?)
}

/// The same for a listener outside the runtime; it does not block.
pub fn bind_std(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// What every connection is served with, at whichever port it came.
pub struct Connections {
    app: Arc<App>,
    router: Router,
    stats: Arc<Stats>,
    builder: auto::Builder<TokioExecutor>,
    settings: Arc<ServerSettings>,
    stop: Stop,
    /// Connections that may still come, of all ports together.
    cap: Arc<Semaphore>,
    refusals: Arc<Semaphore>,
}

/// Accepts until told to stop, then drains. Returns when every task has ended, upgraded sessions too.
pub async fn serve(listener: TcpListener, connections: Arc<Connections>) {
    let stop = connections.stop.clone();
    // Runs from the moment the server is told to stop.
    let deadline = tokio::time::sleep(Duration::ZERO);
    tokio::pin!(deadline);
    let mut draining = false;
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.begun.cancelled(), if !draining => {
                draining = true;
                stop.tasks.close();
                deadline.as_mut().reset(tokio::time::Instant::now() + connections.settings.drain_deadline);
                continue;
            }
            // Whoever asks meanwhile is still answered: that the server is stopping, for one.
            () = stop.tasks.wait(), if draining => break,
            () = &mut deadline, if draining => {
                tracing::warn!(left = stop.tasks.len(), "drain deadline reached: cutting what is left");
                stop.cut.cancel();
                break;
            }
        };
        match accepted {
            Ok((stream, _)) => connections.take(stream),
            Err(error) => {
                if !matches!(
                    error.raw_os_error().map(Errno::from_raw),
                    Some(Errno::ECONNABORTED | Errno::ECONNRESET)
                ) {
                    tracing::warn!(%error, "accept failed");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
    drop(listener);
    // What was cut ends at its next step.
    stop.tasks.wait().await;
}

fn builder(settings: &ServerSettings) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(settings.header_timeout)
        // And what it buffers of a body it writes: a slow reader holds no more than this.
        .max_buf_size(HEAD_MAX_BYTES)
        .max_headers(HEADERS_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(H2_STREAMS_MAX)
        .max_header_list_size(HEAD_MAX_BYTES as u32)
        .max_send_buf_size(H2_STREAM_BUFFER_BYTES)
        .keep_alive_interval(settings.heartbeat)
        .keep_alive_timeout(settings.peer_timeout);
    builder
}

impl Connections {
    pub fn new(app: Arc<App>, router: Router) -> Arc<Self> {
        let (stats, settings, stop) = (app.stats.clone(), app.settings.clone(), app.stop.clone());
        Arc::new(Self {
            app,
            router,
            stats,
            builder: builder(&settings),
            cap: Arc::new(Semaphore::new(settings.max_connections.min(Semaphore::MAX_PERMITS))),
            refusals: Arc::new(Semaphore::new(REFUSALS_MAX)),
            settings,
            stop,
        })
    }

    /// Serves an accepted connection in a task of its own, or turns it away.
    fn take(self: &Arc<Self>, stream: TcpStream) {
        let Ok(permit) = self.cap.clone().try_acquire_owned() else {
            self.stats.connections_refused.inc();
            if let Ok(permit) = self.refusals.clone().try_acquire_owned() {
                self.stop.tasks.spawn(async move {
                    // A peer that does not take its 503 in time is just closed.
                    let _ = timeout(REFUSAL_TIMEOUT, refuse(stream)).await;
                    drop(permit);
                });
            }
            return;
        };
        let stream = Connection::new(stream, self.stats.clone(), &self.settings, permit);
        let connections = self.clone();
        self.stop.tasks.spawn(async move {
            tokio::select! {
                () = connections.serve(stream) => {}
                () = connections.stop.cut.cancelled() => {}
            }
        });
    }

    /// One connection, to its end or to its upgrade.
    async fn serve(&self, stream: Connection) {
        if let Err(error) = stream.tune(&self.settings) {
            tracing::debug!(%error, "socket options");
        }
        if let Some(stream) = front::serve(&self.app, stream).await {
            // In a box: most connections never come here, and are the smaller for it.
            Box::pin(self.serve_other(stream)).await;
        }
    }

    /// A connection whose next request is not plain.
    async fn serve_other(&self, stream: Connection) {
        let asked = Arc::new(AtomicBool::new(false));
        let service = {
            let (asked, router) = (asked.clone(), TowerToHyperService::new(self.router.clone()));
            hyper::service::service_fn(move |request| {
                asked.store(true, Ordering::Relaxed);
                hyper::service::Service::call(&router, request)
            })
        };
        let connection = self
            .builder
            .serve_connection_with_upgrades(TokioIo::new(stream), service);
        tokio::pin!(connection);
        // hyper times heads only once it knows the HTTP version, so the first one is timed here.
        let first_head = tokio::time::sleep(self.settings.header_timeout);
        tokio::pin!(first_head);
        // A request that comes while the server stops is answered; closing its connection at once would say nothing.
        let (mut timed, mut draining) = (true, self.stop.begun.is_cancelled());
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        if header_timed_out(error.as_ref()) {
                            self.stats.header_timeouts.inc();
                        }
                        tracing::debug!(error = %error, "connection ended");
                    }
                    return;
                }
                () = &mut first_head, if timed => {
                    timed = false;
                    if !asked.load(Ordering::Relaxed) {
                        self.stats.header_timeouts.inc();
                        return;
                    }
                }
                () = self.stop.begun.cancelled(), if !draining => {
                    draining = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }
}

fn header_timed_out(error: &(dyn std::error::Error + 'static)) -> bool {
    error
        .downcast_ref::<hyper::Error>()
        .is_some_and(hyper::Error::is_timeout)
}

impl Connection {
    /// Sends at once, asks a quiet peer whether it is there, and bounds what the kernel keeps for one that does not read.
    fn tune(&self, settings: &ServerSettings) -> io::Result<()> {
        let ServerSettings {
            heartbeat,
            peer_timeout,
            write_timeout,
            ..
        } = *settings;
        // The last resort: the kernel's limit also ends a connection whose peer takes no byte, and what is left of a closed one. That is
        // for our own timeouts to do first, and to count.
        let unacknowledged = (heartbeat + peer_timeout).max(write_timeout + WRITE_TIMEOUT_MARGIN);
        let socket = SockRef::from(self.stream());
        socket.set_tcp_nodelay(true)?;
        // The kernel counts whole seconds.
        let probe = heartbeat.max(Duration::from_secs(1));
        socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(probe).with_interval(probe))?;
        peer::bound_unsent(self.stream())?;
        socket.set_tcp_user_timeout(Some(unacknowledged))
    }
}

/// Answers 503 and waits for the peer to read it: closing with unread input would reset the connection and lose the answer.
async fn refuse(mut stream: TcpStream) -> io::Result<()> {
    stream.write_all(REFUSAL).await?;
    stream.shutdown().await?;
    let mut rest = [0; 512];
    while stream.read(&mut rest).await? > 0 {}
    Ok(())
}
