//! The seats of one topic in one shard, or of all topics.

use std::sync::Arc;

use parking_lot::Mutex;

use super::seat::Outlet;

/// Seats by number: a number stays its seat's, so that a pass that is under way leaves nobody out when others come and go.
#[derive(Default)]
pub(super) struct Row(Mutex<Seats>);

#[derive(Default)]
struct Seats {
    outlets: Vec<Option<Arc<Outlet>>>,
    /// Numbers without a seat.
    free: Vec<usize>,
}

impl Row {
    /// Takes a number.
    pub fn add(&self, outlet: Arc<Outlet>) -> usize {
        let mut seats = self.0.lock();
        let number = seats.free.pop().unwrap_or(seats.outlets.len());
        if number == seats.outlets.len() {
            seats.outlets.push(None);
        }
        seats.outlets[number] = Some(outlet);
        number
    }

    /// Frees a number.
    pub fn remove(&self, number: usize) {
        let mut seats = self.0.lock();
        seats.outlets[number] = None;
        seats.free.push(number);
        if seats.free.len() == seats.outlets.len() {
            *seats = Seats::default();
        }
    }

    /// Shows at most `most` seats from a number on, and returns the number behind them; None when there are no more. Who takes or frees a
    /// number meanwhile waits for that.
    pub fn each(&self, number: usize, most: usize, show: impl FnMut(&Outlet)) -> Option<usize> {
        let seats = self.0.lock();
        let numbers = seats.outlets.get(number..).filter(|rest| !rest.is_empty())?;
        let numbers = &numbers[..most.min(numbers.len())];
        numbers.iter().flatten().map(|outlet| &**outlet).for_each(show);
        Some(number + numbers.len())
    }

    /// Gives every session its turn.
    pub fn give_back(&self) {
        let outlets: Vec<_> = self.0.lock().outlets.iter().flatten().cloned().collect();
        for outlet in outlets {
            outlet.give_back();
        }
    }
}
