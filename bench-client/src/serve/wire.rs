//! The bytes of an exchange with this server now.

use std::sync::Arc;

use axum::Router;
use server::http::App;

pub fn routes(_app: &Arc<App>) -> Router {
    Router::new()
}
