//! Fuzz target: a message of the tool `pagerduty`.

#![no_main]

sophos_isolation_fuzz::fuzz_adapter!(PagerDuty);
