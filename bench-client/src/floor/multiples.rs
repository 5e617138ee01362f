//! What each row cost and how late its last client was, as multiples of the floor's of the same repeat.
//!
//! ```text
//! rows -> the floor's row of each repeat -> server_cpu_x_floor, client_cpu_x_floor, spread_x_floor of every row of it
//! ```

use super::ID;
use crate::record::{Outcome, Row, Verdict};

/// What can be divided, as far as a row that can be believed knows it.
#[derive(Debug, Clone, Copy, Default)]
struct Costs {
    server_cpu_us: Option<f64>,
    client_cpu_us: Option<f64>,
    spread_us: Option<f64>,
}

/// Sets the multiples of every row; none where the repeat has no floor (yet), or either of the two cannot be believed.
pub fn set(rows: &mut [Row]) {
    let floors: Vec<(u32, Costs)> = rows
        .iter()
        .filter(|row| row.figures.transport == ID)
        .map(|row| (row.figures.repeat, costs(row)))
        .collect();
    for row in rows {
        let floor = floors.iter().find(|(repeat, _)| *repeat == row.figures.repeat);
        let (floor, own) = (floor.map_or_else(Costs::default, |(_, floor)| *floor), costs(row));
        row.figures.server_cpu_x_floor = times(own.server_cpu_us, floor.server_cpu_us);
        row.figures.client_cpu_x_floor = times(own.client_cpu_us, floor.client_cpu_us);
        row.figures.spread_x_floor = times(own.spread_us, floor.spread_us);
    }
}

fn costs(row: &Row) -> Costs {
    let figures = &row.figures;
    if row.outcome != Outcome::Ok || figures.validity == Some(Verdict::Invalid) {
        return Costs::default();
    }
    Costs {
        server_cpu_us: figures.server_cpu_us_per_update,
        client_cpu_us: figures.client_cpu_us_per_update,
        spread_us: figures.spread_p99_us.map(|us| us as f64),
    }
}

fn times(own: Option<f64>, floor: Option<f64>) -> Option<f64> {
    let floor = floor.filter(|floor| *floor > 0.0)?;
    Some(own? / floor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    /// A row of this technique and repeat, with CPU of 8 µs an update on either side and a spread of 30 µs, or `change`d.
    fn row(transport: &str, repeat: u32, change: impl Fn(&mut Row)) -> Row {
        let mut row = fixture::record().rows.remove(0);
        row.outcome = Outcome::Ok;
        let figures = &mut row.figures;
        (figures.transport, figures.repeat, figures.validity) = (transport.into(), repeat, Some(Verdict::Valid));
        (figures.server_cpu_us_per_update, figures.client_cpu_us_per_update) = (Some(8.0), Some(8.0));
        figures.spread_p99_us = Some(30);
        change(&mut row);
        row
    }

    fn multiples(rows: &[Row]) -> Vec<[Option<f64>; 3]> {
        let of = |row: &Row| {
            let figures = &row.figures;
            [
                figures.server_cpu_x_floor,
                figures.client_cpu_x_floor,
                figures.spread_x_floor,
            ]
        };
        rows.iter().map(of).collect()
    }

    #[test]
    fn each_row_is_divided_by_the_floor_of_its_own_repeat() {
        let cost = |us: f64| move |row: &mut Row| row.figures.server_cpu_us_per_update = Some(us);
        let mut rows = [
            row("sse", 1, |_| {}),
            row(ID, 1, cost(4.0)),
            row(ID, 2, cost(16.0)),
            row("sse", 2, |_| {}),
            row("sse", 3, |_| {}),
        ];
        set(&mut rows);
        let one = Some(1.0);
        let expected = [
            [Some(2.0), one, one],
            [one; 3],
            [one; 3],
            [Some(0.5), one, one],
            [None; 3],
        ];
        assert_eq!(multiples(&rows), expected, "the third repeat has no floor");
    }

    #[test]
    fn what_cannot_be_believed_divides_nothing_and_is_not_divided() {
        let invalid = |row: &mut Row| row.figures.validity = Some(Verdict::Invalid);
        let failed = |row: &mut Row| row.outcome = Outcome::Failed { reason: "cut".into() };
        let unknown = |row: &mut Row| {
            row.figures.client_cpu_us_per_update = None;
            row.figures.spread_p99_us = Some(0);
        };
        let mut rows = [
            row("sse", 1, invalid),
            row("websocket", 1, |_| {}),
            row(ID, 1, unknown),
            row("sse", 2, |_| {}),
            row(ID, 2, failed),
        ];
        // Of an earlier save: it must not stay.
        rows[3].figures.spread_x_floor = Some(7.0);
        set(&mut rows);
        let one = [Some(1.0), None, None];
        assert_eq!(multiples(&rows), [[None; 3], one, one, [None; 3], [None; 3]]);
    }
}
