#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bench_client::properties::sse::check(data));
