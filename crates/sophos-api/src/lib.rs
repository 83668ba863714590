//! The Sophos Central API as values.
//!
//! An [`Operation`] is a plain struct: what it sends is an [`http::Request`],
//! what it reads an [`http::Response`], and neither needs a network. A
//! [`Client`] sends operations over a [`Transport`], the one door to the world:
//! it keeps one token for all callers, finds the host of each tenant, stays
//! inside the rate budget of its credential, repeats what is safe to repeat,
//! and never waits past a deadline. The crate has no runtime, no socket and no
//! clock of its own, and compiles for `wasm32-unknown-unknown`.
//!
//! ```
//! use sophos_api::{Operation, Target, operations::endpoints::ListEndpoints, models::HealthStatus};
//!
//! let operation = ListEndpoints {
//!     health_status: vec![HealthStatus::Bad, HealthStatus::Suspicious],
//!     page_size: Some(500),
//!     ..Default::default()
//! };
//! let target = Target::tenant("https://api-eu01.central.sophos.com".parse()?, "4a7b…");
//! let request = operation.to_request(&target)?;
//!
//! assert_eq!(
//!     request.uri(),
//!     "https://api-eu01.central.sophos.com/endpoint/v1/endpoints?healthStatus=bad,suspicious&pageSize=500",
//! );
//! # Ok::<(), sophos_api::Error>(())
//! ```
//!
//! # Adding an operation
//!
//! One struct whose members are named as the service names them, and one
//! `impl`: the route, and the type of the answer. Members that the path names
//! go into the path; the rest becomes the query of a `GET` or `DELETE` and the
//! JSON body of anything else. [`operations`] has one file an operation.
//!
//! # What the service is known to do
//!
//! Answers leave members out, send null, add members, and use words that no
//! document lists. So every member but an `id` is optional, every enumeration
//! keeps what it does not know, and a [`Record`] carries the JSON it was read
//! from. One unreadable item in a page costs that item, never the page.

#![deny(missing_docs)]

mod authority;
mod budget;
mod client;
mod credential_source;
mod credentials;
mod error;
mod exchange;
mod hosts;
mod model;
mod operation;
mod page_body;
mod paging;
mod record;
mod region;
mod retry;
mod session;
mod shared_budget;
mod sync;
mod tenant_id;
mod timestamp;
mod transport;

pub mod models;
pub mod operations;

pub use authority::{AccessToken, Authority};
pub use budget::{RateBudget, Window};
pub use client::{Caller, Client, ClientBuilder, TenantClient, Tenants};
pub use credential_source::{CredentialSource, NoCredential};
pub use credentials::{Credentials, Owner};
pub use error::{Error, ErrorKind};
pub use exchange::CallStats;
pub use hosts::{BaseUrl, Hosts};
pub use operation::{Host, Operation, Route, Scope, Target};
pub use page_body::UnreadableItem;
pub use paging::{CursorPage, Items, KeyedPage, KeyedPages, NumberedPage, NumberedPages, Paged, Pages};
pub use record::{Raw, Record};
pub use region::{DATA_REGIONS, DataRegion};
pub use retry::RetryPolicy;
pub use session::Identity;
pub use shared_budget::SharedBudget;
pub use tenant_id::TenantId;
pub use timestamp::Timestamp;
pub use transport::{Transport, TransportError, TransportErrorKind};

/// A future behind a pointer, for traits of which a client holds any
/// implementation.
pub type BoxFuture<'a, V> = std::pin::Pin<Box<dyn Future<Output = V> + Send + 'a>>;
