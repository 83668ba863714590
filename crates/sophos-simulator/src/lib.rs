//! A local Sophos Central for tests and demos.
//!
//! It serves the identity service, the global host, one host for each data region, and a
//! control host. Each has its own port, which accepts plain HTTP and TLS. Tenants, endpoints,
//! events and alerts follow from a seed and are generated on demand, so a million events use no
//! memory. A test configures the endpoints that it needs ([`MachineConfig`]). The simulator has
//! its own clock, which tests advance.
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
//! As a program, `sophos-simulator --config simulator.toml` prints its addresses as one line of
//! JSON and serves until SIGINT or SIGTERM. The file `simulator.toml` in this crate has every
//! key. The control host offers all functions of the library over HTTP:
//!
//! | request | |
//! |---|---|
//! | `GET /control/urls` | all addresses |
//! | `GET`, `POST /control/clock` | `{"advance_seconds": n}` or `{"set": "RFC 3339"}` |
//! | `GET`, `PUT`, `DELETE /control/faults` | a [`FaultPlan`] |
//! | `GET`, `DELETE /control/requests` | [`CallCounts`]; `DELETE` resets those of the limiter, too |
//! | `GET /control/served?dataset=&tenant=` | served ids, one JSON string a line |
//! | `DELETE /control/served` | forgets them |
//! | `GET /control/served/totals` | [`ServedTotals`] |
//! | `GET /control/records?dataset=&tenant=&from=&to=` | ids of existing records; times are RFC 3339 or Unix ms |
//! | `GET /control/rate-limits` | [`LimiterCounts`] by client id |
//! | `GET /control/tenants` | a [`TenantInfo`] for each tenant |
//! | `POST /control/tenants/{id}` | `{"state": "forbidden"}`, see [`TenantState`]; `{"region": "us01"}` or `{"platform": "fusion"}` moves it |
//! | `POST /control/tenants/{id}/endpoints/{id}` | `{"online": false}` |
//! | `GET`, `DELETE /control/isolation` | each accepted [`IsolationChange`]; `DELETE` forgets them |
//! | `GET /control/credentials` | all credentials, with their secrets |
//! | `POST /control/credentials` | creates one, see [`CredentialConfig`] |
//! | `DELETE /control/credentials/{client id}` | deletes it and its tokens |
//! | `POST /control/credentials/{client id}/rotate`, `…/expire` | |
//! | `POST /control/tokens/revoke` | |
//!
//! # Pointing a client at it
//!
//! Give the client [`Simulator::identity_url`] instead of `https://id.sophos.com`, and
//! [`Simulator::global_url`] instead of `https://api.central.sophos.com`. It learns the
//! regional hosts from `apiHosts` and `apiHost`. A client that requires TLS needs `advertise =
//! "https"` and `tls_ca_file`, and has to trust that certificate (usually by `SSL_CERT_FILE`).
//! `Date` headers follow the simulator's clock.
//!
//! # Operations
//!
//! [`routes()`] lists them. Fault rules and [`CallCounts`] use their names, such as `token`,
//! `partner.tenants`, `siem.events`, `alerts.act`, `isolation.set`, `users.create` or
//! `partner.roles.delete`. [`Access`] names the roles that may call an operation.
//!
//! # State
//!
//! A tenant, the partner and the organization each have collections of records. The first use of
//! a collection generates its records from the seed. What a client creates is listed, changed
//! and deleted like them, until the simulator ends. A second record with the same name or
//! address gets 409. Asynchronous runs end by the simulator's clock.
//!
//! Each change appears in the audit log of its tenant or partner, for 90 days
//! (`GET /audit/v1/audit-events`). Files are at URLs that work without a token for 15 minutes.
//!
//! Endpoints have the changes that clients made: deletion, group, Tamper Protection, software
//! package, and the move to another tenant by a migration. The token
//! `5bec1a10-0000-4000-8000-000000000001` adds a special software package.
//!
//! Queries of Live Discover and XDR return generated rows with the columns of their `SELECT`,
//! for endpoints of the tenant. Other SQL fails. A tenant has a new detection about every six
//! hours, and cases refer to them.
//!
//! # Sophos Fusion
//!
//! [`Simulator::fusion_url`] serves `POST /graphql` for the tenants whose
//! [`platform`](TenantGroup::platform) is `fusion`: cases with comments, evidence and reference
//! data, and detections. The simulator parses each document and validates it against its own
//! schema, and it returns the selected members alone. A tenant of the platform `central` has no
//! case types and no objects there. Of `createCase` and `addEvidenceToCase` every second request
//! fails at `partnerPreferences`, and two fields of cases in one document fail with `conn busy`,
//! as observed. Evidence appears, and disappears, five seconds after the request. Queries are a
//! part of the service's language: comparisons, `contains`, `in`, `is null`, `and`, `or`,
//! `EARLIEST=-1d`, `| sort` and `| head`.
//!
//! # The feed
//!
//! The position of a record in the SIEM feed is its `created_at`, which rises by at least a
//! millisecond from record to record. A cursor is such a time. Three irregularities have a
//! share that can be 0 (see [`DataConfig`]). `when` follows the host's clock, which may be
//! wrong by days. A late record appears after a delay at its old position, so that a reader
//! that has passed it misses it. A repeated record appears again within fifty positions.
//!
//! # Inferred, not documented
//!
//! The formats come from published documentation and recorded responses. These parts are
//! inferred:
//!
//! - the error codes of a token refused for anything but a wrong secret;
//! - 401 from the host of another region, including the tenant's former one; 403 for an unknown tenant, 405, and the order of checks;
//! - the roles that may write: `super_admin` and `management` may, the others only read;
//! - `from_date` is inclusive, and refused one second beyond 24 hours; a cursor from the future
//!   stays as it is;
//! - `next_cursor` on the last page is the service's now;
//! - the delays of late records and the number of repeats;
//! - the members of the endpoint views `summary` and `full`;
//! - 400 for `groupNameContains`, `assignedToGroup` and `groupIds`, documented as unsupported;
//! - a bulk isolation in which one endpoint has a change pending is refused as a whole, and
//!   endpoints already in the requested state are accepted;
//! - a bulk isolation that omits an endpoint ([`FaultAction::OmitEndpoint`]) or
//!   adds one ([`FaultAction::ExtraEndpoint`]): neither was observed;
//! - an error that repeats the request, with its token or secret ([`FaultAction::Echo`]): not observed;
//! - a page that names itself as the next ([`FaultAction::RepeatPage`]): not observed;
//! - `displayString` of a tag is `key:value`, and an endpoint without tags has no `tags`;
//! - the body of the account health check;
//! - the body and headers of a 429;
//! - alerts stay listed after an action;
//! - the form of an audit event;
//! - 403 for changes of predefined roles;
//! - the deletion of an unknown record answers `deleted: false` where no 404 is documented;
//! - 409 for a second blocked item, scanning exclusion, local site or policy with the same value;
//! - the maximum of 1,000 allowed and 1,000 blocked items, and of 250 websites exempt from TLS
//!   decryption;
//! - the keys, defaults and limits of policy settings, and 400 for unknown keys and targets;
//! - priorities of policies stay 1 to n; a clone has no targets;
//! - the blocking of an address that is already blocked returns the existing one;
//! - the durations of forensic logs, memory dumps, Adaptive Attack Protection and migrations; an
//!   offline endpoint does not start them;
//! - a migration checks the sending tenant and that both sides name the endpoints;
//! - the assignment of software packages, and its effect on `packages`;
//! - the partner is the distributor of `X-Distributor-ID`, and all formats of its quotes and prices;
//! - 409 for the second firewall group of a name; a deleted group leaves its subgroups at the top;
//! - a transaction of a disconnected firewall stays pending, and any expires after a day;
//! - the responses of threat feeds, and the result of an import for each firewall;
//! - a clawback moves a delivered message to post-delivery quarantine, within a minute;
//! - a user responds to an attestation after a minute, unless it expires before;
//! - 400 beyond 50 DNS locations, and 409 for an IP address of another location;
//! - a MAC address that is listed twice fails on the devices;
//! - the durations of queries and mobile actions; Live Discover waits two minutes for an offline
//!   endpoint;
//! - 404 for the results of an XDR or detections query before its end and after its expiry;
//! - an XDR query without a period covers one day, and a canceled one is not canceled again;
//! - a saved query needs a value for each variable;
//! - the placeholder in the URL of an enrichment pivot, its unique name, and 403 for canned ones;
//! - detections queries are open to all roles;
//! - the assignee of a case is a user or administrator of the tenant; 403 for changes of a case
//!   that Sophos manages;
//! - unique names of mobile devices and groups, the maximum numbers of mobile records, and the
//!   prefix `custom.` of property keys;
//! - 409 for a second open mobile action of a type, and for changes during an action; an action on
//!   a device that is not managed is skipped;
//! - the members of historical and regional health scores, and the age of billing data.
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
#[allow(dead_code, reason = "a family uses the parts that it needs")]
mod engine;
mod error;
mod faults;
mod handlers;
mod hash;
mod isolation_changes;
mod limiter;
mod limiter_counts;
mod log_control;
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
    ListenConfig, MachineConfig, MachineType, Owner, Platform, QuirkConfig, Role, Scheme, Tag, TenantGroup,
    TokenConfig,
};
pub use credentials::CredentialInfo;
pub use data::tenant::{TenantInfo, TenantState};
pub use error::{ConfigError, StartError};
pub use faults::{FaultAction, FaultPlan, FaultRule, RetryAfter};
pub use isolation_changes::IsolationChange;
pub use limiter::LimiterConfig;
pub use limiter_counts::LimiterCounts;
pub use routes::{Access, HostKind, RequestScope, Route, routes};
pub use served::{Dataset, ServedTotals};
pub use simulator::Simulator;
