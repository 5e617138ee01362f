//! Variants: one scenario, every technique in each of them.

use crate::{
    lab::{Lab, unbounded},
    record::table,
};

#[test]
fn every_technique_is_measured_in_every_variant() {
    let lab = Lab::new();
    lab.write(
        "headers.toml",
        &format!(
            "clients = 8\nduration_s = 1.2\nrate_hz = 50\nrepeats = 1\npoll_interval_ms = 200\nsettle_s = 0.5\n\
             transports = [\"short-poll\", \"websocket\"]\n\
             thresholds = [\"websocket/lean.missed == 0\", \"short-poll.reach == 1\"]\n\
             [[variants]]\nname = \"full\"\n\
             [[variants]]\nname = \"lean\"\nrequest_headers = \"minimal\"\nkeep_alive = false\n{}",
            unbounded()
        ),
    );
    let said = lab.run("run headers.toml --out out").with_code(0);
    for line in [
        "[3/4] websocket/full, repeat 1 of 1",
        "pass websocket/lean.missed == 0: 0",
        "pass short-poll.reach == 1: short-poll/full 1, short-poll/lean 1",
        "unchanged, as they keep one connection anyway: WebSocket, lean",
    ] {
        assert!(
            said.stdout.contains(line) || said.stderr.contains(line),
            "{line}: {said:#?}"
        );
    }
    let (_, rows) = table(&lab.path("out"), "summary.csv");
    let column = |name: &str| rows.iter().map(|row| row[name].as_str()).collect::<Vec<_>>();
    assert_eq!(
        column("transport"),
        ["short-poll", "short-poll", "websocket", "websocket"]
    );
    assert_eq!(column("variant"), ["full", "lean", "full", "lean"]);
    assert_eq!(column("request_headers"), ["browser", "minimal", "browser", "minimal"]);
    let bytes: Vec<f64> = column("bytes_per_update")
        .iter()
        .map(|text| text.parse().expect("a number"))
        .collect();
    assert!(bytes[1] < bytes[0], "lean headers are fewer bytes: {bytes:?}");
    let connections: Vec<u64> = column("connections")
        .iter()
        .map(|text| text.parse().expect("a number"))
        .collect();
    assert!(
        connections[1] > 8 && connections[3] == 0,
        "a connection per poll, none per message: {connections:?}"
    );
    assert!(lab.path("out/histograms/short-poll-lean-1.hlog").exists());
    // Once more, from its record.
    let again = lab.run("run --like out --dry-run").with_code(0);
    assert!(again.stdout.contains("short-poll/full short-poll/lean"), "{again:#?}");
}
