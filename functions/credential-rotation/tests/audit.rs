//! The audit of credentials.

use std::{fs, os::unix::fs::PermissionsExt, sync::Arc, time::Duration};

use credential_rotation::{
    AuditReport, Config, RotationFunction, RotationTask,
    audit::{AuditSettings, CredentialStatus, Severity, audit},
};
use jiff::Timestamp;
use lambda_support::ConfigReader;
use serde_json::json;
use sophos_secrets::{
    InspectedCredential, ListedCredential, Purpose, SecretError, SecretMetadata, SecretString,
    StagedCredential, StoredCredential,
};

fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn stored(id: &str, more: &str) -> Result<StoredCredential, SecretError> {
    let json = format!(r#"{{"client_id":"{id}","client_secret":"hush-hush"{more}}}"#);
    let read = StoredCredential::from_json(&SecretString::from(json));
    read.map_err(|error| SecretError::new("acme", error.to_string()))
}

fn credential(id: &str, more: &str) -> Result<Arc<StoredCredential>, SecretError> {
    stored(id, more).map(Arc::new)
}

fn inspected(more: &str) -> InspectedCredential {
    InspectedCredential::from_listed(ListedCredential::new("acme", stored("id", more)))
}

fn audit_status(inspected: &InspectedCredential) -> CredentialStatus {
    let settings = AuditSettings { unused_days: 30, default_purposes: vec![Purpose::Export] };
    let status = audit(inspected, &settings, time("2026-11-23T10:00:00Z"));
    assert!(!format!("{status:?}").contains("hush"), "{status:?}");
    status
}

#[test]
fn expiry_falls_back_to_36_months_after_creation_or_storage() {
    let stored_at = Some("2024-01-01T10:00:00Z");
    for (more, stored, days, severity) in [
        (
            r#","expires_at":"2027-11-23T10:00:00Z","created_at":"2023-11-24""#,
            None,
            Some(365),
            Severity::Info,
        ),
        (r#","created_at":"2024-11-23T10:00:00Z""#, stored_at, Some(365), Severity::Info),
        ("", stored_at, Some(39), Severity::Info),
        ("", None, None, Severity::Info),
        (r#","expires_at":"2026-12-23T10:00:00Z""#, None, Some(30), Severity::Info),
        (r#","expires_at":"2026-12-23T09:59:59Z""#, None, Some(29), Severity::Warn),
        (r#","expires_at":"2026-11-30T10:00:00Z""#, None, Some(7), Severity::Warn),
        (r#","expires_at":"2026-11-30T09:59:59Z""#, None, Some(6), Severity::Error),
        (r#","expires_at":"2026-11-23T10:00:01Z""#, None, Some(0), Severity::Error),
        (r#","expires_at":"2026-11-23T10:00:00Z""#, None, Some(0), Severity::Error),
        (r#","expires_at":"2026-11-22""#, stored_at, Some(-2), Severity::Error),
    ] {
        let mut managed = SecretMetadata::default();
        managed.stored_at = stored.map(time);
        managed.last_used = Some(time("2026-11-23T00:00:00Z"));
        let status = audit_status(&inspected(more).with_metadata(managed));
        assert_eq!((status.days_to_expiry, status.severity), (days, severity), "{more}: {status:?}");
        let ended = status.expires_at.is_some_and(|end| time(&end) <= time("2026-11-23T10:00:00Z"));
        assert_eq!(status.unusable, ended, "{more}");
    }
}

#[test]
fn audit_compares_the_role_with_the_purposes() {
    for (more, wide, severity) in [
        (r#","role":"read_only""#, false, Severity::Info),
        (r#","role":"super_admin""#, true, Severity::Warn),
        (r#","role":"management","used_for":["isolation"]"#, false, Severity::Info),
        (r#","role":"management""#, true, Severity::Warn),
        (r#","role":"read_only","used_for":["export","isolation"]"#, false, Severity::Warn),
        ("", false, Severity::Info),
    ] {
        let status = audit_status(&inspected(more));
        assert_eq!((status.overprivileged, status.severity), (wide, severity), "{more}: {status:?}");
        assert_eq!(status.staged, None, "none can be staged in a file");
    }
}

#[test]
fn audit_reports_a_credential_without_reads_as_unused() {
    for (last_used, stored_at, since, unused) in [
        (Some("2026-11-23T00:00:00Z"), None, Some(0), false),
        (Some("2026-11-24T00:00:00Z"), None, Some(0), false),
        (Some("2026-10-24T00:00:00Z"), None, Some(30), false),
        (Some("2026-10-23T00:00:00Z"), Some("2026-11-20T00:00:00Z"), Some(31), true),
        (None, Some("2026-10-23T00:00:00Z"), Some(31), true),
        (None, None, None, false),
    ] {
        let mut managed = SecretMetadata::default();
        managed.last_used = last_used.map(time);
        managed.stored_at = stored_at.map(time);
        let status = audit_status(&inspected("").with_metadata(managed));
        assert_eq!((status.days_since_use, status.unused), (since, unused), "{last_used:?} {stored_at:?}");
        assert_eq!(status.severity == Severity::Warn, unused);
    }
}

#[test]
fn audit_counts_only_usable_staged_credentials() {
    let mut managed = SecretMetadata::default();
    managed.previous = credential("before", "").ok();
    managed.staged = vec![
        StagedCredential::new("STAGED", credential("a", r#","expires_at":"2027-11-23T10:00:00Z""#)),
        StagedCredential::new("STAGED_2", credential("b", r#","expires_at":"2028-11-23T10:00:00Z""#)),
    ];
    let status = audit_status(&inspected("").with_metadata(managed.clone()));
    assert_eq!((status.staged, status.staged_days_to_expiry), (Some(2), Some(731)));
    assert_eq!((status.severity, status.problems.len()), (Severity::Info, 0));
    for (label, credential, expected) in [
        ("STAGED_3", credential("ID", ""), "it is the current credential"),
        ("STAGED_3", credential("before", ""), "it is the previous credential"),
        ("STAGED_3", credential("c", r#","expires_at":"2026-01-01""#), "it expired on 2026-01-01"),
        ("STAGED_3", credential("c", r#","hush-hush":1"#), "acme: invalid credential (line 1"),
        ("STAGED_REJECTED_1", credential("c", ""), "was rejected"),
    ] {
        let mut managed = managed.clone();
        managed.staged.push(StagedCredential::new(label, credential));
        let status = audit_status(&inspected("").with_metadata(managed));
        assert_eq!((status.staged, status.severity), (Some(2), Severity::Warn), "{expected}");
        assert!(status.problems[0].contains(expected) && status.problems[0].contains(label), "{status:?}");
    }
    managed.rotation_in_progress = true;
    assert_eq!(audit_status(&inspected("").with_metadata(managed)).severity, Severity::Warn);
}

#[test]
fn metrics_have_a_line_per_credential_and_a_summary() {
    let mut managed = SecretMetadata::default();
    managed.last_used = Some(time("2026-11-22T00:00:00Z"));
    let ends = |at: &str| inspected(&format!(r#","role":"super_admin","expires_at":"{at}""#));
    let mut malformed = inspected(r#","hush-hush":1"#);
    malformed.name = "broken".into();
    let all = [ends("2026-11-28T10:00:00Z").with_metadata(managed), ends("2028-11-23T10:00:00Z"), malformed];
    let report = AuditReport::new(all.iter().map(audit_status).collect());
    report.log();
    let lines = report.metrics("Space", "request", 7);
    let metrics = |line: &serde_json::Value| {
        let mut line = line.clone();
        let declared = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(declared["Namespace"], "Space");
        for metric in declared["Metrics"].as_array().expect("metrics") {
            assert!(line[metric["Name"].as_str().expect("a name")].is_number(), "{line}");
        }
        line.as_object_mut().expect("an object").retain(|name, _| name != "_aws" && name != "request_id");
        line
    };
    let lines: Vec<_> = lines.iter().map(metrics).collect();
    assert_eq!(
        lines,
        [
            json!({
                "Credential": "acme", "DaysToExpiry": 5.0, "StagedCredentials": 0.0, "DaysSinceUse": 1.0,
                "Overprivileged": 1.0, "Unusable": 0.0,
            }),
            json!({ "Credential": "acme", "DaysToExpiry": 731.0, "Overprivileged": 1.0, "Unusable": 0.0 }),
            json!({ "Credential": "broken", "Overprivileged": 0.0, "Unusable": 1.0 }),
            json!({
                "MinDaysToExpiry": 5.0, "Credentials": 3.0, "UnusableCredentials": 1.0, "CredentialsWithoutStagedVersion": 1.0,
                "OverprivilegedCredentials": 2.0, "UnusedCredentials": 0.0,
            }),
        ]
    );
    let report = serde_json::to_value(&report).expect("JSON");
    assert_eq!(report["credentials"][2]["severity"], "error");
    assert!(!report.to_string().contains("hush"), "{report}");
}

#[tokio::test]
async fn audit_covers_credentials_of_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("credentials.toml");
    let text = "[credentials.a]\nclient_id = \"a\"\nclient_secret = \"hush-hush\"\nexpires_at = \"2020-01-01\"\n\
                [credentials.b]\nclient_id = \"b\"\nclient_secret = \"hush-hush\"\nrole = \"super_admin\"\n\
                [credentials.c]\nclient_id = \"\"\nclient_secret = \"hush-hush\"\n";
    fs::write(&path, text).expect("a file");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("its mode");
    let file = path.to_string_lossy().into_owned();
    let mut reader =
        ConfigReader::from_fn(move |name| (name == "SOPHOS_CREDENTIALS_FILE").then(|| file.clone()));
    let config = Config::from_reader(&mut reader);
    let function =
        RotationFunction::new(reader.finish(config).expect("a configuration")).expect("a function");
    let report = function.handle(RotationTask::Audit, Duration::MAX, "request").await.expect("a report");
    let credentials = report["credentials"].as_array().expect("a list");
    let values = |member: &str| credentials.iter().map(|one| one[member].to_string()).collect::<Vec<_>>();
    assert_eq!(values("name"), [r#""a""#, r#""b""#, r#""c""#]);
    assert_eq!(values("severity"), [r#""error""#, r#""warn""#, r#""error""#]);
    assert_eq!((report["count"].as_u64(), report["unusable"].as_u64()), (Some(3), Some(2)));
    assert!(!report.to_string().contains("hush"), "{report}");
    fs::remove_file(&path).expect("removed");
    let error = function.handle(RotationTask::Audit, Duration::MAX, "request").await.expect_err("no file");
    assert!(error.to_string().contains("credentials.toml"), "{error}");
}
