//! Small worlds whose figures can be worked out by hand. Times in µs; the window is [1,000, 2,000).

use super::*;

const WINDOW: Window = Window {
    from_us: 1_000,
    to_us: 2_000,
};

/// Updates due at 950, 1,050, 1,150 … 1,950: seq 1 stands before the window, ten stand in it.
fn published() -> TopicLog {
    let update = |k: u64| PublishedUpdate {
        seq: k + 1,
        due_us: 950 + 100 * k,
        sent_us: 951 + 100 * k,
    };
    TopicLog {
        name: "match-1".into(),
        updates: (0..11).map(update).collect(),
    }
}

fn receipt(seq: u64, received_us: u64) -> Receipt {
    Receipt {
        received_us,
        due_us: 850 + 100 * seq,
        seq,
        topic: 0,
        bytes: 256,
        home_score: 1,
        shootout: None,
        away_score: 0,
        kind: Kind::Live,
    }
}

/// Every update, `delay_us` after it was due.
fn punctual(delay_us: u64) -> Vec<Receipt> {
    (1..=11).map(|seq| receipt(seq, 850 + 100 * seq + delay_us)).collect()
}

fn client(client: u32, receipts: Vec<Receipt>) -> ClientLog {
    ClientLog {
        client,
        topic: Some(0),
        receipts,
        ..ClientLog::default()
    }
}

fn judge(mode: Mode, clients: &[ClientLog]) -> Tally {
    tally(&Evidence {
        window: WINDOW,
        mode,
        clients,
        topics: &[published()],
        nothing_held_since_us: 900,
        outage: None,
    })
}

#[test]
fn everything_on_time() {
    let tally = judge(Mode::Every, &[client(0, punctual(10)), client(1, punctual(30))]);
    assert_eq!((tally.published, tally.expected, tally.received), (10, 20, 20));
    assert_eq!(
        (tally.missed, tally.duplicates, tally.out_of_order, tally.lagged),
        (0, 0, 0, 0)
    );
    assert_eq!((tally.deliveries, tally.payload_bytes), (20, 20 * 256));
    assert_eq!(tally.latency.quantile(0.5), Some(crate::record::Quantile::Us(10)));
    assert_eq!(tally.latency.max(), Some(crate::record::Quantile::Us(30)));
    assert_eq!(tally.spread_p99_us, Some(20));
    assert_eq!(tally.publish_lag_p99_us, Some(1));
    assert!(tally.faults.is_empty());
}

#[test]
fn age_and_staleness_are_integrated_exactly() {
    let tally = judge(Mode::Every, &[client(0, punctual(10))]);
    // Age runs from delay to delay + gap: 10 to 110, so 60 on average; 99 % of the time it is under 109.
    assert_eq!(tally.age_mean_us, Some(60.0));
    assert_eq!(tally.age_p99_us, Some(109));
    // Stale for 10 of every 100.
    assert_eq!(tally.stale_share, Some(0.1));
}

#[test]
fn a_client_that_never_came_missed_everything() {
    let tally = judge(Mode::Every, &[client(0, punctual(10)), client(1, Vec::new())]);
    assert_eq!((tally.expected, tally.received, tally.missed), (20, 10, 10));
    assert_eq!(tally.latency.quantile(0.5), Some(crate::record::Quantile::Us(10)));
    assert_eq!(tally.latency.quantile(0.51), Some(crate::record::Quantile::LOST));
    // The punctual one is 60 old on average; the other one goes on from 100 (900 is when the feed began) to 1,100.
    assert_eq!(tally.age_mean_us, Some(f64::midpoint(60.0, 600.0)));
    // What was due at 950 is lacked from the window's start on.
    assert_eq!(tally.stale_share, Some(f64::midpoint(0.1, 1.0)));
    assert!(
        tally.faults[0].contains("client 1") && tally.faults[0].contains("update 2 of match-1"),
        "{:?}",
        tally.faults
    );
}

#[test]
fn a_silent_gap_names_update_and_client() {
    let mut receipts = punctual(10);
    receipts.remove(5);
    let tally = judge(Mode::Every, &[client(7, receipts)]);
    assert_eq!((tally.received, tally.missed, tally.superseded), (9, 1, 0));
    assert_eq!(tally.faults, ["client 7 never received update 6 of match-1"]);
    assert_eq!(tally.latency.max(), Some(crate::record::Quantile::LOST));
}

#[test]
fn in_latest_mode_a_newer_update_supersedes() {
    let mut receipts = punctual(10);
    receipts.remove(5);
    let tally = judge(Mode::Latest, &[client(7, receipts)]);
    assert_eq!((tally.received, tally.missed, tally.superseded), (9, 0, 1));
    // Update 6 was due at 1,450; update 7 came at 1,560: until then the state did not include it.
    assert_eq!(tally.latency.max(), Some(crate::record::Quantile::Us(110)));
    assert!(tally.faults.is_empty());
}

#[test]
fn a_duplicate_and_disorder_are_told_apart() {
    let mut receipts = punctual(10);
    receipts.insert(6, receipts[5]);
    receipts.swap(8, 9);
    let tally = judge(Mode::Every, &[client(3, receipts)]);
    assert_eq!(
        (tally.received, tally.duplicates, tally.out_of_order, tally.missed),
        (10, 1, 1, 0)
    );
    assert_eq!(tally.deliveries, 10, "a duplicate is no delivery");
}

#[test]
fn what_a_reset_jumps_over_is_lagged_and_not_missed() {
    let mut receipts = punctual(10);
    receipts.drain(3..7);
    receipts[3].kind = Kind::AfterReset;
    let tally = judge(Mode::Every, &[client(0, receipts)]);
    assert_eq!((tally.received, tally.lagged, tally.missed), (6, 4, 0));
    assert_eq!(tally.latency.lost, 4);
}

#[test]
fn the_state_after_a_reset_may_be_held_already() {
    let mut receipts = punctual(10);
    let mut again = receipts[4];
    (again.kind, again.received_us) = (Kind::AfterReset, again.received_us + 5);
    receipts.insert(5, again);
    let tally = judge(Mode::Every, &[client(0, receipts)]);
    assert_eq!((tally.received, tally.duplicates, tally.out_of_order), (10, 0, 0));
}

#[test]
fn initial_state_and_catching_up_are_no_latency_of_the_transport() {
    let mut receipts = punctual(10);
    receipts.truncate(6);
    receipts[4].kind = Kind::CatchUp;
    receipts[5].kind = Kind::CatchUp;
    let tally = judge(Mode::Every, &[client(0, receipts)]);
    assert_eq!((tally.received, tally.missed, tally.catch_up.count()), (5, 5, 2));
    assert_eq!(tally.latency.count(), 8);

    let mut late = punctual(10).split_off(4);
    late[0].kind = Kind::Initial;
    let tally = judge(Mode::Every, &[client(0, late)]);
    assert_eq!((tally.received, tally.missed, tally.deliveries), (7, 3, 6));
}

#[test]
fn updates_belong_by_due_time_and_deliveries_by_wall_clock() {
    // Everything comes 100 late: one due before the window comes in it, the last one due in it comes after.
    let tally = judge(Mode::Every, &[client(0, punctual(100))]);
    assert_eq!((tally.received, tally.deliveries), (10, 9));
    assert_eq!(tally.seconds[0].deliveries, 9);
    assert_eq!(tally.latency.max(), Some(crate::record::Quantile::Us(100)));
}

#[test]
fn negative_latencies_are_counted_and_not_clamped() {
    let mut receipts = punctual(10);
    receipts[4].received_us -= 20;
    let tally = judge(Mode::Every, &[client(0, receipts)]);
    assert_eq!((tally.latency.negative, tally.latency.histogram.len()), (1, 9));
    assert_eq!(tally.latency.quantile(0.05), None);
    assert_eq!(tally.latency.quantile(0.5), Some(crate::record::Quantile::Us(10)));
}

#[test]
fn a_server_that_contradicts_its_publish_log_is_found_out() {
    let mut receipts = punctual(10);
    receipts[4].due_us += 1;
    assert_eq!(judge(Mode::Every, &[client(0, receipts)]).disagreements, 1);
}

#[test]
fn a_client_of_all_topics_is_judged_topic_by_topic() {
    let mut receipts = punctual(10);
    receipts.extend(punctual(20).into_iter().map(|receipt| Receipt { topic: 1, ..receipt }));
    receipts.sort_by_key(|receipt| receipt.received_us);
    let log = ClientLog {
        client: 0,
        topic: None,
        receipts,
        ..ClientLog::default()
    };
    let topics = [
        published(),
        TopicLog {
            name: "match-2".into(),
            ..published()
        },
    ];
    let evidence = Evidence {
        window: WINDOW,
        mode: Mode::Every,
        clients: &[log],
        topics: &topics,
        nothing_held_since_us: 900,
        outage: None,
    };
    let tally = tally(&evidence);
    assert_eq!(
        (tally.published, tally.expected, tally.received, tally.out_of_order),
        (20, 20, 20, 0)
    );
    assert_eq!(tally.age_mean_us, Some(65.0));
}

#[test]
fn silence_has_no_latency_and_no_age() {
    let silent = TopicLog {
        name: "match-1".into(),
        updates: Vec::new(),
    };
    let evidence = Evidence {
        window: WINDOW,
        mode: Mode::Every,
        clients: &[client(0, Vec::new())],
        topics: &[silent],
        nothing_held_since_us: 900,
        outage: None,
    };
    let tally = tally(&evidence);
    assert_eq!((tally.expected, tally.age_mean_us, tally.stale_share), (0, None, None));
    assert_eq!(tally.latency.quantile(0.5), None);
}

#[test]
fn final_scores_are_the_newest_that_clients_saw() {
    let mut ended = punctual(10);
    ended[10].home_score = 3;
    let matches = [("match-1".to_owned(), "A".to_owned(), "B".to_owned())];
    let scores = final_scores(&[client(0, ended.clone()), client(1, ended)], &matches);
    assert_eq!(
        (scores[0].home_score, scores[0].away_score, scores[0].agreed),
        (3, 0, true)
    );
    let scores = final_scores(
        &[client(0, punctual(10)), client(1, punctual(10)[..10].to_vec())],
        &matches,
    );
    assert!(scores[0].agreed);
}

#[test]
fn coming_back_is_timed_until_what_was_missed_is_held() {
    let mut receipts = punctual(10);
    // Away from 1,200 to 1,500: seq 4 to 6, sent until 1,500, come at 1,530 and 1,540; seq 7 is live again.
    for (index, at_us) in [(3, 1_530), (4, 1_530), (5, 1_540)] {
        receipts[index].received_us = at_us;
        receipts[index].kind = Kind::CatchUp;
    }
    let log = |resumes_us: &[u64], receipts: &[Receipt]| ClientLog {
        resumes_us: resumes_us.to_vec(),
        ..client(0, receipts.to_vec())
    };
    // One resume before the window, and one that had missed nothing, are not timed.
    let tally = judge(Mode::Every, &[log(&[900, 1_500, 1_800], &receipts)]);
    assert_eq!((tally.missed, tally.received), (0, 10));
    assert_eq!(tally.catch_up.count(), 3);
    assert_eq!(tally.latency.count(), 7);
    assert_eq!((tally.resume.count(), tally.resume.lost), (1, 0));
    assert_eq!(tally.resume.max(), Some(crate::record::Quantile::Us(40)));
    // Who never gets what was missed is lost, however many resumes there were.
    receipts.truncate(5);
    let tally = judge(Mode::Every, &[log(&[1_500, 1_700], &receipts)]);
    assert_eq!((tally.resume.count(), tally.resume.lost), (2, 2));
}

#[test]
fn a_client_of_all_topics_is_back_when_the_last_of_them_is_there() {
    let mut receipts = punctual(10);
    receipts.extend(punctual(10).into_iter().map(|receipt| Receipt { topic: 1, ..receipt }));
    receipts[5].received_us = 1_520;
    receipts[11 + 5].received_us = 1_535;
    receipts.sort_by_key(|receipt| receipt.received_us);
    let log = ClientLog {
        topic: None,
        resumes_us: vec![1_500],
        ..client(0, receipts)
    };
    let tally = tally(&Evidence {
        window: WINDOW,
        mode: Mode::Every,
        clients: &[log],
        topics: &[published(), published()],
        nothing_held_since_us: 900,
        outage: None,
    });
    assert_eq!(tally.resume.max(), Some(crate::record::Quantile::Us(35)));
}

/// Killed at 1,400 and started again at 1,500: seq 6, due at 1,450, is the newest by then.
const OUTAGE: Outage = Outage { started_us: 1_500 };

fn restored(clients: &[ClientLog]) -> Restored {
    let tally = tally(&Evidence {
        window: WINDOW,
        mode: Mode::Latest,
        clients,
        topics: &[published()],
        nothing_held_since_us: 900,
        outage: Some(OUTAGE),
    });
    assert_eq!((tally.duplicates, tally.out_of_order), (0, 0));
    tally.restored.expect("there was an outage")
}

/// Updates up to seq 5 from the first server, then the newest state of the second, then what follows.
fn cut_and_back(newest: u64, at_us: u64) -> Vec<Receipt> {
    let mut receipts = punctual(10)[..5].to_vec();
    let kind = Kind::AfterReset;
    receipts.push(Receipt {
        kind,
        ..receipt(newest, at_us)
    });
    receipts.extend(punctual(10).into_iter().filter(|receipt| receipt.seq > newest.max(6)));
    receipts
}

#[test]
fn a_client_is_restored_when_the_new_server_has_told_it_the_newest_state() {
    // Of the old server, read late: no restoration, though it is new enough. The reset brings it again, which is no duplicate.
    let mut late = cut_and_back(6, 1_540);
    late.insert(5, receipt(6, 1_505));
    let back = restored(&[client(0, cut_and_back(6, 1_520)), client(1, late)]);
    assert_eq!(back.at_us, [1_520, 1_540]);
    // A state that was held already is a restoration where nothing newer was due; here seq 6 was, and it comes as seq 7.
    let back = restored(&[client(0, cut_and_back(5, 1_510))]);
    assert_eq!((back.at_us.as_slice(), back.never), (&[1_560][..], 0));
    // Who is never told is counted, and a client that held nothing before is restored by its first state.
    let mut first = vec![receipt(6, 1_530)];
    first[0].kind = Kind::Initial;
    let back = restored(&[client(0, punctual(10)[..5].to_vec()), client(1, first)]);
    assert_eq!((back.at_us.as_slice(), back.never), (&[1_530][..], 1));
}
