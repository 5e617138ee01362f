//! The plan in words: one line before every run, all of it for `--dry-run`.

use comfy_table::{CellAlignment, Table, presets};

use crate::{
    floor,
    limits::{self, Need, Traffic},
    record::{FeedPlan, Looks, Plan, ReplaySource},
    report::{describe, format},
    statistics::{ALPHA, looks::most_repeats},
};

/// One line: what is about to happen.
pub fn summary(plan: &Plan) -> String {
    format!("{}: {}", plan.scenario, load(plan))
}

/// Clients, feed and length of the plan.
pub fn load(plan: &Plan) -> String {
    format!(
        "{}, {}, {}{} × {}, about {}",
        clients(plan),
        feed(plan),
        format::of(plan.transports.len() as u64, "transport", "transports"),
        match plan.variants.len() {
            0 => String::new(),
            variants => format!(" × {variants} variants"),
        },
        describe::repeats(plan),
        length(plan),
    )
}

/// So many, or where variants differ from how many to how many.
fn clients(plan: &Plan) -> String {
    let varied = plan.variants.iter().map(|one| one.clients.unwrap_or(plan.clients));
    let (least, most) = (varied.clone().min(), varied.max());
    match (least, most) {
        (Some(least), Some(most)) if least < most => {
            format!(
                "{} to {}",
                format::count(least),
                format::of(most.into(), "client", "clients")
            )
        }
        (_, most) => format::of(most.unwrap_or(plan.clients).into(), "client", "clients"),
    }
}

/// The same for lists: what comes to the clients, and how long it takes.
pub fn brief(plan: &Plan) -> String {
    let variants = match plan.variants.len() {
        0 => String::new(),
        variants => format!(", {variants} variants"),
    };
    format!("{}, {}{variants}, about {}", clients(plan), feed(plan), length(plan))
}

/// How long it takes: with looks, to the first and to the last of them.
fn length(plan: &Plan) -> String {
    let (first_s, most) = (limits::run_s(plan), most_repeats(plan));
    let last_s = first_s / f64::from(plan.repeats) * f64::from(most);
    if most > plan.repeats {
        format!("{} to {}", minutes(first_s), minutes(last_s))
    } else {
        minutes(first_s)
    }
}

/// When it looks whether all is settled, and how sure it has to be each time.
fn looks(looks: &Looks) -> String {
    let after: Vec<String> = looks.after_repeats.iter().map(u32::to_string).collect();
    let share = ALPHA * 100.0 / after.len() as f64;
    format!(
        "after {} repeats, until all is settled; a chance of {} % of a wrong claim each",
        after.join(", "),
        format::number(share)
    )
}

/// The resolved plan, its expected traffic, and what the machine has for it.
pub fn describe(plan: &Plan, needs: &[Need]) -> String {
    let mut text = summary(plan) + "\n\nPlan\n";
    let mut row = |name: &str, value: String| text += &format!("  {name:<17} {value}\n");
    row("order of rows", order(plan));
    if let Some(why) = floor::left_out(plan) {
        row("floor", format!("none {why}"));
    }
    if let Some(schedule) = &plan.looks {
        row("looks", looks(schedule));
    }
    row("feed", feed(plan));
    for variant in &plan.variants {
        row(
            "variant",
            format!("{}: {}", variant.name, describe::variant(variant).join(", ")),
        );
    }
    // What variants differ in stands with them.
    if !plan.varies(|one| one.mode.is_some() || one.follow.is_some()) {
        row(
            "mode",
            format!("{:?}, each client follows {:?}", plan.mode, plan.follow).to_lowercase(),
        );
    }
    row(
        "poll interval",
        format!(
            "{} ms (short polling); long polls wait {} ms at most",
            plan.poll_interval_ms, plan.wait_ms
        ),
    );
    if !plan.varies(|one| one.request_headers.is_some()) {
        row("request headers", format!("{:?}", plan.request_headers).to_lowercase());
    }
    if !plan.varies(|one| one.keep_alive.is_some()) {
        let kept = if plan.keep_alive {
            "kept open"
        } else {
            "one per request"
        };
        row("connections", kept.into());
    }
    row(
        "phases",
        format!("settle {} s, measure {} s", plan.settle_s, plan.duration_s),
    );
    for words in describe::behaviour(plan) {
        row("clients", words);
    }
    row("seed", plan.seed.to_string());
    for threshold in &plan.thresholds {
        row("threshold", threshold.clone());
    }
    text += "\nExpected traffic in the window (an estimate)\n";
    text += &indent(&traffic_table(plan));
    text += "\nThe machine\n";
    text += &indent(&needs_table(needs));
    text
}

/// The first two rounds show the balance; more repeat them.
fn order(plan: &Plan) -> String {
    let rounds: Vec<Vec<String>> = plan
        .rows()
        .chunks(plan.contenders().len())
        .take(2)
        .map(|round| round.iter().map(|(id, _)| id.to_string()).collect())
        .collect();
    let rounds: Vec<String> = rounds.iter().map(|round| round.join(" ")).collect();
    let more = if plan.repeats > 2 { ", and so on" } else { "" };
    format!("{}{more}", rounds.join(", "))
}

fn feed(plan: &Plan) -> String {
    let size = |bytes: Option<u32>| {
        bytes.map_or("updates as long as they come".into(), |bytes| {
            format!("{bytes}-byte updates")
        })
    };
    match &plan.feed {
        FeedPlan::Simulated { rate_hz, .. } if *rate_hz == 0.0 => "no updates".into(),
        FeedPlan::Simulated {
            topics,
            rate_hz,
            update_bytes,
            arrivals,
            ..
        } => {
            let arrivals = format!("{arrivals:?}").to_lowercase();
            format!(
                "{} at {rate_hz} updates/s ({arrivals}), {}",
                topic_count(*topics),
                size(*update_bytes)
            )
        }
        FeedPlan::Replay {
            file,
            source: ReplaySource::Recording,
            speed,
            topics,
            ..
        } => format!(
            "{} as recorded in {file}, at {speed} times the speed",
            topic_count(*topics)
        ),
        FeedPlan::Replay {
            file, speed, topics, ..
        } => format!("{} of {file}, {speed} times faster", topic_count(*topics)),
        FeedPlan::Target { topics, .. } => format!("{} of the target's own feed", topic_count(*topics)),
    }
}

fn topic_count(topics: u32) -> String {
    if topics == 1 {
        "1 match".into()
    } else {
        format!("{} matches", format::count(topics))
    }
}

fn minutes(seconds: f64) -> String {
    if seconds >= 7_200.0 {
        return format!("{:.1} h", seconds / 3_600.0);
    }
    if seconds < 90.0 {
        format!("{seconds:.0} s")
    } else {
        format!("{:.1} min", seconds / 60.0)
    }
}

fn traffic_table(plan: &Plan) -> Table {
    let mut table = plain(&["transport", "requests/s", "updates/s", "bytes/s"]);
    for id in plan.contenders() {
        let varied = plan.varied(id.variant.as_deref());
        let Traffic {
            requests_per_s,
            deliveries_per_s,
            bytes_per_s,
        } = limits::traffic(&varied, &id.transport);
        let number = |value: Option<f64>| format::known(value, format::number);
        let bytes = format::known(bytes_per_s, format::bytes);
        table.add_row([
            id.to_string(),
            format::number(requests_per_s),
            number(deliveries_per_s),
            bytes,
        ]);
    }
    table
}

fn needs_table(needs: &[Need]) -> Table {
    let mut table = plain(&["needs", "", "has", ""]);
    for need in needs {
        let verdict = if need.is_met() { "enough" } else { "TOO FEW" };
        let available = format::known(need.available, format::count);
        table.add_row([
            need.what.to_owned(),
            format::count(need.needed),
            available,
            verdict.to_owned(),
        ]);
    }
    table
}

/// A table without lines, its numbers to the right.
pub fn plain(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(header.to_vec());
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// A table's lines, a little to the right.
pub fn indent(table: &Table) -> String {
    table
        .to_string()
        .lines()
        .map(|line| format!(" {}\n", line.trim_end()))
        .collect()
}
