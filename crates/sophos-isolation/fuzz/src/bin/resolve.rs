//! Fuzz target: the resolution of a host to one endpoint.

#![no_main]

use sophos_isolation_fuzz::resolve::{Case, check};

libfuzzer_sys::fuzz_target!(|case: Case| check(&case));
