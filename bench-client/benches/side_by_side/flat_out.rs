//! `--flat-out`: how many updates per second each server delivers to these clients before it falls behind.
//!
//! The rate is doubled until a server no longer keeps up, then the gap is halved a few times. Keeping up means: of the window's updates
//! 98 % are delivered within the window, and all in the end. On a machine where clients and server share the cores it is the saturation of
//! both together: the cores each side used stand beside it.

use super::{
    figures::Figures,
    measure::{Load, Row, measure},
};

/// Of what is due in the window, delivered in it.
const KEEPS_UP: f64 = 0.98;
/// The feed's own limit, updates per second.
const RATE_MAX_HZ: f64 = 1000.0;
/// Each halves what is not known of the rate between one that is kept and one that is not.
const HALVINGS: u32 = 3;

/// Prints a line for each row; `rate_hz` of the rows is where it begins.
pub fn run(rows: &[Row], load: Load) {
    println!(
        "| server | technique | kept up with, updates/s | deliveries/s | latency p99, ms | server, cores | reader, cores | fell behind at |"
    );
    println!("|---|---|--:|--:|--:|--:|--:|--:|");
    for row in rows {
        let (kept, broken_hz) = search(*row, load);
        let behind = broken_hz.map_or("never".into(), |hz| format!("{hz:.0}"));
        let name = format!("| {} | {} ", row.server.name(), row.technique.id());
        let Some((hz, figures)) = kept else {
            println!("{name}| – | – | – | – | – | {behind} |");
            continue;
        };
        let cores = |cpu_s: Option<f64>| cpu_s.map_or("–".into(), |cpu_s| format!("{:.2}", cpu_s / figures.window_s));
        println!(
            "{name}| {hz:.0} | {:.0} | {} | {} | {} | {behind} |",
            figures.deliveries as f64 / figures.window_s,
            figures
                .latency_p99_us
                .map_or("–".into(), |us| format!("{:.1}", us as f64 / 1e3)),
            cores(figures.server_cpu_s),
            cores(figures.reader_cpu_s),
        );
    }
}

/// The highest rate that was kept up with, and the lowest that was not.
fn search(row: Row, load: Load) -> (Option<(f64, Figures)>, Option<f64>) {
    let (mut kept, mut broken_hz) = (None::<(f64, Figures)>, None::<f64>);
    let mut rate_hz = row.rate_hz;
    let mut halvings = 0;
    loop {
        match attempt(Row { rate_hz, ..row }, load) {
            Some(figures) => kept = Some((rate_hz, figures)),
            None => broken_hz = Some(rate_hz),
        }
        rate_hz = match (&kept, broken_hz) {
            (Some((kept_hz, _)), None) if *kept_hz >= RATE_MAX_HZ => break,
            (Some((kept_hz, _)), None) => (kept_hz * 2.0).min(RATE_MAX_HZ),
            (Some((kept_hz, _)), Some(broken_hz)) if halvings < HALVINGS => {
                halvings += 1;
                f64::midpoint(*kept_hz, broken_hz).round()
            }
            // Where the first rate is too much, a smaller one must be asked for.
            _ => break,
        };
    }
    (kept, broken_hz)
}

fn attempt(row: Row, load: Load) -> Option<Figures> {
    let what = format!("{} {} at {}/s", row.server.name(), row.technique.id(), row.rate_hz);
    let figures = match measure(row, load) {
        Ok(figures) => figures,
        Err(error) => {
            eprintln!("{what}: {error:#}");
            return None;
        }
    };
    let share = figures.deliveries as f64 / figures.expected as f64;
    eprintln!(
        "{what}: {:.1} % delivered within the window {}",
        share * 100.0,
        figures.faults.join("; ")
    );
    (figures.sound() && share >= KEEPS_UP).then_some(figures)
}
