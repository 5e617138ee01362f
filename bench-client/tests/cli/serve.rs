//! `serve`, and the commands that work against a server which runs already.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;

use crate::{
    lab::{Lab, Running},
    record::{figure, load, rows, table},
};

#[test]
fn verify_passes_with_a_server_of_its_own() {
    let said = Lab::new().run("verify").with_code(0);
    assert_eq!(said.stderr, "", "{said:#?}");
    for transport in ["short-poll", "long-poll", "sse", "websocket"] {
        for check in ["order", "completeness", "all topics", "reset", "malformed cursor"] {
            let passed = said.stdout.lines().any(|line| {
                line.starts_with("ok ")
                    && line.contains(&format!("  {transport}"))
                    && line.contains(&format!(" {check} "))
            });
            assert!(passed, "{transport}, {check}: {said:#?}");
        }
    }
}

#[test]
fn a_running_server_is_verified_and_measured() {
    let lab = Lab::new();
    let (server, url) = lab.serve("--rate 50 --payload 256 --topics 2");
    lab.run(&format!("verify --target {url}")).with_code(0);

    lab.run(&format!("run ../smoke.toml --target {url} --rate 2"))
        .with_code(2)
        .saying(&["--rate makes no sense with --target"]);
    let target = format!("run ../smoke.toml --clients 8 --duration 1.2 --target {url} --transport sse,short-poll");
    lab.run(&format!("{target} --dry-run")).with_code(0);
    lab.run(&format!("{target} --out out")).with_code(0);
    let record = load(&lab.path("out"));
    assert_eq!(record["plan"]["remote"], true);
    for row in rows(&record) {
        assert_eq!(row["outcome"]["kind"], "ok", "{row:#}");
        assert!(figure(row, "updates_expected") > 0.0, "{row:#}");
        assert_eq!(
            figure(row, "updates_expected"),
            figure(row, "updates_received"),
            "{row:#}"
        );
        assert_eq!(figure(row, "rate_hz"), 50.0, "as the server says");
    }
    let (_, lines) = table(&lab.path("out"), "summary.csv");
    assert_eq!(lines.len(), 2);
    for line in &lines {
        for unknown in [
            "server_cpu_s",
            "server_cpu_us_per_update",
            "server_rss_bytes_per_client",
        ] {
            assert_eq!(line[unknown], "", "{unknown}: the server's process is not ours to read");
        }
        assert_ne!(line["client_cpu_s"], "");
    }
    assert!(
        !lab.read("out/run.json").contains(url.trim_start_matches("http://")),
        "no address in the record"
    );

    server.signal(Signal::SIGTERM);
    server.ended().with_code(0);
}

#[test]
fn sigterm_ends_open_streams_within_the_drain_deadline() {
    let lab = Lab::new();
    let (server, url) = lab.serve("--rate 50 --drain-deadline 10");
    let address = url.trim_start_matches("http://");
    let mut streams: Vec<_> = (0..3).map(|_| open_stream(address)).collect();
    // One that asks and never reads.
    let mut deaf = TcpStream::connect(address).expect("the server listens");
    write!(deaf, "GET /feed/sse HTTP/1.1\r\nhost: {address}\r\n\r\n").unwrap();

    let asked = Instant::now();
    server.signal(Signal::SIGTERM);
    server.ended().with_code(0).saying(&["stopping"]);
    assert!(asked.elapsed() < Duration::from_secs(12), "{:?}", asked.elapsed());
    for stream in &mut streams {
        let mut rest = String::new();
        stream
            .read_to_string(&mut rest)
            .expect("the stream ends, and is not reset");
        assert!(
            rest.ends_with("0\r\n\r\n"),
            "the answer is ended in good order: {rest:?}"
        );
    }
}

/// An SSE stream that has delivered something.
fn open_stream(address: &str) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(address).expect("the server listens");
    write!(stream, "GET /feed/sse HTTP/1.1\r\nhost: {address}\r\n\r\n").unwrap();
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    while !line.starts_with("data:") {
        line.clear();
        assert!(
            stream.read_line(&mut line).expect("the stream goes on") > 0,
            "ended early"
        );
    }
    stream
}

#[test]
fn a_port_in_use_is_named_with_a_way_out() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().unwrap().to_string();
    Lab::new()
        .run(&format!("serve --listen {address}"))
        .with_code(1)
        .saying(&[&address, "another program has the port", "--listen 127.0.0.1:0"]);
}

#[test]
fn serve_refuses_a_feed_that_cannot_be() {
    let lab = Lab::new();
    lab.run("serve --rate 5000").with_code(2).saying(&["rate of 5000"]);
    lab.run("serve --replay none.json").with_code(2).saying(&["none.json"]);
    lab.run("serve --listen somewhere").with_code(2).saying(&["somewhere"]);
}

#[test]
fn nobody_reading_the_log_is_no_failure() {
    let lab = Lab::new();
    let (reader, writer) = std::io::pipe().expect("a pipe can be made");
    let mut command = lab.command("serve --listen 127.0.0.1:0 --drain-deadline 1");
    command.stderr(writer);
    let server = Running::start(command);
    // The first line tells that it runs; then the reader goes, as `head -1` does.
    let mut line = String::new();
    BufReader::new(reader).read_line(&mut line).unwrap();
    assert!(line.contains("listening on"), "{line}");
    server.signal(Signal::SIGTERM);
    server.ended().with_code(0);
}
