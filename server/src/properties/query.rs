//! Requests, through the router's own parse: address, query, `Last-Event-ID`, `If-None-Match`.
//!
//! ```text
//! first byte: which path · rest of the line: its query · further lines: header by first letter, value behind it
//! ```
//!
//! In all of them `EPOCH` becomes the hub's own, without which no cursor would ever be continued.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderName, HeaderValue, Request, StatusCode, header},
};
use clap::{Args, FromArgMatches};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use tokio::runtime::Runtime;

use crate::{
    Stop,
    clock::Clock,
    feeding::Feeding,
    http::{self, App},
    hub::{Draft, Hub, LogBounds, Publisher, Topic},
    null,
    page::Page,
    probe::Lags,
    settings::{FeedSettings, ServerSettings},
    stats::Stats,
    wire::{ErrorAnswer, PollAnswer},
};

/// What the first byte chooses.
pub const PATHS: [&str; 9] = [
    "/feed/short-poll?",
    "/feed/long-poll?",
    "/feed/sse?",
    "/feed/websocket?",
    "/api/published?",
    "/api/runtime-lag?",
    "/feed/",
    "/",
    "",
];
/// No answer here is longer: a few updates, or an error that repeats an address with every byte escaped.
const ANSWER_MAX_BYTES: usize = 256 * 1024;
/// Of twelve updates the log keeps the last four.
const PUBLISHED: u64 = 12;

/// Any request is answered, with a status that says what it was, in the form that goes with it.
pub fn check(data: &[u8]) {
    thread_local! {
        static TARGET: Target = Target::new();
    }
    TARGET.with(|target| target.check(data));
}

/// A server without sockets.
pub(super) struct Target {
    runtime: Runtime,
    pub router: Router,
    pub hub: Arc<Hub>,
}

/// A status and a body.
pub(super) type Answer = (StatusCode, Vec<u8>);

impl Target {
    /// It is stopping already, so that held polls answer and streams end.
    fn new() -> Self {
        let (app, router) = server();
        let (hub, stop) = (app.hub.clone(), app.stop.clone());
        stop.begun.cancel();
        let runtime = super::runtime();
        Self { runtime, router, hub }
    }

    fn check(&self, data: &[u8]) {
        let (&path, rest) = data.split_first().unwrap_or((&0, &[]));
        let text = String::from_utf8_lossy(rest).replace("EPOCH", &self.hub.epoch.to_string());
        let mut lines = text.split('\n');
        let target = format!(
            "{}{}",
            PATHS[usize::from(path) % PATHS.len()],
            lines.next().unwrap_or("")
        );
        let headers: Vec<_> = lines.filter_map(header_line).collect();
        self.null_server(&target, &headers);
        if let Some((status, body)) = self.answer(&target, &headers) {
            // A WebSocket may also come from elsewhere, or without a connection to take over.
            assert!(
                [200, 304, 400, 404, 414].contains(&status.as_u16())
                    || target.starts_with("/feed/websocket") && [403, 426].contains(&status.as_u16()),
                "{target:?} {headers:?}: {status}"
            );
            if status.is_client_error() {
                let answer: ErrorAnswer = serde_json::from_slice(&body)
                    .unwrap_or_else(|error| panic!("{target:?} {headers:?}: {status} without JSON: {error}"));
                assert!(!answer.error.is_empty());
            }
        }
    }

    /// None for what hyper would not hand on: an address that is none.
    pub(super) fn answer(&self, target: &str, headers: &[(HeaderName, HeaderValue)]) -> Option<Answer> {
        let mut request = Request::get(target).body(Body::empty()).ok()?;
        for (name, value) in headers {
            request.headers_mut().append(name, value.clone());
        }
        // An address like `a.example:80` has no path: hyper hands on CONNECT alone in that form.
        request.uri().path_and_query()?;
        let service = TowerToHyperService::new(self.router.clone());
        self.runtime.block_on(async {
            let answered = async {
                let response = service.call(request).await.expect("a router always answers");
                let (parts, body) = response.into_parts();
                let body = to_bytes(body, ANSWER_MAX_BYTES)
                    .await
                    .expect("an answer within its bound");
                let of = |name: HeaderName| parts.headers.get(name).map(HeaderValue::as_bytes);
                match parts.status {
                    StatusCode::NOT_MODIFIED => assert!(body.is_empty() && of(header::ETAG).is_some()),
                    StatusCode::OK if target.starts_with("/feed/sse") => assert!(body.starts_with(b"retry: ")),
                    StatusCode::OK if target.starts_with("/feed/") => {
                        let answer: PollAnswer<'_> = serde_json::from_slice(&body).expect("a poll's answer");
                        assert_eq!(of(header::ETAG), Some(format!("\"{}\"", answer.cursor).as_bytes()));
                        assert_eq!((answer.cursor.epoch, answer.cursor.offset), (self.hub.epoch, PUBLISHED));
                        // A place that can't be continued is never passed over in silence.
                        assert!(answer.reset.is_none() || !answer.updates.is_empty());
                    }
                    _ => {}
                }
                (parts.status, body.to_vec())
            };
            let answered = tokio::time::timeout(super::HANGS_AFTER, answered).await;
            Some(answered.unwrap_or_else(|_| panic!("{target:?} {headers:?} was never answered")))
        })
    }

    /// The null server reads the same heads with a parser of its own.
    fn null_server(&self, target: &str, headers: &[(HeaderName, HeaderValue)]) {
        let mut head = format!("GET {target} HTTP/1.1\r\n").into_bytes();
        for (name, value) in headers {
            head.extend_from_slice(name.as_str().as_bytes());
            head.extend_from_slice(b": ");
            head.extend_from_slice(value.as_bytes());
            head.extend_from_slice(b"\r\n");
        }
        head.extend_from_slice(b"\r\n");
        if let Ok(Some((length, _))) = null::request::parse(&head, &self.hub) {
            assert!(length <= head.len());
        }
    }
}

fn header_line(line: &str) -> Option<(HeaderName, HeaderValue)> {
    let (letter, value) = line.split_at_checked(1)?;
    let name = match letter {
        "L" => HeaderName::from_static("last-event-id"),
        "I" => header::IF_NONE_MATCH,
        "O" => header::ORIGIN,
        "U" => header::UPGRADE,
        "C" => header::CONNECTION,
        "V" => header::SEC_WEBSOCKET_VERSION,
        "K" => header::SEC_WEBSOCKET_KEY,
        _ => return None,
    };
    // As bytes: what is no ASCII is allowed in a value, and no text.
    Some((name, HeaderValue::from_bytes(value.as_bytes()).ok()?))
}

/// Two topics whose log has lost its beginning.
pub(crate) fn server() -> (Arc<App>, Router) {
    let topic = |name: &str| Topic {
        name: name.into(),
        home: "Åkerby".into(),
        away: "Torvik".into(),
    };
    let bounds = LogBounds {
        updates_per_topic: 2,
        bytes: 1 << 20,
    };
    let hub = Hub::new(Clock::start(), vec![topic("match-1"), topic("match-2")], bounds);
    let mut publisher = Publisher::new(hub.clone(), None);
    for number in 0..PUBLISHED {
        publisher.publish(Draft {
            topic: number as usize % 2,
            due_us: 1_763_631_127_000_000 + number,
            home_score: 1,
            away_score: 0,
            minute: 7,
            event: "clock",
            player: "",
        });
    }
    let command = ServerSettings::augment_args(clap::Command::new("check"));
    let settings = ServerSettings::from_arg_matches(&command.get_matches_from(["check"])).expect("the defaults");
    let feed = FeedSettings {
        topics: Some(2),
        ..FeedSettings::default()
    };
    let (feed, description) = feed.feed().expect("two matches");
    let stats = Arc::new(Stats::default());
    let stop = Stop::default();
    let app = App::new(
        hub.clone(),
        stats.clone(),
        Arc::new(settings),
        Feeding::new(hub.clone(), stats, feed, description),
        Lags::default(),
        stop.clone(),
        Page::new(8080),
    );
    (app.clone(), http::router(app, Router::new()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::properties::cases;

    /// A part of a query, and what an address with it deserves.
    fn part(
        good: &'static [&'static str],
        bad: &'static [&'static str],
        status: u16,
    ) -> impl Strategy<Value = (String, u16)> {
        prop_oneof![
            3 => Just((String::new(), 200)),
            3 => prop::sample::select(good).prop_map(|text| (text.to_owned(), 200)),
            1 => prop::sample::select(bad).prop_map(move |text| (text.to_owned(), status)),
        ]
    }

    fn topic() -> impl Strategy<Value = (String, u16)> {
        let bad = &["topic=", "topic=match-3", "topic=%ff", "topic=match-1%00", "topic=ALL"];
        part(
            &["topic=all", "topic=match-1", "topic=match%2D2", "topic=%6Datch-1"],
            bad,
            404,
        )
    }

    fn since() -> impl Strategy<Value = (String, u16)> {
        let bad = &[
            "since=",
            "since=1",
            "since=1-",
            "since=%2B1-2",
            "since=1-2&since=1-2",
            "since=99999999999999999999-1",
        ];
        part(
            &[
                "since=EPOCH-12",
                "since=EPOCH-1",
                "since=EPOCH-99",
                "since=1-2",
                "since=EPOCH%2D9",
            ],
            bad,
            400,
        )
    }

    fn mode() -> impl Strategy<Value = (String, u16)> {
        part(
            &["mode=every", "mode=latest"],
            &["mode=", "mode=Every", "mode=all", "mode=every&mode=every"],
            400,
        )
    }

    fn wait() -> impl Strategy<Value = (String, u16)> {
        let bad = &[
            "wait_ms=",
            "wait_ms=-1",
            "wait_ms=60001",
            "wait_ms=1e3",
            "wait_ms=18446744073709551616",
        ];
        part(&["wait_ms=0", "wait_ms=60000"], bad, 400)
    }

    fn last_event_id() -> impl Strategy<Value = (String, u16)> {
        part(&["EPOCH-12", "EPOCH-10", "0-0"], &["x", "1-2-3", "é-1", "\"1-2\""], 400)
    }

    #[test]
    fn a_transport_that_is_no_text_is_refused_as_json() {
        check(b"\x06%ff");
    }

    #[test]
    fn the_first_tags_of_if_none_match_count() {
        let target = Target::new();
        let status = |strangers: usize| {
            let tags = format!("I{}\"{}-{PUBLISHED}\"", "\"1-1\",".repeat(strangers), target.hub.epoch);
            let answer = target.answer("/feed/short-poll?", &[header_line(&tags).expect("a header")]);
            answer.expect("an address").0.as_u16()
        };
        assert_eq!([0, 7, 8, 2_000].map(status), [304, 304, 200, 200]);
    }

    proptest! {
        #![proptest_config(cases(10))]

        #[test]
        fn any_request(data in prop::collection::vec(any::<u8>(), 0..200)) {
            check(&data);
        }

        #[test]
        fn nearly_requests(
            path in 0..PATHS.len() as u8,
            query in prop::collection::vec("(topic|since|mode|wait_ms|from_us|to_us|detail|&|=|%[0-9a-f]{0,2}|EPOCH-|all|match-1|latest|[ -~]|\u{e9}){1,3}", 0..6),
            headers in prop::collection::vec("[LIOUCVK](\"|W/|EPOCH-|,| |[0-9]{1,20}|\\*|\t|\u{e9}|13|upgrade|websocket){0,6}", 0..4),
        ) {
            let mut data = vec![path];
            data.extend_from_slice(query.join("&").as_bytes());
            for header in headers {
                data.push(b'\n');
                data.extend_from_slice(header.as_bytes());
            }
            check(&data);
        }

        #[test]
        fn each_part_gets_the_status_it_deserves(
            transport in prop::sample::select(&["short-poll", "long-poll", "sse"][..]),
            parts in (topic(), since(), mode(), wait()),
            id in last_event_id(),
        ) {
            thread_local! {
                static TARGET: Target = Target::new();
            }
            let (topic, mut since, mode, wait) = parts;
            let epoch = |text: &str, target: &Target| text.replace("EPOCH", &target.hub.epoch.to_string());
            TARGET.with(|target| {
                let all = [&topic.0, &since.0, &mode.0, &wait.0].map(String::as_str);
                let query: Vec<_> = all.into_iter().filter(|part| !part.is_empty()).collect();
                let address = format!("/feed/{transport}?{}", query.join("&"));
                let mut headers = Vec::new();
                if !id.0.is_empty() {
                    headers.extend(header_line(&format!("L{}", epoch(&id.0, target))));
                    // It beats `since`, whatever that says; but a key that stands twice is no query at all.
                    if !since.0.contains('&') {
                        since.1 = id.1;
                    }
                }
                let (status, _) = target.answer(&epoch(&address, target), &headers).expect("an address");
                // In the order in which they are read: a query that is none, the topic, the cursor, the rest.
                let twice = [&since, &mode].iter().find(|part| part.0.contains('&')).map(|part| part.1);
                let faults = [topic.1, since.1, id.1, mode.1, wait.1];
                let expected = twice.or(faults.into_iter().find(|status| *status != 200)).unwrap_or(200);
                assert_eq!(status.as_u16(), expected, "{address} {headers:?}");
            });
        }

        #[test]
        fn an_address_that_is_too_long_is_414(length in 4_097..60_000usize) {
            let mut data = vec![0];
            data.resize(length, b'x');
            check(&data);
            let target = Target::new();
            let (status, _) = target.answer(&format!("/feed/sse?{}", "x".repeat(length)), &[]).expect("an address");
            prop_assert_eq!(status, StatusCode::URI_TOO_LONG);
        }
    }
}
