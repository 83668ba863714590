//! A Sophos Central on this machine, for tests and demonstrations of what talks to the real one.
//!
//! It serves the identity service, the global host, one host for each data region, and a control
//! host, each on a port of its own that answers plain HTTP and TLS alike. Tenants, endpoints,
//! events and alerts follow from a seed and are made when they are asked for, so a million events
//! cost nothing to hold. Endpoints that a test is about are described by hand ([`MachineConfig`]).
//! Time is the simulator's own and moves when it is told.
//!
//! # Running it
//!
//! In a test:
//!
//! ```
//! use std::time::Duration;
//! use sophos_simulator::{Config, FaultAction, FaultPlan, FaultRule, RetryAfter, Simulator};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sim = Simulator::start(Config::default()).await?;
//! let credential = &sim.credentials()[0];
//! println!("{} {}", sim.identity_url(), credential.client_id);
//!
//! let busy = FaultAction::throttle(Some(RetryAfter::Seconds(2)));
//! sim.set_faults(FaultPlan::new([FaultRule::new("siem.events", busy).skip(3).times(2)]));
//! sim.clock().advance(Duration::from_secs(3_600));
//!
//! // … let a client export, and compare what it wrote with the truth:
//! let tenant = &sim.tenants()[0].id;
//! let truth = sim.produced("events", tenant, 0, sim.clock().now_ms());
//! let handed_out = sim.served("events", tenant);
//! # assert!(handed_out.is_empty() && !truth.is_empty());
//! # Ok(())
//! # }
//! ```
//!
//! As a program: `sophos-simulator --config simulator.toml` prints its addresses as one line of
//! JSON and serves until SIGINT or SIGTERM. The file `simulator.toml` beside this crate names every
//! key. Everything the library can do, the control host does over HTTP:
//!
//! | request | |
//! |---|---|
//! | `GET /control/urls` | where everything is |
//! | `GET`, `POST /control/clock` | `{"advance_seconds": n}` or `{"set": "RFC 3339"}` |
//! | `GET`, `PUT`, `DELETE /control/faults` | a [`FaultPlan`] |
//! | `GET`, `DELETE /control/requests` | [`CallCounts`]; `DELETE` forgets those of the limiter too |
//! | `GET /control/served?dataset=&tenant=` | ids handed out, a JSON text to a line |
//! | `DELETE /control/served` | forget them |
//! | `GET /control/served/totals` | [`ServedTotals`] |
//! | `GET /control/records?dataset=&tenant=&from=&to=` | ids of what there is; times RFC 3339 or Unix ms |
//! | `GET /control/rate-limits` | [`LimiterCounts`] by client id |
//! | `GET /control/tenants` | [`TenantInfo`] of each |
//! | `POST /control/tenants/{id}` | `{"state": "forbidden"}`, see [`TenantState`]; `{"region": "us01"}` moves it |
//! | `POST /control/tenants/{id}/endpoints/{id}` | `{"online": false}` |
//! | `GET`, `DELETE /control/isolation` | each [`IsolationChange`] that was accepted; `DELETE` forgets them |
//! | `GET /control/credentials` | with their secrets |
//! | `POST /control/credentials` | makes one, see [`CredentialConfig`] |
//! | `DELETE /control/credentials/{client id}` | deletes it, and its tokens with it |
//! | `POST /control/credentials/{client id}/rotate`, `…/expire` | |
//! | `POST /control/tokens/revoke` | |
//!
//! # Pointing a client at it
//!
//! Give the client [`Simulator::identity_url`] in place of `https://id.sophos.com` and
//! [`Simulator::global_url`] in place of `https://api.central.sophos.com`; it learns the regional
//! hosts from `apiHosts` and `apiHost`. A client that insists on TLS needs
//! `advertise = "https"` and `tls_ca_file`, whose certificate it has to trust (`SSL_CERT_FILE` for
//! most). `Date` headers follow the simulator's clock.
//!
//! # Operations
//!
//! [`routes()`] lists them. Fault rules and [`CallCounts`] call them by name: `token`, `whoami`,
//! `partner.tenants`, `partner.tenant`, `organization.tenants`, `organization.tenant`,
//! `siem.events`, `siem.alerts`, `alerts.list`, `alerts.search`, `alerts.get`, `alerts.act`,
//! `endpoints.list`, `endpoints.get`, `isolation.get`, `isolation.set`, `isolation.bulk`,
//! `health.check`.
//!
//! # The feed
//!
//! A record's place in the SIEM feed is its `created_at`, which rises by at least a millisecond
//! from record to record; a cursor is such a time. Three things make the feed less simple, each
//! with a share that can be 0 (see [`DataConfig`]): `when` follows the host's clock, which may be
//! wrong by days; a late record shows up only after a while, at its old place, so that a reader
//! who has passed it misses it; a repeated record comes once more within fifty places.
//!
//! # Inferred, not documented
//!
//! The shapes come from published documentation and recorded answers. These parts are a guess:
//!
//! - the error codes of a token refused for anything but a wrong secret;
//! - 401 from the host of another region, also of one that the tenant was in before it moved; 403 for an unknown tenant, 405, and the order of checks;
//! - which roles may change things: `super_admin` and `management` may, the others only read;
//! - `from_date` is inclusive, and refused one second beyond 24 hours; a cursor from the future
//!   stays where it is;
//! - `next_cursor` on the last page is the service's now;
//! - how late records come and how often they repeat;
//! - which members the endpoint views `summary` and `full` have;
//! - 400 for `groupNameContains`, `assignedToGroup` and `groupIds`, documented as unsupported;
//! - a bulk isolation in which one endpoint has a change pending is refused as a whole, and
//!   endpoints already in the wanted state are accepted;
//! - an endpoint that a bulk isolation passes over ([`FaultAction::OmitEndpoint`]), and one that it names
//!   although nobody asked for it ([`FaultAction::ExtraEndpoint`]): neither was ever seen;
//! - an error that repeats the request, with its token or secret ([`FaultAction::Echo`]): never seen;
//! - `displayString` of a tag is `key:value`, and an endpoint without tags has no `tags`;
//! - the body of the account health check;
//! - the body and headers of a 429;
//! - alerts stay listed after an action.
#![deny(missing_docs)]

mod call;
mod calls;
mod central;
mod clock;
mod config;
mod control;
mod credentials;
mod data;
mod endpoint_states;
mod error;
mod faults;
mod handlers;
mod hash;
mod isolation_changes;
mod limiter;
mod limiter_counts;
mod response;
mod routes;
mod serve;
mod served;
mod simulator;
mod time;

pub use calls::CallCounts;
pub use central::Addresses;
pub use clock::Clock;
pub use config::{
    AlertsConfig, ClockConfig, Config, CredentialConfig, CredentialKind, DataConfig, IsolationConfig,
    ListenConfig, MachineConfig, MachineType, Owner, QuirkConfig, Role, Scheme, Tag, TenantGroup,
    TokenConfig,
};
pub use credentials::CredentialInfo;
pub use data::tenant::{TenantInfo, TenantState};
pub use error::{ConfigError, StartError};
pub use faults::{FaultAction, FaultPlan, FaultRule, RetryAfter};
pub use isolation_changes::IsolationChange;
pub use limiter::LimiterConfig;
pub use limiter_counts::LimiterCounts;
pub use routes::{HostKind, RequestScope, Route, routes};
pub use served::{Dataset, ServedTotals};
pub use simulator::Simulator;
