//! Objects in a bucket or a folder, created only if absent.
//!
//! A [`Store`] is `s3://bucket/prefix` or a folder that stands for one, with
//! the same behaviour. Of any number of processes that create the same object
//! exactly one does, which is all the locking that its users need.
//!
//! A bucket must honor `If-None-Match`. That is tested at a process's first write, by
//! an object `_probe/if-none-match` below the store's root, which stays there. Writers
//! need `s3:PutObject` for it.

#![deny(missing_docs)]

mod error;
mod object_name;
mod partition;
mod rate_limit;
mod store;

pub use error::StoreError;
pub use object_name::encode_name;
pub use rate_limit::{MAX_RESERVE_PERCENT, StoreRateLimiter};
pub use store::Store;
