//! Fuzz target: a message of the tool `crowdstrike`.

#![no_main]

sophos_isolation_fuzz::adapter!(CrowdStrike);
