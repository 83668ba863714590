//! Fuzz target: a message of the tool `sentinelone`.

#![no_main]

sophos_isolation_fuzz::fuzz_adapter!(SentinelOne);
