//! Operations of the dns protection API.

pub mod locations;
