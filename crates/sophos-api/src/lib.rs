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

mod access;
mod auth;
mod build_request;
#[cfg(feature = "common")]
mod bulk;
#[cfg(feature = "catalog")]
pub mod catalog;
// Each family uses some of the checks.
#[cfg_attr(not(feature = "all"), allow(dead_code))]
mod checks;
mod client;
mod client_builder;
mod client_inner;
mod client_send;
mod credential_source;
mod credentials;
#[cfg(feature = "endpoint")]
mod endpoint_lookup;
mod error;
mod error_kind;
mod error_predicates;
mod exchange;
mod hosts;
mod identity;
mod jobs;
mod model;
mod operation;
mod operation_macro;
mod page_body;
mod page_macro;
mod paging;
mod platform;
mod rate_limit;
mod region;
mod request;
#[cfg(feature = "reqwest")]
mod reqwest_transport;
mod retry;
mod route_macro;
mod scope;
mod scrub;
mod send_with_retry;
mod sender;
mod session;
mod setters;
mod shared_rate_limiter;
mod single_flight;
mod stats;
mod sync;
mod tenant_client;
mod tenant_id;
mod tenant_list;
#[cfg(test)]
mod tested_operation;
mod timestamp;
mod transport;
mod with_raw;

pub mod fusion;
pub mod models;
pub mod operations;

pub use access::{RequiredAccess, ServiceRole};
pub use auth::{AccessToken, Auth};
#[cfg(feature = "common")]
pub use bulk::{act_on_alerts, send_all};
pub use client::{ApiClient, Client};
pub use client_builder::ClientBuilder;
pub use credential_source::{CredentialSource, NoCredential};
pub use credentials::{Credentials, Owner};
#[cfg(feature = "endpoint")]
pub use endpoint_lookup::{find_endpoint, find_endpoints};
pub use error::Error;
pub use error_kind::ErrorKind;
pub use hosts::{BaseUrl, Hosts};
pub use identity::Identity;
pub use jobs::{
    Job, JobProgress, JobState, JobUpdate, JobUpdates, PollOptions, job_updates, poll_until_done,
};
pub use operation::{ApiHost, Operation, RequestTarget, Route, ScopeHeader};
pub use page_body::MalformedItem;
pub use paging::{
    CursorPage, ItemList, Items, KeyedPage, KeyedPages, NumberedPage, NumberedPages, Paged, Pages,
};
pub use platform::{MAX_PLATFORM_AGE, Platform};
pub use rate_limit::{RateLimit, RateWindow};
pub use region::{DATA_REGIONS, DataRegion};
#[cfg(feature = "reqwest")]
pub use reqwest_transport::ReqwestTransport;
pub use retry::RetryPolicy;
pub use shared_rate_limiter::SharedRateLimiter;
pub use stats::RequestStats;
pub use tenant_client::TenantClient;
pub use tenant_id::TenantId;
pub use tenant_list::TenantList;
pub use timestamp::Timestamp;
pub use transport::{DEFAULT_MAX_RESPONSE_LEN, Transport, TransportError, TransportErrorKind};
pub use with_raw::{Raw, WithRaw};

/// A boxed future, as traits that are used as `dyn` return it.
pub type BoxFuture<'a, V> = std::pin::Pin<Box<dyn Future<Output = V> + Send + 'a>>;

/// Compiles the examples of the README as doc tests.
#[cfg(all(doctest, feature = "reqwest"))]
#[doc = include_str!("../README.md")]
struct Readme;
