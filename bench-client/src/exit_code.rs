//! The codes the program ends with: what they mean, and which one a run has earned. The command line ends with them, reports name them.

use crate::record::{RunRecord, RunStatus, Verdict};

pub const FAILED: u8 = 1;
pub const USAGE: u8 = 2;
pub const BROKEN: u8 = 3;
pub const INVALID: u8 = 4;
pub const INTERRUPTED: u8 = 130;

/// Code and meaning, the one that goes before all others first.
pub const ALL: [(u8, &str); 6] = [
    (INTERRUPTED, "interrupted (what was measured is saved)"),
    (USAGE, "wrong usage or bad scenario"),
    (
        FAILED,
        "failed (an update lost, repeated or out of order; a dead server)",
    ),
    (INVALID, "measured but invalid"),
    (BROKEN, "a threshold is broken or something regressed"),
    (0, "fine"),
];

/// Of a run that came to this; `broken`: whether a threshold is.
pub fn of(record: &RunRecord, broken: bool) -> u8 {
    match record.status {
        RunStatus::Interrupted => INTERRUPTED,
        RunStatus::Failed | RunStatus::Running => FAILED,
        RunStatus::Finished if record.verdict() == Some(Verdict::Invalid) => INVALID,
        RunStatus::Finished if broken => BROKEN,
        RunStatus::Finished => 0,
    }
}

/// What a code means.
pub fn words(code: u8) -> &'static str {
    ALL.iter().find(|(one, _)| *one == code).map_or("", |(_, words)| words)
}

/// A line for each, for help texts.
pub fn help() -> String {
    let lines = ALL.iter().map(|(code, words)| format!("  {code:>3}  {words}\n"));
    format!("Exit codes, in order of precedence:\n{}", lines.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn the_graver_goes_first() {
        let mut record = fixture::record();
        record.status = RunStatus::Finished;
        for row in &mut record.rows {
            row.figures.validity = Some(Verdict::Invalid);
        }
        assert_eq!(of(&record, true), INVALID);
        record.status = RunStatus::Failed;
        assert_eq!(of(&record, true), FAILED);
        record.status = RunStatus::Interrupted;
        assert_eq!(of(&record, true), INTERRUPTED);
        record.rows.clear();
        record.status = RunStatus::Finished;
        assert_eq!((of(&record, true), of(&record, false)), (BROKEN, 0));
    }
}
