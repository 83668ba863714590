pub mod access_tokens;

//! Operations of the accounts API.
