//! Rotations of a secret in memory, with scripted tests of credentials.

mod crash_recovery;
mod memory;
mod steps;
