//! Fuzz target: which endpoint a host is.

#![no_main]

use sophos_isolation_fuzz::resolve::{Case, check};

libfuzzer_sys::fuzz_target!(|case: Case| check(&case));
