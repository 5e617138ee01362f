//! `POST /api/demo/feed`: another rate or another size, while the matches go on and clients read.
//!
//! ```text
//! {"rate_hz":20.0,"update_bytes":1024} -> settings as they are now, with these two -> server::feeding (off the runtime) -> the feed as it is
//!                        null: as long as it comes
//! ```
//!
//! What may be asked is what `serve --rate --payload` may ask, refused in the same words. Changes are made one after the other: the
//! settings of one are what the next starts from.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, State, rejection::JsonRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use parking_lot::Mutex;
use serde::{Deserialize, Deserializer};
use server::{
    FeedDescription,
    feeding::{ChangeError, Feeding},
    http::{App, problem},
    settings::FeedSettings,
};
use tokio::sync::Semaphore;

/// A change is two numbers.
const BODY_MAX_BYTES: usize = 1024;
/// Changes that may wait for the one that is made: a control that is dragged asks again and again.
const WAITING_MAX: usize = 8;

/// The one change that is being made, and what it starts from.
struct Changes {
    feeding: Arc<Feeding>,
    settings: Mutex<FeedSettings>,
    /// Who makes a change, and who waits for that.
    places: Arc<Semaphore>,
    /// Who has it makes a change; the others wait here, and keep no thread waiting.
    turn: Arc<Semaphore>,
}

pub fn routes(app: &Arc<App>, feed: FeedSettings) -> Router {
    app.feed.may_change();
    let changes = Changes {
        feeding: app.feed.clone(),
        settings: Mutex::new(feed),
        places: Arc::new(Semaphore::new(1 + WAITING_MAX)),
        turn: Arc::new(Semaphore::new(1)),
    };
    Router::new()
        .route("/api/demo/feed", post(change))
        .layer(DefaultBodyLimit::max(BODY_MAX_BYTES))
        .with_state(Arc::new(changes))
}

/// What is asked for; what is absent stays.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    rate_hz: Option<f64>,
    /// Absent, null, or a size.
    #[serde(default, deserialize_with = "there")]
    update_bytes: Option<Option<u32>>,
}

/// Tells null from absent: this is called for what is there.
fn there<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<u32>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

async fn change(State(changes): State<Arc<Changes>>, wanted: Result<Json<Wanted>, JsonRejection>) -> Response {
    let wanted = match wanted {
        Ok(Json(wanted)) => wanted,
        Err(rejection) => {
            let expected = "expected {\"rate_hz\":20.0,\"update_bytes\":1024}, one of them or both; null for updates as long as they come";
            let status = match rejection.status() {
                // The words and types of JSON are range errors here as well.
                StatusCode::UNPROCESSABLE_ENTITY => StatusCode::BAD_REQUEST,
                status => status,
            };
            return problem(status, format!("{}; {expected}", rejection.body_text()));
        }
    };
    let Ok(place) = changes.places.clone().try_acquire_owned() else {
        return problem(
            StatusCode::SERVICE_UNAVAILABLE,
            "the feed is being changed by others: ask again in a moment",
        );
    };
    let turn = changes.turn.clone().acquire_owned().await;
    // Joining the feed's thread blocks. Whoever hangs up meanwhile has changed it all the same, and keeps the turn until then.
    let made = tokio::task::spawn_blocking(move || {
        let _kept = (place, turn);
        changes.make(&wanted)
    });
    match made.await {
        Ok(Ok(description)) => Json(description).into_response(),
        Ok(Err(error)) => problem(status(&error), error.to_string()),
        Err(panicked) => problem(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("the change failed: {panicked}"),
        ),
    }
}

impl Changes {
    fn make(&self, wanted: &Wanted) -> Result<FeedDescription, ChangeError> {
        let mut settings = self.settings.lock();
        let changed = FeedSettings {
            rate: wanted.rate_hz.or(settings.rate),
            payload: wanted.update_bytes.unwrap_or(settings.payload),
            ..settings.clone()
        };
        let description = self.feeding.change(&changed)?;
        *settings = changed;
        Ok(description)
    }
}

fn status(error: &ChangeError) -> StatusCode {
    match error {
        ChangeError::Settings(_) => StatusCode::BAD_REQUEST,
        ChangeError::Given(_) | ChangeError::OtherMatches | ChangeError::Waiting | ChangeError::Over(_) => {
            StatusCode::CONFLICT
        }
        ChangeError::Thread(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_is_not_null() {
        let wanted = |text| serde_json::from_str::<Wanted>(text).map(|one| (one.rate_hz, one.update_bytes));
        assert_eq!(wanted("{}").unwrap(), (None, None));
        assert_eq!(wanted(r#"{"update_bytes":null}"#).unwrap(), (None, Some(None)));
        assert_eq!(
            wanted(r#"{"rate_hz":2,"update_bytes":300}"#).unwrap(),
            (Some(2.0), Some(Some(300)))
        );
        for wrong in [r#"{"rate":2}"#, r#"{"rate_hz":"2"}"#, r#"{"update_bytes":-1}"#, "2"] {
            assert!(wanted(wrong).is_err(), "{wrong}");
        }
    }
}
