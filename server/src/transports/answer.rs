//! The answer that both polling transports give: a batch of updates as one JSON object.
//!
//! ```text
//! {"updates":[{…},{…}],"cursor":"1763631127000-42"}          and, when they apply: ,"more":true  ,"reset":{"reason":"evicted"}
//! ```

use std::sync::Arc;

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use bytes::{BufMut, Bytes, BytesMut};

use crate::{
    http::FeedQuery,
    hub::{BatchBounds, Entry, Hub},
    wire::{Cursor, Reset},
};

/// What one poll may return; `"more":true` says that it was cut.
pub const POLL_BATCH: BatchBounds = BatchBounds {
    updates: 1_000,
    bytes: 1024 * 1024,
};

/// Tags of `If-None-Match` that are looked at; each costs a look into the log, and a client holds one state.
const TAGS_MAX: usize = 8;

/// Bytes around the updates, for the buffer's first size.
const ENVELOPE_BYTES: usize = 96;

/// The body of a poll's answer.
pub fn body(updates: &[Arc<Entry>], reset: Option<Reset>, more: bool, cursor: Cursor) -> Bytes {
    let bytes: usize = updates.iter().map(|entry| entry.json.len() + 1).sum();
    let mut body = BytesMut::with_capacity(bytes + ENVELOPE_BYTES);
    body.put_slice(br#"{"updates":["#);
    for (index, entry) in updates.iter().enumerate() {
        if index > 0 {
            body.put_u8(b',');
        }
        body.put_slice(&entry.json);
    }
    body.put_slice(format!(r#"],"cursor":"{cursor}""#).as_bytes());
    if more {
        body.put_slice(br#","more":true"#);
    }
    if let Some(reset) = reset {
        // Two plain enums: serde_json cannot fail on them.
        let reset = serde_json::to_string(&reset).unwrap_or_default();
        body.put_slice(format!(r#","reset":{reset}"#).as_bytes());
    }
    body.put_u8(b'}');
    body.freeze()
}

/// The headers of an answer, with a body or without.
pub fn headers(with_body: bool, cursor: Cursor) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if with_body {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(etag) = HeaderValue::try_from(format!("\"{cursor}\"")) {
        headers.insert(header::ETAG, etag);
    }
    headers
}

/// 200 with a body, or 304 without.
pub fn response(body: Option<Bytes>, cursor: Cursor) -> Response {
    let headers = headers(body.is_some(), cursor);
    let (status, body) = match body {
        Some(body) => (StatusCode::OK, Body::from(body)),
        None => (StatusCode::NOT_MODIFIED, Body::empty()),
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// True when the client's `If-None-Match` names a state after which nothing came: what it holds is still all there is.
pub fn not_modified(hub: &Arc<Hub>, query: &FeedQuery, headers: &HeaderMap) -> bool {
    held_cursors(headers).any(|held| {
        FeedQuery {
            since: Some(held),
            ..*query
        }
        .reader(hub)
        .read(POLL_BATCH)
        .is_empty()
    })
}

/// The cursors in `If-None-Match` (RFC 9110, 13.1.2). Tags that are none of ours match nothing, and neither does `*`: it asks
/// whether anything exists, which is not what a poll wants to know.
fn held_cursors(headers: &HeaderMap) -> impl Iterator<Item = Cursor> {
    let tags = headers
        .get_all(header::IF_NONE_MATCH)
        .into_iter()
        .filter_map(|value| value.to_str().ok());
    let tags = tags.flat_map(|value| value.split(',')).take(TAGS_MAX);
    tags.filter_map(|tag| {
        let tag = tag.trim();
        tag.strip_prefix("W/")
            .unwrap_or(tag)
            .strip_prefix('"')?
            .strip_suffix('"')?
            .parse()
            .ok()
    })
}
