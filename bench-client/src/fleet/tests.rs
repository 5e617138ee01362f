use std::sync::mpsc::{RecvTimeoutError, Sender, channel};

use super::*;

#[test]
fn threads_share_nothing_and_the_progress_line_has_them_all() {
    let mut lives = Vec::new();
    let make = |_: u32, _, live: Option<Live>| lives.extend(live);
    let run: RunThread<()> = |_, _, _, _, _| Ok(Vec::new());
    let fleet = Threads::spread(&Muster::all(2, 4), Clock::start(), make, run).expect("a fleet");
    let shared = |one: usize, other: usize| Arc::ptr_eq(&lives[one], &lives[other]);
    assert!(shared(0, 2) && shared(1, 3), "of one thread");
    assert!(!shared(0, 1), "of two");
    assert_eq!(fleet.live_quantiles(), None);
    for (live, latency_us) in lives.iter().zip([100, 200, 300, 400]) {
        live.lock().saturating_record(latency_us);
    }
    assert_eq!(fleet.live_quantiles(), Some((200, 400)));
    fleet.stop().expect("both ended");
}

#[test]
fn clients_that_nobody_stops_end_with_the_fleet() {
    const PATIENCE: Duration = Duration::from_secs(20);
    let run: RunThread<Sender<()>> = |_clients, _, _, _, stop| {
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        runtime.block_on(stop.cancelled());
        Ok(Vec::new())
    };
    let (alive, ended) = channel();
    let fleet = Threads::spread(&Muster::all(2, 2), Clock::start(), |_, _, _| alive.clone(), run).unwrap();
    drop((alive, fleet));
    // Both threads have let go of what their clients held.
    assert_eq!(ended.recv_timeout(PATIENCE), Err(RecvTimeoutError::Disconnected));
}
