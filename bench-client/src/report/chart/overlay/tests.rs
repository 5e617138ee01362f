//! Two runs laid over each other: nothing added, nothing lost.

use super::*;
use crate::report::{chart, fixture};

fn part(name: &str, charts: Vec<Chart>) -> Part {
    Part {
        name: name.to_owned(),
        charts,
    }
}

fn two() -> (Vec<Chart>, Vec<Chart>) {
    let a = fixture::record();
    let mut b = a.clone();
    // Another order, one technique less: colours stay those of the first.
    b.plan.transports.reverse();
    b.rows.retain(|row| row.figures.transport != "sse");
    b.plan.transports.retain(|id| id != "sse");
    (chart::all(&a).unwrap(), chart::all(&b).unwrap())
}

/// The marks of a chart with whose they are, told by technique, without what an overlay may change.
fn marks(chart: &Chart, of: impl Fn(&Owner) -> bool) -> Vec<serde_json::Value> {
    let value = serde_json::to_value(chart).unwrap();
    let lists = ["lines", "stacks", "rows"]
        .iter()
        .filter_map(|list| value[list].as_array());
    let bars = value["groups"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|group| group["bars"].as_array());
    let all = lists.chain(bars).flatten().cloned();
    let mut marks: Vec<_> = all
        .zip(owners(chart))
        .filter(|(_, owner)| of(owner))
        .map(|(mut mark, _)| {
            for own in ["label", "place", "position", "variant_position"] {
                mark.as_object_mut().unwrap().remove(own);
            }
            mark
        })
        .collect();
    marks.sort_by_key(ToString::to_string);
    marks
}

#[test]
fn an_overlay_shows_what_its_parts_show() {
    let (a, b) = two();
    let found = overlay(&[part("A", a.clone()), part("B", b.clone())]);
    assert_eq!(found.warnings, [""; 0]);
    assert_eq!(found.charts.len(), a.len());
    for chart in &found.charts {
        for (name, part) in [("· A", &a), ("· B", &b)] {
            let of_part = part.iter().find(|one| one.id == chart.id).unwrap();
            assert_eq!(
                marks(chart, |owner| owner.label.ends_with(name)),
                marks(of_part, |_| true),
                "{} {name}",
                chart.id
            );
        }
        assert!(
            chart.caption.starts_with("Laid over each other: A, B. "),
            "{}",
            chart.caption
        );
    }
}

#[test]
fn a_technique_keeps_its_colour_and_everyone_has_a_place() {
    let (a, b) = two();
    let found = overlay(&[part("A", a), part("B", b)]);
    assert_eq!(found.owners.len(), 4 + 3);
    for (place, owner) in found.owners.iter().enumerate() {
        assert_eq!(owner.place, place);
        let first = found
            .owners
            .iter()
            .find(|one| one.transport == owner.transport)
            .unwrap();
        assert_eq!(first.position, owner.position, "{}", owner.label);
    }
    assert_eq!(found.owners[1].label, "Short polling · B");
    assert_eq!(
        (found.owners[0].variant_position, found.owners[1].variant_position),
        (0, 1)
    );
    assert_eq!(found.owners[5].position, 3, "the first run's order");
}

#[test]
fn what_cannot_be_laid_over_each_other_is_said() {
    let (a, mut b) = two();
    b.retain(|chart| chart.id != "age");
    let spectrum = b.iter_mut().find(|chart| chart.id == "latency-spectrum").unwrap();
    let Plot::Lines { y, .. } = &mut spectrum.plot else {
        panic!("lines")
    };
    y.unit = super::super::Unit::Seconds;
    let title = |id: &str| a.iter().find(|chart| chart.id == id).unwrap().title.clone();
    let words = [
        format!(
            "{}: left out, as the axes of the runs differ",
            title("latency-spectrum")
        ),
        format!("{}: only A has it", title("age")),
    ];
    let found = overlay(&[part("A", a), part("B", b)]);
    assert_eq!(found.warnings, words);
    assert!(
        found
            .charts
            .iter()
            .all(|chart| !["age", "latency-spectrum"].contains(&chart.id))
    );
}
