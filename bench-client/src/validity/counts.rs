//! What has no bound because it must be exact, or must not be at all: completeness, clocks, counts that two methods have to agree on.

use super::{Case, finding};
use crate::{
    record::{Finding, Mode, Verdict},
    report::{
        format::{count, of, time_us},
        model,
        summary::reach,
    },
};

/// Findings about counts.
pub fn counts(case: &Case<'_>) -> Vec<Finding> {
    let found = [
        lagged(case),
        unreached(case),
        negative(case),
        samples(case),
        distinct(case),
        requests(case),
        restarted(case),
        churned(case),
        bytes(case),
    ];
    let mut findings: Vec<_> = found.into_iter().flatten().collect();
    findings.extend(predictions(case));
    findings
}

fn lagged(case: &Case<'_>) -> Option<Finding> {
    let lagged = case.row.figures.lagged.filter(|lagged| *lagged > 0)?;
    let text = format!(
        "{} lost with an explicit reset: the clients fell behind the server's log",
        of(lagged, "update was", "updates were")
    );
    Some(finding(Verdict::Invalid, "lagged", text))
}

/// In mode every a missed update has failed the row already.
fn unreached(case: &Case<'_>) -> Option<Finding> {
    let figures = &case.row.figures;
    let reach = reach(figures).filter(|reach| *reach < 1.0 && case.plan.mode == Mode::Latest)?;
    let text = format!(
        "only {:.2} % of the expected updates, or newer ones in their place, reached their clients",
        reach * 100.0
    );
    Some(finding(Verdict::Invalid, "reach", text))
}

fn negative(case: &Case<'_>) -> Option<Finding> {
    let negative = case.row.figures.negative_latencies.filter(|negative| *negative > 0)?;
    let bound_us = case.row.clock_bound_us;
    let came = of(negative, "update came", "updates came");
    let (verdict, why) = if bound_us == 0 {
        (Verdict::Invalid, "though client and server share one clock".to_owned())
    } else {
        let bound = time_us(bound_us as f64);
        (Verdict::Suspect, format!("the server's clock is known to {bound} only"))
    };
    Some(finding(
        verdict,
        "negative-latency",
        format!("{came} before it was due: {why}"),
    ))
}

/// A quantile needs some updates beyond it to be more than the slowest few.
fn samples(case: &Case<'_>) -> Option<Finding> {
    let expected = case.row.figures.updates_expected.filter(|expected| *expected > 0)?;
    let least = case.plan.bounds.beyond_p99_least;
    let beyond = |per_mille: u64| expected * per_mille / 1_000;
    if beyond(10) < least {
        let text = format!(
            "p99 rests on the slowest {} of {} updates (suspect below {least}): more --clients or a longer --duration",
            count(beyond(10)),
            count(expected)
        );
        return Some(finding(Verdict::Suspect, "tail-samples", text));
    }
    (beyond(1) < least).then(|| {
        let text = format!(
            "p99.9 rests on the slowest {} of {} updates, which is too few to say much",
            count(beyond(1)),
            count(expected)
        );
        finding(Verdict::Valid, "tail-samples", text)
    })
}

/// What one update meets, all its clients meet: however many they are, the tail is that of few updates.
fn distinct(case: &Case<'_>) -> Option<Finding> {
    const UPDATES_FOR_P99: u64 = 100;
    let published = case.row.figures.updates_published?;
    (1..UPDATES_FOR_P99).contains(&published).then(|| {
        let updates = of(published, "different update", "different updates");
        let text = format!("the window holds {updates}: a single slow one is all of p99's tail");
        finding(Verdict::Valid, "few-updates", text)
    })
}

/// Both ends count requests, each on its own. A client that leaves may close its connection right behind a request it has written, and take
/// that along: so many the server may have fewer, and never more.
fn requests(case: &Case<'_>) -> Option<Finding> {
    let (own, server) = (case.row.figures.requests_total?, case.row.health.server_requests_total?);
    let leaves = case.row.figures.leaves.unwrap_or(0);
    if let Some(taken @ 1..) = own.checked_sub(server).filter(|taken| *taken <= leaves) {
        let text = format!(
            "the server counts {} fewer than the clients: who leaves while a request is on its way may take it along, and {} times a client left",
            of(taken, "request", "requests"),
            count(leaves)
        );
        return Some(finding(Verdict::Valid, "request-count", text));
    }
    (own != server).then(|| {
        let text = format!(
            "the clients count {} requests, the server {}: something between them makes or drops some, or answers by itself",
            count(own),
            count(server)
        );
        finding(Verdict::Suspect, "request-count", text)
    })
}

/// What a planned restart brings about, and what went with the killed server.
fn churned(case: &Case<'_>) -> Option<Finding> {
    case.plan.churn?;
    let text = "clients left and came back: nothing is predicted for such a row, and requests may differ from the server's count by one for each \
                that left";
    Some(finding(Verdict::Valid, "churn", text))
}

fn restarted(case: &Case<'_>) -> Option<Finding> {
    case.plan.restart?;
    let errors = case.row.recovery.as_ref().map_or(0, |recovery| recovery.errors);
    let text = format!(
        "the server was killed on purpose: {} of the clients are its doing and not judged; the first server's count of requests is lost, so nobody \
         checks the clients'; its last updates before the kill have the new server's sent times",
        of(
            errors,
            "failed connect, request or session",
            "failed connects, requests and sessions"
        )
    );
    Some(finding(Verdict::Valid, "restart", text))
}

/// What was read and written, against what the kernel sent and received.
fn bytes(case: &Case<'_>) -> Option<Finding> {
    let wire = case.row.wire.as_ref()?;
    let received = wire.socket_bytes_received_total + wire.unread_bytes_at_close;
    let pairs = [
        ("sent", wire.socket_bytes_sent_total, wire.total.payload_bytes_sent),
        ("received", received, wire.total.payload_bytes_received),
    ];
    let (what, own, kernel) = pairs.into_iter().find(|(_, own, kernel)| own != kernel)?;
    let text = format!(
        "the clients' sockets {what} {} bytes by our count and {} by the kernel's: one of them is wrong",
        count(own),
        count(kernel)
    );
    Some(finding(Verdict::Suspect, "byte-count", text))
}

/// Figures outside of what arithmetic allows. How long a machine may take is no arithmetic: a slow one is only remarked.
fn predictions(case: &Case<'_>) -> Vec<Finding> {
    let deviations = model::deviations(case.row).into_iter();
    deviations
        .map(|one| {
            let verdict = if one.exact { Verdict::Suspect } else { Verdict::Valid };
            finding(verdict, "prediction", one.words)
        })
        .collect()
}
