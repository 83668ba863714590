//! Fuzz target: a message of the tool `elastic`.

#![no_main]

sophos_isolation_fuzz::fuzz_adapter!(Elastic);
