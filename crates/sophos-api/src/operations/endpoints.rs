//! Endpoints: computers and servers with the agent.

mod get_endpoint;
mod list_endpoints;

pub use get_endpoint::GetEndpoint;
pub use list_endpoints::{ListEndpoints, MAX_PAGE_SIZE};
