//! The accepted changes of isolation, for tests.

use serde::{Deserialize, Serialize};

/// An accepted change of isolation. Its response may have been lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct IsolationChange {
    /// The tenant's id.
    pub tenant: String,
    /// The endpoint's id.
    pub endpoint: String,
    /// Whether the request isolates the endpoint or releases it.
    pub enabled: bool,
    /// Whether the requested state is new: a bulk call may repeat the current one.
    pub changed: bool,
    /// The comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The client id of the caller.
    pub requested_by: String,
    /// The time by the simulator's clock, in Unix milliseconds.
    pub at_ms: i64,
    /// The same moment in real time, in Unix milliseconds.
    pub received_real_ms: i64,
    /// The operation: `isolation.set` or `isolation.bulk`.
    pub operation: String,
}
