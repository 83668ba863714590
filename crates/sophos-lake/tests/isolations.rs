//! Tests of the rows of a ledger of isolation.

mod support;

use jiff::Timestamp;
use serde_json::{Value, json};
use sophos_export::Dataset;
use sophos_lake::{Class, LakeWriter, Mapped, MappingSettings, StoredRow, map_row};
use support::{NOW_MS, TENANT, commit, lake_uids, memory, settings};

/// The record of a transition, as the export writes it.
fn record(transition: &str, entry: Value) -> Value {
    let mut entry = entry;
    entry["transition"] = json!(transition);
    json!({
        "decision": "iso-1", "sequence": 4, "at": "2026-11-23T10:00:00.000Z", "transition": transition,
        "action": "isolate", "alert_source": "edr", "tool": "crowdstrike", "severity": "high", "title": "C2",
        "tenant_id": TENANT, "endpoint_id": "ep-1", "hostname": "WS-0001", "requested_by": "anna", "entry": entry,
    })
}

fn map(record: &Value) -> Mapped {
    let line = json!({
        "id": "iso-1-0004", "tenant": TENANT, "dataset": "isolations", "source": "isolation/ledger",
        "time": "2026-11-23T10:00:00.000Z", "created_at": "2026-11-23T10:00:00.000Z", "revision": 0,
        "record": record.to_string(),
    })
    .to_string();
    let row = StoredRow::parse(line.as_bytes()).expect("a row");
    let settings = MappingSettings { classes: vec![Class::Remediation], ..MappingSettings::default() };
    map_row(&row, Timestamp::UNIX_EPOCH, &settings)
}

fn single(record: &Value) -> Value {
    match map(record) {
        Mapped::Rows(mut rows) if rows.len() == 1 => rows.remove(0).value,
        other => panic!("{other:?}"),
    }
}

#[test]
fn row_has_the_attributes_of_its_transition() {
    let record = record("isolated", json!({ "effective_at": "2026-11-23T09:59:58.000Z" }));
    let mut row = single(&record);
    let raw = row.as_object_mut().expect("an object").remove("raw_data").expect("raw data");
    assert_eq!(serde_json::from_str::<Value>(raw.as_str().expect("text")).expect("JSON"), record);
    assert_eq!(
        row,
        json!({
            "metadata": {
                "version": "1.3.0", "product": { "name": "Sophos Central", "vendor_name": "Sophos" },
                "profiles": ["host"], "tenant_uid": TENANT, "uid": "iso-1-0004", "event_code": "isolated",
                "log_name": "isolation/ledger", "original_time": "2026-11-23T10:00:00.000Z", "logged_time": NOW_MS,
            },
            "time": NOW_MS, "class_uid": 7001, "class_name": "Remediation Activity", "category_uid": 7,
            "category_name": "Remediation", "activity_id": 1, "activity_name": "Isolate", "type_uid": 700_101,
            "type_name": "Remediation Activity: Isolate", "severity_id": 4, "severity": "High",
            "command_uid": "iso-1", "status_id": 1, "status": "Success", "message": "C2",
            "device": {
                "uid": "ep-1", "hostname": "WS-0001", "name": "WS-0001", "type_id": 0, "type": "Unknown",
                "is_managed": true,
            },
            "actor": { "app_name": "crowdstrike", "user": { "name": "anna" } },
            "countermeasures": [{
                "d3f_tactic": { "name": "Isolate" },
                "d3f_technique": { "uid": "D3-NI", "name": "Network Isolation" },
            }],
            "unmapped": {
                "transition": "isolated", "sequence": "4", "action": "isolate", "alert_source": "edr",
                "effective_at": "2026-11-23T09:59:58.000Z",
            },
        })
    );
}

#[test]
fn transitions_have_their_activity_and_status() {
    for (transition, entry, activity, status_id, status) in [
        ("received", json!({}), 1, 99, "received"),
        ("refused", json!({ "code": "protected", "detail": "a server" }), 1, 99, "refused"),
        ("refused", json!({ "code": "not_found", "detail": "no endpoint" }), 1, 3, "Does Not Exist"),
        ("pending_approval", json!({ "reason": "a server" }), 1, 99, "pending_approval"),
        ("approved", json!({}), 1, 99, "approved"),
        ("declined", json!({}), 1, 99, "declined"),
        ("claimed", json!({}), 1, 99, "claimed"),
        ("requested", json!({}), 1, 99, "requested"),
        ("overdue", json!({ "detail": "offline" }), 1, 99, "overdue"),
        ("isolated", json!({}), 1, 1, "Success"),
        ("failed", json!({ "detail": "403" }), 1, 2, "Failure"),
        ("release_pending", json!({ "reason": "scheduled" }), 3, 99, "release_pending"),
        ("release_requested", json!({}), 3, 99, "release_requested"),
        ("released", json!({ "detail": "by the schedule" }), 3, 1, "Success"),
        ("superseded", json!({ "detail": "by an administrator" }), 3, 99, "superseded"),
    ] {
        let row = single(&record(transition, entry.clone()));
        let found = (&row["activity_id"], &row["status_id"], &row["status"]);
        assert_eq!(found, (&json!(activity), &json!(status_id), &json!(status)), "{transition}");
        let detail = entry.get("detail").or(entry.get("reason"));
        assert_eq!(row.get("status_detail"), detail, "{transition}");
    }
}

#[test]
fn signal_that_requests_a_release_is_a_restoration() {
    let mut record =
        record("received", json!({ "not_actionable": { "code": "sample", "detail": "a test" } }));
    record["action"] = json!("release");
    let row = single(&record);
    assert_eq!((&row["activity_id"], &row["status_detail"]), (&json!(3), &json!("a test")));
}

/// A decision whose endpoint is not known has neither tenant nor device.
#[test]
fn row_without_an_endpoint_has_no_device() {
    let mut record = record("refused", json!({ "code": "no_host", "detail": "no host" }));
    for member in ["tenant_id", "endpoint_id", "hostname", "requested_by", "severity"] {
        record.as_object_mut().expect("an object").remove(member);
    }
    let row = single(&record);
    assert!(row.get("device").is_none() && row["metadata"].get("tenant_uid").is_none(), "{row}");
    assert_eq!((&row["actor"], &row["severity_id"]), (&json!({ "app_name": "crowdstrike" }), &json!(1)));
}

#[tokio::test]
async fn lake_has_each_transition_once() {
    let ((_, export), (_, lake)) = (memory(), memory());
    let row = |id: &str, transition: &str| (id.to_owned(), NOW_MS, record(transition, json!({})));
    commit(&export, Dataset::Isolations, "ledger", 1, &[row("iso-1-0001", "received")]).await;
    let mut settings = settings();
    settings.mapping.classes = vec![Class::Remediation];
    for sequence in 2..4 {
        let writer = LakeWriter::to_store(export.clone(), &lake, settings.clone()).expect("a writer");
        writer.run(|| NOW_MS, None).await.expect("a run");
        let id = format!("iso-1-{sequence:04}");
        commit(&export, Dataset::Isolations, "ledger", sequence, &[row(&id, "isolated")]).await;
    }
    let writer = LakeWriter::to_store(export, &lake, settings).expect("a writer");
    writer.run(|| NOW_MS, None).await.expect("a run");
    assert_eq!(lake_uids(&lake).await, ["iso-1-0001", "iso-1-0002", "iso-1-0003"]);
}
