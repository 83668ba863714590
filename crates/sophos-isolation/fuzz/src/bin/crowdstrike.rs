//! Fuzz target: a message of the tool `crowdstrike`.

#![no_main]

sophos_isolation_fuzz::fuzz_adapter!(CrowdStrike);
