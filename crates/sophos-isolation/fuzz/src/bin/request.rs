//! Fuzz target: a request to the webhook.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &str| sophos_isolation_fuzz::request::check(input));
