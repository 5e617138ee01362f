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

use std::{pin::pin, sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::{
    http::{self, App},
    io::Connection,
};
pub use line::{Length, Line, head};
use request::Read;

/// How long the first request of a connection may be on its way when the server stops: it is still answered.
const ON_ITS_WAY: Duration = Duration::from_secs(1);

/// Serves plain requests one after another. Returns the connection when something else comes, with what was read of that; None when it
/// has ended.
pub async fn serve(app: &Arc<App>, connection: Connection) -> Option<Connection> {
    let mut begun = pin!(app.stop.begun.cancelled());
    let mut line = Line::new(app.clone(), connection);
    let opened = Instant::now();
    let mut idle = opened + app.settings.header_timeout;
    let mut served = false;
    loop {
        if !line.connection.has_more() {
            let stopping = app.stop.begun.is_cancelled();
            if stopping && served {
                return None;
            }
            let due = if stopping { opened + ON_ITS_WAY } else { idle };
            tokio::select! {
                // What is here already is answered.
                biased;
                readable = line.connection.readable_by(due) => if !readable.ok()? {
                    app.stats.header_timeouts.inc_by(u64::from(!stopping));
                    return None;
                },
                () = &mut begun, if !stopping => continue,
            }
        }
        let plain = match request::read(&mut line.connection).ok()? {
            Read::Nothing => continue,
            Read::Ended => return None,
            Read::Other(bytes) => {
                line.connection.give_back(bytes);
                return Some(line.connection);
            }
            Read::Plain(plain) => plain,
        };
        line.begin(&plain);
        line.connection.give_back(plain.behind);
        line = http::direct(line, plain.row, plain.request).await.ok()??;
        served = true;
        idle = Instant::now() + app.settings.header_timeout;
    }
}
