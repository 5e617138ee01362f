//! `run`: the plan, the measuring, the table, and the code it ends with.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use server::FeedDescription;

use super::{FAILED, Failure, INTERRUPTED, PlanArgs, dry_run, like, print, signals, table, usage};
use crate::{
    control::Control,
    environment, exit_code,
    limits::{self, Need},
    plan::{self, Overrides, Resolved},
    progress::{self, Progress},
    record::{Plan, RunStatus},
    report::trust,
    run::{self, FolderError, Setting},
    thresholds,
};

#[derive(Args)]
pub struct RunArgs {
    #[command(flatten)]
    pub plan: PlanArgs,
    /// Repeat a recorded run: the folder of its run.json, which sets everything
    #[arg(long, value_name = "DIR", conflicts_with_all = like::CONFLICTS)]
    like: Option<PathBuf>,
    /// Measure the server there instead of our own
    #[arg(long, value_name = "URL")]
    target: Option<String>,
    /// What must hold, or the exit code is 3, such as "websocket.latency_p99_ms < 50"; repeatable
    #[arg(long = "threshold", value_name = "EXPR")]
    pub thresholds: Vec<String>,
    /// Go on with whole rounds until every comparison is settled, up to MAX repeats; looks and their levels are fixed before
    #[arg(long, value_name = "MAX")]
    pub until_settled: Option<u32>,
    /// New folder for the results [default: results/<utc time>-<scenario>]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print run.json instead of the table
    #[arg(long, conflicts_with = "dry_run")]
    json: bool,
    /// Show the plan, its traffic and whether the machine allows it; measure nothing
    #[arg(long)]
    dry_run: bool,
}

/// Measures, prints, and says by its code how it went.
pub async fn command(arguments: &RunArgs) -> Result<u8, Failure> {
    let target = match &arguments.target {
        Some(url) => Some(Control::new(url).await.map_err(usage)?),
        None => None,
    };
    let resolved = match &arguments.like {
        Some(dir) => like::resolve(dir, arguments, target.as_ref()).await?,
        None => resolve(arguments, target.as_ref()).await?,
    };
    for remark in &resolved.source.remarks {
        progress::tell(&format!("warning: {remark}"));
    }
    let machine = environment::describe();
    let needs = limits::needs(&resolved.plan, &machine);
    if arguments.dry_run {
        print(&dry_run::describe(&resolved.plan, &needs))?;
    }
    enough(&resolved.plan, &needs)?;
    if arguments.dry_run {
        return Ok(0);
    }
    signals::outlive_file_limit();
    let progress = Progress::on_stderr();
    progress.say(&dry_run::summary(&resolved.plan));
    let setting = Setting {
        resolved: &resolved,
        target,
        null: false,
        out: arguments.out.clone(),
        interrupt: signals::interrupt(),
        progress: &progress,
    };
    let ended = match run::run(setting).await {
        Ok(ended) => ended,
        Err(error) if error.is::<FolderError>() => return Err(usage(error)),
        Err(error) => return Err(error.into()),
    };
    let broken = thresholds::broken(&ended.record)?;
    if arguments.json {
        for one in &broken {
            progress::tell(&format!("broken threshold: {}", one.words()));
        }
        if let Some(words) = trust::reservation(&ended.record)? {
            progress::tell(&format!("verdict: {words}"));
        }
        print(&(serde_json::to_string_pretty(&ended.record).context("the record could not be encoded")? + "\n"))?;
    } else {
        print(&table(&ended.record)?)?;
    }
    if let Some(error) = ended.unsaved {
        let hint = "what was measured stands above alone; free some space, or name another folder with --out";
        let code = if ended.record.status == RunStatus::Interrupted {
            INTERRUPTED
        } else {
            FAILED
        };
        return Err(Failure {
            code,
            error: error.context(format!("the results could not be saved: {hint}")),
        });
    }
    if !arguments.json {
        print(&format!("report: {}\n", ended.folder.join("report.md").display()))?;
    }
    Ok(exit_code::of(&ended.record, !broken.is_empty()))
}

/// Refuses a plan that needs more than the machine has.
pub fn enough(plan: &Plan, needs: &[Need]) -> Result<(), Failure> {
    let Some(need) = needs.iter().find(|need| !need.is_met()) else {
        return Ok(());
    };
    let available = need.available.unwrap_or(0);
    Err(usage(anyhow::anyhow!(
        "{} clients need {} {}, this machine has {available}: {}",
        plan.variants
            .iter()
            .filter_map(|one| one.clients)
            .fold(plan.clients, u32::max),
        need.needed,
        need.what,
        need.way_out
    )))
}

async fn resolve(arguments: &RunArgs, target: Option<&Control>) -> Result<Resolved, Failure> {
    let overrides = Overrides {
        thresholds: arguments.thresholds.clone(),
        until_settled: arguments.until_settled,
        ..arguments.plan.overrides()
    };
    let scenario = arguments.plan.scenario()?;
    let Some(control) = target else {
        return plan::resolve(&scenario, &overrides).map_err(usage);
    };
    let feed = target_feed(control).await?;
    let resolved = plan::resolve_target(&scenario, &overrides, &feed).map_err(usage)?;
    check_served(&resolved, control).await?;
    Ok(resolved)
}

/// The feed of the server elsewhere.
pub async fn target_feed(control: &Control) -> Result<FeedDescription, Failure> {
    control
        .clock()
        .await
        .context("--target: no server of this lab answers there")
        .map_err(usage)?;
    let stats = control.stats().await.context("--target: /api/stats is not this lab's");
    Ok(stats.map_err(usage)?.feed)
}

pub async fn check_served(resolved: &Resolved, control: &Control) -> Result<(), Failure> {
    let served: Vec<_> = control.transports().await?.into_iter().map(|one| one.id).collect();
    if let Some(missing) = resolved
        .plan
        .transports
        .iter()
        .find(|id| !served.iter().any(|one| one == id.as_str()))
    {
        return Err(usage(anyhow::anyhow!(
            "--target does not serve {missing}; it serves {}",
            served.join(", ")
        )));
    }
    Ok(())
}
