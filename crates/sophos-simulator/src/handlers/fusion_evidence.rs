//! The evidence of cases of Sophos Fusion.

use serde_json::{Map, Value, json};

use crate::handlers::fusion::{FieldCall, FieldError};
use crate::handlers::fusion_detections::matching;
use crate::handlers::fusion_state::{CaseObject, Evidence, EvidenceKind, TenantObjects};
use crate::hash::uuid_text;
use crate::time;

/// The time after which added or removed evidence shows.
const JOB_MS: i64 = 5_000;

/// The state of the jobs of a case.
pub(crate) fn processing_status(case: &CaseObject, now: i64) -> Value {
    let state = |kind: EvidenceKind| {
        let pending = case.evidence.iter().any(|evidence| evidence.kind == kind && evidence.is_pending(now));
        if pending { "RUNNING" } else { "SUCCESS" }
    };
    json!({
        "detections": state(EvidenceKind::Detections),
        "events": state(EvidenceKind::Events),
        "assets": state(EvidenceKind::Assets),
    })
}

/// The evidence that an input names. That of a new case shows at once.
pub(crate) fn evidence_from_argument(
    call: &FieldCall<'_>,
    objects: &mut TenantObjects,
    is_genesis: bool,
) -> Vec<Evidence> {
    let mut named: Vec<(EvidenceKind, String)> = Vec::new();
    for (member, kind) in [
        ("detectionIds", EvidenceKind::Detections),
        ("eventIds", EvidenceKind::Events),
        ("hostIds", EvidenceKind::Assets),
        ("searchQueries", EvidenceKind::SearchQueries),
    ] {
        named.extend(call.texts(member).into_iter().map(|id| (kind, id.to_owned())));
    }
    if let Some(query) = call.text("detectionsSearchQuery") {
        let found = matching(objects, query, call.now).unwrap_or_default();
        named.extend(found.into_iter().map(|id| (EvidenceKind::Detections, id)));
    }
    let to_evidence = |(kind, source_id)| Evidence {
        kind,
        id: uuid_text(objects.rng.uuid()),
        source_id,
        created_by: call.caller.clone(),
        is_genesis,
        created_ms: call.now,
        visible_ms: if is_genesis { call.now } else { call.now + JOB_MS },
        removed_ms: None,
    };
    named.into_iter().map(to_evidence).collect()
}

pub(crate) fn get(call: &FieldCall<'_>) -> Result<Value, FieldError> {
    let tenant = call.moved_tenant().ok_or_else(FieldError::not_found)?;
    let id = call.text("id").unwrap_or_default();
    call.central.fusion.with(tenant, |objects| {
        let case = objects.case(id).ok_or_else(FieldError::not_found)?;
        let mut members = Map::from_iter([("id".to_owned(), json!(id))]);
        for (list, kind, source) in [
            ("detectionsEvidence", EvidenceKind::Detections, "detectionId"),
            ("eventsEvidence", EvidenceKind::Events, "eventId"),
            ("assetsEvidence", EvidenceKind::Assets, "assetId"),
            ("searchQueriesEvidence", EvidenceKind::SearchQueries, "searchQueryId"),
        ] {
            let entry = |evidence: &Evidence| {
                json!({
                    "id": evidence.id, "caseId": id, "tenantId": tenant.id_text,
                    "createdAt": time::format_millis(evidence.created_ms), "createdBy": evidence.created_by,
                    "isGenesis": evidence.is_genesis, source: evidence.source_id,
                })
            };
            let entries: Vec<Value> = case.visible(kind, call.now).map(entry).collect();
            members.insert(format!("{list}Count"), entries.len().into());
            members.insert(list.to_owned(), entries.into());
        }
        Ok(Value::Object(members))
    })
}

pub(crate) fn add(call: &FieldCall<'_>) -> Result<Value, FieldError> {
    let tenant = call.writable_tenant()?;
    if call.central.fusion.next_call_fails() {
        return Err(FieldError::partner_preferences());
    }
    let id = call.text("caseId").unwrap_or_default();
    call.central.fusion.with(tenant, |objects| {
        objects.case(id).ok_or_else(FieldError::not_found)?;
        let evidence = evidence_from_argument(call, objects, false);
        let case = objects.case(id).ok_or_else(FieldError::not_found)?;
        for piece in evidence {
            let known = |other: &Evidence| {
                other.kind == piece.kind && other.source_id == piece.source_id && other.removed_ms.is_none()
            };
            if !case.evidence.iter().any(known) {
                case.evidence.push(piece);
            }
        }
        Ok(call.argument.clone())
    })
}

pub(crate) fn remove(call: &FieldCall<'_>) -> Result<Value, FieldError> {
    let tenant = call.writable_tenant()?;
    let id = call.text("caseId").unwrap_or_default();
    call.central.fusion.with(tenant, |objects| {
        let case = objects.case(id).ok_or_else(FieldError::not_found)?;
        for (member, kind) in [
            ("detectionIds", EvidenceKind::Detections),
            ("eventIds", EvidenceKind::Events),
            ("assetIds", EvidenceKind::Assets),
            ("searchQueries", EvidenceKind::SearchQueries),
        ] {
            let named = call.texts(member);
            let chosen =
                |piece: &&mut Evidence| piece.kind == kind && named.contains(&piece.source_id.as_str());
            for piece in case.evidence.iter_mut().filter(chosen) {
                piece.removed_ms.get_or_insert(call.now + JOB_MS);
            }
        }
        Ok(call.argument.clone())
    })
}
