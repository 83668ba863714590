//! Operations of the accounts API.

pub mod access_tokens;
