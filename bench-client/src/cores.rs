//! Which cores the processes of a row run on: server and clients apart, where there are enough for both.
//!
//! ```text
//! Halves::of_this_thread -> on(half, || spawn …): the thread takes those cores, what it starts inherits them, it takes its own back
//! ```
//!
//! Where there are fewer, both share them, and the row says so (`cores-shared`). What coordinates a row (the phases, the samples, clients that
//! are stalled) stays on all of them.

use std::{collections::BTreeMap, fs::read_to_string};

use nix::{
    sched::{CpuSet, sched_getaffinity, sched_setaffinity},
    unistd::Pid,
};

/// With fewer, one side would have a single core, and what it waits for there would be in every latency.
const CORES_LEAST: usize = 4;

/// The cores of each side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Halves {
    pub server: Vec<usize>,
    pub clients: Vec<usize>,
}

impl Halves {
    /// Of the cores this thread may use; None where they are too few, or the kernel does not say, or does not let them be taken.
    pub fn of_this_thread() -> Option<Self> {
        let allowed = sched_getaffinity(Pid::from_raw(0)).ok()?;
        let is_set = |core: &usize| allowed.is_set(*core) == Ok(true);
        let cores: Vec<usize> = (0..CpuSet::count()).filter(is_set).collect();
        let halves = Self::of(&whole_cores(&cores, siblings))?;
        let can_be_taken = |cores: &[usize]| on(Some(cores), || ()).is_ok();
        (can_be_taken(&halves.server) && can_be_taken(&halves.clients)).then_some(halves)
    }

    /// Of whole cores, each with its threads: the server gets as many as half of all threads are at most.
    fn of(whole: &[Vec<usize>]) -> Option<Self> {
        let half = whole.iter().map(Vec::len).sum::<usize>() / 2;
        let (mut server, mut clients) = (Vec::new(), Vec::new());
        for threads in whole {
            let side = match server.len() + threads.len() <= half {
                true => &mut server,
                false => &mut clients,
            };
            side.extend_from_slice(threads);
        }
        // The server has the smaller part.
        (server.len() >= CORES_LEAST / 2).then_some(Self { server, clients })
    }
}

/// These cores by the core of the machine they are threads of: what runs on one thread is in the time of the others. `siblings` says which
/// those are; None: it is alone.
fn whole_cores(cores: &[usize], siblings: impl Fn(usize) -> Option<String>) -> Vec<Vec<usize>> {
    let mut whole: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for core in cores {
        let first = siblings(*core).and_then(|list| first_of(&list));
        whole.entry(first.unwrap_or(*core)).or_default().push(*core);
    }
    whole.into_values().collect()
}

/// The first of a list such as `0,32` or `0-1`: the kernel writes them in order.
fn first_of(list: &str) -> Option<usize> {
    let digits = list.trim().split([',', '-']).next()?;
    digits.parse().ok()
}

fn siblings(core: usize) -> Option<String> {
    read_to_string(format!(
        "/sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list"
    ))
    .ok()
}

/// Runs this with the calling thread on these cores alone; processes and threads that it starts stay there. None: wherever it is.
///
/// # Errors
/// Where the kernel refuses: then nothing was run, or (where it does not give the thread's own cores back) what was run is dropped. A row
/// must not say that its sides were apart when they were not.
pub fn on<T>(cores: Option<&[usize]>, run: impl FnOnce() -> T) -> nix::Result<T> {
    let Some(cores) = cores else { return Ok(run()) };
    let mut set = CpuSet::new();
    cores.iter().try_for_each(|core| set.set(*core))?;
    let this = Pid::from_raw(0);
    let before = sched_getaffinity(this)?;
    sched_setaffinity(this, &set)?;
    let done = run();
    sched_setaffinity(this, &before)?;
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_cores_are_enough_for_both() {
        let of = |cores: &[usize]| Halves::of(&whole_cores(cores, |_| None));
        assert_eq!(of(&[0, 1, 2]), None);
        let halves = of(&[0, 1, 4, 5, 6]).unwrap();
        assert_eq!((halves.server, halves.clients), (vec![0, 1], vec![4, 5, 6]));
    }

    #[test]
    fn the_threads_of_one_core_are_on_one_side() {
        let of = |cores: &[usize], siblings: fn(usize) -> Option<String>| {
            Halves::of(&whole_cores(cores, siblings)).map(|halves| (halves.server, halves.clients))
        };
        // As most machines number them: first every core's first thread, then every second one.
        let far: fn(usize) -> Option<String> = |core| Some(format!("{},{}\n", core % 4, core % 4 + 4));
        let all: Vec<usize> = (0..8).collect();
        assert_eq!(of(&all, far), Some((vec![0, 4, 1, 5], vec![2, 6, 3, 7])));
        // As some virtual ones do.
        let near: fn(usize) -> Option<String> = |core| Some(format!("{}-{}\n", core & !1, core | 1));
        assert_eq!(of(&all, near), Some((vec![0, 1, 2, 3], vec![4, 5, 6, 7])));
        assert_eq!(
            of(&all[..6], near),
            Some((vec![0, 1], vec![2, 3, 4, 5])),
            "no core in two"
        );
        // Of some only one thread may be used.
        assert_eq!(of(&[0, 1, 2, 3, 4], far), Some((vec![0, 4], vec![1, 2, 3])));
        let one_core: fn(usize) -> Option<String> = |_| Some("0-7\n".into());
        assert_eq!(of(&all, one_core), None, "nobody is apart on a single core");
        assert_eq!(
            of(&all[..4], |_| Some("none".into())),
            Some((vec![0, 1], vec![2, 3])),
            "each alone"
        );
    }

    #[test]
    fn what_is_started_stays_on_its_cores_and_the_thread_comes_back() {
        let own = || {
            let set = sched_getaffinity(Pid::from_raw(0)).unwrap();
            (0..CpuSet::count())
                .filter(|core| set.is_set(*core) == Ok(true))
                .collect::<Vec<_>>()
        };
        let before = own();
        let one = [before[before.len() - 1]];
        let started = on(Some(&one), || std::thread::spawn(own)).unwrap();
        assert_eq!(started.join().unwrap(), one);
        assert_eq!(own(), before);
        assert_eq!(on(None, own), Ok(before.clone()));
        let run = || panic!("there is no such core");
        assert!(on(Some(&[CpuSet::count() + 1]), run).is_err());
        assert!(on(Some(&[CpuSet::count() - 1]), run).is_err());
        assert_eq!(own(), before);
    }
}
