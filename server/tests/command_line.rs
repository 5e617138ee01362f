//! The server's own binary: exit codes and words. What it serves is tested elsewhere, and so is `bench-client serve`, which is
//! the same behind its flags.

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    process::{Command, Output, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

fn server(arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_server"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("FEED_")) {
        command.env_remove(name);
    }
    command.args(arguments.split_whitespace());
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

#[track_caller]
fn ends_with(output: &Output, code: i32, words: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    for words in words {
        assert!(said.contains(words), "{words:?} is missing: {said}");
    }
}

#[test]
fn a_port_in_use_is_named_with_a_way_out() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("it is bound").to_string();
    let output = server(&format!("--listen {address}")).output().expect("it starts");
    ends_with(
        &output,
        1,
        &[&address, "another program has the port", "--listen 127.0.0.1:0"],
    );
}

#[test]
fn a_feed_that_cannot_be_is_wrong_usage() {
    for (arguments, words) in [
        ("--rate 5000", "rate of 5000"),
        ("--rate -1", "rate of -1"),
        ("--payload 10", "--payload 10"),
        ("--replay none.json", "none.json"),
        ("--replay none.json --rate 2", "--rate makes no sense for a replay"),
        ("--burst-size 5", "--arrivals burst"),
        ("--drain-deadline 0", "more than 0"),
        ("--allow-origin page.test", "expected scheme://host"),
        ("--allow-origin https://page.test/", "https://page.test/"),
        ("--allow-origin null", "expected scheme://host"),
        ("--nonsense", "--nonsense"),
    ] {
        let output = server(arguments).output().expect("it starts");
        ends_with(&output, 2, &[words]);
    }
}

#[test]
fn a_replay_or_recording_that_cannot_be_is_wrong_usage() {
    let dir = tempfile::tempdir().expect("a directory to write to");
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).expect("a file to write to");
        path.display().to_string()
    };
    let torn = file("torn.json", "{\"matches\": [\n{\"team1\"");
    let broken = file("broken.ndjson", "{\"recording\":\"live score feed\"}\n");
    for (arguments, words) in [
        (
            format!("--replay {torn}"),
            "torn.json is not JSON: EOF while parsing an object at line 2",
        ),
        (
            format!("--replay {broken}"),
            "broken.ndjson, line 1: expected {\"recording\"",
        ),
        (
            format!("--listen 127.0.0.1:0 --record {torn}"),
            "torn.json exists already",
        ),
        ("--replay knock-out-2022 --speed 0".to_owned(), "a replay at speed 0"),
    ] {
        let output = server(&arguments).output().expect("it starts");
        ends_with(&output, 2, &[words]);
    }
}

#[test]
fn a_variable_sets_what_no_flag_does() {
    let output = server("").env("FEED_RATE", "5000").output().expect("it starts");
    ends_with(&output, 2, &["rate of 5000"]);
}

#[test]
fn sigint_and_sigterm_stop_it_in_good_order() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let mut child = server("--listen 127.0.0.1:0").spawn().expect("it starts");
        let mut log = BufReader::new(child.stderr.take().expect("a pipe"));
        let mut line = String::new();
        log.read_line(&mut line).expect("it says something");
        assert!(line.contains("listening on http://127.0.0.1:"), "{line}");
        // As early as can be: the address is said, so it must be ready to be stopped.
        kill(Pid::from_raw(child.id() as i32), signal).expect("it runs");
        assert_eq!(child.wait().expect("it ends").code(), Some(0), "{signal}");
    }
}
