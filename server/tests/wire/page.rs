//! The page's files and policy, a port for each transport, and the guard around what only the page may ask: as bytes on a socket.

use axum::{
    Router,
    routing::{get, put},
};
use server::{Ports, settings::ServerSettings};

use crate::support::{
    TestServer,
    raw::{Answer, Raw, WEBSOCKET_HEADERS},
    settings,
};

/// Stands for what is mounted beside the feed: results, and changes.
const GUARDED: &str = "/api/guarded";

/// A server with a page, as `serve` starts it.
fn with_page(change: impl FnOnce(&mut ServerSettings)) -> TestServer {
    let mut settings = settings();
    change(&mut settings);
    let mut server = TestServer::with(1, settings, Ports::OnePerTransport, |app| {
        app.page.offer("guarded");
        Ok(Router::new().route(GUARDED, get(|| async { "read\n" }).merge(put(|| async { "changed\n" }))))
    });
    server.publish(0);
    server
}

/// One request with a Host of its own.
async fn ask(server: &TestServer, method: &str, target: &str, host: &str, headers: &[(&str, &str)]) -> Answer {
    let mut raw = Raw::connect(server.address).await;
    let mut head = format!("{method} {target} HTTP/1.1\r\n");
    if !host.is_empty() {
        head += &format!("host: {host}\r\n");
    }
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    raw.send(head + "\r\n").await;
    raw.answer().await
}

fn host(server: &TestServer) -> String {
    server.address.to_string()
}

/// What `/api/page` tells the page.
async fn told(server: &TestServer) -> serde_json::Value {
    let answer = ask(
        server,
        "GET",
        "/api/page",
        &host(server),
        &[("sec-fetch-site", "same-origin")],
    )
    .await;
    assert_eq!(answer.status(), 200, "{}", answer.head);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    answer.json()
}

#[tokio::test]
async fn a_host_that_is_no_name_of_this_server_gets_nothing_of_the_page() {
    let server =
        with_page(|settings| settings.allow_origins = vec!["https://lab.example:8443".parse().expect("an origin")]);
    let port = server.address.port();
    for known in [
        "127.0.0.1",
        "localhost",
        "LocalHost",
        "[::1]",
        "192.168.1.7",
        "lab.example",
    ] {
        for host in [known.to_owned(), format!("{known}:{port}"), format!("{known}:1")] {
            for target in [GUARDED, "/api/page"] {
                let answer = ask(&server, "GET", target, &host, &[]).await;
                assert_eq!(answer.status(), 200, "{target} as {host}: {}", answer.head);
            }
        }
    }
    // A foreign name may be made to point here: DNS rebinding.
    for strange in [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "evil.example:80",
        "lab.example.evil.example",
        "x@127.0.0.1",
        "",
    ] {
        for target in [GUARDED, "/api/page"] {
            let answer = ask(&server, "GET", target, strange, &[]).await;
            assert!(
                [400, 403].contains(&answer.status()),
                "{target} as {strange:?}: {}",
                answer.head
            );
            assert!(
                !String::from_utf8_lossy(&answer.body).contains("read") && !answer.head.contains("access-control"),
                "{strange:?}"
            );
        }
    }
    let refused = ask(&server, "GET", GUARDED, "evil.example", &[]).await.error();
    assert!(
        refused.contains("evil.example") && refused.contains("--allow-origin"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_read_for_another_sites_page_is_refused() {
    // Who may read the feed may not read what is the page's.
    let server = with_page(|settings| {
        settings.allow_origins = ["*", "http://listed.example"]
            .map(|one| one.parse().expect("an origin"))
            .into();
    });
    let own = host(&server);
    for target in [GUARDED, "/api/page"] {
        for (site, status) in [
            ("same-origin", 200),
            ("none", 200),
            ("cross-site", 403),
            ("same-site", 403),
            ("", 403),
            ("é", 403),
        ] {
            let answer = ask(&server, "GET", target, &own, &[("sec-fetch-site", site)]).await;
            assert_eq!(answer.status(), status, "{target} {site}: {}", answer.head);
        }
        // An older browser, and any that speaks to another machine without TLS, says no Sec-Fetch-Site.
        for origin in ["http://evil.example", "http://listed.example", "null", ""] {
            let answer = ask(&server, "GET", target, &own, &[("origin", origin)]).await;
            assert_eq!(answer.status(), 403, "{target} {origin}: {}", answer.head);
        }
        let answer = ask(&server, "GET", target, &own, &[("origin", &format!("http://{own}"))]).await;
        assert_eq!(answer.status(), 200, "{target}: {}", answer.head);
    }
    // The feed is for everyone who may read it.
    let answer = ask(
        &server,
        "GET",
        "/feed/short-poll",
        "evil.example",
        &[("sec-fetch-site", "cross-site")],
    )
    .await;
    assert_eq!(answer.status(), 200, "{}", answer.head);
}

#[tokio::test]
async fn a_change_takes_the_own_origin_and_the_token_of_this_start() {
    let server = with_page(|_| {});
    let own = host(&server);
    let token = told(&server).await["token"].as_str().expect("a token").to_owned();
    let origin = format!("http://{own}");
    let lane = told(&server).await["paths"][0]["lanes"]["sse"]
        .as_u64()
        .expect("a port");
    let sibling = format!("http://{}:{lane}", server.address.ip());
    let change = async |headers: &[(&str, &str)]| {
        let mut headers = headers.to_vec();
        headers.push(("content-length", "0"));
        ask(&server, "PUT", GUARDED, &own, &headers).await
    };
    assert_eq!(
        change(&[("origin", &origin), ("x-lab-token", &token)]).await.body,
        b"changed\n"
    );

    let wrong = "0".repeat(token.len());
    for headers in [
        vec![],
        vec![("origin", origin.as_str())],
        vec![("x-lab-token", token.as_str())],
        vec![("origin", &origin), ("x-lab-token", "")],
        vec![("origin", &origin), ("x-lab-token", &wrong)],
        vec![("origin", &origin), ("x-lab-token", &token[1..])],
        vec![("origin", "http://evil.example"), ("x-lab-token", &token)],
        vec![("origin", "null"), ("x-lab-token", &token)],
        vec![("origin", &sibling), ("x-lab-token", &token)],
        vec![
            ("origin", &origin),
            ("x-lab-token", &token),
            ("sec-fetch-site", "cross-site"),
        ],
        vec![
            ("origin", &origin),
            ("x-lab-token", &token),
            ("sec-fetch-site", "same-site"),
        ],
    ] {
        let answer = change(&headers).await;
        assert_eq!(answer.status(), 403, "{headers:?}: {}", answer.head);
        assert!(!answer.error().contains(&token), "a refusal tells no token");
    }
    let other = with_page(|_| {});
    let old = told(&other).await["token"].as_str().expect("a token").to_owned();
    assert_eq!(
        change(&[("origin", &origin), ("x-lab-token", &old)]).await.status(),
        403,
        "another start's token"
    );
}

/// A page elsewhere asks its browser to send a change with our header; the browser asks first, and is told no.
#[tokio::test]
async fn no_page_elsewhere_is_let_to_ask_for_a_change() {
    let server = with_page(|_| {});
    let own = host(&server);
    let lane = told(&server).await["paths"][0]["lanes"]["sse"]
        .as_u64()
        .expect("a port");
    let sibling = format!("http://{}:{lane}", server.address.ip());
    for origin in ["http://evil.example", "null", &sibling] {
        let asked = [
            ("origin", origin),
            ("access-control-request-method", "PUT"),
            ("access-control-request-headers", "x-lab-token,content-type"),
        ];
        let answer = ask(&server, "OPTIONS", GUARDED, &own, &asked).await;
        let methods = answer.header("access-control-allow-methods").unwrap_or_default();
        let headers = answer.header("access-control-allow-headers").unwrap_or_default();
        assert!(
            !methods.contains("PUT") && !headers.contains("x-lab-token"),
            "{origin}: {}",
            answer.head
        );
        assert_eq!(answer.status() == 403, origin != sibling, "{origin}: {}", answer.head);
    }
}

#[tokio::test]
async fn every_transport_answers_at_a_port_of_its_own_to_the_page_and_to_no_other() {
    let server = with_page(|_| {});
    let page = told(&server).await;
    let lanes = page["paths"][0]["lanes"].as_object().expect("lanes");
    assert_eq!(lanes.len(), server::transports::ALL.len());
    let origin = format!("http://{}", server.address);
    for (transport, port) in lanes {
        let lane = std::net::SocketAddr::new(server.address.ip(), port.as_u64().expect("a port") as u16);
        assert_ne!(lane, server.address, "{transport}");
        for (from, may) in [
            (origin.clone(), true),
            (format!("http://localhost:{}", server.address.port()), false),
            (format!("http://{}:1", lane.ip()), false),
            (format!("https://{}", server.address), false),
            ("http://evil.example".to_owned(), false),
            ("null".to_owned(), false),
        ] {
            let mut raw = Raw::connect(lane).await;
            let upgrade = if transport == "websocket" {
                &WEBSOCKET_HEADERS[..]
            } else {
                &[]
            };
            let more: String = upgrade
                .iter()
                .map(|(name, value)| format!("{name}: {value}\r\n"))
                .collect();
            raw.send(format!(
                "GET /feed/{transport} HTTP/1.1\r\nhost: {lane}\r\norigin: {from}\r\n{more}\r\n"
            ))
            .await;
            let head = raw.head().await;
            assert_eq!(
                crate::support::raw::header(&head, "access-control-allow-origin"),
                may.then_some(from.as_str()),
                "{transport} from {from}: {head}"
            );
            let refused = head.starts_with("HTTP/1.1 403");
            assert_eq!(
                refused,
                transport == "websocket" && !may,
                "{transport} from {from}: {head}"
            );
        }
        // Behind a name that is not ours a sibling's port means nothing: it is that name's page.
        let mut raw = Raw::connect(lane).await;
        let port = server.address.port();
        raw.send(format!(
            "GET /feed/short-poll HTTP/1.1\r\nhost: 127.0.0.1:{}\r\norigin: http://evil.example:{port}\r\n\r\n",
            lane.port()
        ))
        .await;
        let head = raw.head().await;
        assert!(!head.contains("access-control"), "{head}");
        // The same guard stands at every port.
        let mut raw = Raw::connect(lane).await;
        raw.send(format!(
            "PUT {GUARDED} HTTP/1.1\r\nhost: {lane}\r\ncontent-length: 0\r\n\r\n"
        ))
        .await;
        assert_eq!(raw.answer().await.status(), 403, "{transport}");
    }
}

#[tokio::test]
async fn a_lane_is_a_sibling_under_an_ipv6_name_too() {
    let server = with_page(|_| {});
    let lane = told(&server).await["paths"][0]["lanes"]["short-poll"]
        .as_u64()
        .expect("a port") as u16;
    let mut raw = Raw::connect((server.address.ip(), lane).into()).await;
    let own = format!("http://[::1]:{}", server.address.port());
    raw.send(format!(
        "GET /feed/short-poll HTTP/1.1\r\nhost: [::1]:{lane}\r\norigin: {own}\r\n\r\n"
    ))
    .await;
    let head = raw.head().await;
    assert_eq!(
        crate::support::raw::header(&head, "access-control-allow-origin"),
        Some(own.as_str()),
        "{head}"
    );
}

#[tokio::test]
async fn the_policy_is_exactly_this() {
    let server = with_page(|_| {});
    let own = host(&server);
    let page = told(&server).await;
    let ip = server.address.ip();
    let mut ports = vec![server.address.port()];
    ports.extend(
        page["paths"][0]["lanes"]
            .as_object()
            .expect("lanes")
            .values()
            .map(|port| port.as_u64().expect("a port") as u16),
    );
    for address in [
        "/",
        "/results",
        "/results/some-run",
        "/results/overlay?run=a&run=b",
        "/how",
        "/how/sse",
    ] {
        let answer = ask(&server, "GET", address, &own, &[]).await;
        assert_eq!(answer.status(), 200, "{address}");
        assert_eq!(
            answer.header("content-type"),
            Some("text/html; charset=utf-8"),
            "{address}"
        );
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        let policy = answer.header("content-security-policy").expect("a policy");
        let (connect, rest) = policy.split_once("connect-src 'self'").expect("connections");
        let (listed, rest) = rest.split_once(';').expect("more");
        assert_eq!(
            connect,
            "default-src 'none'; script-src 'self'; style-src 'self' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='; img-src 'self' data: blob:; "
        );
        assert_eq!(rest, " base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
        let mut listed: Vec<_> = listed.split_whitespace().map(str::to_owned).collect();
        let mut expected: Vec<_> = ports
            .iter()
            .flat_map(|port| [format!("http://{ip}:{port}"), format!("ws://{ip}:{port}")])
            .collect();
        listed.sort();
        expected.sort();
        assert_eq!(listed, expected, "{address}");
    }
    // What would be an injection is no host.
    let answer = ask(&server, "GET", "/", "x; script-src *", &[]).await;
    let policy = answer.header("content-security-policy").unwrap_or_default();
    assert!(!policy.contains('*'), "{policy}");
}

#[tokio::test]
async fn files_of_the_page_have_their_type_an_etag_and_no_way_out() {
    let server = with_page(|_| {});
    let own = host(&server);
    for (path, kind) in [
        ("/", "text/html; charset=utf-8"),
        ("/web/app.js", "text/javascript; charset=utf-8"),
        ("/web/lib/dom.js", "text/javascript; charset=utf-8"),
        ("/web/style.css", "text/css; charset=utf-8"),
        ("/web/icon.svg", "image/svg+xml"),
    ] {
        let answer = ask(&server, "GET", path, &own, &[]).await;
        assert_eq!(
            (answer.status(), answer.header("content-type")),
            (200, Some(kind)),
            "{path}"
        );
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-cache"), "{path}");
        assert!(!answer.head.contains("access-control"), "{path}");
        let etag = answer.header("etag").expect("an etag").to_owned();
        let again = ask(&server, "GET", path, &own, &[("if-none-match", &etag)]).await;
        assert_eq!(
            (again.status(), again.header("etag")),
            (304, Some(etag.as_str())),
            "{path}"
        );
        assert!(again.body.is_empty());
        let other = ask(&server, "GET", path, &own, &[("if-none-match", "\"0\"")]).await;
        assert_eq!(other.body, answer.body, "{path}");
    }
    for path in [
        "/web/../Cargo.toml",
        "/web/..%2fCargo.toml",
        "/web/%2e%2e/Cargo.toml",
        "/web/lib/../../Cargo.toml",
        "/web/lib/..%2f..%2fserver%2fCargo.toml",
        "/web//etc/passwd",
        "/web/%2fetc%2fpasswd",
        "/web/app.js%00.svg",
        "/web/..\\Cargo.toml",
        "/web/README.md",
        "/web/.gitignore",
        "/web/lib",
        "/web/lib/",
        "/web/",
        "/web/none.js",
        "/index.html",
    ] {
        let answer = ask(&server, "GET", path, &own, &[]).await;
        assert!([400, 404].contains(&answer.status()), "{path}: {}", answer.head);
        assert!(!String::from_utf8_lossy(&answer.body).contains("[package]"), "{path}");
    }
}

#[tokio::test]
async fn who_may_read_may_not_write() {
    let server = with_page(|_| {});
    let own = host(&server);
    let token = told(&server).await["token"].as_str().expect("a token").to_owned();
    let origin = format!("http://{own}");
    let page = [
        ("origin", origin.as_str()),
        ("x-lab-token", token.as_str()),
        ("content-length", "0"),
    ];
    for target in ["/", "/results", "/how/sse", "/web/app.js", "/api/page"] {
        for method in ["POST", "PUT", "DELETE", "PATCH"] {
            let answer = ask(&server, method, target, &own, &page).await;
            assert_eq!(answer.status(), 405, "{method} {target}: {}", answer.head);
        }
    }
}

/// A server that has no page of its own says what it has; the token of one start says nothing to a server without lanes.
#[tokio::test]
async fn without_ports_for_its_transports_there_are_no_paths() {
    let server = TestServer::start(1, settings());
    let page = told(&server).await;
    assert_eq!(page["paths"], serde_json::json!([]));
    assert_eq!(page["offers"], serde_json::json!([]));
}
