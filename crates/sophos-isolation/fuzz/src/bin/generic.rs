//! Fuzz target: a message of the tool `generic`.

#![no_main]

sophos_isolation_fuzz::fuzz_adapter!(Generic);
