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
    record::{Bounds, Plan, RunRecord, RunStatus},
    report::changes::{self, Compared},
    run,
    statistics::between_runs,
};

/// Without a margin of its own: two runs at different times differ by more than two techniques of one run.
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
    let different = different_plans(&a.plan, &b.plan);
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
    warnings.extend(different_circumstances(&a, &b));
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

/// What the plans measure differently, each in words. Repeats and seed are not among it: they change how sure, not what.
fn different_plans(a: &Plan, b: &Plan) -> Vec<String> {
    let words = |plan: &Plan| {
        [
            ("clients", plan.clients.to_string()),
            ("follow", text(&plan.follow)),
            ("feed", text(&plan.feed)),
            ("mode", text(&plan.mode)),
            ("poll interval", format!("{} ms", plan.poll_interval_ms)),
            ("wait", format!("{} ms", plan.wait_ms)),
            ("request headers", text(&plan.request_headers)),
            ("keep-alive", plan.keep_alive.to_string()),
            ("variants", text(&plan.variants)),
            ("churn", text(&plan.churn)),
            ("restart", text(&plan.restart)),
            ("backoff jitter", plan.backoff_jitter.to_string()),
            ("stalled clients", plan.stalled_clients.to_string()),
            ("a server elsewhere", plan.remote.to_string()),
            ("window", format!("{} s", plan.duration_s)),
        ]
    };
    differences(words(a), words(b))
}

/// What else may have changed the figures, each in words.
fn different_circumstances(a: &RunRecord, b: &RunRecord) -> Vec<String> {
    let words = |record: &RunRecord| {
        let (machine, tool) = (&record.environment, &record.tool);
        // Kernels reserve a little more or less.
        let memory_gib = (machine.memory_bytes as f64 / 2f64.powi(30)).round();
        [
            ("scenario", record.plan.scenario.clone()),
            (
                "machine",
                format!("{}, {} cores, {memory_gib} GiB", machine.cpu_model, machine.cores),
            ),
            ("operating system", machine.os.clone()),
            ("kernel", machine.kernel.clone()),
            ("version", tool.version.clone()),
            ("revision", tool.revision.clone()),
            ("build", tool.profile.clone()),
            ("rustc", tool.rustc.clone()),
            ("seed", record.plan.seed.to_string()),
            ("repeats", record.plan.repeats.to_string()),
            (
                "looks",
                record
                    .plan
                    .looks
                    .as_ref()
                    .map_or("none".into(), |looks| format!("after {:?}", looks.after_repeats)),
            ),
            ("transports", record.plan.transports.join(" ")),
            ("settling", format!("{} s", record.plan.settle_s)),
            (
                "ramp",
                record
                    .plan
                    .ramp_per_s
                    .map_or("as fast as it goes".into(), |ramp| format!("{ramp} clients/s")),
            ),
        ]
    };
    let mut warnings = differences(words(a), words(b));
    // They decide which rows are INVALID, and do not enter.
    warnings.extend(different_bounds(&a.plan.bounds, &b.plan.bounds));
    for (name, record) in [("A", a), ("B", b)] {
        match record.status {
            RunStatus::Running => warnings.push(format!("{name} has not ended, or was killed")),
            RunStatus::Interrupted => warnings.push(format!("{name} was interrupted")),
            RunStatus::Finished | RunStatus::Failed => {}
        }
    }
    warnings
}

/// The bounds that differ, each by its name.
fn different_bounds(a: &Bounds, b: &Bounds) -> Option<String> {
    let encoded = |bounds: &Bounds| serde_json::to_value(bounds).ok();
    let (a, b) = (encoded(a)?, encoded(b)?);
    let (a, b) = (a.as_object()?, b.as_object()?);
    let differing = a.iter().filter(|(name, bound)| b.get(*name) != Some(*bound));
    let words: Vec<String> = differing
        .map(|(name, bound)| {
            let other = b.get(name).map_or_else(|| "none".to_owned(), text);
            format!("{name} {} in A, {other} in B", text(bound))
        })
        .collect();
    (!words.is_empty()).then(|| format!("bounds, which decide what rows enter: {}", words.join("; ")))
}

fn differences<const N: usize>(a: [(&str, String); N], b: [(&str, String); N]) -> Vec<String> {
    let both = a.into_iter().zip(b);
    both.filter(|((_, a), (_, b))| a != b)
        .map(|((name, a), (_, b))| format!("{name}: {a} in A, {b} in B"))
        .collect()
}

/// A part of a plan as it stands in run.json.
fn text(part: &impl serde::Serialize) -> String {
    // Plain data: it encodes.
    serde_json::to_string(part).unwrap_or_default().replace('"', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn margins_are_percentages_or_shares() {
        assert_eq!(margin("10%"), Ok(0.1));
        assert_eq!(margin("0.1"), Ok(0.1));
        assert_eq!(margin(" 5 % "), Ok(0.05));
        assert_eq!(margin(DEFAULT_MARGIN), Ok(0.1));
        for wrong in ["10", "-1%", "101%", "NaN", "inf", "ten", ""] {
            assert!(margin(wrong).is_err(), "{wrong}");
        }
    }
}
