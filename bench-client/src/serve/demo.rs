//! What the page may do to this server under `serve --demo`, and never without it.
//!
//! ```text
//! paths.rs: relays in front of each transport's port -> /api/page tells them   delay, readers that stop
//! feed.rs:  POST /api/demo/feed                                               another rate, another size
//! crowd.rs: GET /api/demo/crowd, PUT /api/demo/crowd/<id>                     clients of the bench beside the page
//! ```

pub(crate) mod crowd;
mod feed;
mod paths;

use std::{io, sync::Arc};

use axum::Router;
use server::{http::App, settings::FeedSettings};

/// # Errors
/// Where a relay's port cannot be opened.
pub fn routes(app: &Arc<App>, feed: FeedSettings) -> io::Result<Router> {
    paths::open(app)?;
    Ok(feed::routes(app, feed).merge(crowd::routes(app)))
}
