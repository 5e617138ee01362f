//! Bytes of a row, from the headers and frames as they are.
//!
//! ```text
//! plan -> an Endpoint like the clients' -> Framing of the transport -> bytes of a request, an answer, an event or frame
//! ```
//!
//! **Short polling**: all polls of the window, their answers, and what they carry, over what counts as delivered:
//!
//! ```text
//! N·W/P · (request + p0·answer(0) + (1 − p0)·answer(n))          n: updates per answer that is not empty
//! ─────────────────────────────────────────────────────
//!                    N·λ·(W − P/2)
//! ```
//!
//! `N·λ·W` updates are carried, so the P/2 of them that were due before the window cost bytes and count for nothing: the bias of
//! short windows is part of the model. **Long polling**: `request + answer(1)`, and `(request + answer(m))/m` where m updates share an
//! answer. **Push**: the event or frame.
//!
//! Cursors and lengths are written in decimal, so a digit more is a byte more: bytes are averaged over the offsets of the window and
//! the names of the topics. Ports have five digits, as ephemeral ports have. Streams also carry
//! signs of life, one every 15 s. A server elsewhere has a name and offsets that the record does not know: nothing about its bytes is predicted.

use server::settings::UPDATE_MAX_BYTES;

use super::{
    Case, Expected,
    feed::Feed,
    range::Range,
    traffic,
    typical::{cursor, endpoint},
};
use crate::{
    record::Row,
    transports::{
        Asks, Endpoint,
        framing::{Answer, HEARTBEAT},
    },
};

/// Rounding of averages.
const SHARE_OFF: f64 = 0.001;
/// Updates as long as they come: their mean in the window for that of each moment, and lengths of lengths.
const SIZE_OFF: f64 = 0.01;
/// Counters are read one after another while clients write: so much of one reading may belong to the next.
const READ_APART_S: f64 = 1e-3;

pub fn expected(case: &Case<'_>, row: &Row) -> Vec<Expected> {
    if case.plan.remote {
        return Vec::new();
    }
    let wire = Wire { case };
    let mut all = vec![Expected {
        metric: "setup_bytes_per_client",
        range: wire.setup(),
        model: match case.asks {
            Asks::Once => "handshake and the head of its answer",
            _ => "first request and its empty answer",
        }
        .into(),
        above: "sessions were opened again, or headers are others than the model knows (a proxy?)".into(),
        below: "not every client could connect, or headers are others than the model knows (a proxy?)".into(),
    }];
    let Some(feed) = &case.feed else { return all };
    if case.size_planned
        && let Some(deliveries) = traffic::deliveries(case, feed).filter(|_| !feed.is_silent())
    {
        all.push(Expected {
            metric: "payload_bytes",
            range: deliveries.scaled(case.update_bytes),
            model: "deliveries · update size".into(),
            above: "more deliveries than expected, or longer updates than planned".into(),
            below: "fewer deliveries than expected, or shorter updates than planned".into(),
        });
    }
    if let Some((range, model)) = per_update(case, feed, &wire) {
        let size = if case.size_planned {
            ""
        } else {
            " (mean size as measured)"
        };
        let off = if case.size_planned { SHARE_OFF } else { SIZE_OFF };
        all.push(Expected {
            metric: "bytes_per_update",
            range: Range::between(range.predicted, range.low * (1.0 - off), range.high * (1.0 + off)),
            model: format!("{model}{size}"),
            above: case.counted("answers carry other headers or framing than the model knows (a proxy?), or more than what was delivered"),
            below: case.counted(match case.asks {
                Asks::Once => "answers carry other framing than the model knows (a proxy?)",
                Asks::EveryUpdate => "updates were merged into one answer, because a cycle takes longer than the gap",
                Asks::EveryInterval => "polls were skipped, so that each carried more updates",
            }),
        });
    }
    all.extend(sent(case, row, feed, &wire));
    all
}

/// What the clients wrote, by the requests they made: the same count twice, so it holds however busy the row was.
fn sent(case: &Case<'_>, row: &Row, feed: &Feed, wire: &Wire<'_>) -> Option<Expected> {
    let requests = row.figures.requests.filter(|_| case.asks != Asks::Once)? as f64;
    let interval_s = case.interval_s();
    let request = wire.request(feed.offset_at(-interval_s), feed.offset_at(case.window_s), feed);
    let apart = READ_APART_S / case.window_s * requests + 1.0;
    let (few, many) = ((requests - apart).max(0.0), requests + apart);
    Some(Expected {
        metric: "bytes_sent",
        range: Range::between(requests * request.predicted, few * request.low, many * request.high),
        model: "second method: requests as measured · bytes of one".into(),
        above: "requests carry other headers than the model knows".into(),
        below: "requests carry other headers than the model knows".into(),
    })
}

fn per_update(case: &Case<'_>, feed: &Feed, wire: &Wire<'_>) -> Option<(Range, String)> {
    let known = !feed.is_silent() && case.update_bytes > 0.0;
    let deliveries = traffic::deliveries(case, feed).filter(|range| known && range.low > 0.0)?;
    match case.asks {
        Asks::EveryInterval => polled(case, feed, wire, deliveries),
        Asks::EveryUpdate => {
            traffic::requests(case)?;
            Some((
                answered(case, feed, wire, deliveries),
                "request + answer(1 update)".into(),
            ))
        }
        Asks::Once => {
            let each = wire.pushed(feed)?;
            let late = carried(case, feed, deliveries);
            let range = Range::between(each.predicted, each.low * late.low, each.high * late.high);
            let alive = heartbeats(case, feed);
            let range = Range::between(
                range.predicted + alive.predicted / deliveries.predicted,
                range.low + alive.low / deliveries.high,
                range.high + alive.high / deliveries.low,
            );
            Some((range, "an event or frame, and heartbeats".into()))
        }
    }
}

/// Bytes of the signs of life in the window. Each client's come at moments of its own, counted from when it connected, which the plan
/// does not say: one more or less.
fn heartbeats(case: &Case<'_>, feed: &Feed) -> Range {
    let Some(heartbeat) = case.row.framing.heartbeat else {
        return Range::ZERO;
    };
    let every_s = HEARTBEAT.as_secs_f64();
    // Where an update does as well, only a gap that is longer has any; random gaps may be.
    if !heartbeat.even_when_busy && !feed.random && feed.followed_gap_s() < every_s {
        return Range::ZERO;
    }
    let each = case.window_s / every_s;
    let fewest = if heartbeat.even_when_busy { each.floor() } else { 0.0 };
    let usual = if heartbeat.even_when_busy { each } else { 0.0 };
    Range::between(usual, fewest, each.ceil()).scaled(f64::from(case.plan.clients) * heartbeat.bytes as f64)
}

/// What the window carries over what it delivers, for those who get updates at once: what was late on one edge and on the other.
fn carried(case: &Case<'_>, feed: &Feed, deliveries: Range) -> Range {
    let service_s = case.service.last_s();
    let before = feed.received(-service_s, 0.0, service_s) - feed.received(0.0, 0.0, service_s);
    // One update either way where they are random: it may stand on the edge.
    let edge = if feed.random {
        before.max(f64::from(case.plan.clients))
    } else {
        before
    };
    Range::between(1.0, 1.0, 1.0 + edge / deliveries.low)
}

fn answered(case: &Case<'_>, feed: &Feed, wire: &Wire<'_>, deliveries: Range) -> Range {
    let (from, to) = (feed.offset_at(0.0) + 1.0, feed.offset_at(case.window_s));
    let request = wire.request(from, to, feed);
    let shared = |updates: f64| {
        let answer = wire.answer(from, to, updates, feed);
        request.plus(answer).scaled(1.0 / updates)
    };
    let at_once = f64::from(feed.at_once);
    let most = if feed.latest {
        1.0
    } else {
        at_once * traffic::merged(feed, case.service.last_s())
    };
    let (one, many) = (shared(1.0), shared(most));
    let late = carried(case, feed, deliveries);
    // In vain asked and answered, where updates are further apart than a wait.
    let vain = traffic::timeouts(case, feed).unwrap_or(Range::ZERO);
    let vain_bytes = request.plus(wire.answer(from, to, 0.0, feed));
    let usual = if feed.latest { 1.0 } else { at_once };
    Range::between(
        shared(usual).predicted + vain.predicted * vain_bytes.predicted / deliveries.predicted,
        many.low + vain.low * vain_bytes.low / deliveries.high,
        one.high * late.high + vain.high * vain_bytes.high / deliveries.low,
    )
}

fn polled(case: &Case<'_>, feed: &Feed, wire: &Wire<'_>, deliveries: Range) -> Option<(Range, String)> {
    let interval_s = case.interval_s();
    let polls = traffic::polls(case);
    let share = feed.empty_share(interval_s, 0.0).predicted;
    traffic::empty(case)?;
    let request = wire.request(feed.offset_at(-interval_s), feed.offset_at(case.window_s), feed);
    let (from, to) = (feed.offset_at(0.0) + 1.0, feed.offset_at(case.window_s));
    let empty = wire.answer(from, to, 0.0, feed);
    let carried = feed.received(-interval_s, interval_s, 0.0);
    // Where updates are random more of them come at both: carried and delivered together.
    let chance = feed.by_chance(carried);
    let total = |polls: f64, carried: f64, pick: fn(Range) -> f64| {
        let with_news = polls * (1.0 - share);
        let full = wire.answer(from, to, carried / with_news, feed);
        polls * (pick(request) + share * pick(empty)) + with_news * pick(full)
    };
    let edge = traffic::edge_pairs(case, feed);
    let few = total(polls.high, chance.low + edge, |range| range.high) / deliveries.low;
    let many = total(polls.low, (chance.high - edge).max(0.0), |range| range.low) / deliveries.high;
    let predicted = total(polls.predicted, carried, |range| range.predicted) / deliveries.predicted;
    let model = "N·W/P·(request + answer)/(N·λ·(W − P/2))";
    Some((Range::between(predicted, many.min(few), few.max(many)), model.into()))
}

/// Bytes of this row's requests, answers and frames.
struct Wire<'a> {
    case: &'a Case<'a>,
}

impl Wire<'_> {
    /// A client like each there is, and how many are like it: names of topics differ in their digits.
    fn endpoints(&self) -> Vec<(Endpoint, f64)> {
        let plan = self.case.plan;
        let topics = u64::from(plan.topics()).min(u64::from(plan.clients));
        if self.case.follows_all || topics == 0 {
            return vec![(endpoint(plan, None), 1.0)];
        }
        let alike = by_digits(1, topics);
        alike
            .into_iter()
            .map(|(number, count)| (endpoint(plan, Some(number - 1)), count))
            .collect()
    }

    fn setup(&self) -> Range {
        let framing = &self.case.row.framing;
        // Before the feed begins: nothing is there yet.
        let nothing = answer(0, 0.0, 0.0);
        let bytes = |endpoint: &Endpoint| (framing.request)(endpoint, None) + (framing.answer)(endpoint, nothing);
        let all = self
            .endpoints()
            .into_iter()
            .map(|(endpoint, count)| (bytes(&endpoint) as f64, count));
        let mean = mean(all).predicted;
        // The mean over all topics is that over all clients where as many follow each; else a hair off.
        Range::around(mean, mean * SHARE_OFF)
    }

    fn request(&self, from: f64, to: f64, feed: &Feed) -> Range {
        let request = self.case.row.framing.request;
        self.over(from, to, feed, |endpoint, offset| {
            request(endpoint, Some(cursor(offset))) as f64
        })
    }

    /// With this many updates on average: as many answers carry one less as carry one more.
    fn answer(&self, from: f64, to: f64, updates: f64, feed: &Feed) -> Range {
        let bytes = self.case.row.framing.answer;
        let (less, more, share) = (updates.floor(), updates.ceil(), updates.fract());
        self.over(from, to, feed, |endpoint, offset| {
            let with = |updates: f64| bytes(endpoint, answer(offset, updates, self.case.update_bytes)) as f64;
            with(less) * (1.0 - share) + with(more) * share
        })
    }

    fn pushed(&self, feed: &Feed) -> Option<Range> {
        let pushed = self.case.row.framing.pushed?;
        let size = self.case.update_bytes.round() as u64;
        let (from, to) = (feed.offset_at(0.0) + 1.0, feed.offset_at(self.case.window_s));
        Some(self.over(from, to, feed, |_, offset| pushed(cursor(offset), size) as f64))
    }

    /// Mean, least and most over the offsets of a window and the clients there are.
    fn over(&self, from: f64, to: f64, feed: &Feed, bytes: impl Fn(&Endpoint, u64) -> f64) -> Range {
        let endpoints = self.endpoints();
        let at = |from: f64, to: f64| {
            let offsets = by_digits(from.max(0.0) as u64, to.max(from).max(0.0) as u64);
            let bytes = &bytes;
            let all = endpoints.iter().flat_map(move |(endpoint, clients)| {
                let of = offsets.clone().into_iter();
                of.map(move |(offset, count)| (bytes(endpoint, offset), clients * count))
            });
            mean(all)
        };
        // Even feeds number their updates as planned. Random ones stand elsewhere by a few deviations.
        let (first, last) = (feed.count_by_chance(from), feed.count_by_chance(to));
        let (range, around) = (at(from, to), at(first.low.max(1.0).min(from), last.high));
        Range::between(range.predicted, around.low, around.high)
    }
}

fn answer(offset: u64, updates: f64, update_bytes: f64) -> Answer {
    Answer {
        cursor: cursor(offset),
        updates: updates as u64,
        update_bytes: update_bytes.round().min(f64::from(UPDATE_MAX_BYTES)) as u64,
    }
}

/// The whole numbers `from..=to` by how many digits they have: one of each kind, and how many there are.
fn by_digits(from: u64, to: u64) -> Vec<(u64, f64)> {
    let mut kinds = Vec::new();
    let mut at = from;
    while at <= to {
        // The first number with a digit more.
        let next = 10u64.saturating_pow(at.max(1).ilog10() + 1);
        let end = next.min(to.saturating_add(1));
        kinds.push((at, (end - at) as f64));
        if end == u64::MAX {
            break;
        }
        at = end;
    }
    kinds
}

fn mean(weighted: impl IntoIterator<Item = (f64, f64)>) -> Range {
    let (mut sum, mut weights, mut low, mut high) = (0.0, 0.0, f64::MAX, 0f64);
    for (value, weight) in weighted {
        sum += value * weight;
        weights += weight;
        (low, high) = (low.min(value), high.max(value));
    }
    Range {
        predicted: sum / weights,
        low,
        high,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_counted_by_their_digits() {
        assert_eq!(by_digits(0, 0), [(0, 1.0)]);
        assert_eq!(by_digits(8, 12), [(8, 2.0), (10, 3.0)]);
        assert_eq!(by_digits(1, 1_000), [(1, 9.0), (10, 90.0), (100, 900.0), (1_000, 1.0)]);
        let all: f64 = by_digits(7, 123_456).into_iter().map(|(_, count)| count).sum();
        assert_eq!(all, 123_450.0);
    }
}
