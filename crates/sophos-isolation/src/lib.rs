//! Isolation of endpoints on other tools' alerts: verified, exactly one
//! machine, guarded, proven.

#![deny(missing_docs)]

pub mod adapters;
pub mod hostname;
pub mod policy;
pub mod signal;
pub mod verify;
