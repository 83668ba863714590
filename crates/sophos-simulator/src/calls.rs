//! Counts of calls.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

/// Calls to the identity, global and regional hosts, including those with a fault.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CallCounts {
    /// All calls.
    pub total: u64,
    /// Calls by operation, such as `siem.events`. A call without an operation counts as
    /// `unknown`.
    pub by_operation: BTreeMap<String, u64>,
    /// Calls by operation, then by the tenant id of the call.
    pub by_operation_tenant: BTreeMap<String, BTreeMap<String, u64>>,
    /// Responses by status; 0 for a connection cut before the response.
    pub by_status: BTreeMap<u16, u64>,
}

impl CallCounts {
    /// Calls of one operation.
    pub fn operation(&self, name: &str) -> u64 {
        self.by_operation.get(name).copied().unwrap_or_default()
    }

    /// Calls of one operation for one tenant.
    pub fn operation_for(&self, name: &str, tenant_id: &str) -> u64 {
        self.by_operation_tenant
            .get(name)
            .and_then(|tenants| tenants.get(tenant_id))
            .copied()
            .unwrap_or_default()
    }

    /// Responses with one status.
    pub fn status(&self, status: u16) -> u64 {
        self.by_status.get(&status).copied().unwrap_or_default()
    }
}

#[derive(Debug, Default)]
pub(crate) struct Calls(Mutex<CallCounts>);

impl Calls {
    /// Counts a call that arrived.
    pub(crate) fn record_request(&self, operation: &str, tenant: Option<&str>) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.total += 1;
        *counts.by_operation.entry(operation.to_owned()).or_default() += 1;
        if let Some(tenant) = tenant {
            *counts
                .by_operation_tenant
                .entry(operation.to_owned())
                .or_default()
                .entry(tenant.to_ascii_lowercase())
                .or_default() += 1;
        }
    }

    /// Counts the end of a call.
    pub(crate) fn record_response(&self, status: u16) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.by_status.entry(status).or_default() += 1;
    }

    pub(crate) fn snapshot(&self) -> CallCounts {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn reset(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = CallCounts::default();
    }
}
