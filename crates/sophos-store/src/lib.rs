//! Objects in a bucket or a folder, created only if absent.
//!
//! A [`Store`] is `s3://bucket/prefix` or a folder with the same behavior. When several
//! processes create the same object, exactly one succeeds. Users need no other lock.
//!
//! A bucket must honor `If-None-Match`. The first write of each process tests that with
//! the object `_probe/if-none-match` below the store's root, which stays there. Writers
//! need `s3:PutObject` for it.

#![deny(missing_docs)]

mod error;
mod listing;
mod object_name;
mod partition;
mod rate_limit;
mod store;

pub use error::StoreError;
pub use listing::StoredObject;
pub use object_name::encode_name;
pub use rate_limit::{MAX_RESERVE_PERCENT, StoreRateLimiter};
pub use store::{Store, s3_builder_from_env};
