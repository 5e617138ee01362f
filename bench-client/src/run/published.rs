//! Publish logs of one feed as several servers told them, put together: they must say the same.
//!
//! ```text
//! nodes beside each other  -> of_both:         the same updates, each sent when the last node sent it
//! one in another's place   -> of_both_in_turn: what the first sent is in the second's log, sent when the first one sent it
//! ```

use anyhow::{Context, ensure};
use server::wire::PublishedAnswer;

/// Two logs as one, where they say the same. As long as one is not complete they need not.
pub fn of_both(log: &mut PublishedAnswer, other: &PublishedAnswer) -> anyhow::Result<()> {
    log.truncated |= other.truncated;
    log.complete &= other.complete;
    if !log.complete {
        return Ok(());
    }
    for (topic, again) in log.topics.iter().zip(&other.topics) {
        ensure!(
            (topic.updates.len(), topic.last_offset) == (again.updates.len(), again.last_offset),
            "{} updates of {} up to offset {:?}, and {} up to {:?}",
            topic.updates.len(),
            topic.topic,
            topic.last_offset,
            again.updates.len(),
            again.last_offset
        );
    }
    lay_over(log, other, u64::max)
}

/// The log of a row with a restart: what the second server published anew was sent when the first one sent it.
pub fn of_both_in_turn(second: &mut PublishedAnswer, first: &PublishedAnswer) -> anyhow::Result<()> {
    lay_over(second, first, |_, first_us| first_us)
}

/// Finds every update of `part` in the log, due at the same time; `sent` makes one time of when each of both sent it.
fn lay_over(log: &mut PublishedAnswer, part: &PublishedAnswer, sent: fn(u64, u64) -> u64) -> anyhow::Result<()> {
    ensure!(log.topics.len() == part.topics.len(), "they have other topics");
    for (topic, part) in log.topics.iter_mut().zip(&part.topics) {
        let name = &topic.topic;
        ensure!(*name == part.topic, "{name} is called {}", part.topic);
        for other in &part.updates {
            let at = topic.updates.binary_search_by_key(&other.seq, |update| update.seq);
            let update = at.ok().and_then(|at| topic.updates.get_mut(at));
            let update = update.with_context(|| format!("update {} of {name} is in one of them alone", other.seq))?;
            ensure!(
                update.due_us == other.due_us,
                "update {} of {name} is due at {}, and at {}",
                update.seq,
                update.due_us,
                other.due_us
            );
            update.sent_us = sent(update.sent_us, other.sent_us);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::ops::RangeInclusive;

    use server::wire::{PublishedTopic, PublishedUpdate};

    use super::*;

    /// Updates due every 100 µs, sent so long after that.
    fn published(seqs: RangeInclusive<u64>, lag_us: u64) -> PublishedAnswer {
        let update = |seq| PublishedUpdate {
            seq,
            due_us: 100 * seq,
            sent_us: 100 * seq + lag_us,
        };
        let topic = PublishedTopic {
            topic: "match-1".into(),
            count: seqs.clone().count() as u64,
            first_seq: Some(*seqs.start()),
            last_seq: Some(*seqs.end()),
            last_offset: Some(*seqs.end()),
            updates: seqs.map(update).collect(),
        };
        PublishedAnswer {
            epoch: lag_us,
            from_us: 0,
            to_us: 10_000,
            complete: true,
            truncated: false,
            topics: vec![topic],
        }
    }

    fn sent(log: &PublishedAnswer) -> Vec<u64> {
        log.topics[0].updates.iter().map(|update| update.sent_us).collect()
    }

    type Change = fn(&mut PublishedAnswer);

    #[test]
    fn nodes_that_published_the_same_are_as_late_as_the_last() {
        let mut log = published(1..=3, 5);
        of_both(&mut log, &published(1..=3, 9)).unwrap();
        of_both(&mut log, &published(1..=3, 1)).unwrap();
        assert_eq!(sent(&log), [109, 209, 309]);
        assert!(log.complete && !log.truncated);
    }

    #[test]
    fn nodes_that_differ_are_found_out() {
        let differing: [(Change, &str); 6] = [
            (
                |log| log.topics[0].updates[1].due_us += 1,
                "update 2 of match-1 is due at 200, and at 201",
            ),
            (
                |log| log.topics[0].updates[2].seq += 1,
                "update 4 of match-1 is in one of them alone",
            ),
            (|log| log.topics[0].updates.truncate(2), "3 updates of match-1"),
            (|log| log.topics[0].last_offset = Some(4), "up to offset Some(3)"),
            (|log| log.topics[0].topic = "match-2".into(), "is called match-2"),
            (|log| log.topics.clear(), "they have other topics"),
        ];
        for (change, words) in differing {
            let mut other = published(1..=3, 1);
            change(&mut other);
            let said = of_both(&mut published(1..=3, 1), &other).unwrap_err().to_string();
            assert!(said.contains(words), "{said}");
        }
        // One that has not got there yet is waited for.
        let (mut log, mut behind) = (published(1..=3, 1), published(1..=3, 1));
        (behind.complete, behind.truncated) = (false, true);
        behind.topics[0].updates.clear();
        of_both(&mut log, &behind).unwrap();
        assert!(!log.complete && log.truncated);
    }

    #[test]
    fn what_the_first_server_sent_keeps_its_time() {
        let mut second = published(1..=6, 5_000);
        of_both_in_turn(&mut second, &published(3..=4, 1)).unwrap();
        assert_eq!(sent(&second), [5_100, 5_200, 301, 401, 5_500, 5_600]);
    }

    #[test]
    fn another_history_than_the_first_ones_is_found_out() {
        let said = |second: &mut PublishedAnswer| {
            let error = of_both_in_turn(second, &published(3..=4, 1)).unwrap_err();
            error.to_string()
        };
        assert_eq!(
            said(&mut published(1..=3, 0)),
            "update 4 of match-1 is in one of them alone"
        );
        let mut other = published(1..=6, 0);
        other.topics[0].updates[2].due_us += 1;
        assert_eq!(said(&mut other), "update 3 of match-1 is due at 301, and at 300");
    }
}
