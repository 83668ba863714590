//! The emergency stop.
//!
//! While the ledger has an object named `stop`, the engine isolates nothing: each
//! decision that would isolate is refused with the code `stopped`. The engine
//! looks for it before each claim and before each call, so that a run under way
//! obeys from its next call. Releases go on. The text of the object is the reason
//! that outcomes repeat.
//!
//! What was refused stays refused when the object is removed: an alert that comes
//! again under the same event id isolates nothing.

use crate::{
    ledger::{Ledger, LedgerStore, LedgerStoreError},
    signal::clean,
};

/// The name of the object.
const STOP_PATH: &str = "stop";

/// An emergency stop that is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EmergencyStop {
    /// The operator's reason, of at most 200 characters; may be empty.
    pub reason: String,
}

impl std::fmt::Display for EmergencyStop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("isolation is stopped by the object \"stop\" of the ledger")?;
        if self.reason.is_empty() { Ok(()) } else { write!(f, ": {}", self.reason) }
    }
}

impl<O: LedgerStore> Ledger<O> {
    /// The emergency stop, if it is in force.
    ///
    /// # Errors
    /// When the store fails: then nothing may be isolated either.
    pub async fn load_emergency_stop(&self) -> Result<Option<EmergencyStop>, LedgerStoreError> {
        let text = self.store().read(STOP_PATH).await?;
        Ok(text.map(|text| EmergencyStop { reason: clean(&String::from_utf8_lossy(&text)) }))
    }
}
