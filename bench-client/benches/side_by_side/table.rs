//! The table: medians over the repeats with the least and the most, in Markdown.

use std::fmt::Write;

use super::{figures::Figures, measure::Row, servers::ServerKind};

/// A row with its figures, one per repeat; an error in words where a repeat broke off.
pub struct Measured {
    pub row: Row,
    pub repeats: Vec<Result<Figures, String>>,
}

type Pick = fn(&Figures) -> Option<f64>;

impl Measured {
    fn of(&self, repeat: usize, pick: Pick) -> Option<f64> {
        pick(
            self.repeats
                .get(repeat)?
                .as_ref()
                .ok()
                .filter(|figures| figures.sound())?,
        )
    }

    /// Every repeat's value; None where one is missing: a median of the ones that went well would flatter.
    fn all(&self, value: impl Fn(usize) -> Option<f64>) -> Option<Vec<f64>> {
        (0..self.repeats.len()).map(value).collect()
    }

    /// As many times as `other`, repeat by repeat.
    fn times(&self, other: Option<&Self>, pick: Pick) -> String {
        let other = other.filter(|other| other.row != self.row);
        let ratios = other.and_then(|other| self.all(|k| Some(self.of(k, pick)? / other.of(k, pick)?)));
        shown(ratios, |value| format!("{value:.2}"), "")
    }

    /// Every repeat is a measurement.
    pub fn sound(&self) -> bool {
        self.repeats
            .iter()
            .all(|repeat| repeat.as_ref().is_ok_and(Figures::sound))
    }

    /// What became of the updates, in words.
    pub fn delivered(&self) -> String {
        let mut words: Vec<String> = Vec::new();
        let mut counts: Vec<u64> = Vec::new();
        for repeat in &self.repeats {
            match repeat {
                Ok(figures) => {
                    counts.push(figures.delivered);
                    words.extend(figures.faults.iter().cloned());
                }
                Err(error) => words.push(error.clone()),
            }
        }
        words.dedup();
        let piled_up = self.repeats.iter().flatten().any(|figures| figures.piled_up);
        let piled_up = if piled_up { "; **piled up**" } else { "" };
        match (words.is_empty(), counts.first()) {
            (true, Some(first)) => format!("all {first} each time{piled_up}"),
            _ => format!("**no measurement**: {}", words.join("; ")),
        }
    }
}

/// The whole table.
pub fn markdown(measured: &[Measured]) -> String {
    let mut table = String::from(
        "| server | technique | updates/s | CPU per update, µs | × floor | × Nchan | in the kernel | the reader's, µs | \
         memory per idle connection, KiB | spread p99, ms | × floor | latency p99, ms | others on the machine | delivered |\n\
         |---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|\n",
    );
    let cpu: Pick = Figures::cpu_us_per_update;
    let spread: Pick = |figures| figures.spread_p99_us.map(|us| us as f64 / 1e3);
    for one in measured {
        let row = one.row;
        let same_rate = |other: &&Measured| other.row.rate_hz == row.rate_hz;
        let floor = measured
            .iter()
            .filter(same_rate)
            .find(|other| other.row.server == ServerKind::Floor);
        let nchan = measured.iter().filter(same_rate).find(|other| {
            row.server != ServerKind::Floor
                && other.row.server == ServerKind::Nchan
                && other.row.technique == row.technique
        });
        let show = |pick: Pick, digits: usize, unit| {
            shown(one.all(|k| one.of(k, pick)), |value| format!("{value:.digits$}"), unit)
        };
        // Writing into a String cannot fail.
        let _ = writeln!(
            table,
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            row.server.name(),
            row.technique.id(),
            row.rate_hz,
            show(cpu, 2, ""),
            one.times(floor, Figures::comparable_cpu_us),
            one.times(nchan, Figures::comparable_cpu_us),
            show(|figures| Some(figures.kernel_share? * 100.0), 0, " %"),
            show(Figures::reader_us_per_update, 2, ""),
            show(|figures| Some(figures.idle_bytes? / 1024.0), 2, ""),
            show(spread, 1, ""),
            one.times(floor, spread),
            show(|figures| figures.latency_p99_us.map(|us| us as f64 / 1e3), 1, ""),
            show(|figures| Some(figures.others_share? * 100.0), 0, " %"),
            one.delivered(),
        );
    }
    table
}

/// Median and, of several, least and most; a dash where one is unknown.
fn shown(values: Option<Vec<f64>>, number: impl Fn(f64) -> String, unit: &str) -> String {
    let Some(mut values) = values.filter(|values| !values.is_empty()) else {
        return "–".into();
    };
    values.sort_by(f64::total_cmp);
    let (least, most) = (values[0], values[values.len() - 1]);
    let middle = values.len() / 2;
    let median = match values.len() % 2 {
        1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    };
    match values.len() {
        1 => format!("{}{unit}", number(median)),
        _ => format!("{}{unit} ({}–{})", number(median), number(least), number(most)),
    }
}
