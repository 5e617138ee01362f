//! The floor: what a machine needs to deliver these updates at all, as a row beside the techniques.
//!
//! ```text
//! GET /feed/floor?topic=match-1 HTTP/1.1  Host: …   ->   no head
//! 81 7e 01 00  {"topic":"match-1",…}                the newest state of what it follows, then every update: FIN, text, its length
//! ```
//!
//! It is no technique and not in the table of transports: no cursor, no resume, no heartbeat, no word when it ends. Each update is
//! framed once, and one thread writes those bytes to one socket after another. `due_us` and `sent_us` are true here, so that its
//! latency and its spread compare with the others'.

use std::borrow::Cow;

use crate::wire::{Delivery, TransportDescription};

/// Its id in plans, records and URLs.
pub const ID: &str = "floor";

/// What people need to know about it; the one place it is written.
pub static DESCRIPTION: TransportDescription = TransportDescription {
    id: Cow::Borrowed(ID),
    label: Cow::Borrowed("Floor"),
    summary: Cow::Borrowed(
        "No technique: one thread writes each update, framed once, to plain sockets, and bare loops read them. What delivering costs at all.",
    ),
    delivery: Delivery::Push,
    resumable: false,
    duplex: false,
    browser_support: Cow::Borrowed("none: only this bench speaks it"),
    caveat: Cow::Borrowed(
        "Nothing an application needs is in it: no resume, no sign of life, no slow client that others are spared from.",
    ),
};
