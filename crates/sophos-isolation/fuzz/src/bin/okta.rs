//! Fuzz target: a message of the tool `okta`.

#![no_main]

sophos_isolation_fuzz::fuzz_adapter!(Okta);
