//! The audit events and the objects of Sophos Fusion that a test adds, and their ids.

use serde_json::Value;

use crate::engine::audit;
use crate::handlers::fusion_seed;
use crate::hash::{parse_uuid, uuid_text};
use crate::simulator::Simulator;

impl Simulator {
    /// Adds an audit event for each of these times, in Unix milliseconds, to a tenant, the
    /// partner or the organization. Returns their ids; none for an id that is not a UUID.
    pub fn add_audit_events(&self, account_id: &str, times_ms: impl IntoIterator<Item = i64>) -> Vec<String> {
        let Some(account) = parse_uuid(account_id) else { return Vec::new() };
        let central = self.central();
        let event = |at_ms| {
            let id = uuid_text(central.new_rng().uuid());
            (id.clone(), audit::added_event(id, account, at_ms))
        };
        let (ids, events): (Vec<String>, Vec<Value>) = times_ms.into_iter().map(event).unzip();
        central.state.open(account).audit_events.extend(events);
        ids
    }

    /// The ids of all audit events of a tenant, the partner or the organization, with those
    /// that the service does not return any more.
    pub fn audit_event_ids(&self, account_id: &str) -> Vec<String> {
        let Some(account) = parse_uuid(account_id) else { return Vec::new() };
        ids(&self.central().state.open(account).audit_events)
    }

    /// Adds a detection of Sophos Fusion for each of these times, in Unix milliseconds.
    /// Returns their ids; none for an unknown tenant.
    pub fn add_fusion_detections(
        &self,
        tenant_id: &str,
        times_ms: impl IntoIterator<Item = i64>,
    ) -> Vec<String> {
        let central = self.central();
        let Some(tenant) = central.accounts.tenant(tenant_id) else { return Vec::new() };
        central.fusion.with(tenant, |objects| {
            let added: Vec<Value> = times_ms
                .into_iter()
                .map(|at_ms| fusion_seed::detection_at(tenant, at_ms, &mut objects.rng))
                .collect();
            let added_ids = ids(&added);
            objects.detections.extend(added);
            // Searches return the newest first.
            let created = |detection: &Value| detection["metadata"]["created_at"]["seconds"].as_i64();
            objects.detections.sort_by_key(|detection| std::cmp::Reverse(created(detection)));
            added_ids
        })
    }

    /// The ids of all detections of a tenant on Sophos Fusion.
    pub fn fusion_detection_ids(&self, tenant_id: &str) -> Vec<String> {
        let central = self.central();
        let tenant = central.accounts.tenant(tenant_id);
        tenant.map_or_else(Vec::new, |tenant| central.fusion.with(tenant, |objects| ids(&objects.detections)))
    }

    /// The ids of all cases of a tenant on Sophos Fusion.
    pub fn fusion_case_ids(&self, tenant_id: &str) -> Vec<String> {
        let central = self.central();
        let case_ids = |tenant| {
            central
                .fusion
                .with(tenant, |objects| objects.cases.iter().map(|case| case.id().to_owned()).collect())
        };
        central.accounts.tenant(tenant_id).map_or_else(Vec::new, case_ids)
    }
}

fn ids(records: &[Value]) -> Vec<String> {
    records.iter().filter_map(|record| record["id"].as_str()).map(str::to_owned).collect()
}
