//! sophos-simulator
#![deny(missing_docs)]

mod answer;
mod call;
mod calls;
mod central;
mod clock;
mod config;
mod control;
mod credentials;
mod data;
mod error;
mod faults;
mod fleet;
mod handlers;
mod hash;
mod limiter;
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
    ListenConfig, Owner, QuirkConfig, Role, Scheme, TenantGroup, TokenConfig,
};
pub use credentials::CredentialInfo;
pub use data::tenant::{TenantInfo, TenantState};
pub use error::{ConfigError, StartError};
pub use faults::{FaultAction, FaultPlan, FaultRule, RetryAfter};
pub use limiter::LimiterConfig;
pub use routes::{HostKind, Route, Scope, routes};
pub use served::{Dataset, ServedTotals};
pub use simulator::Simulator;
