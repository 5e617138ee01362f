//! What `serve` puts beside the feed, for its page: runs, the bytes of an exchange, and a demonstration.
//!
//! ```text
//! results/ -> results.rs: GET /api/results/…            every run, its charts and tables
//! our own clients through a tap -> wire.rs: GET /api/wire/…    the bytes of this server now
//! --demo: demo.rs: relays with delay, another rate, crowds of clients beside the page
//! ```
//!
//! All of it answers to the page alone (see [`server::page::guard`]), which is laid over these routes where they are mounted.

pub(crate) mod demo;
mod results;
mod wire;

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    path::PathBuf,
    sync::Arc,
};

use axum::Router;
use server::{http::App, settings::FeedSettings};

/// What the page gets.
pub struct Options {
    /// Folder of the runs.
    pub results: PathBuf,
    /// The feed as it was asked for, where the page may change it.
    pub demo: Option<FeedSettings>,
}

/// The routes, for [`server::child::run`].
///
/// # Errors
/// Where the demonstration's listeners cannot be opened.
pub fn mount(app: &Arc<App>, options: Options) -> io::Result<Router> {
    let Options { results, demo } = options;
    let mut routes = results::routes(results).merge(wire::routes(app));
    app.page.offer("results");
    app.page.offer("wire");
    if let Some(feed) = demo {
        routes = routes.merge(demo::routes(app, feed)?);
        app.page.offer("demo");
    }
    Ok(routes)
}

/// Where a server that listens at `ip` is reached from this machine: at any address means at its own as well.
fn reachable(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        one => one,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_listens_everywhere_is_reached_on_loopback() {
        for (listens, reached) in [("0.0.0.0", "127.0.0.1"), ("::", "::1"), ("192.0.2.1", "192.0.2.1")] {
            let (listens, reached): (IpAddr, IpAddr) = (listens.parse().unwrap(), reached.parse().unwrap());
            assert_eq!(reachable(listens), reached);
        }
    }
}
