//! The rate limit that processes share through a store.

mod concurrency;
mod faulty_store;
mod simulator_limits;
#[path = "../support/faulty_store.rs"]
mod store;
mod time;
