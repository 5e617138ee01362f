//! Which pages may read and open WebSockets: the server's own, those that are listed, and nobody else; over every endpoint.

use crate::support::{
    TestServer,
    raw::{Raw, WEBSOCKET_HEADERS, get, header},
    settings,
};

/// Every answer of requests with `host: feed.test`; the first four are the transports.
const TARGETS: [&str; 11] = [
    "/feed/short-poll",
    "/feed/long-poll",
    "/feed/sse",
    "/feed/websocket",
    "/api/transports",
    "/api/stats",
    "/api/clock",
    "/readyz",
    "/metrics",
    "/feed/sse?since=x",
    "/nowhere",
];
/// Origins that are the server's own, as the Host header says it.
const OWN: [Option<&str>; 4] = [
    None,
    Some("http://feed.test"),
    Some("http://FEED.test"),
    Some("http://feed.test:80"),
];
/// Origins that are neither own nor listed in [`listed`].
const FOREIGN: [&str; 15] = [
    "null",
    "",
    "é",
    "feed.test",
    "https://feed.test",
    "http://feed.test:8080",
    "http://sub.feed.test",
    "http://feed.test.elsewhere.test",
    "http://elsewhere.test/feed.test",
    "http://feed.test@elsewhere.test",
    "ftp://feed.test",
    "http://page.test",
    "https://page.test:8443",
    "https://sub.page.test",
    "http://localhost",
];
const LISTED: [&str; 4] = [
    "https://page.test",
    "https://PAGE.test:443",
    "http://localhost:3000",
    "http://LOCALHOST:3000",
];

/// A server that lists these origins, with one update.
fn listing(origins: &[&str]) -> TestServer {
    let mut settings = settings();
    settings.allow_origins = origins
        .iter()
        .map(|origin| origin.parse().expect("an origin"))
        .collect();
    let mut server = TestServer::start(1, settings);
    server.publish(0);
    server
}

fn listed() -> TestServer {
    listing(&["https://page.test", "http://localhost:3000"])
}

/// The answer's head to a GET of a page, or a handshake, from there.
async fn ask(server: &TestServer, target: &str, origin: Option<&str>) -> String {
    let mut headers: Vec<_> = origin.iter().map(|&origin| ("origin", origin)).collect();
    if target == "/feed/websocket" {
        headers.extend(WEBSOCKET_HEADERS);
    }
    let mut raw = Raw::connect(server.address).await;
    raw.open(target, &headers).await
}

async fn preflight(server: &TestServer, target: &str, origin: &str) -> crate::support::raw::Answer {
    let mut raw = Raw::connect(server.address).await;
    let headers = [
        ("origin", origin),
        ("access-control-request-method", "GET"),
        ("access-control-request-headers", "last-event-id"),
    ];
    raw.send_head("OPTIONS", target, &headers).await;
    raw.answer().await
}

fn status(head: &str) -> &str {
    head.split(' ').nth(1).expect("a status")
}

#[tokio::test]
async fn own_pages_and_programs_get_no_word_of_cors() {
    let server = listing(&[]);
    for target in TARGETS {
        for origin in OWN {
            let head = ask(&server, target, origin).await;
            assert!(
                !head.contains("access-control") && !head.contains("vary"),
                "{target} {origin:?}: {head}"
            );
            assert_ne!(status(&head), "403", "{target} {origin:?}");
        }
    }
}

#[tokio::test]
async fn other_pages_get_nothing_that_a_browser_would_hand_them() {
    for server in [listing(&[]), listed()] {
        for target in TARGETS {
            for origin in FOREIGN {
                let head = ask(&server, target, Some(origin)).await;
                assert!(!head.contains("access-control"), "{target} {origin:?}: {head}");
                let refused = status(&head) == "403";
                assert_eq!(refused, target == "/feed/websocket", "{target} {origin:?}: {head}");
                let preflight = preflight(&server, target, origin).await;
                assert_eq!(preflight.status(), 403, "{target} {origin:?}");
                assert!(!preflight.head.contains("access-control"), "{target} {origin:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_refusal_names_the_origin_and_the_flag() {
    let server = listed();
    let mut headers = WEBSOCKET_HEADERS.to_vec();
    headers.push(("origin", "http://elsewhere.test"));
    let refused = get(server.address, "/feed/websocket", &headers).await;
    let preflight = preflight(&server, "/feed/sse", "http://elsewhere.test").await;
    for answer in [refused, preflight] {
        assert_eq!(answer.status(), 403);
        let error = answer.error();
        assert!(
            error.contains("http://elsewhere.test") && error.contains("--allow-origin"),
            "{error}"
        );
    }
    // Two origins are no origin.
    headers.push(("origin", "https://page.test"));
    assert_eq!(get(server.address, "/feed/websocket", &headers).await.status(), 403);
}

#[tokio::test]
async fn listed_pages_are_echoed_with_credentials() {
    let server = listed();
    for target in TARGETS {
        for origin in LISTED {
            let head = ask(&server, target, Some(origin)).await;
            assert_eq!(header(&head, "access-control-allow-origin"), Some(origin), "{target}");
            assert_eq!(
                header(&head, "access-control-allow-credentials"),
                Some("true"),
                "{target}"
            );
            assert_eq!(header(&head, "access-control-expose-headers"), Some("etag"));
            assert_eq!(header(&head, "vary"), Some("origin"), "{target}");
            assert_eq!(status(&head) == "101", target == "/feed/websocket", "{target} {origin}");

            let answer = preflight(&server, target, origin).await;
            assert_eq!(answer.status(), 204, "{target}");
            assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
            assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
            assert_eq!(answer.header("access-control-allow-methods"), Some("GET, HEAD"));
            assert_eq!(answer.header("vary"), Some("origin"));
            assert!(answer.header("access-control-max-age").is_some());
            let allowed = answer.header("access-control-allow-headers").expect("headers");
            for name in ["last-event-id", "if-none-match"] {
                assert!(allowed.split(", ").any(|one| one == name), "{name} in {allowed}");
            }
        }
        // What depends on the origin is kept apart by caches, whoever asked first.
        for origin in [None, Some("http://feed.test"), Some("http://elsewhere.test")] {
            let head = ask(&server, target, origin).await;
            assert_eq!(header(&head, "vary"), Some("origin"), "{target} {origin:?}");
            assert!(!head.contains("access-control"), "{target} {origin:?}");
        }
    }
}

#[tokio::test]
async fn a_star_lets_every_page_read_and_none_with_credentials() {
    let server = listing(&["*"]);
    for target in TARGETS {
        for origin in ["http://elsewhere.test", "null"] {
            for head in [
                ask(&server, target, Some(origin)).await,
                preflight(&server, target, origin).await.head,
            ] {
                assert_eq!(header(&head, "access-control-allow-origin"), Some("*"), "{target}");
                assert!(
                    !head.contains("credentials") && header(&head, "vary") == Some("origin"),
                    "{target}: {head}"
                );
                assert_ne!(status(&head), "403", "{target}");
            }
        }
    }
    // Beside it, one that may bring credentials.
    let server = listing(&["*", "https://page.test"]);
    let head = ask(&server, "/api/stats", Some("https://page.test")).await;
    assert_eq!(header(&head, "access-control-allow-credentials"), Some("true"));
    let head = ask(&server, "/api/stats", Some("http://elsewhere.test")).await;
    assert_eq!(header(&head, "access-control-allow-origin"), Some("*"));
    assert_eq!(header(&head, "vary"), Some("origin"));
}
