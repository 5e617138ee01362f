//! What cannot be meant is refused before anything starts: exit code 2, a message that says what to do, and nothing left behind.

use std::{
    io::{Read, Write},
    net::TcpListener,
};

use crate::lab::{Lab, QUICK, Said};

/// Refused, with these words, in an empty folder that stays empty.
#[track_caller]
fn refused(arguments: &str, words: &[&str]) -> Said {
    let lab = Lab::new();
    let said = lab.run(arguments).with_code(2).saying(words);
    assert_eq!(said.stdout, "", "{said:#?}");
    assert_eq!(
        std::fs::read_dir(lab.root()).unwrap().count(),
        0,
        "something was left behind: {said:#?}"
    );
    said
}

#[test]
fn a_name_that_does_not_exist_is_answered_with_the_nearest() {
    refused(
        "run live-scores",
        &["no scenario \"live-scores\"", "did you mean live-score?", "`list`"],
    );
    refused(
        "run smoke --transport sse,web-socket",
        &[
            "no transport \"web-socket\"",
            "did you mean websocket?",
            "short-poll, long-poll, sse, websocket",
        ],
    );
    refused("run smoke --transport sse,sse", &["\"sse\" is named twice"]);
    refused("run not-there.toml", &["not-there.toml", "No such file"]);
    refused(
        "report not-there",
        &["not-there/run.json", "expected the folder of a run"],
    );
}

#[test]
fn flags_that_contradict_each_other_are_named() {
    refused(
        "run smoke --json --dry-run",
        &["--json", "cannot be used with", "--dry-run"],
    );
}

#[test]
fn numbers_out_of_range_are_named_with_the_range() {
    for (flags, words) in [
        ("--clients 0", ["clients 0", "expected 1 to 1000000"]),
        ("--clients 2000000", ["clients 2000000", "expected 1 to 1000000"]),
        ("--clients many", ["many", "--clients"]),
        ("--rate 0.01", ["rate of 0.01", "between 0.1 and 1000, or 0"]),
        ("--rate 5000", ["rate of 5000", "between 0.1 and 1000, or 0"]),
        ("--rate NaN", ["rate of NaN", "between 0.1 and 1000, or 0"]),
        ("--rate inf", ["rate of inf", "between 0.1 and 1000, or 0"]),
        ("--rate -1", ["rate of -1", "between 0.1 and 1000, or 0"]),
        ("--payload 100000", ["--payload 100000", "65536"]),
        ("--duration 0", ["duration 0", "expected 0.1 to 86400 s"]),
        ("--duration -5", ["duration -5", "expected 0.1 to 86400 s"]),
        ("--duration NaN", ["duration NaN", "expected 0.1 to 86400 s"]),
        ("--poll-interval 1", ["poll interval 1", "expected 10 to 3600000 ms"]),
        ("--repeats 0", ["repeats 0", "expected 1 to 1000"]),
        ("--topics 0", ["0 topics", "between 1 and 10000"]),
        (
            "--repeats 4 --until-settled 3",
            ["--until-settled 3", "expected 4 to 1000"],
        ),
        (
            "--repeats 4 --until-settled 1001",
            ["--until-settled 1001", "expected 4 to 1000"],
        ),
        (
            "--repeats 1 --until-settled 8",
            ["after 1 repeat first", "--repeats 2 or more"],
        ),
        (
            "--repeats 2 --until-settled 8 --transport sse",
            ["--until-settled compares transports", "two or more"],
        ),
        ("--speed -2", ["--speed is for a replay", "--replay"]),
        ("--speed 10", ["--speed is for a replay", "--replay"]),
    ] {
        refused(&format!("run smoke {flags}"), &words);
    }
}

#[test]
fn a_payload_too_small_is_refused_with_the_size_that_fits() {
    let said = refused("run smoke --payload 10", &["--payload 10", "ask for "]);
    let (_, rest) = said.stderr.split_once("ask for ").expect("just seen");
    let smallest: u32 = rest.split(' ').next().unwrap().parse().expect("a size");
    let lab = Lab::new();
    lab.run(&format!("run smoke --payload {smallest} --dry-run"))
        .with_code(0);
    lab.run(&format!("run smoke --payload {} --dry-run", smallest - 1))
        .with_code(2);
}

#[test]
fn a_window_with_too_few_updates_is_refused_unless_forced() {
    let few = "run ../smoke.toml --rate 5 --duration 0.6 --clients 2 --transport sse";
    refused(few, &["too few", "--duration 4", "--force"]);
    let lab = Lab::new();
    lab.run("run ../smoke.toml --rate 5 --duration 4 --dry-run")
        .with_code(0);
    lab.run(&format!("{few} --force --out out")).with_code(0);
    assert!(lab.path("out/report.md").exists());
}

#[test]
fn a_scenario_file_with_a_fault_is_refused_with_its_line_and_column() {
    let lab = Lab::new();
    for (text, words) in [
        ("clients = 10\nclinets = 5\n", ["line 2, column 1", "clinets"]),
        ("clients = \"many\"\n", ["line 1, column 11", "many"]),
        ("clients = 10\nmode = \"newest\"\n", ["line 2, column 8", "newest"]),
        ("clients = \n", ["line 1, column", "clients ="]),
    ] {
        lab.write("mine.toml", text);
        lab.run("run mine.toml")
            .with_code(2)
            .saying(&words)
            .saying(&["scenario mine"]);
    }
    lab.write("mine.toml", "clients = 3\nrate_hz = 20\nduration_s = 0.5\n");
    lab.run("run mine.toml").with_code(2).saying(&["too few"]);
    assert!(!lab.path("results").exists());
}

#[test]
fn results_are_never_written_over_what_is_there() {
    let lab = Lab::new();
    std::fs::create_dir(lab.path("out")).unwrap();
    lab.write("out/run.json", "mine");
    lab.run(&format!("{QUICK} --out out"))
        .with_code(2)
        .saying(&["out exists already", "--out"]);
    assert_eq!(lab.read("out/run.json"), "mine");
    assert_eq!(std::fs::read_dir(lab.path("out")).unwrap().count(), 1);
    lab.run(&format!("{QUICK} --out out/run.json/deeper"))
        .with_code(2)
        .saying(&["out/run.json/deeper could not be made"]);
}

#[test]
fn more_clients_than_descriptors_are_refused_with_what_fits() {
    let lab = Lab::new();
    let limited = |flags: &str| {
        let command = lab.behind("ulimit -n 100", &format!("run smoke --transport sse {flags}"));
        crate::lab::Running::start(command).ended()
    };
    let words = [
        "50 clients need 114 descriptors",
        "has 100",
        "--clients 36 fits",
        "ulimit -Hn",
    ];
    limited("--clients 50").with_code(2).saying(&words);
    assert!(!lab.path("results").exists());
    let said = limited("--clients 50 --dry-run").with_code(2).saying(&words);
    assert!(
        said.stdout.contains("TOO FEW"),
        "the plan is shown all the same: {said:#?}"
    );
    limited("--clients 36 --dry-run").with_code(0);
}

#[test]
fn a_target_that_cannot_be_measured_is_refused() {
    let closed = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    for command in ["run smoke", "verify"] {
        refused(&format!("{command} --target {url}"), &[&url, "--target", "refused"]);
        refused(
            &format!("{command} --target https://localhost:1"),
            &["https://localhost:1", "only http://"],
        );
        refused(
            &format!("{command} --target localhost"),
            &["localhost", "http://HOST:PORT"],
        );
        refused(
            &format!("{command} --target http://no-such-host.invalid:1"),
            &["no-such-host.invalid"],
        );
    }
}

#[test]
fn a_target_that_is_something_else_is_refused() {
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello",
        "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        "220 mail.example.org ESMTP\r\n",
    ] {
        let url = stranger(answer);
        for command in ["run smoke", "verify"] {
            refused(
                &format!("{command} --target {url}"),
                &["--target: no server of this lab answers there"],
            );
        }
    }
}

/// The address of a server that answers everything so. Its thread ends with the test's process.
fn stranger(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = [0; 4096];
            // Whoever has left needs no answer.
            let _ = stream
                .read(&mut request)
                .and_then(|_| stream.write_all(answer.as_bytes()));
        }
    });
    url
}
