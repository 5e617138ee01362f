//! `/api/wire/<transport>`: the bytes the page shows are those that passed.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use nix::sys::signal::Signal;
use serde_json::Value;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::lab::{Lab, Running};

/// A feed with an update every 10 ms, and its address.
fn served(lab: &Lab) -> (Running, SocketAddr) {
    let (server, url) = lab.serve("--rate 100 --topics 2");
    (server, url.trim_start_matches("http://").parse().expect("an address"))
}

/// Status and body of a GET.
fn get(address: SocketAddr, target: &str) -> (u16, Value) {
    let mut stream = TcpStream::connect(address).expect("the server listens");
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    write!(
        stream,
        "GET {target} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head[9..12].parse().expect("a status");
    (status, serde_json::from_str(body).expect("JSON"))
}

fn recorded(address: SocketAddr, target: &str) -> Value {
    let (status, answer) = get(address, target);
    assert_eq!(status, 200, "{answer:#}");
    assert_eq!(answer["error"], Value::Null, "{answer:#}");
    answer
}

/// All that one side said on a connection.
fn said(connection: &Value, side: &str) -> String {
    let chunks = connection["chunks"].as_array().expect("chunks").iter();
    let bytes = chunks
        .filter(|chunk| chunk["from"] == side)
        .flat_map(|chunk| BASE64.decode(chunk["base64"].as_str().expect("text")).expect("base64"));
    String::from_utf8_lossy(&bytes.collect::<Vec<_>>()).into_owned()
}

fn header<'a>(head: &'a str, name: &str) -> &'a str {
    let line = head.lines().find_map(|line| {
        let (own, value) = line.split_once(": ")?;
        own.eq_ignore_ascii_case(name).then_some(value)
    });
    line.unwrap_or_else(|| panic!("no {name} in {head}"))
}

#[test]
fn the_bytes_of_every_transport_are_there_in_order() {
    let lab = Lab::new();
    let (_server, address) = served(&lab);
    for (id, status) in [
        ("short-poll", "200"),
        ("long-poll", "200"),
        ("sse", "200"),
        ("websocket", "101"),
    ] {
        let answer = recorded(address, &format!("/api/wire/{id}"));
        assert_eq!(
            (&answer["transport"], &answer["truncated"]),
            (&id.into(), &false.into())
        );
        assert!(answer["updates"].as_u64() >= Some(3), "{answer:#}");
        let connections = answer["connections"].as_array().unwrap();
        assert_eq!(connections.len(), 1, "{id} keeps its connection");
        let (asked, answered) = (said(&connections[0], "client"), said(&connections[0], "server"));
        assert!(asked.starts_with(&format!("GET /feed/{id}?topic=")), "{asked}");
        assert!(asked.contains("Mozilla/5.0"), "the browser's header set: {asked}");
        assert!(answered.starts_with(&format!("HTTP/1.1 {status} ")), "{answered}");
        assert!(
            answered.matches(r#"{"topic":""#).count() >= 4,
            "the newest state and three live updates: {answered}"
        );
        let chunks = connections[0]["chunks"].as_array().unwrap();
        let times: Vec<_> = chunks.iter().map(|chunk| chunk["at_us"].as_u64().unwrap()).collect();
        assert!(times.is_sorted(), "{times:?}");
        let end = connections[0]["closed_us"].as_u64().expect("the client has gone");
        assert!(times[0] >= connections[0]["opened_us"].as_u64().unwrap() && *times.last().unwrap() <= end);
        // A segment each for what both sides said, and the three of the handshake.
        assert!(answer["tcp"]["segments_sent"].as_u64() >= Some(3), "{answer:#}");
    }
}

#[test]
fn the_handshake_proves_that_the_server_speaks_websocket() {
    let lab = Lab::new();
    let (_server, address) = served(&lab);
    let answer = recorded(address, "/api/wire/websocket");
    let connection = &answer["connections"][0];
    let (asked, answered) = (said(connection, "client"), said(connection, "server"));
    let key = header(&asked, "sec-websocket-key");
    assert_eq!(
        header(&answered, "sec-websocket-accept"),
        derive_accept_key(key.as_bytes())
    );
}

#[test]
fn without_keep_alive_every_poll_opens_a_connection() {
    let lab = Lab::new();
    let (_server, address) = served(&lab);
    let answer = recorded(address, "/api/wire/long-poll?keep_alive=false");
    let connections = answer["connections"].as_array().unwrap();
    // The newest state, then at least one answer with what is live: a busy machine's brings all at once.
    assert!(connections.len() >= 2, "{answer:#}");
    for connection in connections {
        let asked = said(connection, "client");
        assert_eq!(asked.matches("GET /feed/").count(), 1, "{asked}");
    }
}

#[test]
fn a_silent_feed_is_answered_with_what_there_was() {
    let lab = Lab::new();
    let (_server, url) = lab.serve("--rate 0");
    let address = url.trim_start_matches("http://").parse().unwrap();
    let answer = recorded(address, "/api/wire/long-poll");
    assert_eq!(answer["updates"], 0);
    assert!(answer["took_us"].as_u64() >= Some(3_000_000), "{answer:#}");
    let answered = said(&answer["connections"][0], "server");
    assert!(answered.contains(r#"{"updates":[],"cursor":""#), "{answered}");
}

#[test]
fn a_large_update_fills_the_recording_and_it_says_so() {
    let lab = Lab::new();
    let (_server, url) = lab.serve("--rate 20 --payload 30000");
    let address = url.trim_start_matches("http://").parse().unwrap();
    let answer = recorded(address, "/api/wire/sse");
    assert_eq!(answer["truncated"], true);
    let answered = said(&answer["connections"][0], "server");
    assert!((60_000..=64 * 1024).contains(&answered.len()), "{}", answered.len());
}

#[test]
fn what_cannot_be_recorded_is_refused_with_words() {
    let lab = Lab::new();
    let (_server, address) = served(&lab);
    let (status, answer) = get(address, "/api/wire/carrier-pigeon");
    assert_eq!(status, 404);
    assert!(answer["error"].as_str().unwrap().contains("websocket"), "{answer}");
    let (status, _) = get(address, "/api/wire/sse?keep_alive=perhaps");
    assert_eq!(status, 400);
}

#[test]
fn one_recording_at_a_time_and_few_that_wait() {
    let lab = Lab::new();
    let (_server, url) = lab.serve("--rate 0");
    let address = url.trim_start_matches("http://").parse().unwrap();
    // The sixth finds one under way and four that wait; silent, each would take three seconds.
    let asked: Vec<_> = (0..6)
        .map(|_| std::thread::spawn(move || get(address, "/api/wire/sse").0))
        .collect();
    let mut statuses: Vec<_> = asked.into_iter().map(|one| one.join().unwrap()).collect();
    statuses.sort_unstable();
    assert_eq!((statuses[0], statuses[5]), (200, 503), "{statuses:?}");
}

#[test]
fn a_recording_ends_with_the_server() {
    let lab = Lab::new();
    let (server, url) = lab.serve("--rate 0");
    let address: SocketAddr = url.trim_start_matches("http://").parse().unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET /api/wire/sse HTTP/1.1\r\nhost: {address}\r\n\r\n").unwrap();
    crate::lab::until("the recording's session is open", || {
        let (_, stats) = get(address, "/api/stats");
        (stats["transports"][2]["subscribers"].as_u64() >= Some(1)).then_some(())
    });
    let stopped = Instant::now();
    server.signal(Signal::SIGTERM);
    server.ended().with_code(0);
    // The drain deadline of 10 s is not waited for.
    assert!(stopped.elapsed() < Duration::from_secs(8), "{:?}", stopped.elapsed());
}
