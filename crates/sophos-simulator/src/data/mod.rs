//! The tenants, endpoints, events and alerts, as functions of the seed.

pub(crate) mod accounts;
pub(crate) mod alerts;
pub(crate) mod catalogue;
pub(crate) mod endpoint;
pub(crate) mod endpoint_json;
pub(crate) mod events;
pub(crate) mod json;
pub(crate) mod tenant;
pub(crate) mod timeline;
