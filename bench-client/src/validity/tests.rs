use super::*;
use crate::{
    record::{Bound, Health, Prediction, Quantile, Wire, WireCounts},
    report::{fixture, histogram},
};

/// A healthy record, and the first row of a transport with `change` made to it, judged.
fn judged(transport: &str, change: impl FnOnce(&mut RunRecord, &mut Row)) -> Row {
    let mut record = fixture::record();
    let index = record
        .rows
        .iter()
        .position(|row| row.figures.transport == transport)
        .unwrap();
    let mut row = record.rows.remove(index);
    // What the fixture makes up of other rows is of no interest here.
    row.findings.clear();
    row.predictions.clear();
    (row.health, row.wire) = (Health::default(), None);
    change(&mut record, &mut row);
    judge(&record.circumstances(), &mut row);
    row
}

fn codes(row: &Row) -> Vec<&str> {
    let grave = row.findings.iter().filter(|finding| finding.verdict > Verdict::Valid);
    grave.map(|finding| finding.code.as_str()).collect()
}

#[test]
fn a_healthy_row_is_valid_and_says_that_the_cores_were_shared() {
    let row = judged("sse", |_, _| {});
    assert_eq!(codes(&row), [""; 0]);
    assert_eq!(row.figures.validity, Some(Verdict::Valid));
    assert_eq!(row.figures.validity_reasons, None);
    assert!(row.findings.iter().any(|finding| finding.code == "cores-shared"));
}

/// What is broken, how, and what must be found. Each alone, so that a check that looks at the wrong field is seen.
#[test]
fn each_fault_is_found_by_its_own_check_and_by_no_other() {
    type Change = fn(&mut RunRecord, &mut Row);
    let cases: [(&str, Verdict, Change); 23] = [
        ("client-cpu", Verdict::Invalid, |record, row| {
            row.figures.client_cpu_s = Some(0.95 * 10.0 * f64::from(record.environment.cores));
        }),
        ("client-lag", Verdict::Suspect, |_, row| {
            row.health.client_lag_worst_p50_us = Some(2_000)
        }),
        ("client-lag", Verdict::Invalid, |_, row| {
            row.health.client_lag_worst_p50_us = Some(60_000)
        }),
        ("client-pings", Verdict::Invalid, |_, row| {
            row.health.client_pings_unanswered_share = Some(1.0);
        }),
        ("server-pings", Verdict::Suspect, |_, row| {
            row.health.server_pings_unanswered_share = Some(0.2);
        }),
        ("retransmits", Verdict::Suspect, |_, row| {
            row.health.machine_segments_retransmitted = Some(20);
            row.health.machine_segments_sent = Some(1_000);
        }),
        ("client-wait", Verdict::Suspect, |_, row| {
            row.health.client_wait_share = Some(0.5)
        }),
        ("unread", Verdict::Invalid, |_, row| {
            row.health.unread_sockets = Some(u64::from(row.figures.clients));
        }),
        ("errors", Verdict::Suspect, |_, row| {
            row.figures.errors = Some(1 + u64::from(row.figures.clients) / 1_000);
        }),
        ("server-lag", Verdict::Suspect, |_, row| {
            row.health.server_lag = Some(lags(2_000))
        }),
        ("publish-lag", Verdict::Invalid, |_, row| {
            row.figures.publish_lag_p99_us = Some(100_000)
        }),
        ("machine-busy", Verdict::Suspect, |_, row| {
            row.health.machine_busy_share = Some(0.97)
        }),
        ("others-cpu", Verdict::Invalid, |_, row| {
            row.health.others_cpu_share = Some(0.6)
        }),
        ("steal", Verdict::Suspect, |_, row| row.health.steal_share = Some(0.05)),
        ("swapping", Verdict::Suspect, |_, row| {
            row.health.swapped_pages = Some(3)
        }),
        ("listen-overflows", Verdict::Suspect, |_, row| {
            row.health.listen_overflows = Some(1)
        }),
        ("retransmits", Verdict::Suspect, |_, row| {
            row.wire = Some(wire(|wire| wire.window.as_mut().unwrap().retransmitted_segments = 10));
        }),
        ("clock", Verdict::Invalid, |_, row| row.clock_bound_us = 10_000_000),
        ("drift", Verdict::Suspect, |_, row| {
            for point in &mut row.series {
                point.latency_p50_us =
                    Some(10_000 * (1 + u64::from(point.second / 5)) + 2_000 * u64::from(point.second / 5));
            }
        }),
        ("sampled-late", Verdict::Suspect, |_, row| {
            row.phases.sampled_late_us = Some(200_000)
        }),
        ("published-off", Verdict::Invalid, |_, row| {
            row.figures.updates_published = row.figures.updates_published.map(|n| n / 2);
        }),
        ("request-count", Verdict::Suspect, |_, row| {
            row.health.server_requests_total = row.figures.requests_total.map(|n| n + 1);
        }),
        ("byte-count", Verdict::Suspect, |_, row| {
            row.wire = Some(wire(|wire| wire.socket_bytes_sent_total += 1));
        }),
    ];
    for (code, verdict, change) in cases {
        let row = judged("websocket", change);
        assert_eq!(codes(&row), [code]);
        assert_eq!(row.figures.validity, Some(verdict), "{code}");
        let reasons = row.figures.validity_reasons.unwrap();
        assert!(reasons.starts_with(&format!("{code}: ")), "{reasons}");
    }
}

/// Half of the machine is idle, and of no use to the side that has none left.
#[test]
fn each_side_is_held_against_the_cores_it_had() {
    let apart = |change: fn(&mut Row, f64)| {
        judged("websocket", |_, row| {
            row.health.cores_apart = Some(CoresApart { server: 2, clients: 4 });
            row.health.machine_busy_share = Some(0.6);
            let window_s = row.figures.duration_s.unwrap();
            change(row, window_s);
        })
    };
    let clients = apart(|row, window_s| row.figures.client_cpu_s = Some(0.95 * 4.0 * window_s));
    let server = apart(|row, window_s| row.figures.server_cpu_s = Some(0.97 * 2.0 * window_s));
    for (row, code, words) in [
        (clients, "client-cpu", "used 95.00 % of their cores"),
        (server, "machine-busy", "the servers' cores were busy"),
    ] {
        assert_eq!(codes(&row), [code]);
        assert!(row.findings[0].text.contains(words), "{:?}", row.findings);
    }
    assert_eq!(
        codes(&apart(|row, window_s| row.figures.client_cpu_s = Some(2.0 * window_s))),
        [""; 0]
    );
}

#[test]
fn completeness_clocks_and_samples_are_judged_exactly() {
    let row = judged("sse", |_, row| row.figures.lagged = Some(7));
    assert_eq!(
        (codes(&row), row.figures.validity),
        (vec!["lagged"], Some(Verdict::Invalid))
    );
    assert!(
        row.findings[0].text.contains("7 updates were lost"),
        "{:?}",
        row.findings[0]
    );

    let row = judged("sse", |_, row| row.figures.negative_latencies = Some(1));
    assert_eq!(
        (codes(&row), row.figures.validity),
        (vec!["negative-latency"], Some(Verdict::Invalid))
    );
    let row = judged("sse", |_, row| {
        row.figures.negative_latencies = Some(1);
        row.clock_bound_us = 1;
    });
    assert_eq!(
        row.figures.validity,
        Some(Verdict::Suspect),
        "a foreign clock is only known to a bound"
    );

    let row = judged("sse", |_, row| row.figures.updates_expected = Some(999));
    assert_eq!(
        (codes(&row), row.figures.validity),
        (vec!["tail-samples"], Some(Verdict::Suspect))
    );

    let row = judged("sse", |record, row| {
        record.plan.mode = crate::record::Mode::Latest;
        row.figures.mode = "latest".into();
        row.figures.superseded = Some(0);
        row.figures.updates_received = row.figures.updates_received.map(|n| n - 1);
    });
    assert_eq!(
        (codes(&row), row.figures.validity),
        (vec!["reach"], Some(Verdict::Invalid))
    );
}

#[test]
fn skipped_polls_count_for_the_transport_that_polls_on_a_grid() {
    let skip = |_: &mut RunRecord, row: &mut Row| row.figures.polls_skipped = Some(5_000);
    assert_eq!(codes(&judged("short-poll", skip)), ["polls-skipped"]);
    assert_eq!(codes(&judged("long-poll", skip)), [""; 0]);
}

#[test]
fn what_arithmetic_does_not_expect_is_suspect() {
    let row = judged("sse", |_, row| {
        row.predictions.push(Prediction {
            metric: "requests".into(),
            predicted: 0.0,
            low: 0.0,
            high: 0.0,
            measured: Some(3.0),
            model: "none after the handshake".into(),
            likely_cause: Some("streams were opened again".into()),
        });
    });
    assert_eq!(
        (codes(&row), row.figures.validity),
        (vec!["prediction"], Some(Verdict::Suspect))
    );
    assert!(
        row.findings[0].text.contains("requests is 3 where 0 is allowed"),
        "{:?}",
        row.findings[0]
    );
    let slow = |model: &str| {
        let model = model.to_owned();
        judged("sse", |_, row| {
            row.predictions.push(Prediction {
                metric: "latency_p99_us".into(),
                predicted: 0.0,
                low: 0.0,
                high: 50_000.0,
                measured: Some(60_000.0),
                model,
                likely_cause: Some("service took long".into()),
            });
        })
    };
    assert_eq!(codes(&slow("0 + service")), [""; 0], "a slow machine is no fault");
    assert_eq!(codes(&slow("second method: from another figure")), ["prediction"]);
}

#[test]
fn a_client_that_is_slow_by_itself_is_told_from_the_technique() {
    let row = judged("websocket", |record, row| {
        row.figures.latency_p99_us = Some(Quantile::Us(10_000));
        record.calibrations.push(Calibration {
            transport: "websocket".into(),
            latency: lags(9_000),
            client_cpu_us_per_update: None,
            taken_utc: String::new(),
            revision: String::new(),
        });
    });
    assert_eq!(
        (codes(&row), row.figures.validity),
        (vec!["client-alone"], Some(Verdict::Suspect))
    );
}

#[test]
fn a_debug_build_is_suspect_and_a_failed_row_invalid() {
    let row = judged("sse", |record, _| record.tool.profile = "debug".into());
    assert_eq!(
        (codes(&row), row.figures.validity),
        (vec!["debug-build"], Some(Verdict::Suspect))
    );
    let row = judged("sse", |_, row| {
        row.outcome = Outcome::Failed {
            reason: "the server died".into(),
        };
    });
    assert_eq!(
        (codes(&row), row.figures.validity),
        (vec!["failed"], Some(Verdict::Invalid))
    );
}

#[test]
fn bounds_can_be_moved() {
    let row = judged("sse", |record, row| {
        row.health.others_cpu_share = Some(0.6);
        record.plan.bounds.others_cpu_share = Bound {
            suspect: 0.7,
            invalid: Some(0.9),
        };
    });
    assert_eq!(codes(&row), [""; 0]);
}

/// A distribution whose every value is `us`.
fn lags(us: u64) -> crate::record::Quantiles {
    let mut lags = histogram::new();
    lags.record_n(us, 100).unwrap();
    histogram::encode(&lags, 0, 0)
}

fn wire(change: impl FnOnce(&mut Wire)) -> Wire {
    let mut wire = Wire {
        mtu_bytes: 65_535,
        window: Some(WireCounts {
            segments_sent: 1_000,
            ..WireCounts::default()
        }),
        ..Wire::default()
    };
    change(&mut wire);
    wire
}

/// The README shows the defaults as a scenario would write them: one copy for people, held to the other by this.
#[test]
fn the_readme_shows_the_default_bounds() {
    let readme = include_str!("../../README.md");
    let block = readme
        .split("```toml\n[bounds]")
        .nth(1)
        .and_then(|rest| rest.split("```").next());
    let block = block.expect("a block of TOML that starts with [bounds]");
    let bounds: crate::record::Bounds = toml::from_str(block).expect("bounds");
    assert_eq!(bounds, crate::record::Bounds::default());
    let named = serde_json::to_value(&bounds).unwrap();
    for name in named.as_object().unwrap().keys() {
        assert!(block.contains(&format!("{name} = ")), "{name} is not shown");
    }
}

#[test]
fn who_leaves_may_take_a_request_along_and_no_more() {
    for (taken, leaves, codes_expected) in [
        (0, 5, vec![]),
        (5, 5, vec![]),
        (6, 5, vec!["request-count"]),
        (1, 0, vec!["request-count"]),
        (-1, 5, vec!["request-count"]),
    ] {
        let row = judged("long-poll", |_, row| {
            row.figures.leaves = Some(leaves);
            let requests = row.figures.requests_total;
            row.health.server_requests_total = requests.and_then(|n| n.checked_add_signed(-taken));
        });
        assert_eq!(codes(&row), codes_expected, "{taken} of {leaves}");
        let said = row.findings.iter().any(|finding| finding.code == "request-count");
        assert_eq!(said, taken != 0, "a difference is said");
    }
}

#[test]
fn polls_of_clients_that_are_away_are_not_skipped_ones() {
    let half = |record: &mut RunRecord, row: &mut Row| {
        row.figures.requests = row.figures.requests.map(|n| n / 2);
        record.plan.churn = Some(crate::record::Churn {
            stay_s: 1.0,
            away_s: 1.0,
        });
    };
    assert_eq!(codes(&judged("short-poll", half)), [""; 0]);
    let row = judged("short-poll", |record, row| {
        half(record, row);
        row.figures.polls_skipped = row.figures.requests;
    });
    assert_eq!(codes(&row), ["polls-skipped"]);
}

#[test]
fn what_a_restart_brings_about_is_said_and_not_judged() {
    let restart = |record: &mut RunRecord| {
        record.plan.mode = crate::record::Mode::Latest;
        record.plan.restart = Some(crate::record::Restart {
            after_s: 1.0,
            down_s: 0.5,
        });
    };
    let row = judged("websocket", |record, row| {
        restart(record);
        row.figures.errors = Some(3 * u64::from(row.figures.clients));
        row.recovery = fixture::behaved().rows[0].recovery.clone();
        row.recovery.as_mut().expect("one").errors = 3 * u64::from(row.figures.clients);
        row.figures.publish_lag_p99_us = Some(500_000);
        row.health.listen_overflows = Some(9);
    });
    assert_eq!(codes(&row), [""; 0]);
    for code in ["restart", "publish-lag", "listen-overflows"] {
        assert!(
            row.findings.iter().any(|finding| finding.code == code),
            "{code}: {row:#?}"
        );
    }
    // What it does not bring about is judged as ever: errors before the kill, and what others do.
    let row = judged("websocket", |record, row| {
        restart(record);
        row.figures.errors = Some(u64::from(row.figures.clients));
    });
    assert_eq!(codes(&row), ["errors"]);
    let row = judged("websocket", |record, row| {
        restart(record);
        row.health.others_cpu_share = Some(0.6);
    });
    assert_eq!(codes(&row), ["others-cpu"]);
}
