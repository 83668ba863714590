//! The objects of tenants on Sophos Fusion.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use crate::data::tenant::Tenant;
use crate::handlers::fusion_seed;
use crate::hash::Rng;

/// The state of all tenants. A tenant's objects are created at their first use.
#[derive(Debug, Default)]
pub(crate) struct FusionState {
    tenants: Mutex<HashMap<usize, TenantObjects>>,
    flaky_calls: AtomicU64,
}

impl FusionState {
    /// Runs a function with the objects of a tenant.
    pub(crate) fn with<R>(&self, tenant: &Tenant, use_objects: impl FnOnce(&mut TenantObjects) -> R) -> R {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        use_objects(tenants.entry(tenant.number).or_insert_with(|| fusion_seed::objects(tenant)))
    }

    /// Whether this call fails: every second one does, from the first on.
    pub(crate) fn next_call_fails(&self) -> bool {
        self.flaky_calls.fetch_add(1, Ordering::SeqCst).is_multiple_of(2)
    }
}

/// The objects of one tenant.
#[derive(Debug)]
pub(crate) struct TenantObjects {
    pub(crate) cases: Vec<CaseObject>,
    pub(crate) comments: Vec<Value>,
    pub(crate) detections: Vec<Value>,
    /// The ids of the detections of each search.
    pub(crate) searches: HashMap<String, Vec<String>>,
    pub(crate) rng: Rng,
}

/// A case with its evidence.
#[derive(Debug)]
pub(crate) struct CaseObject {
    pub(crate) value: Value,
    pub(crate) evidence: Vec<Evidence>,
}

/// The kinds of evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EvidenceKind {
    Detections,
    Events,
    Assets,
    SearchQueries,
}

/// One piece of evidence, which appears and disappears with a delay.
#[derive(Debug)]
pub(crate) struct Evidence {
    pub(crate) kind: EvidenceKind,
    pub(crate) id: String,
    pub(crate) source_id: String,
    pub(crate) created_by: String,
    pub(crate) is_genesis: bool,
    pub(crate) created_ms: i64,
    pub(crate) visible_ms: i64,
    pub(crate) removed_ms: Option<i64>,
}

impl Evidence {
    pub(crate) fn is_visible(&self, now: i64) -> bool {
        self.visible_ms <= now && self.removed_ms.is_none_or(|removed| now < removed)
    }

    /// Whether a change is not complete yet.
    pub(crate) fn is_pending(&self, now: i64) -> bool {
        now < self.visible_ms || self.removed_ms.is_some_and(|removed| now < removed)
    }
}

impl CaseObject {
    pub(crate) fn id(&self) -> &str {
        self.value["id"].as_str().unwrap_or_default()
    }

    pub(crate) fn visible(&self, kind: EvidenceKind, now: i64) -> impl Iterator<Item = &Evidence> {
        self.evidence.iter().filter(move |evidence| evidence.kind == kind && evidence.is_visible(now))
    }
}

impl TenantObjects {
    pub(crate) fn case(&mut self, id: &str) -> Option<&mut CaseObject> {
        self.cases.iter_mut().find(|case| case.id() == id)
    }
}
