//! Fuzz target: a policy's text.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &str| sophos_isolation_fuzz::policy::check(input));
