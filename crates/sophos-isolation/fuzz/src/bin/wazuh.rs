//! Fuzz target: a message of the tool `wazuh`.

#![no_main]

sophos_isolation_fuzz::fuzz_adapter!(Wazuh);
