pub mod locations;

//! Operations of the dns protection API.
