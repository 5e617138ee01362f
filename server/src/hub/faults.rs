//! Faults on purpose, so that a test can see whether the instrument finds them. Only with the feature `faults`, which no normal build has.

use super::Hub;

impl Hub {
    /// Holds the hub until its clock reads `until_us`: nothing is published and nothing is read meanwhile. Blocks the calling thread.
    pub fn hold(&self, until_us: u64) {
        let _log = self.log.write();
        std::thread::sleep(self.clock.until(until_us));
    }
}
