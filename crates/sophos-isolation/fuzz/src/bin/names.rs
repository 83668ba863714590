//! Fuzz target: spellings of the name of a protected machine.

#![no_main]

use sophos_isolation_fuzz::names::{RawCase, check, check_texts};

libfuzzer_sys::fuzz_target!(|input: (RawCase, String, String)| {
    let (case, listed, own) = input;
    check(&case.into());
    check_texts(&listed, &own);
});
