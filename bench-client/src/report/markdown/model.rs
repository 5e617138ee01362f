//! Every predicted figure beside the measured one.

use crate::report::{
    format::{known, range},
    model::{Checked, checked},
    summary::Summary,
};

use super::table::{escape, table};

const INTRO: &str = "What arithmetic expects from the scenario alone: from rate, interval, window, headers and frames. A machine's own \
time is what it can't know, so ranges leave an allowance for service; `second method` predicts a figure from another measured one. \
R: updates per second and topic, T: topics, N: clients, P: poll interval, W: window, G: gap between updates of a topic, B: updates at \
once, λ: updates per second one client follows. Over several repeats: lowest to highest.";

pub fn predictions(summaries: &[Summary]) -> String {
    let mut out = String::new();
    for summary in summaries {
        let checked = checked(summary.rows.iter().copied());
        let deviating = checked.iter().filter(|one| one.deviating() > 0).count();
        let headers = ["figure", "model", "predicted", "allowed", "measured", "result"];
        let rows = table(&headers, 2, checked.iter().map(cells));
        if !rows.is_empty() {
            // A figure that was not measured has confirmed nothing.
            let known = checked.iter().filter(|one| one.is_known()).count();
            let unknown = match checked.len() - known {
                0 => String::new(),
                unknown => format!(", {unknown} not known"),
            };
            let result = match deviating {
                0 => format!("{known} as predicted{unknown}"),
                some => format!("{some} of {known} deviate{unknown}"),
            };
            out += &format!("### {}: {result}\n\n{rows}\n", escape(summary.label));
        }
    }
    if out.is_empty() {
        out
    } else {
        format!("## Predicted and measured\n\n{INTRO}\n\n{}\n", out.trim_end())
    }
}

fn cells(one: &Checked<'_>) -> Vec<String> {
    let predicted = known(one.range(|one| Some(one.predicted)), |values| {
        range(values, |value| one.value(value))
    });
    let result = match one.cause() {
        None if !one.is_known() => "not known".to_owned(),
        None => "ok".to_owned(),
        Some(cause) if one.repeats.len() > 1 => {
            format!(
                "deviates in {} of {} repeats: {cause}",
                one.deviating(),
                one.repeats.len()
            )
        }
        Some(cause) => format!("deviates: {cause}"),
    };
    vec![
        one.name(),
        one.model.to_owned(),
        predicted,
        one.allowed(),
        one.measured(),
        result,
    ]
}
