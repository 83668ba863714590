//! Exclusions from scans.

use serde_json::{Value, json};

use crate::call::invalid_parameter;
use crate::engine::{Change, Collection, Filter, Member, Seed};
use crate::response::ApiError;
use crate::routes::Route;

const TYPES: &[&str] = &[
    "path",
    "posixPath",
    "virtualPath",
    "process",
    "web",
    "pua",
    "amsi",
    "behavioral",
    "detectedExploit",
    "exploitMitigation",
    "journalHashingPath",
    "journalHashingProcess",
];

/// The types that have a scan mode.
const PATHS: &[&str] = &["path", "posixPath", "virtualPath"];

static EXCLUSIONS: Collection = Collection {
    members: &[
        Member::text_up_to("value", 1_000).required(),
        Member::one_of("type", TYPES).required().fixed(),
        Member::one_of("scanMode", &["onDemand", "onAccess", "onDemandAndOnAccess"]),
        Member::text_up_to("comment", 1_000),
    ],
    filters: &[Filter::one_of("type", "type", TYPES)],
    conflict: "The exclusion already exists.",
    has_times: false,
    may_delete_unknown: true,
    seed: seed_exclusions,
    on_create: |change| {
        change.record["lockedByManagingAccount"] = json!(false);
        change.record["description"] = change.record["value"].clone();
        check(change)
    },
    on_update: |change| {
        check_unlocked(change)?;
        change.record["description"] = change.record["value"].clone();
        check(change)
    },
    on_delete: check_unlocked,
    ..Collection::new("scanning_exclusions", "exclusion")
};

const PATH: &str = "/endpoint/v1/settings/exclusions/scanning/:exclusionId";

pub(crate) static ROUTES: &[Route] = &[
    Route::list("scanning_exclusions.list", "/endpoint/v1/settings/exclusions/scanning", &EXCLUSIONS),
    Route::create("scanning_exclusions.create", "/endpoint/v1/settings/exclusions/scanning", &EXCLUSIONS),
    Route::get("scanning_exclusions.get", PATH, &EXCLUSIONS),
    Route::update("scanning_exclusions.update", PATH, &EXCLUSIONS),
    Route::delete("scanning_exclusions.delete", PATH, &EXCLUSIONS),
];

/// The last exclusion is locked.
fn seed_exclusions(_: &mut Seed<'_>) -> Vec<Value> {
    let exclusion = |kind: &str, value: &str, locked: bool| {
        let mut record = json!({
            "type": kind, "value": value, "description": value, "comment": "Backup software",
            "lockedByManagingAccount": locked,
        });
        if PATHS.contains(&kind) {
            record["scanMode"] = json!("onDemandAndOnAccess");
        }
        record
    };
    vec![
        exclusion("path", "C:\\Backup\\", false),
        exclusion("process", "C:\\Program Files\\Backup\\agent.exe", false),
        exclusion("web", "intranet.example.com", false),
        exclusion("posixPath", "/var/backup/", true),
    ]
}

fn check_unlocked(change: &mut Change<'_, '_>) -> Result<(), ApiError> {
    if change.record["lockedByManagingAccount"] == true {
        return Err(ApiError::new(403, "forbidden", "The managing account locked the exclusion."));
    }
    Ok(())
}

fn check(change: &mut Change<'_, '_>) -> Result<(), ApiError> {
    let has_mode = PATHS.iter().any(|kind| change.record["type"] == *kind);
    match (has_mode, change.record["scanMode"].is_null()) {
        (true, true) => change.record["scanMode"] = json!("onDemandAndOnAccess"),
        (false, false) => return Err(invalid_parameter("scanMode")),
        _ => {}
    }
    let record = &change.record;
    let is_same = |other: &Value| {
        other["id"] != record["id"] && other["type"] == record["type"] && other["value"] == record["value"]
    };
    if change.state.records(change.context.central, &EXCLUSIONS).iter().any(is_same) {
        return Err(ApiError::new(409, "conflict", EXCLUSIONS.conflict));
    }
    Ok(())
}
