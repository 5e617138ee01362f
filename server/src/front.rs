//! Plain requests for the feed over HTTP/1.1, served on the connection's own socket; everything else is hyper's.
//!
//! ```text
//! accept -> request.rs: one read -> a whole, plain GET /feed/<id>? -> the transport's `direct`, on a Line -> the next request
//!                                `- anything else: given back as it was read -> hyper -> router
//! ```
//!
//! Why: hyper keeps 8 KiB to read and 8 KiB to write for every connection, and a task has to be woken for everything it writes. For a
//! stream or a held poll, which is what a client of the feed mostly is, both are for nothing. So the head is parsed (by httparse, which is
//! hyper's parser too), and from then on the socket is the transport's own: it writes what it has to say, and leaves the rest to the
//! [fan-out](crate::fanout).
//!
//! Plain is what clients of the feed send: a GET of HTTP/1.1 that comes in one piece, names its host and has no body. What a request means
//! is decided where it is for all ([`crate::http`]). Nothing here waits for the rest of a head, counts its lines or refuses it: hyper does.

mod line;
mod request;

use std::{pin::pin, sync::Arc};

use tokio::time::{Instant, sleep};

use crate::{
    http::{self, App},
    io::Connection,
};
pub use line::{Length, Line, head};
use request::Read;

/// Longest head that is read here, and of what a client sends behind a request that is still being served.
const HEAD_MAX_BYTES: usize = 16 * 1024;

/// Serves plain requests one after another. Returns the connection when something else comes, with what was read of that; None when it
/// has ended.
pub async fn serve(app: &Arc<App>, mut connection: Connection) -> Option<Connection> {
    let begun = app.stop.begun.clone();
    let mut begun = pin!(begun.cancelled());
    let idle = app.settings.header_timeout;
    let mut timeout = pin!(sleep(idle));
    let mut served = false;
    loop {
        let read = tokio::select! {
            read = request::read(&mut connection) => read.ok()?,
            () = &mut timeout => {
                app.stats.header_timeouts.inc();
                return None;
            }
            // Who has not been answered yet still is.
            () = &mut begun => return Some(connection).filter(|_| !served),
        };
        let plain = match read {
            Read::Ended => return None,
            Read::Other(bytes) => {
                connection.give_back(bytes);
                return Some(connection);
            }
            Read::Plain(plain) => plain,
        };
        connection.give_back(plain.behind);
        let line = Line::new(app.clone(), connection, &plain.request, plain.close);
        connection = http::direct(line, plain.transport, plain.request).await.ok()??;
        served = true;
        timeout.as_mut().reset(Instant::now() + idle);
    }
}
