//! Recordings over real processes: what one server published, another publishes again.

use std::{fs::OpenOptions, io::Write, net::SocketAddr};

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::{
    lab::{Lab, Running, unbounded, until},
    processes::get,
    record::{load, rows},
    replay::in_one_line,
};

/// Enough for bursts of every topic, and over in two seconds.
const BURSTS: &str = "--topics 3 --rate 20 --arrivals burst --burst-size 5 --seed 7 --payload 300";

fn lines(lab: &Lab, file: &str) -> usize {
    let text = std::fs::read(lab.path(file)).unwrap_or_default();
    text.iter().filter(|byte| **byte == b'\n').count()
}

/// Serves and records until so many updates stand in the file; what was published, as clients got it.
fn record(lab: &Lab, feed: &str, file: &str, updates: usize) -> Vec<Value> {
    let (server, url) = lab.serve(&format!("{feed} --record {file}"));
    until("the recording grows", || (lines(lab, file) > updates).then_some(()));
    let published = published(&url);
    server.signal(Signal::SIGTERM);
    server.ended().with_code(0).saying(&["the recording is complete"]);
    published
}

/// Everything in the log of a server, from its beginning.
fn published(url: &str) -> Vec<Value> {
    let address: SocketAddr = url.trim_start_matches("http://").parse().expect("an address");
    let ask = |path: &str| serde_json::from_str::<Value>(&get(address, path).expect("it answers")).expect("JSON");
    let mut cursor = format!("{}-0", ask("/api/clock")["epoch"]);
    let mut updates = Vec::new();
    loop {
        let answer = ask(&format!("/feed/short-poll?since={cursor}"));
        updates.extend(answer["updates"].as_array().expect("updates").iter().cloned());
        if answer["more"] != true {
            return updates;
        }
        cursor = answer["cursor"].as_str().expect("a cursor").to_owned();
    }
}

/// An update without what differs from one start of a server to the next; due times counted from the first one's.
fn comparable(updates: &[Value]) -> Vec<Value> {
    let first_us = updates[0]["due_us"].as_u64().expect("a time");
    let one = |update: &Value| {
        let mut update = update.clone();
        let fields = update.as_object_mut().expect("an update");
        for field in ["epoch", "sent_us", "pad"] {
            fields.remove(field).expect("every update has it");
        }
        fields["due_us"] = (fields["due_us"].as_u64().expect("a time") - first_us).into();
        update
    };
    updates.iter().map(one).collect()
}

#[test]
fn a_recording_plays_the_same_updates_when_they_were_due() {
    let lab = Lab::new();
    let first = record(&lab, BURSTS, "first.ndjson", 90);
    let all = lines(&lab, "first.ndjson") - 1;
    let second = record(&lab, "--replay first.ndjson", "second.ndjson", all);
    // Line by line, due times to the microsecond: the header too, and so the size of updates.
    assert_eq!(lab.read("first.ndjson"), lab.read("second.ndjson"));
    // The same to clients: topics, teams, seq, offset, score, and how far each is due after the first.
    let (first, second) = (comparable(&first), comparable(&second));
    assert!(first.len() >= 90, "{}", first.len());
    assert_eq!(first[..], second[..first.len()]);
    let due: Vec<u64> = first.iter().map(|update| update["due_us"].as_u64().unwrap()).collect();
    assert!(
        due.windows(5).any(|burst| burst[0] == burst[4]),
        "bursts stay bursts: {due:?}"
    );

    // A replay of real matches is recorded like any other feed.
    let third = "--replay knock-out-2022 --speed 10000";
    record(&lab, third, "third.ndjson", 1_000);
    assert!(
        lab.read("third.ndjson")
            .contains("\"event\":\"penalty_goal\",\"player\":\"Neymar\"")
    );
}

/// A recording of two matches; the first is over, the second goes on.
fn recorded() -> String {
    let mut text = String::from(
        "{\"recording\":\"live score feed\",\"version\":1,\"update_bytes\":null,\"topics\":[\
         {\"topic\":\"match-1\",\"home\":\"Aland\",\"away\":\"Borneo\"},{\"topic\":\"match-2\",\"home\":\"Cyprus\",\"away\":\"Dakota\"}]}\n",
    );
    for i in 0..60 {
        let (topic, goals) = (i % 2 + 1, i / 20);
        let (event, player) = if i == 58 {
            ("shootout_result", "5-4")
        } else {
            ("clock", "")
        };
        text += &format!(
            "{{\"at_us\":{},\"topic\":\"match-{topic}\",\"home_score\":{goals},\"away_score\":2,\"minute\":{i},\
             \"event\":\"{event}\",\"player\":\"{player}\"}}\n",
            i / 4 * 150_000
        );
    }
    text
}

#[test]
fn a_recording_is_measured_like_any_feed() {
    let lab = Lab::new();
    lab.write("mine.ndjson", &recorded());
    let scenario = "replay = \"mine.ndjson\"\npoll_interval_ms = 100\nclients = 6\nrepeats = 1\n";
    lab.write("mine.toml", &format!("{scenario}{}", unbounded()));
    let said = lab
        .run("run mine.toml --transport websocket,long-poll --out out")
        .with_code(0)
        .saying(&["mine: 6 clients, 2 matches as recorded in mine.ndjson, at 1 times the speed"]);
    let words = in_one_line(&said.stdout);
    let scores = "final scores: all 2 as recorded in mine.ndjson, at every client of every row: \
                  Aland 2–2 Borneo (5–4 on penalties) · Cyprus 2–2 Dakota";
    assert!(words.contains(scores), "{words}");
    assert!(words.contains("recording mine.ndjson at 1×"), "{words}");
    let record = load(&lab.path("out"));
    assert_eq!(record["plan"]["feed"]["source"], "recording");
    for row in rows(&record) {
        assert_eq!(row["outcome"]["kind"], "ok", "{row:#}");
        assert_eq!(row["figures"]["updates_expected"], row["figures"]["updates_received"]);
    }
    // Other matches would be another run.
    lab.run("run --like out --replay knock-out-2022 --dry-run").with_code(2);
    lab.run("run --like out --replay mine.ndjson --dry-run").with_code(0);
    let slow = lab
        .run("run --replay mine.ndjson --speed 0.5 --clients 6 --dry-run")
        .with_code(0);
    assert!(slow.stdout.contains("at 0.5 times the speed"), "{slow:#?}");
}

#[test]
fn a_torn_recording_is_played_up_to_there_and_a_broken_one_refused() {
    let lab = Lab::new();
    let whole = recorded();
    lab.write("torn.ndjson", &whole[..whole.len() - 30]);
    let torn =
        "torn.ndjson, line 61: the recording is cut off in the middle of this line, and played up to there: 59 updates";
    lab.run("run --replay torn.ndjson --clients 6 --poll-interval 100 --dry-run")
        .with_code(0)
        .saying(&["warning: ", torn]);
    let (server, _) = lab.serve("--replay torn.ndjson");
    server.says(torn);
    server.signal(Signal::SIGTERM);
    server.ended().with_code(0);

    lab.write("broken.ndjson", &whole.replacen("clock", "clack", 1));
    let broken = ["broken.ndjson, line 2: expected an event out of", "found \"clack\""];
    lab.write("header.ndjson", &whole.replacen("\"version\":1", "\"version\":9", 1));
    let header = ["header.ndjson, line 1: expected a recording", "of version 9"];
    for command in ["run", "serve"] {
        lab.run(&format!("{command} --replay broken.ndjson"))
            .with_code(2)
            .saying(&broken);
        lab.run(&format!("{command} --replay header.ndjson"))
            .with_code(2)
            .saying(&header);
        lab.run(&format!("{command} --replay torn.ndjson --speed 0"))
            .with_code(2)
            .saying(&["a recording at speed 0", "between 0.01 and 10000"]);
    }
}

#[test]
fn a_file_that_exists_is_not_recorded_over() {
    let lab = Lab::new();
    lab.write("mine.txt", "precious");
    lab.run("serve --listen 127.0.0.1:0 --record mine.txt")
        .with_code(2)
        .saying(&["mine.txt exists already", "--record"]);
    assert_eq!(lab.read("mine.txt"), "precious");
    lab.run("serve --listen 127.0.0.1:0 --record none/mine.txt")
        .with_code(2)
        .saying(&["cannot record to none/mine.txt", "a folder that exists"]);
}

#[test]
fn a_full_disk_ends_the_recording_and_not_the_server() {
    let lab = Lab::new();
    // Files may grow to 32 blocks, 16 or 32 KiB as the shell counts; writing on fails, as on a full disk.
    let limit = "trap '' XFSZ; ulimit -f 32";
    let server = Running::start(lab.behind(limit, "serve --listen 127.0.0.1:0 --rate 1000 --record full.ndjson"));
    server.says("the recording ends here, the feed goes on");
    let url = until("serve says its address", || {
        let said = server.stderr();
        said.split_once("listening on ")
            .map(|(_, rest)| rest.lines().next().unwrap_or_default().trim().to_owned())
    });
    let address: SocketAddr = url.trim_start_matches("http://").parse().expect("an address");
    let unrecorded = || {
        let metrics = get(address, "/metrics")?;
        let line = metrics
            .lines()
            .find(|line| line.starts_with("feed_unrecorded_total "))?;
        line.split(' ').nth(1)?.parse::<f64>().ok()
    };
    // Counted, and the feed goes on: the number grows.
    let lost = until("what is lost is counted", || unrecorded().filter(|lost| *lost > 0.0));
    until("the feed goes on", || unrecorded().filter(|now| *now > lost));
    server.signal(Signal::SIGTERM);
    let said = server.ended().with_code(0).saying(&["the recording ends early"]);
    assert_eq!(
        said.stderr.matches("the recording ends here").count(),
        1,
        "said once: {said:#?}"
    );
    // What is there can be played.
    let (server, _) = lab.serve("--replay full.ndjson");
    server.signal(Signal::SIGTERM);
    server.ended().with_code(0);
    // Torn in its middle, it is broken.
    let mut file = OpenOptions::new().append(true).open(lab.path("full.ndjson")).unwrap();
    writeln!(file, "nonsense").unwrap();
    lab.run("serve --replay full.ndjson")
        .with_code(2)
        .saying(&["full.ndjson, line "]);
}
