//! The Sophos Central API as values.
//!
//! An [`Operation`] is a plain struct: what it sends is an [`http::Request`],
//! what it reads an [`http::Response`], and neither needs a network. A
//! [`Client`] sends operations over a [`Transport`], the one door to the world:
//! it keeps one token for all callers, finds the host of each tenant, stays
//! inside the rate budget of its credential, repeats what is safe to repeat,
//! and never waits past a deadline. The crate has no runtime, no socket and no
//! clock of its own, and compiles for `wasm32-unknown-unknown`. The default feature
//! `reqwest` adds `ReqwestTransport`, the native transport.
//!
//! ```
//! use sophos_api::{Operation, RequestTarget, operations::endpoints::ListEndpoints, models::HealthStatus};
//!
//! let operation = ListEndpoints::new()
//!     .health_status([HealthStatus::Bad, HealthStatus::Suspicious])
//!     .page_size(500);
//! let target = RequestTarget::with_id("https://api-eu01.central.sophos.com".parse()?, "4a7b…");
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
//! # What answers cannot do
//!
//! A service, or a gateway before it, may repeat a request. So secrets and tokens
//! are removed from every text that becomes part of an [`Error`], in each form in
//! which they may be repeated, and `[redacted]` takes their place. A secret of less
//! than six bytes is not looked for. Ids and hosts that hold one are refused.
//! Records are not changed; [`Client::scrub`] is for texts of theirs that are kept
//! elsewhere. A transport reads answers up to [`DEFAULT_MAX_RESPONSE_LEN`], and a page
//! has 20,000 items at most.
//!
//! # What the service is known to do
//!
//! Answers leave members out, send null, add members, and use words that no
//! document lists. So every member but an `id` is optional, every enumeration
//! keeps what it does not know, and a [`WithRaw`] carries the JSON it was read
//! from. One unreadable item in a page costs that item, never the page.

#![deny(missing_docs)]

mod auth;
mod checks;
mod client;
mod credential_source;
mod credentials;
mod error;
mod error_predicates;
mod hosts;
mod identity;
mod model;
mod operation;
mod page_body;
mod paging;
mod rate_limit;
mod region;
mod request;
#[cfg(feature = "reqwest")]
mod reqwest_transport;
mod retry;
mod scrub;
mod session;
mod setters;
mod shared_rate_limiter;
mod stats;
mod sync;
mod tenant_id;
mod tenant_list;
mod timestamp;
mod transport;
mod with_raw;

pub mod models;
pub mod operations;

pub use auth::{AccessToken, Auth};
pub use client::{ApiClient, Client, ClientBuilder, TenantClient};
pub use credential_source::{CredentialSource, NoCredential};
pub use credentials::{Credentials, Owner};
pub use error::{Error, ErrorKind};
pub use hosts::{BaseUrl, Hosts};
pub use identity::Identity;
pub use operation::{ApiHost, Operation, RequestTarget, Route, ScopeHeader};
pub use page_body::MalformedItem;
pub use paging::{CursorPage, Items, KeyedPage, KeyedPages, NumberedPage, NumberedPages, Paged, Pages};
pub use rate_limit::{RateLimit, RateWindow};
pub use region::{DATA_REGIONS, DataRegion};
#[cfg(feature = "reqwest")]
pub use reqwest_transport::ReqwestTransport;
pub use retry::RetryPolicy;
pub use shared_rate_limiter::SharedRateLimiter;
pub use stats::RequestStats;
pub use tenant_id::TenantId;
pub use tenant_list::TenantList;
pub use timestamp::Timestamp;
pub use transport::{DEFAULT_MAX_RESPONSE_LEN, Transport, TransportError, TransportErrorKind};
pub use with_raw::{Raw, WithRaw};

/// A future behind a pointer, for traits of which a client holds any
/// implementation.
pub type BoxFuture<'a, V> = std::pin::Pin<Box<dyn Future<Output = V> + Send + 'a>>;
