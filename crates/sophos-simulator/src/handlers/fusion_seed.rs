//! The reference data of a tenant on Sophos Fusion, and its first objects.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::data::endpoint::EndpointIdentity;
use crate::data::tenant::Tenant;
use crate::handlers::fusion_state::{CaseObject, Evidence, EvidenceKind, TenantObjects};
use crate::hash::{Rng, mix, mix_text, uuid_text};
use crate::time;

const CASES: u64 = 12;
const DETECTIONS: u64 = 120;
const HOUR_MS: i64 = 3_600_000;

const TITLES: &[(&str, &str, &str)] = &[
    ("Credential dumping by LSASS access", "T1003.001", "Credential Access"),
    ("Encoded PowerShell command", "T1059.001", "Execution"),
    ("Logon from an unusual country", "T1078", "Initial Access"),
    ("Many failed logons of one user", "T1110", "Credential Access"),
    ("New service on a domain controller", "T1543.003", "Persistence"),
    ("Outbound traffic to a known bad address", "T1071", "Command and Control"),
];
const DETECTORS: &[&str] = &["tactic-graphs", "event-filter", "login-anomaly", "watchlist"];

/// Names and titles; the id of each follows from the tenant and the name.
const TYPES: &[(&str, &str, Option<&str>)] = &[
    ("SECURITY_INVESTIGATION", "Security Investigation", None),
    ("MDR_INVESTIGATION", "MDR Investigation", Some("PROVIDER")),
    ("THREAT_HUNT", "Threat Hunt", None),
];
const STATUSES: &[(&str, &str, bool)] = &[
    ("NEW", "New", false),
    ("ACTIVE", "Active", false),
    ("AWAITING_ACTION", "Awaiting Action", false),
    ("CLOSED", "Closed", true),
];
const SECONDARY_STATUSES: &[(&str, &str, bool)] = &[
    ("TRIAGE", "Triage", false),
    ("CONTAINMENT", "Containment", false),
    ("AUTO_HANDLED", "Auto Handled", true),
];
const VERDICTS: &[(&str, &str)] = &[
    ("TRUE_POSITIVE", "True Positive"),
    ("FALSE_POSITIVE", "False Positive"),
    ("INCONCLUSIVE", "Inconclusive"),
];
const SECONDARY_VERDICTS: &[(&str, &str)] =
    &[("MALICIOUS", "Malicious"), ("AUTHORIZED", "Authorized Activity")];
const SOURCES: &[(&str, &str)] = &[("MANUAL", "Manual"), ("RULE", "Rule"), ("API", "API")];

/// The id of an item of the reference data.
fn reference_id(tenant: &Tenant, list: &str, name: &str) -> String {
    uuid_text(Rng::new(mix_text(mix_text(mix(tenant.key, 71), list), name)).uuid())
}

fn label(tenant: &Tenant, list: &str, name: &str, title: &str) -> Value {
    json!({ "id": reference_id(tenant, list, name), "name": name, "title": title, "description": null })
}

/// A list of the reference data: `types`, `primaryStatuses`, `secondaryStatuses`,
/// `primaryVerdicts`, `secondaryVerdicts` or `sources`.
pub(crate) fn reference_data(tenant: &Tenant, list: &str) -> Vec<Value> {
    let labels = |items: &[(&str, &str)]| {
        items.iter().map(|(name, title)| label(tenant, list, name, title)).collect::<Vec<_>>()
    };
    let ids = |list: &str, names: &mut dyn Iterator<Item = &&str>| {
        names.map(|name| reference_id(tenant, list, name)).collect::<Vec<_>>()
    };
    match list {
        "types" => {
            let item = |(name, title, manager): &(&str, &str, Option<&str>)| {
                let mut item = label(tenant, list, name, title);
                item["managedBy"] = json!(manager);
                item["supportedPrimaryStatusIds"] =
                    json!(ids("primaryStatuses", &mut STATUSES.iter().map(|(name, ..)| name)));
                item["supportedSecondaryStatusIds"] =
                    json!(ids("secondaryStatuses", &mut SECONDARY_STATUSES.iter().map(|(name, ..)| name)));
                item["supportedPrimaryVerdictIds"] =
                    json!(ids("primaryVerdicts", &mut VERDICTS.iter().map(|(name, _)| name)));
                item
            };
            TYPES.iter().map(item).collect()
        }
        "primaryStatuses" => {
            let item = |(name, title, closed): &(&str, &str, bool)| {
                let mut item = label(tenant, list, name, title);
                item["isClosed"] = json!(closed);
                item["isCaseVisibleToCustomers"] = json!(true);
                item
            };
            STATUSES.iter().map(item).collect()
        }
        "secondaryStatuses" => {
            let item = |(name, title, automation): &(&str, &str, bool)| {
                let mut item = label(tenant, list, name, title);
                item["allowedSubstatusReasons"] = json!([]);
                item["automationOnly"] = json!(automation);
                item
            };
            SECONDARY_STATUSES.iter().map(item).collect()
        }
        "primaryVerdicts" => labels(VERDICTS),
        "secondaryVerdicts" => labels(SECONDARY_VERDICTS),
        "sources" => labels(SOURCES),
        _ => Vec::new(),
    }
}

/// The item of a list with this id.
pub(crate) fn find_reference(tenant: &Tenant, list: &str, id: &str) -> Option<Value> {
    reference_data(tenant, list).into_iter().find(|item| item["id"] == id)
}

/// The first objects of a tenant, which follow from the seed.
pub(crate) fn objects(tenant: &Tenant) -> TenantObjects {
    let mut rng = Rng::new(mix(tenant.key, 72));
    let detections: Vec<Value> = (0..DETECTIONS).map(|number| detection(tenant, number, &mut rng)).collect();
    let cases: Vec<CaseObject> =
        (0..CASES).map(|number| case(tenant, number, &detections, &mut rng)).collect();
    let comments = cases.iter().step_by(3).map(|case| {
        let at = case.value["createdAt"].as_str().unwrap_or_default();
        comment(tenant, case.id(), "Seen in the daily review.", "analyst", at, &mut rng)
    });
    let comments = comments.collect();
    TenantObjects { cases, comments, detections, searches: HashMap::new(), rng }
}

/// A comment.
pub(crate) fn comment(
    tenant: &Tenant,
    case: &str,
    text: &str,
    author: &str,
    at: &str,
    rng: &mut Rng,
) -> Value {
    let mentions: Vec<&str> =
        text.split_whitespace().filter(|word| word.len() > 1 && word.starts_with('@')).collect();
    json!({
        "id": uuid_text(rng.uuid()), "caseId": case, "tenantId": tenant.id_text, "authorId": author,
        "comment": text, "createdAt": at, "updatedAt": at, "mentionsIds": mentions, "readByIds": [author],
        "isInternal": false,
    })
}

/// The members that every new case has.
pub(crate) fn new_case(tenant: &Tenant, number: u64, creator: &str, at: &str, rng: &mut Rng) -> Value {
    json!({
        "id": uuid_text(rng.uuid()), "shortId": format!("CSE{number:05}"), "tenantId": tenant.id_text,
        "title": "", "keyFindings": null, "severity": 2, "type": null, "primaryStatus": null,
        "secondaryStatus": null, "secondaryStatusReason": [], "primaryVerdict": null, "secondaryVerdict": null,
        "source": null, "tags": [], "contributorIds": [creator], "assigneeId": "", "managedBy": null,
        "incidentAdvisorId": null, "queue": null, "createdAt": at, "createdById": creator, "updatedAt": at,
        "updatedById": creator, "closedAt": null, "closedById": null, "closeReason": null, "archivedAt": null,
        "riskScore": null, "ruleId": null, "links": [], "isCreatedByPartner": false,
        "isCreatedByMDRProvider": false, "isCreatedByParent": false,
    })
}

fn case(tenant: &Tenant, number: u64, detections: &[Value], rng: &mut Rng) -> CaseObject {
    let created_ms = tenant.start_ms - (number as i64 * 5 + 1) * HOUR_MS;
    let at = time::format_millis(created_ms);
    let mut value = new_case(tenant, CASES - number, "automation", &at, rng);
    let closed = number % 4 == 3;
    let status = if closed { "CLOSED" } else { ["NEW", "ACTIVE", "AWAITING_ACTION"][number as usize % 3] };
    let first = &detections[(number * 7) as usize % detections.len()];
    value["title"] = first["metadata"]["title"].clone();
    value["severity"] = json!([4, 6, 8, 10, 2][number as usize % 5]);
    value["type"] = reference_data(tenant, "types")[number as usize % 3].clone();
    value["managedBy"] = value["type"]["managedBy"].clone();
    value["primaryStatus"] =
        find_reference(tenant, "primaryStatuses", &reference_id(tenant, "primaryStatuses", status))
            .unwrap_or_default();
    value["source"] = reference_data(tenant, "sources")[1].clone();
    value["tags"] = json!(if number.is_multiple_of(2) { vec!["seeded"] } else { Vec::new() });
    value["riskScore"] = json!(rng.below(100) as f64 / 10.0);
    if closed {
        value["closedAt"] = json!(time::format_millis(created_ms + HOUR_MS));
        value["closedById"] = json!("analyst");
        value["primaryVerdict"] = reference_data(tenant, "primaryVerdicts")[0].clone();
    }
    let evidence = Evidence {
        kind: EvidenceKind::Detections,
        id: uuid_text(rng.uuid()),
        source_id: first["id"].as_str().unwrap_or_default().to_owned(),
        created_by: "automation".to_owned(),
        is_genesis: true,
        created_ms,
        visible_ms: created_ms,
        removed_ms: None,
    };
    CaseObject { value, evidence: vec![evidence] }
}

/// Seconds and nanoseconds since the Unix epoch.
pub(crate) fn epoch(ms: i64) -> Value {
    json!({ "seconds": ms.div_euclid(1_000), "nanos": ms.rem_euclid(1_000) * 1_000_000 })
}

/// A detection of the start, the newest first.
fn detection(tenant: &Tenant, number: u64, rng: &mut Rng) -> Value {
    detection_at(tenant, tenant.start_ms - (number as i64 * 36 + 1) * 60_000, rng)
}

/// A detection that was created at this time.
pub(crate) fn detection_at(tenant: &Tenant, at_ms: i64, rng: &mut Rng) -> Value {
    let (title, technique, tactic) = rng.pick(TITLES);
    let detector = rng.pick(DETECTORS);
    let host = EndpointIdentity::pick(tenant, rng.next());
    let host_id = uuid_text(host.id);
    let uuid = uuid_text(rng.uuid());
    let event = format!("event://priv:scwx.process:{}:{at_ms}:{uuid}", 100_000 + tenant.number);
    let severity = rng.pick(&[0.1, 0.3, 0.5, 0.7, 0.9]);
    let user = format!("user{:02}", rng.below(40));
    let entity = |perspective: &str, subtype: &str, name: &str| {
        json!({
            "id": format!("{subtype}:{name}"), "perspective": perspective, "identifiers": [name],
            "display_name": name, "subtype": subtype,
        })
    };
    let entities = [
        format!("hostId:{host_id}"),
        format!("hostName:{}", host.hostname),
        format!("ipAddress:{}", host.ip),
        format!("userName:{user}"),
    ];
    json!({
        "id": format!("alert://priv:{detector}:{}:{at_ms}:{uuid}", 100_000 + tenant.number),
        "group_key": [format!("{detector}:{host_id}")],
        "metadata": {
            "title": title, "full_title": "", "description": format!("{title} on {}", host.hostname),
            "severity": severity, "confidence": 0.8, "origin": "INTERNAL", "read_only": false,
            "creator": {
                "detector": { "detector_id": format!("app:detect:{detector}"), "detector_name": detector, "version": "1" },
                "rule": { "rule_id": uuid_text(rng.uuid()), "version": "3" },
            },
            "engine": { "name": detector, "version": "1" },
            "began_at": epoch(at_ms - 30_000), "ended_at": epoch(at_ms), "created_at": epoch(at_ms),
            "inserted_at": epoch(at_ms + 900), "updated_at": epoch(at_ms + 900), "first_seen_at": null,
            "first_investigated_at": null, "first_resolved_at": null,
        },
        "attack_technique_ids": [technique],
        "tenant": { "id": tenant.id_text },
        "parent_tenant_id": null, "suppressed": false, "alerting_rules": [],
        "status": "OPEN", "resolution_reason": null, "tags": [], "sensor_types": ["ENDPOINT_SOPHOS"],
        "entities": {
            "entities": entities,
            "relationships": [{
                "from_entity": entities[3], "to_entity": entities[1], "relationship": "loggedOnTo", "type": "auth",
            }],
        },
        "key_entities": [{ "entity": entities[1], "label": "host" }],
        "source_entities": [entity("SOURCE", "user", &user)],
        "target_entities": [entity("TARGET", "host", &host.hostname)],
        "event_ids": [{ "id": event }],
        "investigation_ids": [],
        "enrichment_details": [{ "mitre_attack_info": {
            "technique_id": technique, "technique": title, "tactics": [tactic],
            "url": format!("https://attack.mitre.org/techniques/{}", technique.replace('.', "/")),
        }}],
        "reference_details": [],
        "priority": { "value": severity, "prioritizer": "simulator", "version": "1" },
        "threat_score": severity * 10.0, "threat_score_v2": severity * 10.0,
        "events_metadata": {
            "began_at": epoch(at_ms - 30_000), "ended_at": epoch(at_ms), "first_event_id": event,
            "last_event_id": event, "total_events": 1,
        },
    })
}
