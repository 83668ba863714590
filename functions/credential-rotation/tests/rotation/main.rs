//! Rotations of a secret in memory, with tests of credentials whose outcome is
//! known.

mod deaths;
mod memory;
mod steps;
