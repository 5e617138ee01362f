//! `compare A B`: what changed from one run to another, and whether it may be let through.
//!
//! ```text
//! two folders or run.json files -> are they comparable? -> statistics::between_runs -> table, markdown or JSON -> exit code
//! ```

use std::path::{Path, PathBuf};

use clap::Args;

use super::{Failure, print, usage};
use crate::{
    exit_code,
    report::{
        changes::{self, Compared},
        differences,
    },
    run,
    statistics::between_runs,
};

/// [`changes::DEFAULT_MARGIN`] as it is typed.
const DEFAULT_MARGIN: &str = "10%";

/// The rule, below the options.
const RULE: &str = "\
Worse: the interval of B / A excludes no change. A regression: worse, and the estimate is beyond the margin; more failed rows; a \
greater share of updates missed, repeated, out of order or lagged; a figure that A has in two repeats or more and B has not, \
although it measured two repeats or more. If repeats scatter log-normally and independently, the chance that any change is claimed where there is none \
is 5 % at most, apart from what the machine did meanwhile. 8 repeats on either side are advised: 4 show coarse changes alone.

Exit codes, in order of precedence: 2 not comparable · 1 failed · 4 B is no measurement: it has INVALID rows, or no figure could be \
compared · 3 regression · 0 none found";

#[derive(Args)]
#[command(after_help = RULE)]
pub struct CompareArgs {
    /// The run to compare with: its folder, or its run.json
    a: PathBuf,
    /// The run in question
    b: PathBuf,
    /// Changes within it are none: a percentage such as 10%, or a share such as 0.1
    #[arg(long, value_name = "MARGIN", default_value = DEFAULT_MARGIN, value_parser = margin)]
    margin: f64,
    /// Print markdown, for a pull request
    #[arg(long, conflicts_with = "json")]
    markdown: bool,
    /// Print the comparison as JSON
    #[arg(long)]
    json: bool,
    /// Compare although the two measured different things
    #[arg(long)]
    force: bool,
}

/// A share from `10%` or `0.1`.
fn margin(text: &str) -> Result<f64, String> {
    let refusal = || format!("margin {text:?}: expected 0% to 100%, such as 10% or 0.1");
    let (number, over) = match text.trim().strip_suffix('%') {
        Some(percent) => (percent.trim(), 100.0),
        None => (text.trim(), 1.0),
    };
    let margin = number.parse::<f64>().map_err(|_| refusal())? / over;
    if (0.0..=1.0).contains(&margin) {
        Ok(margin)
    } else {
        Err(refusal())
    }
}

pub fn command(arguments: &CompareArgs) -> Result<u8, Failure> {
    let load = |path: &Path| run::load(path).map_err(usage);
    let (a, b) = (load(&arguments.a)?, load(&arguments.b)?);
    let different = differences::of_plans(&a.plan, &b.plan);
    if !different.is_empty() && !arguments.force {
        return Err(usage(anyhow::anyhow!(
            "the two runs did not measure the same: {}; --force compares them all the same",
            different.join("; ")
        )));
    }
    if !a.plan.transports.iter().any(|id| b.plan.transports.contains(id)) {
        return Err(usage(anyhow::anyhow!(
            "the two runs have no transport in common: {} in A, {} in B",
            a.plan.transports.join(", "),
            b.plan.transports.join(", ")
        )));
    }
    let mut warnings: Vec<String> = different
        .into_iter()
        .map(|one| format!("not the same plan: {one}"))
        .collect();
    warnings.extend(differences::of_circumstances(&a, &b));
    let compared = Compared {
        a: &a.id,
        b: &b.id,
        warnings,
        found: between_runs(&a, &b, arguments.margin),
    };
    let text = if arguments.json {
        changes::json(&compared)?
    } else if arguments.markdown {
        changes::markdown(&compared)
    } else {
        changes::terminal(&compared, super::TABLE_WIDTH)
    };
    print(&text)?;
    Ok(if !compared.found.is_measurement() {
        // B says nothing of the software. It precedes a regression, which such a B cannot show.
        exit_code::INVALID
    } else if compared.found.is_regression() {
        exit_code::BROKEN
    } else {
        0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn margins_are_percentages_or_shares() {
        assert_eq!(margin("10%"), Ok(0.1));
        assert_eq!(margin("0.1"), Ok(0.1));
        assert_eq!(margin(" 5 % "), Ok(0.05));
        assert_eq!(margin(DEFAULT_MARGIN), Ok(changes::DEFAULT_MARGIN));
        for wrong in ["10", "-1%", "101%", "NaN", "inf", "ten", ""] {
            assert!(margin(wrong).is_err(), "{wrong}");
        }
    }
}
