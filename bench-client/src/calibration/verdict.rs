//! Whether a row against the null server measured the client: judged as any row of a run, by the same bounds.
//!
//! ```text
//! Row -> validity::judge -> findings, without those about what the null server is not -> INVALID: not kept | SUSPECT: said
//! ```

use crate::{
    environment,
    record::{Environment, Plan, Row, Verdict},
    validity::{self, Circumstances},
};

/// What says nothing of a calibration. The update's own times are those of the feed and of the ordinary server beside it, which
/// nobody listens to: the client's share counts from the write alone. The models are of the ordinary server, and no client is its
/// own bound.
const LEFT_OUT: [&str; 5] = ["publish-lag", "server-lag", "drift", "prediction", "client-alone"];

/// The worst there is to say of a row, and every finding that counts against it, worst first.
pub fn judged(plan: &Plan, machine: &Environment, row: &mut Row) -> (Verdict, Vec<String>) {
    let by = Circumstances {
        plan,
        tool: &environment::tool(),
        environment: machine,
        calibrations: &[],
    };
    validity::judge(&by, row);
    let against = |finding: &&crate::record::Finding| {
        finding.verdict > Verdict::Valid && !LEFT_OUT.contains(&finding.code.as_str())
    };
    let against: Vec<_> = row.findings.iter().filter(against).collect();
    let worst = against.first().map_or(Verdict::Valid, |worst| worst.verdict);
    let lines = against.iter().map(|one| {
        let name = one.verdict.name();
        format!("{name}: {}: {}", one.code, one.text)
    });
    (worst, lines.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    /// The lines of a healthy row with `change` made to it. A debug build is suspect by itself.
    fn said(change: fn(&mut Row)) -> (Verdict, Vec<String>) {
        let mut record = fixture::record();
        let mut row = record.rows.remove(3);
        row.predictions.clear();
        (row.health, row.wire) = (crate::record::Health::default(), None);
        change(&mut row);
        let (worst, mut lines) = judged(&record.plan, &record.environment, &mut row);
        lines.retain(|line| !line.contains("debug-build"));
        (worst, lines)
    }

    #[test]
    fn a_starved_client_calibrates_nothing() {
        let (worst, lines) = said(|row| row.health.client_wait_share = Some(0.99));
        assert_eq!(worst, Verdict::Invalid);
        assert!(lines[0].starts_with("INVALID: client-wait: "), "{lines:?}");
        let (worst, lines) = said(|row| row.health.others_cpu_share = Some(0.15));
        assert_eq!(worst, Verdict::Suspect);
        assert!(lines[0].starts_with("SUSPECT: others-cpu: "), "{lines:?}");
    }

    #[test]
    fn lateness_of_the_feed_is_none_of_the_clients() {
        let (worst, lines) = said(|row| row.figures.publish_lag_p99_us = Some(10_000_000));
        assert!(worst < Verdict::Invalid && lines.is_empty(), "{lines:?}");
    }
}
