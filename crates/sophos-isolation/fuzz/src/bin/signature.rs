//! Fuzz target: how a delivery proves itself.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &str| sophos_isolation_fuzz::signature::check(input));
