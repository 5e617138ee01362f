//! Answers about runs: bytes with their tag, refusals in words, and the last answers kept.

use std::{
    collections::VecDeque,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use parking_lot::Mutex;
use server::http::problem;

/// Answers that are kept at most: a reader goes back and forth between a few runs.
const KEPT: usize = 6;

/// What made an answer: a newer build may make another one of the same record.
pub const BUILD: (&str, &str) = (env!("CARGO_PKG_VERSION"), env!("BUILD_REVISION"));

/// What is answered.
pub struct Said {
    kind: &'static str,
    bytes: Vec<u8>,
    tag: String,
    cache: &'static str,
    more: Vec<(HeaderName, String)>,
}

impl Said {
    pub fn json(bytes: Vec<u8>) -> Self {
        Self::text("application/json", bytes)
    }

    /// Tagged by its bytes, and asked for again each time.
    pub fn text(kind: &'static str, bytes: Vec<u8>) -> Self {
        Self {
            kind,
            tag: tag(&bytes),
            bytes,
            cache: "no-cache",
            more: Vec::new(),
        }
    }

    /// Tagged by what it was made from.
    pub fn versioned(self, version: &str) -> Self {
        let tag = tag(&(version, self.kind, BUILD));
        Self { tag, ..self }
    }

    /// Kept by a browser for a day: it changes with the build alone.
    pub fn lasting(self) -> Self {
        Self {
            cache: "max-age=86400",
            ..self
        }
    }

    pub fn with(mut self, name: HeaderName, value: String) -> Self {
        self.more.push((name, value));
        self
    }

    pub fn answer(self, asked: &HeaderMap) -> Response {
        // Weak (RFC 9110, 8.8.1): the same whether or not it travels compressed.
        let tag = format!("W/\"{}\"", self.tag);
        let known = asked.get(header::IF_NONE_MATCH).and_then(|known| known.to_str().ok());
        let known = known.into_iter().flat_map(|known| known.split(','));
        let is_known = known
            .map(str::trim)
            .any(|one| one.trim_start_matches("W/") == tag.trim_start_matches("W/"));
        let mut response = if is_known {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            ([(header::CONTENT_TYPE, self.kind)], self.bytes).into_response()
        };
        let usual = [
            (header::ETAG, tag),
            (header::CACHE_CONTROL, self.cache.to_owned()),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        ];
        for (name, value) in usual.into_iter().chain(self.more) {
            // All of them are plain ASCII, made here.
            if let Ok(value) = HeaderValue::try_from(value) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

/// 16 digits of it, the same in every process.
pub fn tag(of: &impl Hash) -> String {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// Why there is no answer, in words for the reader.
#[derive(Debug)]
pub enum Refusal {
    NotFound(String),
    /// The record can't be read, or nothing can be made of it.
    Broken(String),
    /// The question makes no sense.
    Wrong(String),
    Busy,
    Failed(String),
}

impl Refusal {
    pub fn answer(self) -> Response {
        match self {
            Self::NotFound(words) => problem(StatusCode::NOT_FOUND, words),
            Self::Broken(words) => problem(StatusCode::UNPROCESSABLE_ENTITY, words),
            Self::Wrong(words) => problem(StatusCode::BAD_REQUEST, words),
            Self::Busy => problem(
                StatusCode::SERVICE_UNAVAILABLE,
                "other results are being read: try again in a moment",
            ),
            Self::Failed(words) => problem(StatusCode::INTERNAL_SERVER_ERROR, words),
        }
    }
}

/// What was made last, by a key that changes with its source.
pub struct Kept<T>(Mutex<VecDeque<(String, Arc<T>)>>);

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Kept<T> {
    /// The one of this key, made now where it is not kept. Two who ask at once may both make it.
    pub fn get(&self, key: &str, make: impl FnOnce() -> Result<T, Refusal>) -> Result<Arc<T>, Refusal> {
        let find =
            |kept: &VecDeque<(String, Arc<T>)>| kept.iter().find(|(one, _)| one == key).map(|(_, made)| made.clone());
        if let Some(made) = find(&self.0.lock()) {
            return Ok(made);
        }
        let made = Arc::new(make()?);
        let mut kept = self.0.lock();
        kept.push_front((key.to_owned(), made.clone()));
        kept.truncate(KEPT);
        Ok(made)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_not_sent_again() {
        let said = || Said::json(b"{}".to_vec());
        let first = said().answer(&HeaderMap::new());
        assert_eq!(first.status(), StatusCode::OK);
        let tag = first.headers()[header::ETAG].clone();
        for known in [
            tag.clone(),
            format!("{}, \"x\"", tag.to_str().unwrap().trim_start_matches("W/"))
                .parse()
                .unwrap(),
        ] {
            let asked = HeaderMap::from_iter([(header::IF_NONE_MATCH, known)]);
            let again = said().answer(&asked);
            assert_eq!(
                (again.status(), &again.headers()[header::ETAG]),
                (StatusCode::NOT_MODIFIED, &tag)
            );
            let other = Said::json(b"[]".to_vec()).answer(&asked);
            assert_eq!(other.status(), StatusCode::OK);
        }
    }

    #[test]
    fn the_last_answers_are_kept_and_no_more() {
        let kept = Kept::default();
        for n in 0..KEPT * 2 {
            kept.get(&n.to_string(), || Ok(n)).unwrap();
        }
        let last = (KEPT * 2 - 1).to_string();
        assert_eq!(*kept.get(&last, || Ok(0)).unwrap(), KEPT * 2 - 1);
        assert_eq!(*kept.get("0", || Ok(77)).unwrap(), 77);
        assert_eq!(kept.0.lock().len(), KEPT);
    }
}
