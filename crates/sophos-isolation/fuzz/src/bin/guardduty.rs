//! Fuzz target: a message of the tool `guardduty`.

#![no_main]

sophos_isolation_fuzz::fuzz_adapter!(GuardDuty);
