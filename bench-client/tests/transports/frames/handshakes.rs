//! Handshakes that our server must refuse, and some it must not (RFC 6455, 4.2.1 and 4.4).

use crate::support::{
    TestServer,
    raw::{Raw, TEXT, WEBSOCKET_KEY, header},
    settings,
};

/// A request head, line by line, and the status it must get.
struct Handshake {
    name: &'static str,
    line: &'static str,
    /// Instead of, or besides, the headers of a good one: an empty value leaves the header out.
    headers: &'static [(&'static str, &'static str)],
    status: u16,
}

const GET: &str = "GET /feed/websocket HTTP/1.1";

const fn with(name: &'static str, headers: &'static [(&'static str, &'static str)], status: u16) -> Handshake {
    Handshake {
        name,
        line: GET,
        headers,
        status,
    }
}

const HANDSHAKES: &[Handshake] = &[
    with("as it should be", &[], 101),
    with(
        "upper and lower case",
        &[("Upgrade", "WebSocket"), ("Connection", "UPGRADE")],
        101,
    ),
    with(
        "several options of the connection",
        &[("Connection", "keep-alive, Upgrade")],
        101,
    ),
    with(
        "extensions offered",
        &[(
            "Sec-WebSocket-Extensions",
            "permessage-deflate; client_max_window_bits, x-unknown; a=\"b\"",
        )],
        101,
    ),
    with(
        "subprotocols offered",
        &[("Sec-WebSocket-Protocol", "chat, superchat")],
        101,
    ),
    with(
        "an extension that is no token",
        &[("Sec-WebSocket-Extensions", ";;,,=")],
        101,
    ),
    with("no key", &[("Sec-WebSocket-Key", "")], 400),
    with(
        "a key of 15 bytes",
        &[("Sec-WebSocket-Key", "MDEyMzQ1Njc4OTAxMjM0")],
        400,
    ),
    with(
        "a key of 17 bytes",
        &[("Sec-WebSocket-Key", "MDEyMzQ1Njc4OTAxMjM0NTY=")],
        400,
    ),
    with(
        "a key that is not base64",
        &[("Sec-WebSocket-Key", "not base64 at all!!!====")],
        400,
    ),
    with("a key of one letter", &[("Sec-WebSocket-Key", "x")], 400),
    with("version 12", &[("Sec-WebSocket-Version", "12")], 426),
    with("version 14", &[("Sec-WebSocket-Version", "14")], 426),
    with("version 0", &[("Sec-WebSocket-Version", "0")], 426),
    with("version of letters", &[("Sec-WebSocket-Version", "thirteen")], 426),
    with("no version", &[("Sec-WebSocket-Version", "")], 426),
    with("no upgrade", &[("Upgrade", "")], 426),
    with("another upgrade", &[("Upgrade", "h2c")], 426),
    with("a connection that keeps alive", &[("Connection", "keep-alive")], 426),
    with("no connection header", &[("Connection", "")], 426),
    Handshake {
        name: "HTTP/1.0",
        line: "GET /feed/websocket HTTP/1.0",
        headers: &[],
        status: 426,
    },
    Handshake {
        name: "POST",
        line: "POST /feed/websocket HTTP/1.1",
        headers: &[("Content-Length", "0")],
        status: 405,
    },
    Handshake {
        name: "an unknown topic",
        line: "GET /feed/websocket?topic=nowhere HTTP/1.1",
        headers: &[],
        status: 404,
    },
    Handshake {
        name: "a malformed cursor",
        line: "GET /feed/websocket?since=x HTTP/1.1",
        headers: &[],
        status: 400,
    },
    Handshake {
        name: "another transport",
        line: "GET /feed/no-such HTTP/1.1",
        headers: &[],
        status: 404,
    },
];

/// Returns how many handshakes there were, and what failed.
pub async fn run() -> (usize, Vec<String>) {
    let mut server = TestServer::start(1, settings());
    server.publish(0);
    let mut failed = Vec::new();
    for one in HANDSHAKES {
        if let Err(error) = play(&server, one).await {
            failed.push(format!("handshake, {}: {error}", one.name));
        }
    }
    (HANDSHAKES.len(), failed)
}

async fn play(server: &TestServer, one: &Handshake) -> Result<(), String> {
    let mut raw = Raw::connect(server.address).await;
    raw.send(request(one)).await;
    let head = raw.head().await;
    let expected = format!(" {} ", one.status);
    if !head.lines().next().is_some_and(|line| line.contains(&expected)) {
        return Err(format!("{} expected, got {head}", one.status));
    }
    if one.status != 101 {
        // 4.4: who asks for another version is told which there is; and RFC 9110, 15.5.22: whoever must upgrade, to what.
        let version = header(&head, "sec-websocket-version");
        let upgrade = header(&head, "upgrade");
        return match one.status {
            426 if version != Some("13") || upgrade != Some("websocket") => {
                Err(format!("which version there is: {head}"))
            }
            _ => Ok(()),
        };
    }
    for unasked in ["sec-websocket-extensions", "sec-websocket-protocol"] {
        if let Some(chosen) = header(&head, unasked) {
            return Err(format!("{unasked}: {chosen}, which this server does not speak"));
        }
    }
    match raw.frame().await {
        (TEXT, _) => Ok(()),
        other => Err(format!("{other:?} instead of the newest state")),
    }
}

fn request(one: &Handshake) -> String {
    let good = [
        ("Host", "feed.test"),
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", WEBSOCKET_KEY),
    ];
    let kept = good
        .into_iter()
        .filter(|(name, _)| !one.headers.iter().any(|(instead, _)| instead == name));
    let given = one.headers.iter().copied().filter(|(_, value)| !value.is_empty());
    let lines: String = kept
        .chain(given)
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    format!("{}\r\n{lines}\r\n", one.line)
}
