//! `calibrate`: what the client alone adds, as a small table; kept for later runs.

use std::path::Path;

use clap::Args;

use super::{FAILED, Failure, INTERRUPTED, INVALID, PlanArgs, dry_run, print, run::enough, signals, usage};
use crate::{
    calibration::{self, Done, Ended, kept},
    environment, floor, limits,
    plan::{self, Overrides},
    progress::Progress,
    report::format,
    run::Setting,
    transports,
};

#[derive(Args)]
pub struct CalibrateArgs {
    #[command(flatten)]
    plan: PlanArgs,
    /// Understood so that it can be refused in words.
    #[arg(long, value_name = "URL", hide = true)]
    target: Option<String>,
}

/// Measures, keeps, prints.
pub async fn execute(arguments: &CalibrateArgs) -> Result<u8, Failure> {
    if let Some(url) = &arguments.target {
        return Err(usage(anyhow::anyhow!(
            "--target {url} makes no sense for calibrate: it measures this client against a null server of its own, on this machine; \
             leave it out"
        )));
    }
    let scenario = arguments.plan.scenario()?;
    let overrides = Overrides {
        // A scenario's repeats are for comparing; here one is enough unless more are asked for.
        repeats: arguments.plan.repeats.or(Some(1)),
        ..arguments.plan.overrides()
    };
    let mut resolved = plan::resolve(&scenario, &overrides).map_err(usage)?;
    resolved.plan.leave_in_peace();
    let asked = overrides.transports.is_some() || scenario.file.transports.is_some();
    if asked && resolved.plan.transports.iter().any(|id| id == floor::ID) {
        return Err(usage(anyhow::anyhow!(
            "the floor is written by the null server in every run: there is nothing of it to calibrate; leave it out"
        )));
    }
    resolved.plan.transports.retain(|id| id != floor::ID);
    let plan = &resolved.plan;
    if !plan.variants.is_empty() {
        return Err(usage(anyhow::anyhow!(
            "{} has variants, and a calibration is of one kind of client: make a scenario of the one you mean",
            plan.scenario
        )));
    }
    if !calibration::possible(plan) {
        return Err(usage(anyhow::anyhow!(
            "a feed that publishes nothing calibrates nothing: ask for a --rate above 0"
        )));
    }
    if let Some(id) = plan.transports.iter().find(|id| !server::null::speaks(id)) {
        let spoken = transports::ALL
            .iter()
            .map(|row| row.id)
            .filter(|id| server::null::speaks(id));
        return Err(usage(anyhow::anyhow!(
            "the null server does not speak {id}: there are {}",
            spoken.collect::<Vec<_>>().join(", ")
        )));
    }
    enough(plan, &limits::needs(plan, &environment::describe()))?;
    signals::outlive_file_limit();
    let progress = Progress::on_stderr();
    progress.say(&format!("calibrate {}", dry_run::summary(plan)));
    let setting = Setting {
        resolved: &resolved,
        target: None,
        null: true,
        out: None,
        interrupt: signals::interrupt(),
        progress: &progress,
    };
    let ended = calibration::calibrate(&setting, Path::new(kept::FOLDER)).await;
    print(&words(&ended))?;
    Ok(match ended {
        Ended { interrupted: true, .. } => INTERRUPTED,
        Ended { failed: true, .. } => FAILED,
        Ended { invalid: true, .. } => INVALID,
        _ => 0,
    })
}

fn words(ended: &Ended) -> String {
    if ended.done.is_empty() {
        return String::new();
    }
    let mut table = dry_run::plain(&["transport", "p50", "p99", "p99.9", "client CPU per update", "updates"]);
    for Done { calibration, latency } in &ended.done {
        let added = |q| format::known(latency.quantile(q), format::quantile);
        table.add_row([
            calibration.transport.clone(),
            added(0.5),
            added(0.99),
            added(0.999),
            format::known(calibration.client_cpu_us_per_update, format::time_us),
            format::count(latency.count()),
        ]);
    }
    format!(
        "What the client alone adds: from a null server's write to the client's read\n{}kept in {}: runs with these settings on this machine \
         report it\n",
        dry_run::indent(&table),
        kept::FOLDER,
    )
}
