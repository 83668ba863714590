//! The handlers of the operations.

pub(crate) mod alert_query;
pub(crate) mod alerts;
pub(crate) mod endpoint_filter;
pub(crate) mod endpoints;
pub(crate) mod health;
pub(crate) mod identity;
pub(crate) mod isolation;
pub(crate) mod siem;
pub(crate) mod tenants;
pub(crate) mod whoami;
