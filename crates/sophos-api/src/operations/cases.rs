//! Operations of the cases API.

pub mod cases;
