//! Rotations of a secret in memory, with tests of credentials whose outcome is
//! known.

mod crash_recovery;
mod memory;
mod steps;
