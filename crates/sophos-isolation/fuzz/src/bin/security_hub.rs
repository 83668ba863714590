//! Fuzz target: a message of the tool `security_hub`.

#![no_main]

sophos_isolation_fuzz::fuzz_adapter!(SecurityHub);
