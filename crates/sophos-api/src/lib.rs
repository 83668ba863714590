//! A client for the Sophos Central API.
//!
//! An [`Operation`] is a struct that converts into an [`http::Request`] and parses an
//! [`http::Response`], without a network. A [`Client`] sends operations over a
//! [`Transport`]. It shares one token among all callers, finds the host of each
//! tenant, applies the rate limit of its credential, retries safe requests, and
//! observes deadlines. The crate has no runtime, socket or clock of its own, and
//! compiles for `wasm32-unknown-unknown`. The default feature `reqwest` adds
//! `ReqwestTransport`, the native transport.
//!
//! ```
//! use sophos_api::{Operation, RequestTarget, operations::endpoint::endpoints::ListEndpoints, models::HealthStatus};
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
//! # Operations
//!
//! [`operations`] has every published operation, and a few that are not published and
//! say so: a folder for each family, a file for each resource with its models. Each
//! family is a Cargo feature, and the default feature `all` enables all of them. The
//! operations that find tenants need no feature. Those of Sophos Fusion are in [`fusion`].
//! The feature `catalog` adds all operations as data, with JSON schemas.
//!
//! A program can add its own: a struct with the service's field names that implements
//! [`Operation`] with the route and the type of the response.
//!
//! # Untrusted responses
//!
//! The service, or a gateway, may repeat parts of a request. The client replaces
//! secrets and tokens by `[redacted]` in every text of an [`Error`], in each encoding
//! in which a response may repeat them. It ignores secrets of less than six bytes. It
//! rejects ids and hosts that hold a secret. It does not change records: apply
//! [`Client::scrub`] to texts that are stored elsewhere. A transport reads at most
//! [`DEFAULT_MAX_RESPONSE_LEN`], and a page holds at most 20,000 items.
//!
//! # Undocumented responses
//!
//! Responses omit fields, send null, add fields, and use undocumented values. So every
//! field but an `id` is optional, every enumeration keeps unknown values, and a
//! [`WithRaw`] holds the JSON of the service. An unreadable item of a page does not
//! affect the others.

#![deny(missing_docs)]

#[cfg(feature = "catalog")]
pub mod catalog;
mod client;
mod credentials;
mod error;
pub mod fusion;
mod hosts;
mod jobs;
pub mod models;
mod operation;
pub mod operations;
mod paging;
mod scrub;
mod send;
mod session;
mod setters;
mod sync;
mod transport;

pub use client::{ApiClient, Client, ClientBuilder, MAX_PLATFORM_AGE, Platform, TenantClient, TenantList};
#[cfg(feature = "common")]
pub use client::{act_on_alerts, send_all};
#[cfg(feature = "endpoint")]
pub use client::{find_endpoint, find_endpoints};
pub use credentials::{AccessToken, Auth, CredentialSource, Credentials, NoCredential, Owner};
pub use error::{Error, ErrorKind};
pub use hosts::{BaseUrl, DATA_REGIONS, DataRegion, Hosts};
pub use jobs::{
    Job, JobProgress, JobState, JobUpdate, JobUpdates, PollOptions, job_updates, poll_until_done,
};
pub use models::{
    raw::{Raw, WithRaw},
    tenant_id::TenantId,
    timestamp::Timestamp,
};
pub use operation::{ApiHost, Operation, RequestTarget, RequiredAccess, Route, ScopeHeader, ServiceRole};
pub use paging::{
    CursorPage, ItemList, Items, KeyedPage, KeyedPages, MalformedItem, NumberedPage, NumberedPages, Paged,
    Pages,
};
pub use send::{RateLimit, RateWindow, RequestStats, RetryPolicy, SharedRateLimiter};
pub use session::Identity;
#[cfg(feature = "reqwest")]
pub use transport::ReqwestTransport;
pub use transport::{DEFAULT_MAX_RESPONSE_LEN, Transport, TransportError, TransportErrorKind};

/// A boxed future, as traits that are used as `dyn` return it.
pub type BoxFuture<'a, V> = std::pin::Pin<Box<dyn Future<Output = V> + Send + 'a>>;

/// Compiles the examples of the README as doc tests.
#[cfg(all(doctest, feature = "reqwest"))]
#[doc = include_str!("../README.md")]
struct Readme;
