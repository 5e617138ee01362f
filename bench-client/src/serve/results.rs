//! The runs under results/, for the page.

use std::path::PathBuf;

use axum::Router;

pub fn routes(_folder: PathBuf) -> Router {
    Router::new()
}
