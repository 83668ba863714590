//! What was done to endpoints, for tests that count it.

use serde::{Deserialize, Serialize};

/// A change of isolation that was accepted. The answer may not have arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct IsolationChange {
    /// The tenant's id.
    pub tenant: String,
    /// The endpoint's id.
    pub endpoint: String,
    /// Whether it was asked to be isolated or to be released.
    pub enabled: bool,
    /// Whether this was not asked of it already: a bulk call may ask for what holds.
    pub changed: bool,
    /// The comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The client id that asked.
    pub requested_by: String,
    /// When, by the simulator's clock, in Unix milliseconds.
    pub at_ms: i64,
    /// The same moment in real time, in Unix milliseconds.
    pub received_real_ms: i64,
    /// The operation: `isolation.set` or `isolation.bulk`.
    pub operation: String,
}
