//! `serve --demo`: a feed that is changed while a client reads, and longer ways to it.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::{
    lab::{Lab, until},
    processes::get,
};

const PATIENCE: Duration = Duration::from_secs(60);

fn address(url: &str) -> SocketAddr {
    url.trim_start_matches("http://").parse().expect("an address")
}

fn ask(at: SocketAddr, path: &str) -> Value {
    serde_json::from_str(&get(at, path).expect("it answers")).expect("JSON")
}

/// A change as the page asks for it; the status and what is answered.
fn post(at: SocketAddr, token: &str, body: &str) -> (u16, Value) {
    let mut stream = TcpStream::connect(at).expect("the server listens");
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(
        stream,
        "POST /api/demo/feed HTTP/1.1\r\nhost: {at}\r\norigin: http://{at}\r\nx-lab-token: {token}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (
        status.unwrap_or_else(|| panic!("no status: {answer}")),
        serde_json::from_str(body).unwrap_or_else(|_| panic!("no JSON: {answer}")),
    )
}

fn token(at: SocketAddr) -> String {
    ask(at, "/api/page")["token"].as_str().expect("a token").to_owned()
}

/// Reads a stream from the beginning of the feed until it ends: each update as it was encoded.
fn stream(at: SocketAddr) -> JoinHandle<Vec<String>> {
    let epoch = &ask(at, "/api/clock")["epoch"];
    let mut stream = TcpStream::connect(at).expect("the server listens");
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // Of HTTP/1.0, so that there are no chunks to put together.
    write!(stream, "GET /feed/sse?since={epoch}-0 HTTP/1.0\r\nhost: {at}\r\n\r\n").unwrap();
    std::thread::spawn(move || {
        let lines = BufReader::new(stream).lines().map_while(Result::ok);
        let data = lines.filter_map(|line| Some(line.strip_prefix("data: ")?.to_owned()));
        data.filter(|data| data.contains("\"offset\"")).collect()
    })
}

fn published(at: SocketAddr) -> u64 {
    ask(at, "/api/stats")["updates"].as_u64().expect("a count")
}

/// Waits for so many more updates.
fn goes_on(at: SocketAddr, updates: u64) {
    let then = published(at) + updates;
    until("the feed goes on", || (published(at) >= then).then_some(()));
}

fn number(of: &Value, field: &str) -> u64 {
    of[field].as_u64().unwrap_or_else(|| panic!("no {field} in {of}"))
}

#[test]
fn the_matches_go_on_at_another_rate_and_size_and_no_client_misses_one() {
    let lab = Lab::new();
    let (server, url) = lab.serve("--demo --topics 3 --rate 50 --seed 3 --record changed.ndjson");
    let (at, token) = (address(&url), token(address(&url)));
    let reading = stream(at);
    goes_on(at, 60);
    let (status, described) = post(at, &token, r#"{"rate_hz":200.0,"update_bytes":900}"#);
    assert_eq!(
        (status, &described["rate_hz"], &described["update_bytes"]),
        (200, &json!(200.0), &json!(900))
    );
    assert_eq!(ask(at, "/api/stats")["feed"], described);
    goes_on(at, 300);
    // One of them stays.
    let (status, described) = post(at, &token, r#"{"update_bytes":null}"#);
    assert_eq!(
        (status, &described["rate_hz"], &described["update_bytes"]),
        (200, &json!(200.0), &Value::Null)
    );
    goes_on(at, 100);
    let log = ask(at, "/api/published?from_us=0&detail=true");
    server.signal(Signal::SIGTERM);
    server.ended().with_code(0).saying(&["the recording is complete"]);

    let encoded = reading.join().expect("reading does not panic");
    let updates: Vec<Value> = encoded
        .iter()
        .map(|one| serde_json::from_str(one).expect("an update"))
        .collect();
    assert!(updates.len() > 450, "{}", updates.len());
    let mut newest: [Option<&Value>; 3] = [None; 3];
    for (index, update) in updates.iter().enumerate() {
        assert_eq!(
            number(update, "offset"),
            index as u64 + 1,
            "none is missing, none comes twice"
        );
        assert_eq!(update["epoch"], updates[0]["epoch"]);
        let topic = ["match-1", "match-2", "match-3"]
            .iter()
            .position(|name| update["topic"] == *name)
            .unwrap();
        let before = newest[topic].replace(update);
        assert_eq!(
            number(update, "seq"),
            before.map_or(0, |before| number(before, "seq")) + 1
        );
        if let Some(before) = before.filter(|_| update["event"] != "kick_off") {
            for score in ["home_score", "away_score"] {
                assert!(number(update, score) >= number(before, score), "{before} then {update}");
            }
            assert!(
                number(update, "minute") >= number(before, "minute"),
                "{before} then {update}"
            );
        }
        assert!(index == 0 || number(update, "due_us") >= number(&updates[index - 1], "due_us"));
    }
    // Sizes: as they come, then 900, then as they come again.
    let large: Vec<usize> = (0..encoded.len())
        .filter(|index| encoded[*index].len() == 900)
        .collect();
    let (first, last) = (large[0], large[large.len() - 1]);
    assert!(
        first >= 60 && large.len() >= 300 && last + 1 - first == large.len(),
        "{large:?}"
    );
    assert!(encoded.iter().all(|one| one.len() == 900 || one.len() < 400));

    // Rates, by due times: 1/50 s in each topic, then 1/200 s, with one distance between that is neither.
    for topic in log["topics"].as_array().expect("topics") {
        let due: Vec<u64> = topic["updates"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| number(one, "due_us"))
            .collect();
        let gaps: Vec<u64> = due.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let slow = gaps.iter().take_while(|gap| gap.abs_diff(20_000) <= 1).count();
        let fast = gaps
            .iter()
            .skip(slow + 1)
            .take_while(|gap| gap.abs_diff(5_000) <= 1)
            .count();
        // The second change was of the size alone, but begins a schedule: it may be a moment late as well.
        let rest = gaps
            .iter()
            .skip(slow + fast + 2)
            .take_while(|gap| gap.abs_diff(5_000) <= 1)
            .count();
        assert!(
            slow >= 15 && fast >= 95 && slow + fast + rest + 2 >= gaps.len(),
            "{gaps:?}"
        );
    }

    // What was recorded is what was due, from the first update to the last.
    let recording = lab.read("changed.ndjson");
    let recorded: Vec<u64> = recording
        .lines()
        .skip(1)
        .map(|line| number(&serde_json::from_str(line).unwrap(), "at_us"))
        .collect();
    let zero = number(&updates[0], "due_us") - recorded[0];
    assert!(recorded.len() >= updates.len());
    for (at_us, update) in recorded.iter().zip(&updates) {
        assert_eq!(zero + at_us, number(update, "due_us"));
    }
    let (replay, url) = lab.serve("--replay changed.ndjson --speed 100");
    let at = address(&url);
    until("all of it is played", || {
        (published(at) >= recorded.len() as u64).then_some(())
    });
    drop(replay);
}

#[test]
fn a_change_that_cannot_be_is_refused_in_words_and_changes_nothing() {
    let lab = Lab::new();
    let (server, url) = lab.serve("--demo --topics 2 --rate 50 --payload 500");
    let (at, token) = (address(&url), token(address(&url)));
    let before = ask(at, "/api/stats")["feed"].clone();
    for (body, status, words) in [
        (r#"{"rate_hz":5000}"#, 400, "rate of 5000"),
        (r#"{"rate_hz":-1}"#, 400, "between 0.1 and 1000"),
        (r#"{"rate_hz":20,"update_bytes":10}"#, 400, "65536"),
        (r#"{"update_bytes":70000}"#, 400, "65536"),
        (r#"{"update_bytes":-5}"#, 400, "update_bytes"),
        (r#"{"rate":20}"#, 400, "unknown field"),
        (r#"{"rate_hz":20"#, 400, "expected {"),
    ] {
        let (answered, error) = post(at, &token, body);
        let error = error["error"].as_str().expect("words");
        assert!(
            answered == status && error.contains(words),
            "{body}: {answered} {error}"
        );
    }
    assert_eq!(post(at, &token, &" ".repeat(5_000)).0, 413);
    for token in ["", "0123456789abcdef0123456789abcdef"] {
        assert_eq!(post(at, token, r#"{"rate_hz":20}"#).0, 403);
    }
    assert_eq!(ask(at, "/api/stats")["feed"], before);
    goes_on(at, 10);
    // At once from several sides: one after the other, and all of them are made.
    let rates = std::thread::scope(|scope| {
        let asked: Vec<_> = (1..=6)
            .map(|rate| {
                scope.spawn({
                    let token = &token;
                    move || post(at, token, &format!("{{\"rate_hz\":{}}}", rate * 100))
                })
            })
            .collect();
        asked
            .into_iter()
            .map(|one| one.join().expect("an answer"))
            .collect::<Vec<_>>()
    });
    assert!(rates.iter().all(|(status, _)| *status == 200), "{rates:?}");
    let now = &ask(at, "/api/stats")["feed"];
    assert!(
        rates.iter().any(|(_, described)| described == now) && now["update_bytes"] == 500,
        "{now}"
    );
    goes_on(at, 10);
    server.signal(Signal::SIGTERM);
    server.ended().with_code(0);

    let (_replay, url) = lab.serve("--demo --replay knock-out-2022");
    let (status, error) = post(address(&url), &self::token(address(&url)), r#"{"rate_hz":20}"#);
    assert!(
        status == 409 && error["error"].as_str().unwrap().contains("a replay"),
        "{status} {error}"
    );
}

#[test]
fn without_demo_nothing_is_changed_and_the_only_path_is_the_direct_one() {
    let lab = Lab::new();
    let (_server, url) = lab.serve("");
    let at = address(&url);
    let page = ask(at, "/api/page");
    let paths: Vec<_> = page["paths"]
        .as_array()
        .unwrap()
        .iter()
        .map(|path| path["id"].clone())
        .collect();
    assert_eq!(paths, ["direct"]);
    assert_eq!(post(at, &token(at), r#"{"rate_hz":20}"#).0, 404);
}

/// The port of a transport by a path.
fn lane(page: &Value, path: &str, transport: &str) -> SocketAddr {
    let paths = page["paths"].as_array().expect("paths");
    let path = paths.iter().find(|one| one["id"] == path).expect("the path is there");
    ([127, 0, 0, 1], number(&path["lanes"], transport) as u16).into()
}

#[test]
fn a_path_with_delay_takes_its_time_and_leads_to_the_same_feed() {
    let lab = Lab::new();
    let (_server, url) = lab.serve("--demo --rate 50");
    let page = ask(address(&url), "/api/page");
    let told: Vec<_> = page["paths"]
        .as_array()
        .unwrap()
        .iter()
        .map(|path| {
            (
                path["id"].as_str().unwrap(),
                number(path, "delay_ms"),
                number(path, "stall_ms"),
                path["lanes"].as_object().unwrap().len(),
            )
        })
        .collect();
    let all = ask(address(&url), "/api/transports").as_array().unwrap().len();
    assert_eq!(
        told,
        [
            ("direct", 0, 0, all),
            ("delay-10", 10, 0, all),
            ("delay-50", 50, 0, all),
            ("delay-150", 150, 0, all),
            ("delay-500", 500, 0, all),
            ("slow-reader", 0, 3_000, all),
        ]
    );
    let asked = Instant::now();
    let answer = ask(lane(&page, "delay-50", "short-poll"), "/feed/short-poll");
    // The handshake, and the request with its answer: two round trips.
    assert!(asked.elapsed() >= Duration::from_millis(200), "{:?}", asked.elapsed());
    assert_eq!(answer["updates"][0]["topic"], "match-1");
}

#[test]
fn streams_by_every_path_end_with_the_server_in_good_order() {
    let lab = Lab::new();
    let (server, url) = lab.serve("--demo --rate 50 --drain-deadline 20");
    let page = ask(address(&url), "/api/page");
    let ids = page["paths"]
        .as_array()
        .unwrap()
        .iter()
        .map(|path| path["id"].as_str().unwrap());
    let lanes: Vec<_> = ids.map(|id| lane(&page, id, "sse")).collect();
    let reading: Vec<_> = lanes.iter().map(|at| stream(*at)).collect();
    // Nobody reads this one, nor hangs up: it must not keep the server.
    let idle = TcpStream::connect(lanes[1]).expect("the relay listens");
    goes_on(address(&url), 150);
    server.signal(Signal::SIGTERM);
    let asked = Instant::now();
    server.ended().with_code(0).saying(&["stopping"]);
    assert!(asked.elapsed() < Duration::from_secs(25), "{:?}", asked.elapsed());
    for reading in reading {
        let updates = reading.join().expect("reading does not panic");
        assert!(updates.len() > 10, "{}", updates.len());
    }
    drop(idle);
}
