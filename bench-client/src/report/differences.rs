//! What two runs differ in beside their figures, in words: a comparison says so before it says anything else.
//!
//! ```text
//! RunRecord A, RunRecord B -> plans -> what was measured      circumstances -> what else may have changed the figures
//! ```

use crate::record::{Bounds, Plan, RunRecord, RunStatus};

/// What the plans measure differently, each in words. Repeats and seed are not among it: they change how sure, not what.
pub fn of_plans(a: &Plan, b: &Plan) -> Vec<String> {
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
            ("worker processes", plan.workers.to_string()),
            ("server processes", plan.nodes.to_string()),
            ("a server elsewhere", plan.remote.to_string()),
            ("window", format!("{} s", plan.duration_s)),
        ]
    };
    differences(words(a), words(b))
}

/// What else may have changed the figures, each in words.
pub fn of_circumstances(a: &RunRecord, b: &RunRecord) -> Vec<String> {
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
    warnings.extend(of_bounds(&a.plan.bounds, &b.plan.bounds));
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
fn of_bounds(a: &Bounds, b: &Bounds) -> Option<String> {
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
