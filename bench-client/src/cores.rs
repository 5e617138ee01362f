//! Which cores the processes of a row run on: server and clients apart, where there are enough for both.
//!
//! ```text
//! Halves::of_this_process -> on(half, || spawn …): the thread takes those cores, what it starts inherits them, it takes its own back
//! ```
//!
//! Where there are fewer, both share them, and the row says so (`cores-shared`).

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
    /// Of the cores this thread may use; None where they are too few, or the kernel does not say.
    pub fn of_this_thread() -> Option<Self> {
        let allowed = sched_getaffinity(Pid::from_raw(0)).ok()?;
        let is_set = |core: &usize| allowed.is_set(*core) == Ok(true);
        Self::of(&(0..CpuSet::count()).filter(is_set).collect::<Vec<_>>())
    }

    fn of(cores: &[usize]) -> Option<Self> {
        // Neighbours are often two threads of one core: each side gets whole ones.
        let (server, clients) = cores.split_at(cores.len() / 2);
        (cores.len() >= CORES_LEAST).then(|| Self {
            server: server.to_vec(),
            clients: clients.to_vec(),
        })
    }
}

/// Runs this with the calling thread on these cores alone; processes and threads that it starts stay there. None: wherever it is.
///
/// Where the kernel refuses, everything stays where it is: no figure is wrong by that, and what was refused stands in no record.
pub fn on<T>(cores: Option<&[usize]>, run: impl FnOnce() -> T) -> T {
    let before = cores.and_then(|cores| {
        let mut set = CpuSet::new();
        cores.iter().try_for_each(|core| set.set(*core)).ok()?;
        let before = sched_getaffinity(Pid::from_raw(0)).ok()?;
        sched_setaffinity(Pid::from_raw(0), &set).ok()?;
        Some(before)
    });
    let done = run();
    if let Some(before) = before {
        // It was allowed a moment ago.
        let _ = sched_setaffinity(Pid::from_raw(0), &before);
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_cores_are_enough_for_both() {
        assert_eq!(Halves::of(&[0, 1, 2]), None);
        let halves = Halves::of(&[0, 1, 4, 5, 6]).unwrap();
        assert_eq!((halves.server, halves.clients), (vec![0, 1], vec![4, 5, 6]));
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
        let started = on(Some(&one), || std::thread::spawn(own));
        assert_eq!(started.join().unwrap(), one);
        assert_eq!(own(), before);
        assert_eq!(on(None, own), before);
        assert_eq!(on(Some(&[CpuSet::count() + 1]), own), before, "no such core");
    }
}
