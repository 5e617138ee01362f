//! The page: its files, and what it must know of this server.
//!
//! ```text
//! web/ (inside the binary) -> files.rs -> /, /results/…, /how/… (the page), /web/… (its modules)
//! ports of this server -----> Page -----> /api/page: token, paths to the feed, what else is offered
//!                              `---------> the policy of the page, and whose pages may read the feed
//! ```
//!
//! A browser opens about six HTTP/1.1 connections to an origin, whatever asks for them, and a stream or a held poll keeps one. Techniques
//! that are to be seen side by side must not wait for each other, nor for those of another tab, so every transport gets a port of
//! its own: another port is another origin. The same routes are served there.
//!
//! Only what answers to the page alone is guarded (see [`guard`]); the feed is for everyone.

mod files;
mod guard;

use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, SocketAddr},
};

use parking_lot::RwLock;
use serde::Serialize;
use tokio::net::TcpListener;

pub use files::routes;
pub use guard::guard;

use crate::listen;

/// The header that carries [`Page::token`].
pub const TOKEN_HEADER: &str = "x-lab-token";

/// How far above the server's own port those of its lanes begin: out of the way of a second server at the next port.
const LANES_ABOVE: usize = 10_000;

/// What the page is told of this server, and what this server holds against who says to be the page.
pub struct Page {
    /// New at every start: who changes something must have read it from here.
    token: String,
    /// Ports this server answers at, the first one being that of its address.
    ports: RwLock<Vec<u16>>,
    paths: RwLock<Vec<Path>>,
    offers: RwLock<Vec<&'static str>>,
}

/// A way from the browser to the feed: a port for each transport.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Path {
    /// Kebab-case; `direct` is this server itself.
    pub id: String,
    /// For people.
    pub label: String,
    /// What the path adds in each direction, in ms.
    pub delay_ms: u32,
    /// How long at a time it takes nothing of what the server sends, in ms; 0: it always reads.
    pub stall_ms: u32,
    /// Transport id to port, on the host of the page.
    pub lanes: BTreeMap<&'static str, u16>,
}

/// `GET /api/page`.
#[derive(Debug, Serialize)]
struct PageAnswer<'a> {
    token: &'a str,
    paths: Vec<Path>,
    offers: Vec<&'static str>,
}

impl Page {
    /// # Panics
    /// Where the kernel gives no random bytes, which it always does once it has booted.
    pub fn new(port: u16) -> Self {
        let token = getrandom::u64().expect("the kernel's random source") as u128
            | (getrandom::u64().expect("the kernel's random source") as u128) << 64;
        Self {
            token: format!("{token:032x}"),
            ports: RwLock::new(vec![port]),
            paths: RwLock::default(),
            offers: RwLock::default(),
        }
    }

    /// One more way to the feed; its ports count as this server's from now on.
    pub fn add_path(&self, path: Path) {
        self.ports.write().extend(path.lanes.values());
        self.paths.write().push(path);
    }

    /// Opens the `position`th port besides the server's own, the same one at every start where nobody else has it: a page that stays open
    /// finds its lanes again after a restart, and its policy allows them.
    ///
    /// # Errors
    /// Where no port at all can be opened.
    pub fn bind(&self, ip: IpAddr, position: usize) -> io::Result<TcpListener> {
        let own = self.ports.read()[0];
        let wanted = u16::try_from(usize::from(own) + LANES_ABOVE + position).ok();
        let listener = wanted.and_then(|port| listen::bind(SocketAddr::new(ip, port)).ok());
        listener.map_or_else(|| listen::bind(SocketAddr::new(ip, 0)), Ok)
    }

    /// Says that something besides the feed is there: `results`, `wire`, `demo`.
    pub fn offer(&self, what: &'static str) {
        self.offers.write().push(what);
    }

    /// The ports this server is reached at, by whatever path.
    pub fn ports(&self) -> Vec<u16> {
        self.ports.read().clone()
    }

    /// The port each transport has for itself; empty where there are none.
    pub fn lanes(&self) -> BTreeMap<&'static str, u16> {
        let paths = self.paths.read();
        paths.first().map(|direct| direct.lanes.clone()).unwrap_or_default()
    }

    fn answer(&self) -> PageAnswer<'_> {
        PageAnswer {
            token: &self.token,
            paths: self.paths.read().clone(),
            offers: self.offers.read().clone(),
        }
    }

    fn is_token(&self, text: &str) -> bool {
        // In the same time wherever they differ.
        let differ = |(a, b): (u8, u8)| a ^ b;
        text.len() == self.token.len()
            && text
                .bytes()
                .zip(self.token.bytes())
                .map(differ)
                .fold(0, |all, one| all | one)
                == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_long_and_new_at_every_start() {
        let (one, other) = (Page::new(1), Page::new(1));
        assert_eq!(one.token.len(), 32);
        assert_ne!(one.token, other.token);
        assert!(one.is_token(&one.token) && !one.is_token(&other.token) && !one.is_token(""));
    }

    #[test]
    fn the_ports_of_a_path_are_ports_of_the_server() {
        let page = Page::new(8080);
        page.add_path(Path {
            id: "direct".into(),
            label: "direct".into(),
            delay_ms: 0,
            stall_ms: 0,
            lanes: [("sse", 4001)].into(),
        });
        assert_eq!((page.ports(), page.lanes()), (vec![8080, 4001], [("sse", 4001)].into()));
    }
}
