use super::*;
use crate::report::chart::{self, Bar, Group, Line, Owner, Stack, Unit};
use crate::report::fixture;

fn all(charts: &[Chart]) -> String {
    charts
        .iter()
        .map(|chart| format!("[{}]\n{}\n", chart.id, draw(chart)))
        .collect()
}

#[test]
fn every_chart_of_a_run() {
    insta::assert_snapshot!(all(&chart::all(&fixture::record()).unwrap()));
}

#[test]
fn no_line_is_wider_than_a_code_block() {
    for record in [fixture::record(), fixture::interrupted_replay()] {
        for chart in chart::all(&record).unwrap() {
            let widest = draw(&chart).lines().map(|line| line.chars().count()).max();
            assert!(
                widest.is_some_and(|widest| (1..=WIDTH).contains(&widest)),
                "{}",
                chart.id
            );
        }
    }
}

fn owner(label: &str) -> Owner {
    Owner {
        transport: "x".to_owned(),
        variant: None,
        label: label.to_owned(),
        place: 0,
        position: 0,
        variant_position: 0,
    }
}

fn bar(label: &str, value: Option<f64>) -> Bar {
    Bar {
        owner: owner(label),
        value,
        range: None,
        text: format::known(value, format::number),
    }
}

fn axis(scale: Scale) -> Axis {
    Axis {
        label: "values".to_owned(),
        unit: Unit::Count,
        scale,
    }
}

fn bars(bars: Vec<Bar>) -> String {
    let heading = String::new();
    rows::bars(&axis(Scale::Linear), &[Group { heading, bars }])
}

#[test]
fn lengths_are_to_scale_small_is_seen_and_unknown_is_no_bar() {
    let text = bars(vec![
        bar("all", Some(200.0)),
        bar("half", Some(100.0)),
        bar("trace", Some(0.001)),
        bar("zero", Some(0.0)),
        bar("unknown", None),
    ]);
    let lengths: Vec<usize> = text.lines().map(|line| line.matches('█').count()).collect();
    assert_eq!(lengths[0], 2 * lengths[1], "{text}");
    assert_eq!(lengths[2..], [0, 0, 0]);
    assert!(text.contains("trace    ▏"), "{text}");
    assert!(
        text.lines()
            .nth(4)
            .is_some_and(|line| line.split_whitespace().eq(["unknown", "–"])),
        "{text}"
    );
    // All of it is nothing: nothing to draw, and no division by it.
    assert!(!bars(vec![bar("zero", Some(0.0))]).contains('█'));
}

#[test]
fn stacks_are_as_long_as_their_sum() {
    let stack = |label: &str, parts: &[f64]| Stack {
        owner: owner(label),
        parts: parts.to_vec(),
        text: "3".to_owned(),
    };
    let text = rows::stacks(
        &["a", "b"],
        &[stack("one", &[1.0, 1.0, 1.0]), stack("two", &[3.0]), stack("no", &[])],
    );
    let drawn = |line: &str| line.matches(['█', '▒', '░']).count();
    let lengths: Vec<usize> = text.lines().skip(1).map(drawn).collect();
    assert_eq!(lengths[0], lengths[1], "{text}");
    assert_eq!(lengths[2], 0);
}

#[test]
fn peaks_are_not_hidden_gaps_are_seen_and_what_was_lost_is_said() {
    let line = |points: Vec<(f64, Option<f64>)>| Line {
        owner: owner("one"),
        name: String::new(),
        points,
        lost: true,
    };
    let mut points: Vec<(f64, Option<f64>)> = (0..1_000).map(|i| (f64::from(i), Some(1.0))).collect();
    points[501].1 = Some(9.0);
    let text = lines::lines(&axis(Scale::Linear), &axis(Scale::Linear), &[line(points)]);
    assert_eq!(
        text.lines().next().unwrap_or_default().matches('█').count(),
        1,
        "{text}"
    );
    assert!(text.contains("1.00 – 9.00"), "{text}");

    let gap = vec![(0.0, Some(1.0)), (1.0, None), (2.0, Some(2.0))];
    let text = lines::lines(&axis(Scale::Linear), &axis(Scale::Linear), &[line(gap)]);
    assert!(text.starts_with("one  ▁ █"), "{text}");

    let decades = vec![(10.0, Some(5.0)), (42.0, Some(6.0))];
    let longer = Line {
        lost: false,
        ..line(vec![(10.0, Some(7.0)), (100.0, Some(8.0))])
    };
    let text = lines::lines(&axis(Scale::Log), &axis(Scale::Log), &[line(decades), longer]);
    assert_eq!(
        text.lines()
            .nth(1)
            .map(|line| line.split_whitespace().collect::<Vec<_>>()),
        Some(vec!["one", "5.00", "lost"])
    );
}

#[test]
fn many_rows_are_cut_and_counted_and_long_or_odd_labels_stay_in_their_line() {
    let text = bars((0..100).map(|i| bar(&i.to_string(), Some(1.0))).collect());
    assert_eq!(text.lines().count(), ROWS_MOST + 1);
    assert!(text.ends_with("… and 60 more\n"), "{text}");
    let text = bars(vec![
        bar(&"a\n`|<b>".repeat(40), Some(1.0)),
        bar("b", Some(f64::INFINITY)),
    ]);
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
}
