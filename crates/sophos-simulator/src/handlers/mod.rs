//! The handlers of the operations.

pub(crate) mod access_tokens;
pub(crate) mod admins;
pub(crate) mod alert_query;
pub(crate) mod alerts;
pub(crate) mod directory;
pub(crate) mod endpoint_filter;
pub(crate) mod endpoints;
pub(crate) mod health;
pub(crate) mod health_scores;
pub(crate) mod identity;
pub(crate) mod isolation;
pub(crate) mod licenses;
pub(crate) mod live_discover;
pub(crate) mod live_discover_runs;
pub(crate) mod partner;
pub(crate) mod permissions;
pub(crate) mod saved_queries;
pub(crate) mod siem;
pub(crate) mod sql;
pub(crate) mod tenants;
pub(crate) mod whoami;
pub(crate) mod xdr_query;
