//! Fuzz target: the verification of a delivery.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &str| sophos_isolation_fuzz::signature::check(input));
