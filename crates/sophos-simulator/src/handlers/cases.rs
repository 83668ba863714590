//! Cases, with their detections, affected entities and MITRE ATT&CK summary.

use serde_json::{Value, json};

use crate::call::{Context, invalid_parameter};
use crate::data::tenant::Tenant;
use crate::engine::collection::IdKind;
use crate::engine::filter::{scalar_text, values_at};
use crate::engine::{Change, Collection, Filter, Member, Seed, verbs};
use crate::handlers::admins::ADMINS;
use crate::handlers::detection_data as data;
use crate::handlers::detections::DETECTIONS;
use crate::handlers::directory::USERS;
use crate::hash::{Rng, mix_text, uuid_text};
use crate::response::{ApiError, ApiResponse};
use crate::routes::Route;
use crate::time;

const UNASSIGNED: &str = "Unassigned";
const TYPES: &[&str] = &[
    "activeThreat",
    "customerRequest",
    "duplicate",
    "exposure",
    "generalRequest",
    "hunt",
    "incident",
    "investigation",
    "managedRisk",
];
const SEVERITIES: &[&str] = &["critical", "high", "medium", "low", "informational", "notSet"];
const STATUSES: &[&str] = &["new", "investigating", "inProgress", "onHold", "actionRequired", "resolved"];
const VERDICTS: &[&str] = &["falsePositive", "truePositive"];

static CASES: Collection = Collection {
    id_kind: IdKind::Pair,
    has_tenant: true,
    members: &[
        Member::text_up_to("name", 256).required(),
        Member::one_of("type", TYPES).required(),
        Member::one_of("severity", SEVERITIES).required(),
        Member::text_up_to("assignee", 320).required(),
        Member::text("initialDetectionId").required().fixed(),
        Member::list("otherDetectionIds", &Member::text("id"), 1_000).fixed(),
        Member::one_of("managedBy", &["self"]).fixed(),
        Member::one_of("status", STATUSES),
        Member::text_up_to("overview", 10_000),
    ],
    filters: &[
        Filter::one_of("managedBy", "managedBy", &["self", "sophos"]),
        Filter::one_of("type", "type", TYPES),
        Filter::one_of("severity", "severity", SEVERITIES),
        Filter::one_of("status", "status", STATUSES),
        Filter::equals("assignee", "_assignee"),
        Filter::equals("name", "name"),
        Filter::contains("overviewContains", "overview"),
        Filter::after("createdAfter", "createdAt"),
        Filter::before("createdBefore", "createdAt"),
        Filter::boolean("escalated", "escalated"),
        Filter::one_of("verdict", "verdict", VERDICTS),
    ],
    seed: seed_cases,
    on_create: complete,
    on_update: |change| {
        check_managed_by_customer(change)?;
        assign(change)?;
        follow_status(change);
        Ok(())
    },
    on_delete: check_managed_by_customer,
    ..Collection::new("cases", "case")
};

static ENTITIES: Collection = Collection {
    filters: &[
        Filter::equals("id", "id"),
        Filter::equals("name", "name"),
        Filter::one_of("type", "type", &["device", "file", "ipAddress", "networkFlow", "process", "user"]),
    ],
    ..Collection::new("impacted_entities", "entity")
};

pub(crate) static ROUTES: &[Route] = &[
    Route::list("cases.list", "/cases/v1/cases", &CASES),
    Route::create("cases.create", "/cases/v1/cases", &CASES),
    Route::get("cases.get", "/cases/v1/cases/:caseId", &CASES),
    Route::update("cases.update", "/cases/v1/cases/:caseId", &CASES),
    Route::delete("cases.delete", "/cases/v1/cases/:caseId", &CASES),
    Route::read("cases.detections", "/cases/v1/cases/:caseId/detections", detections),
    Route::read("cases.detection", "/cases/v1/cases/:caseId/detections/:detectionId", detection),
    Route::read("cases.impacted_entities", "/cases/v1/cases/:caseId/impacted-entities", impacted_entities),
    Route::read("cases.mitre_attack_summary", "/cases/v1/cases/:caseId/mitre-attack-summary", mitre_summary),
];

/// The members of a detection in `initialDetection`.
fn summary(detection: &Value) -> Value {
    let members = ["id", "severity", "type", "detectionRule", "mitreAttacks", "time", "sensor"];
    members.into_iter().map(|name| (name.to_owned(), detection[name].clone())).collect()
}

fn case_id(rng: &mut Rng) -> String {
    format!("{}-{}", rng.hex(6).to_uppercase(), rng.hex(4).to_uppercase())
}

fn seed_cases(seed: &mut Seed<'_>) -> Vec<Value> {
    let Some(tenant) = seed.tenant else { return Vec::new() };
    let start = seed.central.start_ms;
    let found = data::between(seed.central, tenant, (start - 30 * 86_400_000, start), start);
    let person = |seed: &Seed<'_>, number: usize| {
        let name = seed.person(number).name;
        json!({
            "id": seed.id(USERS.name, number as u64), "type": "user", "name": name, "accountType": "tenant",
            "accountId": tenant.id_text,
        })
    };
    let kinds = [
        ("self", "investigation", "new", "medium"),
        ("self", "incident", "resolved", "high"),
        ("sophos", "activeThreat", "actionRequired", "critical"),
        ("self", "investigation", "onHold", "low"),
    ];
    let mut cases = Vec::new();
    for (number, (detections, kind)) in found.chunks(3).zip(kinds).enumerate() {
        let (managed_by, case_type, status, severity) = kind;
        let at = detections[0]["time"].clone();
        let ids: Vec<&Value> = detections.iter().map(|one| &one["id"]).collect();
        let mut case = json!({
            "id": case_id(&mut seed.rng), "name": format!("Investigate {}", scalar_text(&detections[0]["detectionRule"])),
            "type": case_type, "tenant": { "id": tenant.id_text }, "managedBy": managed_by, "status": status,
            "severity": severity, "escalated": managed_by == "sophos", "overview": "Several detections on one day.",
            "createdAt": at, "updatedAt": at, "createdBy": person(seed, 0), "detectionCount": ids.len(),
            "_detectionIds": ids, "initialDetection": summary(&detections[0]),
            "assignee": person(seed, number % 2), "assignedAt": at, "_assignee": seed.person(number % 2).email,
        });
        if status == "resolved" {
            case["resolvedAt"] = at;
            case["verdict"] = json!("truePositive");
        }
        if managed_by == "sophos" {
            case["assignee"] =
                json!({ "id": seed.uuid(), "type": "user", "name": "MDR Ops", "accountType": "partner" });
            case["_assignee"] = json!("MDR Ops");
        }
        cases.push(case);
    }
    cases
}

/// Only cases that the customer manages may change.
fn check_managed_by_customer(change: &mut Change<'_, '_>) -> Result<(), ApiError> {
    if change.record["managedBy"] == "self" { Ok(()) } else { Err(ApiError::access_denied()) }
}

/// Replaces the email address of an assignee by the user or administrator with it.
fn assign(change: &mut Change<'_, '_>) -> Result<(), ApiError> {
    let email = match &change.record["assignee"] {
        Value::String(email) => email.clone(),
        Value::Null => UNASSIGNED.to_owned(),
        _ => return Ok(()),
    };
    if email.eq_ignore_ascii_case(UNASSIGNED) {
        if let Some(members) = change.record.as_object_mut() {
            members.retain(|name, _| !matches!(name.as_str(), "assignee" | "assignedAt"));
        }
        change.record["_assignee"] = json!(UNASSIGNED);
        return Ok(());
    }
    let central = change.context.central;
    let has_email = |record: &&Value, path: &str| {
        values_at(record, path).iter().any(|value| scalar_text(value).eq_ignore_ascii_case(&email))
    };
    let users = change.state.records(central, &USERS);
    let user = users.iter().find(|user| has_email(user, "email")).cloned();
    let admins = change.state.records(central, &ADMINS);
    let found = user.or_else(|| admins.iter().find(|admin| has_email(admin, "profile.email")).cloned());
    let found = found.ok_or_else(|| invalid_parameter("assignee"))?;
    let name = found.get("name").or_else(|| found["profile"].get("name")).cloned();
    change.record["assignee"] = json!({
        "id": found["id"], "type": "user", "name": name, "accountType": "tenant",
        "accountId": change.context.tenant()?.id_text,
    });
    change.record["_assignee"] = json!(email);
    change.record["assignedAt"] = json!(time::format_millis(central.clock.now_ms()));
    Ok(())
}

/// Sets or removes the time of the resolution.
fn follow_status(change: &mut Change<'_, '_>) {
    if change.record["status"] != "resolved" {
        if let Some(members) = change.record.as_object_mut() {
            members.remove("resolvedAt");
        }
    } else if change.record["resolvedAt"].is_null() {
        change.record["resolvedAt"] = json!(time::format_millis(change.context.central.clock.now_ms()));
    }
}

fn complete(change: &mut Change<'_, '_>) -> Result<(), ApiError> {
    let (context, tenant) = (change.context, change.context.tenant()?);
    let now = context.central.clock.now_ms();
    let first = change.record["initialDetectionId"].take();
    let others = change.record["otherDetectionIds"].take();
    let mut ids = vec![first];
    ids.extend(others.as_array().into_iter().flatten().cloned());
    let mut known = std::collections::HashSet::new();
    ids.retain(|id| known.insert(scalar_text(id)));
    let mut found = Vec::with_capacity(ids.len());
    for (at, id) in ids.iter().enumerate() {
        let member = if at == 0 { "initialDetectionId" } else { "otherDetectionIds" };
        let detection = data::find(context.central, tenant, id.as_str().unwrap_or_default(), now);
        found.push(detection.ok_or_else(|| invalid_parameter(member))?);
    }
    if let Some(members) = change.record.as_object_mut() {
        members.retain(|name, _| !matches!(name.as_str(), "initialDetectionId" | "otherDetectionIds"));
    }
    assign(change)?;
    let defaults = [("managedBy", json!("self")), ("status", json!("new")), ("escalated", json!(false))];
    for (name, value) in defaults {
        if change.record[name].is_null() {
            change.record[name] = value;
        }
    }
    change.record["id"] = json!(case_id(&mut context.central.new_rng()));
    change.record["createdBy"] = context.actor();
    change.record["detectionCount"] = json!(ids.len());
    change.record["initialDetection"] = summary(&found[0]);
    change.record["_detectionIds"] = json!(ids);
    follow_status(change);
    Ok(())
}

/// The detections of the case in the path.
fn case_detections(context: &Context<'_>) -> Result<Vec<Value>, ApiError> {
    // The case is the first identifier of the path.
    let id = verbs::record_id(context, &CASES)?;
    let case = context.state().find(context.central, &CASES, &id).cloned();
    let case = case.ok_or_else(|| CASES.not_found())?;
    let tenant: &Tenant = context.tenant()?;
    let now = context.central.clock.now_ms();
    let ids = case["_detectionIds"].as_array().map_or(&[][..], Vec::as_slice);
    let mut all = data::between(context.central, tenant, (0, now), now);
    all.retain(|one| ids.contains(&one["id"]));
    Ok(all)
}

fn detections(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let all = case_detections(context)?;
    Ok(ApiResponse::json(200, &verbs::list_records(context, &DETECTIONS, all)?))
}

fn detection(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let id = context.params.get(1).copied().unwrap_or_default();
    let found = case_detections(context)?.into_iter().find(|one| one["id"] == id);
    let found = found.ok_or_else(|| DETECTIONS.not_found())?;
    Ok(ApiResponse::json(200, &verbs::show(context, &DETECTIONS, found)))
}

fn impacted_entities(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let mut entities: Vec<Value> = Vec::new();
    for detection in case_detections(context)? {
        let raw = &detection["rawData"];
        let of_name = |name: &Value| json!(uuid_text(Rng::new(mix_text(0, &scalar_text(name))).uuid()));
        let found = [
            ("device", &detection["device"]["entity"], detection["device"]["id"].clone()),
            ("user", &raw["username"], of_name(&raw["username"])),
            ("ipAddress", &raw["meta_public_ip"], of_name(&raw["meta_public_ip"])),
        ];
        let reference = json!({ "id": detection["id"], "detectionRule": detection["detectionRule"] });
        for (kind, name, id) in found {
            let known = entities.iter_mut().find(|entity| entity["id"] == id);
            match known.and_then(|entity| entity["detections"].as_array_mut()) {
                Some(all) => all.push(reference.clone()),
                None => entities.push(json!({
                    "id": id, "name": name, "type": kind, "detections": [reference], "entityAttributes": {},
                })),
            }
        }
    }
    Ok(ApiResponse::json(200, &verbs::list_records(context, &ENTITIES, entities)?))
}

fn mitre_summary(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let mut tactics: Vec<Value> = Vec::new();
    for detection in case_detections(context)? {
        for tactic in values_at(&detection, "mitreAttacks.tactic") {
            let Some(known) = tactics.iter_mut().find(|known| known["id"] == tactic["id"]) else {
                tactics.push(tactic.clone());
                continue;
            };
            let Some(techniques) = known["techniques"].as_array_mut() else { continue };
            for technique in values_at(tactic, "techniques") {
                if !techniques.contains(technique) {
                    techniques.push(technique.clone());
                }
            }
        }
    }
    Ok(ApiResponse::json(200, &json!({ "tactics": tactics })))
}
