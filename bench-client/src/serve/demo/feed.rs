//! See `demo`.

use std::sync::Arc;

use axum::Router;
use server::http::App;
use server::settings::FeedSettings;

pub fn routes(_app: &Arc<App>, _feed: FeedSettings) -> Router {
    Router::new()
}
