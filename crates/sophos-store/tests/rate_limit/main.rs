//! The rate limit that processes share through a store.

mod faulty_store;
mod limits;
mod together;
