//! Fuzz target: a message of the tool `sentinelone`.

#![no_main]

sophos_isolation_fuzz::adapter!(SentinelOne);
