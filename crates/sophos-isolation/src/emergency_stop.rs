//! The emergency stop.
//!
//! While the ledger has an object named `stop`, the engine isolates nothing. It
//! refuses each decision that would isolate, with the code `stopped`. It looks for
//! the object before each claim and each request, so a running invocation obeys
//! from its next request. Releases continue. The object's text is the reason that
//! outcomes contain.
//!
//! Refused decisions stay refused after the object is deleted. An alert that is
//! sent again with the same event id isolates nothing.

use crate::{
    ledger::{Ledger, LedgerStore, LedgerStoreError, paths},
    signal::clean,
};

/// An emergency stop that is in effect.
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
    /// Loads the emergency stop, if it is in effect.
    ///
    /// # Errors
    /// When the store fails. Then nothing may be isolated either.
    pub async fn load_emergency_stop(&self) -> Result<Option<EmergencyStop>, LedgerStoreError> {
        let text = self.store().read(paths::STOP).await?;
        Ok(text.map(|text| EmergencyStop { reason: clean(&String::from_utf8_lossy(&text)) }))
    }
}
