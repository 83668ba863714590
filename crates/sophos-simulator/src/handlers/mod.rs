//! The handlers of the operations.

pub(crate) mod alert_query;
pub(crate) mod alerts;
pub(crate) mod endpoint_filter;
pub(crate) mod endpoints;
pub(crate) mod fusion;
pub(crate) mod fusion_cases;
pub(crate) mod fusion_comments;
pub(crate) mod fusion_detections;
pub(crate) mod fusion_document;
pub(crate) mod fusion_evidence;
pub(crate) mod fusion_query;
pub(crate) mod fusion_schema;
pub(crate) mod fusion_seed;
pub(crate) mod fusion_state;
pub(crate) mod health;
pub(crate) mod identity;
pub(crate) mod isolation;
pub(crate) mod siem;
pub(crate) mod tenants;
pub(crate) mod whoami;
