//! placeholder, replaced in the next commits
pub mod feed;
pub mod wire;
