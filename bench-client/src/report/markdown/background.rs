//! What a reader needs to judge the figures: faults, the techniques, the definitions, the machine.

use crate::record::{Mode, Row, RunRecord, Verdict};

use crate::report::format::{bytes, count};
use crate::report::summary::row_label;
use crate::report::trust;

use super::table::{code, escape, table};

pub fn faults(record: &RunRecord) -> String {
    let mut items = String::new();
    for row in &record.rows {
        for fault in &row.faults {
            items += &format!("- {}: {}\n", escape(&name(record, row)), escape(fault));
        }
    }
    if items.is_empty() {
        items
    } else {
        format!("## Faults\n\nThe first of each row, in words.\n\n{items}")
    }
}

pub fn techniques(record: &RunRecord) -> String {
    let mut out = String::new();
    for transport in &record.transports {
        let yes = |yes: bool, word: &'static str| if yes { word } else { "" };
        let traits = [
            transport.delivery.as_str(),
            yes(transport.resumable, "resumable"),
            yes(transport.duplex, "both directions"),
        ];
        let traits: Vec<&str> = traits.into_iter().filter(|word| !word.is_empty()).collect();
        out += &format!(
            "- **{}** ({}; {}): {} Browsers: {}. Caveat: {}\n",
            escape(&transport.label),
            code(&transport.id),
            escape(&traits.join(", ")),
            escape(&transport.summary),
            escape(transport.browser_support.trim_end_matches('.')),
            escape(&transport.caveat),
        );
    }
    if out.is_empty() {
        out
    } else {
        format!("## The techniques\n\n{out}")
    }
}

pub fn definitions(record: &RunRecord) -> String {
    let mut items = vec![
        "**Window**: updates belong to it by due time, whenever they arrive; bytes, requests, connections and CPU by wall \
         clock. All techniques and repeats measure the same stretch of the feed.",
        "**Latency**: receive time minus due time. The due time is the schedule's, so a late server cannot hide. An update \
         that never came counts as infinitely late: a quantile that falls there is printed as lost.",
        "**Expected**: every update published in the window on the topics of every planned client, connected or not. \
         **Reach**: (received + superseded) / expected.",
        "**Age**: now minus the due time of the newest update a client holds, over the whole window and all clients. \
         **Stale**: share of client time in which the newest due update was not held yet.",
        "**Spread**: first to last client of the same update. **Publish lag**: how late the server itself handed updates out.",
        "**Bytes**: socket payload seen from the clients, HTTP and framing included, TCP and IP headers not, unless they are \
         said to be those on the wire. Per update: divided by the updates delivered in the window.",
        "**CPU**: user and system time of a whole process in the window, divided by the updates delivered.",
        "**Memory per client**: growth of the server's resident memory from before the first client to the end of settle, \
         without its log, divided by the clients. Kernel socket memory is not in it.",
    ];
    let edge = window_edge(record);
    items.extend(edge.as_deref());
    if record.rows.iter().any(|row| row.figures.mode == Mode::Latest.name()) {
        items.push(
            "**Mode latest**: an update jumped over by a newer one is superseded, not missed; its latency is the time until \
             the client held it or a newer one.",
        );
    }
    let told = |code| trust::tells(&record.rows, code, Verdict::Valid);
    let cores = if told("cores-shared") || told("cores-apart") {
        ""
    } else {
        " Clients and server also share the machine's cores."
    };
    let loopback = format!(
        "**Loopback bias**: on one machine, the kernel handles the receiver's TCP input in the sender's time: the server's \
         CPU includes the clients' input, and the other way round.{cores}"
    );
    if !record.plan.remote {
        items.push(&loopback);
    }
    format!("## How the numbers are defined\n\n- {}\n", items.join("\n- "))
}

/// Deliveries are counted by wall clock but only of updates due in the window, so what was due before it and is fetched in it
/// costs bytes and CPU and counts for nothing. It matters where updates wait long: for short polling.
fn window_edge(record: &RunRecord) -> Option<String> {
    let plan = &record.plan;
    let waits = record.transports.iter().any(|one| one.delivery == "poll");
    // Of the variant that it matters most for.
    let intervals_ms = plan
        .variants
        .iter()
        .map(|one| one.poll_interval_ms.unwrap_or(plan.poll_interval_ms));
    let interval_ms = intervals_ms.max().unwrap_or(plan.poll_interval_ms);
    let waited = interval_ms as f64 / 1_000.0 / plan.duration_s;
    // With an interval beyond the window not every client polls in it.
    let share = if waited <= 1.0 {
        waited / 2.0
    } else {
        1.0 - 0.5 / waited
    };
    waits.then(|| {
        format!(
            "**Window edge**: an update due before the window and fetched in it is no delivery, but its bytes and CPU are in the \
             window. With an interval of {} and this window about {:.0} % of short polling's arrivals are such, and its figures per \
             update are that much too high. A longer window makes the edge smaller.",
            crate::report::format::time_us(interval_ms as f64 * 1e3),
            share * 100.0
        )
    })
}

pub fn machine(record: &RunRecord) -> String {
    let (tool, machine) = (&record.tool, &record.environment);
    let revision = if tool.revision.is_empty() {
        "unknown"
    } else {
        &tool.revision
    };
    let rows = [
        ("operating system", machine.os.clone()),
        ("kernel", machine.kernel.clone()),
        ("CPU", machine.cpu_model.clone()),
        ("cores", count(machine.cores)),
        ("memory", bytes(machine.memory_bytes as f64)),
        ("descriptors per process", count(machine.descriptor_limit)),
        ("local ports", count(machine.ephemeral_ports)),
        ("accept queue (somaxconn)", count(machine.somaxconn)),
        ("tool", format!("{} {}", tool.name, tool.version)),
        ("revision", revision.to_owned()),
        ("build", tool.profile.clone()),
        ("rustc", tool.rustc.clone()),
        ("record version", record.schema_version.to_string()),
    ];
    let place = if record.plan.remote {
        "The clients' machine"
    } else {
        "The machine"
    };
    let rows = rows.into_iter().map(|(what, value)| vec![what.to_owned(), value]);
    format!("## {place} and the build\n\n{}", table(&["what", "value"], 2, rows))
}

fn name(record: &RunRecord, row: &Row) -> String {
    format!("{}, repeat {}", row_label(record, row), row.figures.repeat)
}
