//! A port that leads to another one, by a longer way. It knows nothing of what travels there.
//!
//! ```text
//! accept -> wait a round trip (its handshake would have) -> connect to the server -> pipe.rs: up, down -> until both have ended
//! ```
//!
//! A task of the server's own for each connection and each port: they end with it, and it waits for them until its drain deadline.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use server::Stop;
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::Semaphore,
    time::{Instant, sleep, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::pipe::{self, Stall};

/// Connections of all relays together: several browsers with a connection or two for each lane. With the longest queues that is 800 MB, if
/// nobody reads.
pub const CONNECTIONS_MAX: usize = 64;
/// What the kernel takes of the server for a slow reader (it doubles that); with the default it would take megabytes meanwhile.
const SLOW_RECEIVE_BYTES: u32 = 16 * 1024;
/// Pause after accept() failed for want of descriptors or memory: the queue keeps the peers meanwhile.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// What a way does to the bytes on it.
#[derive(Debug, Clone, Copy)]
pub struct Way {
    /// In each direction.
    pub delay: Duration,
    /// What the server sends is taken in this manner.
    pub stall: Option<Stall>,
    /// How long an end may take no byte: as the server has it.
    pub write_timeout: Duration,
}

/// Starts to accept, on the runtime this is called on, as long as `cap` has room.
pub fn start(listener: TcpListener, to: SocketAddr, way: Way, cap: Arc<Semaphore>, stop: Stop) {
    stop.tasks.clone().spawn(serve(listener, to, way, cap, stop));
}

async fn serve(listener: TcpListener, to: SocketAddr, way: Way, cap: Arc<Semaphore>, stop: Stop) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.begun.cancelled() => return,
        };
        let client = match accepted {
            Ok((client, _)) => client,
            Err(error) => {
                tracing::warn!(%error, "accept failed on a delayed path");
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let Ok(permit) = cap.clone().try_acquire_owned() else {
            tracing::warn!("the delayed paths have {CONNECTIONS_MAX} connections: one more was closed");
            continue;
        };
        let (begun, cut) = (stop.begun.clone(), stop.cut.clone());
        stop.tasks.spawn(async move {
            tokio::select! {
                () = carry(client, to, way, &begun) => {}
                () = cut.cancelled() => {}
            }
            drop(permit);
        });
    }
}

/// One connection, to its end.
async fn carry(mut client: TcpStream, to: SocketAddr, way: Way, begun: &CancellationToken) {
    sleep_until(Instant::now() + 2 * way.delay).await;
    let mut server = match connect(to, &way).await {
        Ok(server) => server,
        Err(error) => {
            tracing::debug!(%error, %to, "a delayed path leads nowhere");
            // A server that resets at once may be seen here first; the word of it has the way to go.
            sleep(way.delay).await;
            return reset(&client);
        }
    };
    if let Err(error) = client.set_nodelay(true).and_then(|()| server.set_nodelay(true)) {
        tracing::debug!(%error, "socket options");
    }
    let ended = {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let up = pipe::carry(from_client, to_server, way.delay, None, way.write_timeout);
        let down = pipe::carry(from_server, to_client, way.delay, way.stall, way.write_timeout);
        both(up, down, begun).await
    };
    if ended.is_err() {
        reset(&client);
        reset(&server);
    }
}

async fn connect(to: SocketAddr, way: &Way) -> io::Result<TcpStream> {
    let socket = match to {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    if way.stall.is_some() {
        // Before the handshake, which tells the server how much it may send.
        socket.set_recv_buffer_size(SLOW_RECEIVE_BYTES)?;
    }
    socket.connect(to).await
}

/// Until both directions have ended, or one was reset. A server that stops and has said everything is not kept by a client that goes on
/// listening.
async fn both(
    up: impl Future<Output = io::Result<()>>,
    down: impl Future<Output = io::Result<()>>,
    begun: &CancellationToken,
) -> io::Result<()> {
    tokio::pin!(up, down);
    let (mut rising, mut falling) = (true, true);
    while rising || falling {
        tokio::select! {
            ended = &mut up, if rising => {
                ended?;
                rising = false;
            }
            ended = &mut down, if falling => {
                ended?;
                falling = false;
            }
            () = begun.cancelled(), if !falling => return Ok(()),
        }
    }
    Ok(())
}

/// Closing it says so to its peer from now on.
fn reset(stream: &TcpStream) {
    if let Err(error) = stream.set_zero_linger() {
        tracing::debug!(%error, "a connection is closed in good order that should be reset");
    }
}
