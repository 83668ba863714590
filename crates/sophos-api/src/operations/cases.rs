pub mod cases;

//! Operations of the cases API.
