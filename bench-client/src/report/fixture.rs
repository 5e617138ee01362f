//! Made-up records for the tests of the reports: plausible, and the same on every machine.

use crate::record::*;

use super::histogram;

mod evidence;
#[cfg(test)]
mod floor;
#[cfg(test)]
pub mod hostile;
mod worse;

#[cfg(test)]
pub use floor::with_floor;

const CLIENTS: u64 = 1_000;
const SECONDS: u64 = 10;
/// 10 updates/s on the one topic each client follows.
const PER_CLIENT: u64 = 100;
const EXPECTED: u64 = CLIENTS * PER_CLIENT;

/// Four transports, two repeats each. Long polling is suspect, and lost 2.5 % in its second repeat; SSE's second repeat failed.
pub fn record() -> RunRecord {
    let mut rows = Vec::new();
    for repeat in 1..=2 {
        for shape in &SHAPES {
            rows.push(row(shape, repeat));
        }
    }
    worse::lose(&mut rows[5], 2_500);
    worse::fail(&mut rows[6]);
    RunRecord {
        schema: "run.schema.json".to_owned(),
        schema_version: SCHEMA_VERSION,
        id: "20260301T120000Z-live-score".to_owned(),
        status: RunStatus::Failed,
        started_utc: "2026-03-01T12:00:00Z".to_owned(),
        elapsed_s: 126.5,
        tool: Tool {
            name: "bench-client".to_owned(),
            version: "0.1.0".to_owned(),
            revision: "0123abc+".to_owned(),
            profile: "release".to_owned(),
            rustc: "1.90.0".to_owned(),
        },
        plan: plan(),
        contenders: Vec::new(),
        environment: Environment {
            os: "Debian GNU/Linux 13".to_owned(),
            kernel: "6.12.0".to_owned(),
            cpu_model: "Example CPU | 2.4 GHz".to_owned(),
            cores: 2,
            memory_bytes: 8 << 30,
            descriptor_limit: 20_000,
            ephemeral_ports: 28_232,
            somaxconn: 4_096,
        },
        transports: SHAPES.iter().map(transport).collect(),
        calibrations: Vec::new(),
        settled_after: None,
        rows,
    }
}

/// Saved before the first row was measured.
pub fn empty() -> RunRecord {
    RunRecord {
        status: RunStatus::Running,
        rows: Vec::new(),
        transports: Vec::new(),
        ..record()
    }
}

/// A replay, stopped by Ctrl-C in its third row, by a debug build, with a lean client.
pub fn interrupted_replay() -> RunRecord {
    let mut record = record();
    record.status = RunStatus::Interrupted;
    record.tool.profile = "debug".to_owned();
    record.plan.scenario = "final-day".to_owned();
    record.plan.feed = FeedPlan::Replay {
        file: "matches_<2024>.csv".to_owned(),
        source: Default::default(),
        speed: 60.0,
        topics: 2,
        update_bytes: None,
        updates: None,
    };
    record.plan.request_headers = RequestHeaders::Minimal;
    record.plan.follow = Follow::All;
    record.rows.truncate(3);
    for row in &mut record.rows {
        (row.figures.rate_hz, row.figures.update_bytes) = (None, None);
        row.final_scores = vec![score("match-1", 2, 1, true), score("match-2", 0, 0, true)];
    }
    for row in &mut record.rows[..2] {
        let drawn = &mut row.final_scores[1];
        drawn.shootout = Some([4, 2]);
        drawn.expected = Some(ExpectedScore {
            home_score: 0,
            away_score: 0,
            extra_time: true,
            shootout: Some([4, 2]),
            kick_off: Some("2022-12-18T15:00:00Z".to_owned()),
        });
    }
    for row in &mut record.rows {
        evidence::finding(
            row,
            "debug-build",
            Verdict::Suspect,
            "this is a debug build: measure with --release.",
        );
        evidence::judge(row);
    }
    record.rows[2].outcome = Outcome::Interrupted;
    record.rows[2].figures.duration_s = Some(3.25);
    record.rows[2].final_scores[1] = score("match-2", 0, 1, false);
    record
}

/// Two variants, so that each repeat of the record becomes one of them.
#[cfg(test)]
pub fn varied() -> RunRecord {
    let mut record = record();
    let variant = |name: &str, request_headers| Variant {
        name: name.to_owned(),
        request_headers: Some(request_headers),
        ..Variant::default()
    };
    record.plan.variants = vec![
        variant("browser", RequestHeaders::Browser),
        variant("minimal", RequestHeaders::Minimal),
    ];
    record.plan.repeats = 1;
    record.plan.thresholds = vec![
        "websocket/minimal.latency_p99_ms < 50".to_owned(),
        "sse.missed == 0".to_owned(),
    ];
    for row in &mut record.rows {
        let variant = &record.plan.variants[row.figures.repeat as usize - 1];
        row.figures.variant = Some(variant.name.clone());
        row.figures.repeat = 1;
    }
    record.name_contenders();
    record
}

/// Clients that came back, a server that was restarted and peers that never read, all in one: more than any plan may ask for.
#[cfg(test)]
pub fn behaved() -> RunRecord {
    let mut record = varied();
    for row in &mut record.rows {
        let of = |values: &[u64], lost| {
            let mut times = histogram::new();
            values.iter().for_each(|us| times.saturating_record(*us));
            Some(histogram::encode(&times, lost, 0))
        };
        (row.figures.leaves, row.figures.catch_up_updates) = (Some(420), Some(3));
        row.catch_up = of(&[900_000, 1_800_000, 2_400_000], 0);
        row.resume = of(&[1_200, 1_900], 0);
        row.stalled = Some(Stalled {
            connections: 10,
            unread_connections: 8,
            unread_bytes: 65_536,
            write_stalls: Some(2),
            resets: None,
            lagged: Some(700),
        });
        let point = |tenth: u64, requests, restored| RecoveryPoint {
            from_us: tenth * 100_000,
            to_us: (tenth + 1) * 100_000,
            requests,
            connections: requests / 2,
            errors: 1,
            restored,
        };
        row.recovery = Some(Recovery {
            killed_after_us: 3_000_000,
            answered_after_us: 1_020_000,
            restored: of(&[1_100_000, 1_200_000, 1_300_000], 1).expect("some"),
            restored_after_us: None,
            restored_after_answer_us: None,
            peak_requests_per_s: Some(20_000.0),
            peak_connections_per_s: Some(10_000.0),
            errors: 3,
            series: vec![point(0, 10, 0), point(1, 0, 0), point(2, 2_000, 2), point(3, 500, 1)],
        });
    }
    record
}

fn plan() -> Plan {
    Plan {
        scenario: "live-score".to_owned(),
        summary: "One match, many watchers".to_owned(),
        analysis: "Push arrives as it happens; a poller waits *half its interval* on average.".to_owned(),
        transports: SHAPES.iter().map(|shape| shape.id.to_owned()).collect(),
        repeats: 2,
        clients: CLIENTS as u32,
        follow: Follow::One,
        feed: FeedPlan::Simulated {
            topics: 2,
            rate_hz: 10.0,
            update_bytes: Some(200),
            arrivals: Arrivals::Regular,
            burst_size: 1,
        },
        mode: Mode::Every,
        poll_interval_ms: 1_000,
        wait_ms: 25_000,
        request_headers: RequestHeaders::Browser,
        keep_alive: true,
        seed: 7,
        settle_s: 2.0,
        duration_s: SECONDS as f64,
        ramp_per_s: None,
        churn: None,
        restart: None,
        backoff_jitter: true,
        stalled_clients: 0,
        workers: 1,
        nodes: 1,
        remote: false,
        bounds: Bounds::default(),
        thresholds: vec![
            "websocket.latency_p99_ms < 50".to_owned(),
            "all.missed == 0".to_owned(),
            "all.latency_p99_ms < 500".to_owned(),
        ],
        margin: 0.05,
        looks: None,
        variants: Vec::new(),
    }
}

/// What makes one transport's made-up figures differ from another's.
struct Shape {
    id: &'static str,
    label: &'static str,
    poll: bool,
    /// Latency at a share `u` of the updates: `base · (1 − u)^-tail` µs, or `u` seconds for a poller.
    base_us: f64,
    tail: f64,
    requests: u64,
    bytes_per_update: u64,
    server_us: f64,
    client_us: f64,
    memory_bytes: f64,
}

#[rustfmt::skip]
const SHAPES: [Shape; 4] = [
    Shape { id: "short-poll", label: "Short polling", poll: true, base_us: 900.0, tail: 0.3, requests: CLIENTS * SECONDS, bytes_per_update: 310, server_us: 12.5, client_us: 14.0, memory_bytes: 9_400.0 },
    Shape { id: "long-poll", label: "Long polling", poll: true, base_us: 700.0, tail: 0.4, requests: EXPECTED, bytes_per_update: 1_120, server_us: 31.0, client_us: 36.0, memory_bytes: 10_240.0 },
    Shape { id: "sse", label: "Server-Sent Events", poll: false, base_us: 340.0, tail: 0.28, requests: 0, bytes_per_update: 241, server_us: 8.6, client_us: 8.1, memory_bytes: 28_700.0 },
    Shape { id: "websocket", label: "WebSocket", poll: false, base_us: 300.0, tail: 0.25, requests: 0, bytes_per_update: 204, server_us: 6.9, client_us: 6.2, memory_bytes: 4_610.0 },
];

fn transport(shape: &Shape) -> Transport {
    Transport {
        id: shape.id.to_owned(),
        label: shape.label.to_owned(),
        summary: format!("{} in one sentence.", shape.label),
        delivery: if shape.poll { "poll" } else { "push" }.to_owned(),
        resumable: true,
        duplex: shape.id == "websocket",
        browser_support: "every current browser".to_owned(),
        caveat: "A <caveat> with | specials.".to_owned(),
    }
}

fn row(shape: &Shape, repeat: u32) -> Row {
    // The second repeat is a little slower, so that ranges are ranges.
    let slower = 1.0 + 0.08 * f64::from(repeat - 1);
    let mut latency = histogram::new();
    for i in 0..EXPECTED {
        let u = (i as f64 + 0.5) / EXPECTED as f64;
        let wait = if shape.id == "short-poll" { u * 1e6 } else { 0.0 };
        latency
            .record((wait + slower * shape.base_us * (1.0 - u).powf(-shape.tail)) as u64)
            .unwrap();
    }
    let mut connect = histogram::new();
    (0..CLIENTS).for_each(|i| connect.record(400 + 3 * i).unwrap());
    let mut row = Row {
        outcome: Outcome::Ok,
        figures: figures(shape, repeat, slower),
        latency: None,
        catch_up: None,
        resume: None,
        recovery: None,
        stalled: None,
        connect: Some(histogram::encode(&connect, 0, 0)),
        series: (0..SECONDS as u32).map(|second| point(shape, second, slower)).collect(),
        memory: Memory {
            server_rss_before_bytes: Some(9_000_000),
            server_rss_settled_bytes: Some(9_120_000 + (shape.memory_bytes * 1e3) as u64),
            server_log_bytes: Some(120_000),
            kernel_socket_bytes: Some(5_200_000),
            client_rss_settled_bytes: Some(31_000_000),
        },
        phases: Phases {
            start_s: 0.25,
            ramp_s: 0.5,
            settle_s: 2.0,
            measure_s: 10.0,
            drain_s: 2.0,
            sampled_late_us: Some(90),
        },
        clock_bound_us: 0,
        window_from_us: None,
        health: Health::default(),
        wire: None,
        predictions: predictions(shape, repeat),
        findings: Vec::new(),
        faults: Vec::new(),
        final_scores: Vec::new(),
    };
    set_latency(&mut row, &latency, 0);
    evidence::add(&mut row);
    row
}

fn figures(shape: &Shape, repeat: u32, slower: f64) -> SummaryRow {
    let bytes = EXPECTED * shape.bytes_per_update;
    SummaryRow {
        scenario: "live-score".to_owned(),
        transport: shape.id.to_owned(),
        repeat,
        mode: "every".to_owned(),
        clients: CLIENTS as u32,
        topics: 2,
        rate_hz: Some(10.0),
        update_bytes: Some(200),
        poll_interval_ms: 1_000,
        request_headers: "browser".to_owned(),
        seed: 7,
        duration_s: Some(SECONDS as f64),
        updates_published: Some(2 * PER_CLIENT),
        updates_expected: Some(EXPECTED),
        updates_received: Some(EXPECTED),
        deliveries: Some(EXPECTED),
        missed: Some(0),
        superseded: Some(0),
        duplicates: Some(0),
        out_of_order: Some(0),
        lagged: Some(0),
        negative_latencies: Some(0),
        age_mean_us: Some(if shape.id == "short-poll" {
            550_000.0
        } else {
            50_000.0 + shape.base_us * slower
        }),
        age_p99_us: Some(if shape.id == "short-poll" { 1_090_000 } else { 100_500 }),
        stale_share: Some(if shape.id == "short-poll" { 0.9125 } else { 0.0075 }),
        spread_p99_us: Some((shape.base_us * 3.0) as u64),
        publish_lag_p99_us: Some(85),
        connect_p50_us: Some(1_900),
        connect_p99_us: Some(3_370),
        connections: Some(0),
        connections_total: Some(CLIENTS),
        reconnects: Some(0),
        errors: Some(0),
        requests: Some(shape.requests),
        requests_total: Some(shape.requests + CLIENTS),
        empty_responses: shape.poll.then_some(0),
        polls_skipped: shape.poll.then_some(0),
        payload_bytes: Some(EXPECTED * 200),
        bytes_sent: Some(bytes / 4),
        bytes_received: Some(bytes - bytes / 4),
        bytes_per_update: Some(shape.bytes_per_update as f64),
        setup_bytes_per_client: Some(1_180.0),
        server_cpu_s: Some(shape.server_us * slower * EXPECTED as f64 / 1e6),
        client_cpu_s: Some(shape.client_us * slower * EXPECTED as f64 / 1e6),
        server_cpu_us_per_update: Some(shape.server_us * slower),
        client_cpu_us_per_update: Some(shape.client_us * slower),
        server_rss_bytes_per_client: Some(shape.memory_bytes * slower),
        ..SummaryRow::default()
    }
}

/// Bytes of long polling's second repeat are not the model's, and one figure is not known.
fn predictions(shape: &Shape, repeat: u32) -> Vec<Prediction> {
    let wait_us: f64 = if shape.id == "short-poll" { 500_000.0 } else { 0.0 };
    let bytes = shape.bytes_per_update as f64;
    let strange = shape.id == "long-poll" && repeat == 2;
    let prediction = |metric: &str, (predicted, low, high): (f64, f64, f64), measured, model: &str| Prediction {
        metric: metric.to_owned(),
        predicted,
        low,
        high,
        measured,
        model: model.to_owned(),
        likely_cause: None,
    };
    let latency = (wait_us, (wait_us - 2_000.0).max(0.0), wait_us + 60_000.0);
    let mut per_update = prediction(
        "bytes_per_update",
        (bytes, bytes, bytes + 4.0),
        Some(bytes),
        "request + answer",
    );
    if strange {
        per_update.measured = Some(bytes + 30.0);
        per_update.likely_cause = Some("other headers than the model knows (a proxy?)".to_owned());
    }
    vec![
        prediction(
            "latency_p50_us",
            latency,
            Some(wait_us + shape.base_us),
            "0.5·P + service",
        ),
        prediction("stale_share", (0.5, 0.4, 0.6), None, "1 − G/(2P)"),
        per_update,
    ]
}

fn point(shape: &Shape, second: u32, slower: f64) -> SeriesPoint {
    let ripple = 1.0 + 0.2 * f64::from(second % 3);
    let wait = if shape.id == "short-poll" { 500_000 } else { 0 };
    let bytes = EXPECTED / SECONDS * shape.bytes_per_update;
    SeriesPoint {
        second,
        deliveries: EXPECTED / SECONDS,
        latency_p50_us: Some(wait + (shape.base_us * slower * ripple) as u64),
        latency_p99_us: Some(2 * wait + (shape.base_us * slower * ripple * 3.5) as u64),
        requests: shape.requests / SECONDS,
        bytes_sent: bytes / 4,
        bytes_received: bytes - bytes / 4,
        server_cpu_s: Some(0.0625),
        client_cpu_s: Some(0.125),
    }
}

fn set_latency(row: &mut Row, histogram: &hdrhistogram::Histogram<u64>, lost: u64) {
    let distribution = histogram::Distribution {
        histogram: histogram.clone(),
        lost,
        negative: 0,
    };
    row.figures.latency_p50_us = distribution.quantile(0.5);
    row.figures.latency_p90_us = distribution.quantile(0.9);
    row.figures.latency_p99_us = distribution.quantile(0.99);
    row.figures.latency_p999_us = distribution.quantile(0.999);
    row.figures.latency_max_us = distribution.max();
    row.latency = Some(histogram::encode(histogram, lost, 0));
}

fn score(topic: &str, home_score: u16, away_score: u16, agreed: bool) -> FinalScore {
    FinalScore {
        topic: topic.to_owned(),
        home: "Rovers".to_owned(),
        away: "United | Reserves".to_owned(),
        home_score,
        away_score,
        shootout: None,
        agreed,
        expected: None,
    }
}
