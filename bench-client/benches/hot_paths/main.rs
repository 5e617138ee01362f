//! Wall time of each hot path: `cargo bench --bench hot-paths`, or `-- decode` for those whose name has it.
//!
//! The same paths in instructions, which no other program disturbs: `instructions.rs`.

mod paths;
mod world;

fn main() {
    divan::main();
}

/// Paths are made once per thread and repeated; a step that handles many updates says how many, for the rate.
#[divan::bench(args = paths::ALL.iter().map(|path| path.0), min_time = 0.7, max_time = 3)]
fn path(bencher: divan::Bencher<'_, '_>, name: &str) {
    let (_, updates, make) = paths::ALL
        .iter()
        .find(|path| path.0 == name)
        .expect("a name of the table");
    let step = make();
    bencher
        .counter(divan::counter::ItemsCount::new(*updates))
        .bench_local(step);
}
