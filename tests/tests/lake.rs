//! Tests of the built lake writer behind the built export, and of its objects by readers
//! that others wrote.

use std::{collections::BTreeSet, env, path::Path, process::Command};

use end_to_end::{
    TestEnv,
    isolation::{Delivery, ENFORCE_POLICY, IsolationEnv, hostname, parse_decision_id, simulator_config},
    package_dir,
};
use jiff::Timestamp;
use local_lambda::{FunctionUrl, InvocationOutcome, Sandbox};
use serde_json::{Value, json};
use sophos_export::{Dataset, Format, Row};
use sophos_isolation::DecisionId;
use sophos_lake::{Class, EventRule, LakeLayout, LakeSettings, LakeWriter, classify};
use sophos_simulator::{
    ClockConfig, Config, CredentialConfig, CredentialKind, DataConfig, Owner, Role, TenantGroup,
};
use sophos_store::Store;
use tempfile::TempDir;

const TENANT: &str = "0afef0e6-5df7-4cc0-b8d4-068cfd6820d1";
/// 2026-11-23T10:00:00Z.
const NOW_MS: i64 = 1_795_428_000_000;

fn config() -> Config {
    Config {
        clock: ClockConfig { start: Some("2026-11-23T10:00:00Z".into()), running: false },
        tenants: vec![TenantGroup::new(Owner::Partner, 3)],
        credentials: vec![CredentialConfig::new(CredentialKind::Partner, Role::ReadOnly)],
        data: DataConfig { events_per_hour: 60.0, alerts_per_hour: 10.0, ..DataConfig::default() },
        ..Config::default()
    }
}

/// The folders of an export and a lake, after a run of both functions. Returns the reports.
async fn export_to_lake(env: &TestEnv, folder: &TempDir) -> (Value, Value) {
    let [export, lake] =
        ["export", "lake"].map(|name| folder.path().join(name).to_string_lossy().into_owned());
    let mut exporting = env.export_function(&export).start().await.expect("the export starts");
    let exported = env.run_export(&mut exporting).await.expect("a report");
    let mut writing = env.lake_function(&export, &lake).start().await.expect("the writer starts");
    let written = env.run_export(&mut writing).await.expect("a report");
    (exported, written)
}

/// The records of a dataset of an export, by the objects in its folder.
fn stored_records(folder: &Path, dataset: &str) -> Vec<Value> {
    let mut records = Vec::new();
    let mut folders = vec![folder.join("export").join(dataset)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let body = std::fs::read(path).expect("an object");
            let mut text = String::new();
            std::io::Read::read_to_string(&mut flate2::read::MultiGzDecoder::new(body.as_slice()), &mut text)
                .expect("gzip");
            for line in text.lines() {
                let row: Value = serde_json::from_str(line).expect("a row");
                records.push(serde_json::from_str(row["record"].as_str().expect("a record")).expect("JSON"));
            }
        }
    }
    records
}

/// The ids of the records that the lake shall have.
fn expected_ids(folder: &Path) -> BTreeSet<String> {
    let id = |record: &Value| record["id"].as_str().expect("an id").to_owned();
    let events = stored_records(folder, "events").into_iter().filter(|event| {
        let rule = classify(event["type"].as_str().expect("a type")).expect("a known type");
        !matches!(rule, EventRule::Telemetry | EventRule::Isolation(_))
    });
    let alerts = stored_records(folder, "alerts");
    events.chain(alerts).map(|record| id(&record)).collect()
}

/// The rows of a lake by class, and the errors, as other readers find them.
fn read_lake(lake: &Path) -> Value {
    let python = env::var_os("READERS_PYTHON").expect("READERS_PYTHON is set");
    let output = Command::new(python)
        .arg(package_dir().join("readers/lake_rows.py"))
        .arg(lake)
        .output()
        .expect("Python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn lake_writer_reads_each_committed_row_once() {
    let env = TestEnv::start(config(), CredentialKind::Partner).await.expect("a simulator");
    let folder = tempfile::tempdir().expect("a folder");
    let (exported, written) = export_to_lake(&env, &folder).await;
    assert!(exported["rows"].as_u64().is_some_and(|rows| rows > 1_000), "{exported}");
    assert_eq!(written["stored_rows"], exported["rows"], "{written}");
    assert_eq!((&written["invalid"], &written["unknown_types"]), (&json!(0), &json!({})), "{written}");
    let (_, again) = export_to_lake(&env, &folder).await;
    assert_eq!((&again["batches"], &again["objects"]), (&json!(0), &json!(0)), "nothing is new");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with readers of rows: `cargo xtask test` runs it"]
async fn duckdb_finds_each_committed_record_once() {
    let env = TestEnv::start(config(), CredentialKind::Partner).await.expect("a simulator");
    let folder = tempfile::tempdir().expect("a folder");
    let (_, written) = export_to_lake(&env, &folder).await;
    let read = read_lake(&folder.path().join("lake"));
    assert_eq!(read["errors"], json!([]));
    let mut uids = Vec::new();
    for (class, of_class) in read["rows"].as_object().expect("classes") {
        let of_class: Vec<String> = serde_json::from_value(of_class.clone()).expect("uids");
        assert_eq!(written["rows"][class], of_class.len(), "{class}");
        uids.extend(of_class);
    }
    let unique: BTreeSet<_> = uids.iter().collect();
    assert_eq!(unique.len(), uids.len(), "a row is there twice");
    let records: BTreeSet<_> =
        uids.iter().map(|uid| uid.split(':').next().unwrap_or_default().to_owned()).collect();
    assert_eq!(records, expected_ids(folder.path()));
}

/// Exports the ledger and writes the lake, with new processes. Returns the lake's report.
async fn ledger_to_lake(env: &IsolationEnv, folder: &TempDir) -> Value {
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let ledger = env.folder().join("ledger").to_string_lossy().into_owned();
    let exporting = env
        .bare_function("alert-export")
        .env("EXPORT_LOCATION", path("export"))
        .env("EXPORT_DATASETS", "isolations")
        .env("EXPORT_LEDGER", ledger);
    invoke(exporting.start().await.expect("the export starts")).await;
    let writing = env
        .bare_function("lake-writer")
        .env("EXPORT_LOCATION", path("export"))
        .env("LAKE_LOCATION", path("lake"))
        .env("LAKE_CLASSES", "7001");
    invoke(writing.start().await.expect("the writer starts")).await
}

async fn invoke(mut function: Sandbox) -> Value {
    match function.invoke(&TestEnv::schedule_event()).await {
        InvocationOutcome::Ok(report) => report,
        other => panic!("{other:?}\n{}", function.logs().join("\n")),
    }
}

/// Alerts to the built webhook and worker, before and after a run of the built export and lake
/// writer. Returns the ids that the lake shall have.
async fn isolations_to_lake(folder: &TempDir) -> BTreeSet<String> {
    let policy =
        format!("{ENFORCE_POLICY}approve = \"always\"\n[approve]\nsecret = \"isolation/approval\"\n");
    let env = IsolationEnv::start(simulator_config(3), CredentialKind::Tenant, &policy).await;
    let env = env.expect("an environment");
    let webhook = FunctionUrl::start(env.webhook(), 1).await.expect("the webhook");
    let mut worker = env.worker().start().await.expect("the worker");
    let mut decisions = Vec::new();
    for (event, host) in [("1", hostname(1)), ("2", hostname(2)), ("3", "no-such-host".to_owned())] {
        let delivery = Delivery::isolate(event, &host);
        let sent = delivery.send(&reqwest::Client::new(), &webhook.url()).await;
        decisions.push(parse_decision_id(&sent.expect("a response").1).expect("a decision"));
    }
    let first = ledger_to_lake(&env, folder).await;
    let command = |name: &str, id: &DecisionId| json!({ name: id, "by": "anna" });
    for (name, id) in [("approve", &decisions[0]), ("decline", &decisions[1])] {
        let outcome = worker.invoke(&command(name, id)).await;
        assert!(matches!(outcome, InvocationOutcome::Ok(_)), "{outcome:?}");
    }
    env.follow_up(&mut worker).await.expect("a report");
    let second = ledger_to_lake(&env, folder).await;
    worker.invoke(&command("release", &decisions[0])).await;
    env.follow_up(&mut worker).await.expect("a report");
    let third = ledger_to_lake(&env, folder).await;
    let mut expected = BTreeSet::new();
    for decision in env.decisions().await.expect("the ledger") {
        let entries = decision.entries().iter();
        expected.extend(entries.map(|entry| format!("{}-{:04}", decision.id(), entry.sequence)));
    }
    assert!(expected.len() > 12, "{expected:?}");
    let rows = [first, second, third].map(|report| report["rows"]["7001"].as_u64().expect("rows"));
    assert!(rows.iter().all(|rows| *rows > 0), "{rows:?}");
    assert_eq!(rows.iter().sum::<u64>(), expected.len() as u64, "each transition once");
    assert_eq!(ledger_to_lake(&env, folder).await["batches"], 0, "nothing is new");
    expected
}

#[tokio::test(flavor = "multi_thread")]
async fn lake_writer_reads_each_transition_of_the_ledger_once() {
    isolations_to_lake(&tempfile::tempdir().expect("a folder")).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with readers of rows: `cargo xtask test` runs it"]
async fn duckdb_finds_each_transition_of_the_ledger_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let expected = isolations_to_lake(&folder).await;
    let read = read_lake(&folder.path().join("lake"));
    assert_eq!(read["errors"], json!([]));
    let uids: Vec<String> = serde_json::from_value(read["rows"]["7001"].clone()).expect("uids");
    assert_eq!(uids.len(), expected.len());
    assert_eq!(uids.into_iter().collect::<BTreeSet<_>>(), expected);
}

/// Records with every attribute that the mapping knows, and with none.
fn records() -> Vec<(Dataset, Value)> {
    let full = json!({
        "customer_id": TENANT, "severity": "critical", "when": "2026-11-23T10:00:00Z", "group": "MALWARE",
        "name": "Detected: 'EICAR' at 'C:\\Users\\a b\\eicar.com'", "threat": "EICAR", "location": "WS-0001",
        "endpoint_id": "ep-1", "endpoint_type": "computer", "source": "ACME\\anna", "user_id": "5f",
        "source_info": { "ip": "10.1.2.3" }, "origin": "AMSI_DETECTION",
        "appSha256": "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f",
        "appCerts": [{ "signer": "Acme", "thumbprint": "00" }], "whitelist_properties": [{ "type": "path" }],
        "amsi_threat_data": {
            "processPath": "C:\\a.exe", "processId": "7", "parentProcessPath": "C:\\b.exe", "parentProcessId": "6",
        },
        "ips_threat_data": { "detectionType": 1, "remoteIp": "2001:db8::1", "remotePort": "443", "localPort": 50000 },
        "core_remedy_items": { "items": [
            { "type": "file", "result": "SUCCESS", "descriptor": "C:\\a.exe" },
            { "type": "process", "result": "FAILED", "descriptor": "C:\\a.exe" },
            { "type": "registry", "result": "NOT_FOUND", "descriptor": "HKLM\\a" },
        ] },
    });
    let mut records = Vec::new();
    for event_type in [
        "Event::Endpoint::Threat::Detected",
        "Event::Endpoint::Threat::IpsInboundDetection",
        "Event::Endpoint::HmpaCryptoGuard",
        "Event::Endpoint::CoreDismissed",
        "Event::Endpoint::CoreCleaned",
        "Event::Endpoint::CoreRestoreFailed",
        "Event::Endpoint::Isolation::Isolated",
        "Event::Endpoint::Isolation::UnIsolated",
        "Event::Firewall::FirewallAdvancedThreatProtection",
        "Event::Endpoint::Device::ReadOnly",
    ] {
        let mut event = full.clone();
        (event["type"], event["id"]) = (json!(event_type), json!(format!("{event_type}-full")));
        records.push((Dataset::Events, event));
        let bare = json!({ "id": format!("{event_type}-bare"), "type": event_type });
        records.push((Dataset::Events, bare));
        let odd = json!({
            "id": format!("{event_type}-odd"), "type": event_type, "severity": "very_high", "source": "n/a",
            "location": "Anna's MacBook", "source_info": { "ip": "no address" }, "group": "PUA",
            "endpoint_type": "mobile", "core_remedy_items": { "items": [{ "type": "file" }, { "type": "thread" }] },
            "amsi_threat_data": { "processPath": "/bin/x" }, "ips_threat_data": { "remoteIp": "x" },
        });
        records.push((Dataset::Events, odd));
    }
    let data = json!({
        "endpoint_id": "ep-1", "endpoint_type": "server", "endpoint_platform": "windows",
        "threat_status": "CLEANED_UP", "source_info": { "ip": "10.1.2.3" }, "user_match_id": "5f",
        "hmpa_exploit": { "process_path": "C:\\a.exe", "pid": 9 },
    });
    let alert_type = "Event::Endpoint::Threat::PuaCleanupFailed";
    records.push((
        Dataset::Alerts,
        json!({
            "id": "alert-full", "type": alert_type, "severity": "medium", "location": "srv", "threat": "Pua",
            "description": "Clean-up failed: 'Pua' at '/tmp/x'", "event_service_event_id": "e-1", "data": data,
            "source": "anna", "threat_cleanable": true,
        }),
    ));
    records.push((Dataset::Alerts, json!({ "id": "alert-bare", "type": "Event::New", "data": null })));
    records.push((
        Dataset::Endpoints,
        json!({
            "id": "ep-full", "type": "server", "hostname": "srv.example.com", "serialNumber": "S1",
            "health": { "overall": "bad", "threats": { "status": "good" } }, "lastSeenAt": "2026-01-01T00:00:00Z",
            "registeredAt": "2025-01-01T00:00:00Z", "cloud": { "provider": "aws", "instanceId": "i-1" },
            "os": { "platform": "windows", "name": "Windows", "majorVersion": 10, "minorVersion": 0, "build": 1 },
            "ipv4Addresses": ["10.1.2.3"], "ipv6Addresses": ["fe80::1"], "macAddresses": ["00:11:22:33:44:55"],
            "group": { "id": "g", "name": "Sales" }, "tags": [{ "displayString": "a:b" }], "online": true,
            "associatedPerson": { "id": "p", "name": "Anna", "viaLogin": "ACME\\anna" },
            "assignedProducts": [{ "code": "xdr", "version": "1", "status": "installed" }],
            "tamperProtectionEnabled": true, "isolation": { "status": "isolated" },
        }),
    ));
    let bare = json!({ "id": "ep-bare", "os": {}, "associatedPerson": {}, "ipv4Addresses": [], "group": {} });
    records.push((Dataset::Endpoints, bare));
    records.extend(transitions().into_iter().map(|record| (Dataset::Isolations, record)));
    records
}

/// Transitions of a ledger with every attribute that the mapping knows, and with none.
fn transitions() -> Vec<Value> {
    let mut records = Vec::new();
    for transition in ["received", "refused", "pending_approval", "isolated", "failed", "released"] {
        let entry = json!({
            "code": "not_found", "detail": "no endpoint", "reason": "a server", "origin": "requested",
            "requires_approval": true, "expires_at": 7, "retry_at": 7, "release_after_seconds": 7,
            "effective_at": "2026-11-23T10:00:00Z", "policy_digest": "00", "source_ip": "203.0.113.7",
        });
        records.push(json!({
            "id": format!("{transition}-full"), "decision": "iso-1", "sequence": 2, "at": "2026-11-23T10:00:00Z",
            "transition": transition, "action": "isolate", "alert_source": "edr", "tool": "okta", "severity": "low",
            "title": "C2", "tenant_id": TENANT, "endpoint_id": "ep-1", "hostname": "Anna's MacBook",
            "requested_by": "anna", "entry": entry,
        }));
        records.push(json!({
            "id": format!("{transition}-bare"), "decision": "iso-2", "transition": transition, "tool": "okta",
        }));
    }
    records
}

/// Commits records as a run of the export does, with one commit for each dataset.
async fn commit(export: &Store, records: &[(Dataset, Value)]) {
    for dataset in [Dataset::Events, Dataset::Alerts, Dataset::Endpoints, Dataset::Isolations] {
        let mut encoder = Format::NdjsonGzip.encoder();
        let mut rows = 0;
        for (_, record) in records.iter().filter(|(of, _)| *of == dataset) {
            let (id, text) = (record["id"].as_str().expect("an id"), record.to_string());
            let time = Timestamp::from_millisecond(NOW_MS - rows * 7_200_000).ok();
            let source = "-";
            let row = Row {
                id,
                tenant: TENANT,
                dataset,
                source,
                time,
                created_at: time,
                revision: 0,
                record: &text,
            };
            encoder.push(&row).expect("a row");
            rows += 1;
        }
        let object = encoder.finish().expect("an object");
        let path = format!("{dataset}/tenant_id={TENANT}/day=2026-11-23/000000000001-run-0000.ndjson.gz");
        let commit = json!({
            "version": 1, "dataset": dataset, "tenant": TENANT, "sequence": 1, "run_id": "run",
            "committed_at": "2026-11-23T10:00:00.000Z", "rows": rows,
            "objects": [{ "path": path, "bytes": object.len(), "sha256": "", "rows": rows }],
        });
        export.create(&path, object).await.expect("an object");
        let path = format!("_log/{dataset}/{TENANT}/000000000001.json");
        export.create(&path, commit.to_string().into_bytes()).await.expect("a log record");
    }
}

#[tokio::test]
#[ignore = "needs Python with readers of rows: `cargo xtask test` runs it"]
async fn rows_of_each_class_conform_to_ocsf() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = |name| Store::open(&folder.path().join(name).to_string_lossy()).expect("a folder");
    let (export, lake) = (store("export"), store("lake"));
    let records = records();
    commit(&export, &records).await;
    let mut settings = LakeSettings::new(LakeLayout::default());
    settings.mapping.classes = Class::ALL.to_vec();
    let writer = LakeWriter::to_store(export, &lake, settings).expect("a writer");
    let report = writer.run(|| NOW_MS, None).await.expect("a run");
    assert_eq!((report.total.stored_rows, report.total.invalid), (records.len() as u64, 0));
    let read = read_lake(&folder.path().join("lake"));
    assert_eq!(read["errors"], json!([]));
    for class in Class::ALL {
        let rows = read["rows"][class.to_string()].as_array().map(Vec::len).unwrap_or_default();
        assert!(rows > 1, "class {class}: {rows} rows");
    }
}
