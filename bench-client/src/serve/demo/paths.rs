//! Longer ways to the feed, so that a page on the same machine sees what distance does.
//!
//! ```text
//! page -> a port for each way and transport -> relay.rs -> pipe.rs: each direction delayed -> the transport's own port
//! ```
//!
//! They exist under `serve --demo` alone, and `run` never has one: a relay takes CPU of the same machine, adds up to a millisecond of a
//! timer to every chunk, and ends TCP in the middle, so that the server sees the relay's acknowledgements and not the client's. Good to
//! look at, not to measure by: for figures over distance, put the delay into the kernel (`tc qdisc … netem`) between two machines.

mod pipe;
mod relay;

use std::{collections::BTreeMap, io, net::SocketAddr, sync::Arc, time::Duration};

use server::{http::App, page::Path};

use pipe::Stall;
use relay::Way;
use tokio::sync::Semaphore;

use crate::serve;

/// A slow reader takes nothing for a part of this time, again and again.
const CYCLE_MS: u32 = 4_000;

/// Id, words for people, what is added in each direction, and how long of [`CYCLE_MS`] nothing is taken from the server; both in ms.
const WAYS: [(&str, &str, u32, u32); 5] = [
    ("delay-10", "10 ms each way: a city nearby", 10, 0),
    ("delay-50", "50 ms each way: across a continent", 50, 0),
    ("delay-150", "150 ms each way: the other side of the world", 150, 0),
    ("delay-500", "500 ms each way: a poor mobile connection", 500, 0),
    (
        "slow-reader",
        "a reader that takes nothing for 3 of every 4 s",
        0,
        3_000,
    ),
];

/// Opens a relay for each way and each port of the direct path, on the server's own address.
///
/// # Errors
/// Where a port cannot be opened.
pub fn open(app: &Arc<App>) -> io::Result<()> {
    let ip = app.settings.listen.ip();
    // Behind those of the direct path.
    let mut position = app.page.lanes().len();
    let cap = Arc::new(Semaphore::new(relay::CONNECTIONS_MAX));
    for (id, label, delay_ms, stall_ms) in WAYS {
        let way = Way {
            delay: Duration::from_millis(delay_ms.into()),
            stall: (stall_ms > 0).then(|| Stall {
                quiet: Duration::from_millis(stall_ms.into()),
                cycle: Duration::from_millis(CYCLE_MS.into()),
            }),
            write_timeout: app.settings.write_timeout,
        };
        let mut lanes = BTreeMap::new();
        for (transport, port) in app.page.lanes() {
            let listener = app.page.bind(ip, position)?;
            position += 1;
            lanes.insert(transport, listener.local_addr()?.port());
            let to = SocketAddr::new(serve::reachable(ip), port);
            relay::start(listener, to, way, cap.clone(), app.stop.clone());
        }
        app.page.add_path(Path {
            id: id.into(),
            label: label.into(),
            delay_ms,
            stall_ms,
            lanes,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
