//! Fuzz target: a message of the tool `microsoft_defender`.

#![no_main]

sophos_isolation_fuzz::fuzz_adapter!(MicrosoftDefender);
