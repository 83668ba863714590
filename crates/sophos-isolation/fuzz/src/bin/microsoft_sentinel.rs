//! Fuzz target: a message of the tool `microsoft_sentinel`.

#![no_main]

sophos_isolation_fuzz::fuzz_adapter!(MicrosoftSentinel);
