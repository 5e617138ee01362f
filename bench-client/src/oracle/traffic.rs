//! Updates, requests, empty answers and connections of a row.
//!
//! **Short polling** asks `N·W/P` times, whatever happens, and an answer is empty when nothing came in the P before ([`super::feed`]).
//! What is due in the window and fetched in it counts as delivered: of `N·R·W` updates all but those that the last P brought and no
//! poll had fetched by then, half of them: `N·R·(W − P/2)`; `N·R·W²/(2P)` where P is longer than the window.
//!
//! **Long polling** asks once for every update: its answer frees the client to ask again. It asks less often where updates come faster
//! than a client is served, because one answer then carries several: with a cycle of `s` a client asks every `max(gap, s)`, or every
//! `1/λ + s` where updates are random. `s` is what arithmetic can't know, so the range reaches down to the allowance's. A burst may
//! come in one answer or one by one. Held longer than `wait`, it is answered empty and asks again: `⌈gap/wait⌉ − 1` times in each gap;
//! random gaps (memoryless) end a wait of `w` empty with chance `e^(−λw)`, so `λ·e^(−λw)/(1 − e^(−λw))` times a second.
//!
//! **Push** asks for nothing in the window.
//!
//! Connections: one a client for the whole row, or one a request without keep-alive.

use super::{
    Case, Expected,
    feed::Feed,
    range::{Range, above},
};
use crate::{record::Row, report::format::count, transports::Asks};

const ASKED_AGAIN: &str = "clients ask more often than planned: answers were cut, or requests made again";

pub fn expected(case: &Case<'_>, row: &Row) -> Vec<Expected> {
    let mut all = vec![];
    if let Some(feed) = &case.feed {
        let not_planned = "the feed published other than planned, or the publish log is another one's".to_string();
        let mut updates = |metric, range, model: &str| {
            all.push(Expected {
                metric,
                range,
                model: model.into(),
                above: not_planned.clone(),
                below: not_planned.clone(),
            });
        };
        updates("updates_published", feed.published(), "T·R·W");
        updates(
            "updates_expected",
            feed.expected(),
            if case.follows_all { "N·T·R·W" } else { "N·R·W" },
        );
        if let Some(deliveries) = deliveries(case, feed) {
            all.push(delivered(case, row, deliveries));
        }
    }
    if let Some((range, model)) = requests(case) {
        let skipped = row.figures.polls_skipped.unwrap_or(0);
        let (above, below) = match case.asks {
            Asks::Once => ("sessions broke and were opened again", "a counter ran backwards".into()),
            Asks::EveryInterval if skipped > 0 => (
                ASKED_AGAIN,
                format!(
                    "{} polls were skipped because the one before was under way",
                    count(skipped)
                ),
            ),
            Asks::EveryInterval => (
                ASKED_AGAIN,
                "clients were missing, or their polls late at the window's edge".into(),
            ),
            Asks::EveryUpdate => (
                ASKED_AGAIN,
                "updates were merged into one answer, because a cycle takes longer than the gap".into(),
            ),
        };
        all.push(Expected {
            metric: "requests",
            range,
            model,
            above: case.counted(above),
            below: case.counted(&below),
        });
    }
    if let Some((range, model)) = empty(case) {
        all.push(Expected {
            metric: "empty_responses",
            range,
            model,
            above: case.counted("fewer updates came than planned, or answers do not hold what is new"),
            below: case.counted("polls were skipped, or more updates came than planned"),
        });
    }
    all.extend(connections(case, row));
    all
}

fn delivered(case: &Case<'_>, row: &Row, range: Range) -> Expected {
    let latest = case.feed.as_ref().is_some_and(|feed| feed.latest);
    let model = match (case.asks, latest) {
        (Asks::EveryInterval, false) => "N·λ·(W − P/2)",
        (Asks::EveryInterval, true) => "one a poll and topic with news",
        (_, false) => "N·λ·W",
        (_, true) => "N·λ·W, less what is jumped over",
    };
    let lost = row.figures.missed.unwrap_or(0) + row.figures.lagged.unwrap_or(0);
    Expected {
        metric: "deliveries",
        range,
        model: model.into(),
        above: "more updates came than planned, or were received twice".into(),
        below: if lost > 0 {
            format!("{} updates were lost", count(lost))
        } else {
            "updates were still under way when the window ended: server or client was saturated, or clients were missing".into()
        },
    }
}

/// Updates due and received in the window.
pub fn deliveries(case: &Case<'_>, feed: &Feed) -> Option<Range> {
    let (interval_s, service_s) = (case.interval_s(), case.service.last_s());
    let whole = feed.received(0.0, interval_s, 0.0);
    let late = feed.received(0.0, interval_s, service_s);
    let range = match case.asks {
        Asks::EveryInterval => Range::between(whole, late, whole).wider(edge_pairs(case, feed)),
        // Jumped over where clients are behind, or where a burst comes as one.
        _ if feed.latest => {
            let newest = whole / f64::from(feed.at_once);
            Range::between(newest, late / f64::from(feed.at_once) / merged(feed, service_s), whole)
        }
        _ => Range::between(whole, late, whole),
    };
    Some(range.spread_like(feed.by_chance(whole)))
}

/// Pairs that may fall on either side of the window's edges: of each turn within P of them, a client either way.
pub fn edge_pairs(case: &Case<'_>, feed: &Feed) -> f64 {
    if feed.is_silent() {
        return 0.0;
    }
    let near_s = case.interval_s().min(feed.window_s);
    2.0 * (near_s / feed.turn_s() + 1.0) * f64::from(feed.at_once)
}

/// How many updates one answer (or one write in mode latest) may carry at most, by the allowance.
pub fn merged(feed: &Feed, service_s: f64) -> f64 {
    let gap_s = feed.followed_gap_s();
    if feed.random {
        1.0 + service_s / gap_s
    } else {
        (service_s / gap_s).max(1.0)
    }
}

/// Polls in the window: `N·W/P`, and those that its edges may cut off.
pub fn polls(case: &Case<'_>) -> Range {
    let per_s = f64::from(case.plan.clients) / case.interval_s();
    Range::around(per_s * case.window_s, 1.0 + per_s * case.service.last_s())
}

/// Updates that one poll may find at most come in one answer, or it would ask again at once.
fn fits(case: &Case<'_>, feed: &Feed) -> bool {
    let most = server::transports::POLL_BATCH;
    let mean = feed.per_client_hz() * case.interval_s();
    let found = feed.count_by_chance(mean).high + 2.0 * f64::from(feed.at_once);
    feed.latest || (found <= most.updates as f64 && found * case.update_bytes <= most.bytes as f64)
}

pub fn requests(case: &Case<'_>) -> Option<(Range, String)> {
    match (case.asks, &case.feed) {
        (Asks::Once, _) => Some((Range::ZERO, "none in the window".into())),
        (Asks::EveryInterval, Some(feed)) if !fits(case, feed) => None,
        (Asks::EveryInterval, _) => Some((polls(case), "N·W/P".into())),
        (Asks::EveryUpdate, None) => None,
        (Asks::EveryUpdate, Some(feed)) => {
            let in_vain = timeouts(case, feed)?;
            let model = if feed.is_silent() {
                "N·W/wait"
            } else {
                "one per update and client"
            };
            Some((answers(case, feed).plus(in_vain), model.into()))
        }
    }
}

/// Answers with updates that long polls get in the window.
pub fn answers(case: &Case<'_>, feed: &Feed) -> Range {
    let service_s = case.service.last_s();
    let at_once = f64::from(feed.at_once);
    let updates = feed.received(0.0, 0.0, 0.0);
    // What was due before the window and is answered in it, by the allowance.
    let before = feed.received(-service_s, 0.0, service_s) - feed.received(0.0, 0.0, service_s);
    let low = feed.received(0.0, 0.0, service_s) / at_once / merged(feed, service_s);
    Range::between(updates / at_once, low, updates + before).spread_like(feed.by_chance(updates))
}

/// Answers that long polls get because they waited too long; None where the wait is shorter than a machine's own time.
pub fn timeouts(case: &Case<'_>, feed: &Feed) -> Option<Range> {
    let (wait_s, service_s) = (case.plan.wait_ms as f64 / 1e3, case.service.last_s());
    let (clients, window_s) = (f64::from(case.plan.clients), case.window_s);
    if wait_s <= service_s {
        return None;
    }
    if feed.is_silent() {
        // Each client waits since a moment of its own.
        let each = window_s / wait_s;
        let slow = window_s / (wait_s + service_s);
        return Some(Range::between(
            clients * each,
            clients * slow.floor(),
            clients * each.ceil(),
        ));
    }
    if feed.random {
        let (rate, all) = (feed.per_client_hz(), feed.streams() / feed.followed());
        let empty = (-rate * wait_s).exp();
        let each = window_s * rate * empty / (1.0 - empty);
        // Waits that nobody will see in a hundred runs are none.
        let chance = if each * all < 1e-3 {
            0.0
        } else {
            above((each / all).sqrt(), (each * all).sqrt().recip())
        };
        return Some(Range::around(clients * each, clients * chance));
    }
    let gap_s = feed.followed_gap_s();
    let in_gap = |gap_s: f64, wait_s: f64| ((gap_s / wait_s).ceil() - 1.0).max(0.0);
    let (few, many) = (
        in_gap(gap_s - service_s, wait_s + service_s),
        in_gap(gap_s + service_s, wait_s),
    );
    let gaps = window_s / gap_s;
    let low = (gaps - 1.0).max(0.0) * few;
    let high = if many > 0.0 {
        ((gaps + 1.0) * many).min(window_s / wait_s + 1.0)
    } else {
        0.0
    };
    Some(Range::between((gaps * in_gap(gap_s, wait_s)).clamp(low, high), low, high).scaled(clients))
}

/// Polls that find nothing.
pub fn empty(case: &Case<'_>) -> Option<(Range, String)> {
    match case.asks {
        Asks::Once => Some((Range::ZERO, "no polls".into())),
        Asks::EveryUpdate => {
            let feed = case.feed.as_ref()?;
            let model = match (feed.is_silent(), feed.random) {
                (true, _) => "N·W/wait",
                (false, true) => "N·W·λ·e^(−λ·wait)/(1 − e^(−λ·wait))",
                (false, false) => "N·W/gap·(⌈gap/wait⌉ − 1)",
            };
            Some((timeouts(case, feed)?, model.into()))
        }
        Asks::EveryInterval => {
            let feed = case
                .feed
                .as_ref()
                .filter(|feed| feed.is_steady(case.interval_s()) && fits(case, feed))?;
            let (polls, share) = (polls(case), feed.empty_share(case.interval_s(), case.service.last_s()));
            let range = Range::between(
                polls.predicted * share.predicted,
                polls.low * share.low,
                polls.high * share.high,
            );
            // Without any there is none at the edges either.
            let edge = if share.high > 0.0 && !feed.is_silent() {
                edge_pairs(case, feed)
            } else {
                0.0
            };
            let range = range.wider(edge);
            let model = match (feed.is_silent(), feed.random) {
                (true, _) => "every poll",
                (false, true) => "polls · e^(−λP)",
                (false, false) if share.predicted == 0.0 => "none: P is no shorter than the gap",
                (false, false) => "polls · (1 − P/gap)",
            };
            Some((
                Range::between(range.predicted, range.low, range.high.min(polls.high)),
                model.into(),
            ))
        }
    }
}

fn connections(case: &Case<'_>, row: &Row) -> Vec<Expected> {
    let again = format!(
        "clients connected again: {} reconnects, {} errors; kept connections may have been closed",
        count(row.figures.reconnects.unwrap_or(0)),
        count(row.figures.errors.unwrap_or(0))
    );
    let expected = |metric, range, model: &str, below: &str| Expected {
        metric,
        range,
        model: model.into(),
        above: again.clone(),
        below: below.into(),
    };
    let clients = Range::exact(f64::from(case.plan.clients));
    if case.asks == Asks::Once || case.plan.keep_alive {
        return vec![
            expected(
                "connections",
                Range::ZERO,
                "none in the window",
                "a counter ran backwards",
            ),
            expected("connections_total", clients, "N", "not every client could connect"),
        ];
    }
    let mut all = vec![];
    let shared = "several requests shared a connection";
    if let Some((requests, model)) = requests(case) {
        // Between a connect and its request the window's edge may fall.
        let under_way = requests.high * case.service.last_s() / case.window_s + 1.0;
        all.push(expected(
            "connections",
            requests.wider(under_way),
            &format!("requests: {model}"),
            shared,
        ));
    }
    if let Some(total) = row.figures.requests_total {
        // Connects that were under way at the end asked for nothing any more.
        let range = Range::between(total as f64, total as f64, total as f64 + f64::from(case.plan.clients));
        all.push(expected(
            "connections_total",
            range,
            "second method: requests as measured",
            shared,
        ));
    }
    all
}
