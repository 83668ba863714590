//! Fuzz target: a message of the tool `splunk`.

#![no_main]

sophos_isolation_fuzz::fuzz_adapter!(Splunk);
