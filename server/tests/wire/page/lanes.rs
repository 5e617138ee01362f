//! A port for each transport, and whose pages it answers.

use super::{GUARDED, told, with_page};
use crate::support::{
    TestServer,
    raw::{Raw, WEBSOCKET_HEADERS},
    settings,
};

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

/// A server that has no page of its own says what it has; the token of one start says nothing to a server without lanes.
#[tokio::test]
async fn without_ports_for_its_transports_there_are_no_paths() {
    let server = TestServer::start(1, settings());
    let page = told(&server).await;
    assert_eq!(page["paths"], serde_json::json!([]));
    assert_eq!(page["offers"], serde_json::json!([]));
}
