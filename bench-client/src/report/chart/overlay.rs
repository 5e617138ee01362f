//! Charts of several runs in one: the same figure, one run beside the other.
//!
//! ```text
//! charts of run A, of run B, … -> by id -> axes alike? -> marks together, each with its run's name -> Chart
//! ```
//!
//! A technique keeps its colour in all runs; runs are told apart as variants are, by dash, shape and name. No value is touched: what the
//! charts of the parts show, this one shows. What can't be laid over each other is left out, and said.

use std::collections::BTreeSet;

use super::{Axis, Chart, Owner, Plot};

/// The charts of one run, and what it is called beside the others.
pub struct Part {
    pub name: String,
    pub charts: Vec<Chart>,
}

/// Charts that at least two of the runs have.
pub struct Overlay {
    pub charts: Vec<Chart>,
    /// Everyone who has a mark in any of them, in the order of places.
    pub owners: Vec<Owner>,
    /// What is not shown, or not of every run, in words.
    pub warnings: Vec<String>,
}

/// Lays the charts over each other, in the order of the first run that has them.
pub fn overlay(parts: &[Part]) -> Overlay {
    let places = Places::of(parts);
    let mut shown = Overlay {
        charts: Vec::new(),
        owners: places.all.iter().map(|(_, _, owner)| owner.clone()).collect(),
        warnings: Vec::new(),
    };
    let mut seen = BTreeSet::new();
    for chart in parts.iter().flat_map(|part| &part.charts) {
        if !seen.insert(chart.id) {
            continue;
        }
        let of_part = |part: &Part| part.charts.iter().find(|one| one.id == chart.id).cloned();
        let (with, without): (Vec<_>, Vec<_>) = parts.iter().enumerate().partition(|(_, part)| of_part(part).is_some());
        let names = |parts: &[(usize, &Part)]| {
            parts
                .iter()
                .map(|(_, part)| part.name.clone())
                .collect::<Vec<_>>()
                .join(", ")
        };
        if with.len() < 2 {
            shown
                .warnings
                .push(format!("{}: only {} has it", chart.title, names(&with)));
            continue;
        }
        let several = with.iter().filter_map(|(run, part)| Some((*run, of_part(part)?)));
        match merged(several, &places) {
            Ok(mut chart) => {
                chart.caption = format!("Laid over each other: {}. {}", names(&with), chart.caption);
                shown.charts.push(chart);
                if !without.is_empty() {
                    shown
                        .warnings
                        .push(format!("{}: not in {}", chart_title(&shown), names(&without)));
                }
            }
            Err(why) => shown
                .warnings
                .push(format!("{}: left out, as {why} of the runs differ", chart.title)),
        }
    }
    shown
}

fn chart_title(shown: &Overlay) -> &str {
    shown.charts.last().map_or("", |chart| &chart.title)
}

/// Who stands where, in all charts alike.
struct Places {
    /// Run, its own place there, and who it is here.
    all: Vec<(usize, usize, Owner)>,
}

impl Places {
    fn of(parts: &[Part]) -> Self {
        let mut found: Vec<(usize, Owner)> = Vec::new();
        for (run, part) in parts.iter().enumerate() {
            for owner in part.charts.iter().flat_map(owners) {
                if !found.iter().any(|(of, known)| *of == run && known.place == owner.place) {
                    found.push((run, owner.clone()));
                }
            }
        }
        // The first run's order, then whatever the others have beside.
        found.sort_by_key(|(run, owner)| (*run, owner.position, owner.place));
        let mut transports: Vec<String> = Vec::new();
        for (_, owner) in &found {
            if !transports.contains(&owner.transport) {
                transports.push(owner.transport.clone());
            }
        }
        let position = |owner: &Owner| transports.iter().position(|one| *one == owner.transport).unwrap_or(0);
        found.sort_by_key(|(run, owner)| (position(owner), owner.variant_position, *run, owner.place));
        let here = |(place, (run, owner)): (usize, (usize, Owner))| {
            let own_place = owner.place;
            let here = Owner {
                label: format!("{} · {}", owner.label, parts[run].name),
                place,
                position: position(&owner),
                variant_position: run + parts.len() * owner.variant_position,
                ..owner
            };
            (run, own_place, here)
        };
        Self {
            all: found.into_iter().enumerate().map(here).collect(),
        }
    }

    fn here(&self, run: usize, owner: &mut Owner) {
        if let Some((_, _, here)) = self
            .all
            .iter()
            .find(|(of, place, _)| *of == run && *place == owner.place)
        {
            *owner = here.clone();
        }
    }
}

fn owners(chart: &Chart) -> Vec<&Owner> {
    match &chart.plot {
        Plot::Lines { lines, .. } => lines.iter().map(|one| &one.owner).collect(),
        Plot::Bars { groups, .. } => groups
            .iter()
            .flat_map(|group| &group.bars)
            .map(|one| &one.owner)
            .collect(),
        Plot::Stacks { stacks, .. } => stacks.iter().map(|one| &one.owner).collect(),
        Plot::Dots { rows, .. } => rows.iter().map(|one| &one.owner).collect(),
    }
}

fn owners_mut(plot: &mut Plot) -> Vec<&mut Owner> {
    match plot {
        Plot::Lines { lines, .. } => lines.iter_mut().map(|one| &mut one.owner).collect(),
        Plot::Bars { groups, .. } => {
            let bars = groups.iter_mut().flat_map(|group| &mut group.bars);
            bars.map(|one| &mut one.owner).collect()
        }
        Plot::Stacks { stacks, .. } => stacks.iter_mut().map(|one| &mut one.owner).collect(),
        Plot::Dots { rows, .. } => rows.iter_mut().map(|one| &mut one.owner).collect(),
    }
}

/// One chart of several; what differs where they can't be one.
fn merged(charts: impl Iterator<Item = (usize, Chart)>, places: &Places) -> Result<Chart, &'static str> {
    let charts = charts.map(|(run, mut chart)| {
        owners_mut(&mut chart.plot)
            .into_iter()
            .for_each(|owner| places.here(run, owner));
        chart
    });
    let both = |a: Chart, b: Chart| {
        Ok(Chart {
            plot: both(a.plot, b.plot)?,
            // A caption grows by what there is to explain, such as lost updates: the longest explains them all.
            caption: if b.caption.len() > a.caption.len() {
                b.caption
            } else {
                a.caption
            },
            ..a
        })
    };
    let mut chart = charts.map(Ok).reduce(|a, b| both(a?, b?)).unwrap_or(Err("charts"))?;
    match &mut chart.plot {
        Plot::Lines { lines, .. } => lines.sort_by_key(|one| one.owner.place),
        Plot::Bars { groups, .. } => {
            let each = groups.iter_mut();
            each.for_each(|group| group.bars.sort_by_key(|one| one.owner.place));
        }
        Plot::Stacks { stacks, .. } => stacks.sort_by_key(|one| one.owner.place),
        Plot::Dots { rows, .. } => rows.sort_by_key(|one| one.owner.place),
    }
    Ok(chart)
}

fn both(a: Plot, b: Plot) -> Result<Plot, &'static str> {
    let alike = |a: &Axis, b: &Axis| if a == b { Ok(()) } else { Err("the axes") };
    Ok(match (a, b) {
        (
            Plot::Lines { x, y, mut lines },
            Plot::Lines {
                x: bx,
                y: by,
                lines: more,
            },
        ) => {
            alike(&x, &bx).and(alike(&y, &by))?;
            lines.extend(more);
            Plot::Lines { x, y, lines }
        }
        (
            Plot::Bars { axis, mut groups },
            Plot::Bars {
                axis: other,
                groups: more,
            },
        ) => {
            alike(&axis, &other)?;
            for group in more {
                match groups.iter_mut().find(|one| one.heading == group.heading) {
                    Some(known) => known.bars.extend(group.bars),
                    None => groups.push(group),
                }
            }
            Plot::Bars { axis, groups }
        }
        (
            Plot::Stacks {
                axis,
                layers,
                mut stacks,
            },
            Plot::Stacks {
                axis: other,
                layers: theirs,
                stacks: more,
            },
        ) => {
            alike(&axis, &other)?;
            if layers != theirs {
                return Err("the layers");
            }
            stacks.extend(more);
            Plot::Stacks { axis, layers, stacks }
        }
        (
            Plot::Dots { axis, mut rows },
            Plot::Dots {
                axis: other,
                rows: more,
            },
        ) => {
            alike(&axis, &other)?;
            rows.extend(more);
            Plot::Dots { axis, rows }
        }
        _ => return Err("the kinds"),
    })
}

#[cfg(test)]
mod tests;
