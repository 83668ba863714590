//! Tests of the attributes of rows.

use jiff::Timestamp;
use serde_json::{Value, json};
use sophos_lake::{Class, Mapped, MappingSettings, OcsfRow, StoredRow, map_row};

const TENANT: &str = "11f104c5-cc4a-4a9f-bb9c-632c936dfb9f";
/// 2026-11-23T10:00:00Z.
const NOW_MS: i64 = 1_795_428_000_000;

fn time(ms: i64) -> String {
    format!("{:.3}", Timestamp::from_millisecond(ms).expect("a time"))
}

/// A stored row of this dataset with these members, which replace those of the row.
fn map_with(dataset: &str, record: &Value, row: Value) -> Mapped {
    let mut line = json!({
        "id": record["id"], "tenant": TENANT, "dataset": dataset, "source": "-", "time": time(NOW_MS),
        "created_at": time(NOW_MS + 5_000), "revision": 0, "record": record.to_string(),
    });
    for (name, value) in row.as_object().expect("members") {
        line[name] = value.clone();
    }
    let line = line.to_string();
    let row = StoredRow::parse(line.as_bytes()).expect("a row");
    let settings = MappingSettings { classes: Class::ALL.to_vec(), ..MappingSettings::default() };
    map_row(&row, Timestamp::UNIX_EPOCH, &settings)
}

fn rows(mapped: Mapped) -> Vec<OcsfRow> {
    match mapped {
        Mapped::Rows(rows) => rows,
        other => panic!("{other:?}"),
    }
}

fn single(dataset: &str, record: &Value) -> Value {
    let mut rows = rows(map_with(dataset, record, json!({})));
    assert_eq!(rows.len(), 1);
    rows.remove(0).value
}

fn detection() -> Value {
    json!({
        "id": "e-1", "customer_id": TENANT, "type": "Event::Endpoint::Threat::Detected", "group": "MALWARE",
        "severity": "high", "when": time(NOW_MS), "created_at": time(NOW_MS + 5_000),
        "name": "Malware detected: 'EICAR-AV-Test' at 'C:\\Users\\anna\\eicar.com'", "threat": "EICAR-AV-Test",
        "location": "WS-0001", "endpoint_id": "ep-1", "endpoint_type": "computer", "source": "ACME\\anna",
        "user_id": "5f", "source_info": { "ip": "10.1.2.3" }, "origin": "ML_MALWARE_DETECTION",
        "appSha256": "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f",
        "core_remedy_items": null, "whitelist_properties": [{ "type": "sha256" }],
    })
}

#[test]
fn finding_has_the_attributes_of_its_event() {
    let record = detection();
    let row = single("events", &record);
    assert_eq!(
        row["metadata"],
        json!({
            "version": "1.3.0", "product": { "name": "Sophos Central", "vendor_name": "Sophos" },
            "profiles": ["host", "security_control"], "tenant_uid": TENANT, "uid": "e-1",
            "event_code": "Event::Endpoint::Threat::Detected", "log_name": "siem/events",
            "original_time": time(NOW_MS), "logged_time": NOW_MS + 5_000,
        })
    );
    assert_eq!(
        (&row["time"], &row["severity_id"], &row["severity"]),
        (&json!(NOW_MS), &json!(4), &json!("High"))
    );
    assert_eq!(row["type_name"], "Detection Finding: Create");
    assert_eq!(row["raw_data"], record.to_string());
    assert_eq!(
        row["finding_info"],
        json!({
            "uid": "e-1", "title": "EICAR-AV-Test", "desc": record["name"], "types": ["MALWARE"],
            "created_time": NOW_MS + 5_000, "first_seen_time": NOW_MS,
            "analytic": { "name": "ML_MALWARE_DETECTION", "type_id": 99, "type": "ML_MALWARE_DETECTION" },
        })
    );
    assert_eq!(
        row["device"],
        json!({
            "uid": "ep-1", "hostname": "WS-0001", "name": "WS-0001", "ip": "10.1.2.3", "type_id": 99,
            "type": "computer",
        })
    );
    let sha256 = json!({ "algorithm_id": 3, "algorithm": "SHA-256", "value": record["appSha256"] });
    let file = json!({
        "name": "eicar.com", "path": "C:\\Users\\anna\\eicar.com", "type_id": 0, "type": "Unknown",
        "hashes": [sha256],
    });
    let user = json!({ "name": "anna", "domain": "ACME", "uid": "5f" });
    assert_eq!(row["evidences"], json!([{ "file": file, "actor": { "user": user } }]));
    assert_eq!(row["malware"][0]["classifications"], json!(["MALWARE"]));
    assert_eq!(row["resources"], json!([{ "uid": "ep-1", "name": "WS-0001", "type": "Device" }]));
    assert_eq!(
        row["unmapped"],
        json!({
            "type": "Event::Endpoint::Threat::Detected", "group": "MALWARE",
            "whitelist_properties": "[{\"type\":\"sha256\"}]",
        })
    );
}

#[test]
fn finding_of_a_repeated_record_is_an_update() {
    let record = detection();
    let row = &rows(map_with("events", &record, json!({ "revision": 1 })))[0].value;
    assert_eq!((&row["activity_id"], &row["type_uid"]), (&json!(2), &json!(200_402)));
}

#[test]
fn severities_have_their_number() {
    for (word, id, caption) in [
        (json!("none"), 1, "Informational"),
        (json!(null), 1, "Informational"),
        (json!("low"), 2, "Low"),
        (json!("Medium"), 3, "Medium"),
        (json!("high"), 4, "High"),
        (json!("critical"), 5, "Critical"),
        (json!("very_high"), 99, "very_high"),
    ] {
        let mut record = detection();
        record["severity"] = word;
        let row = single("events", &record);
        assert_eq!((&row["severity_id"], &row["severity"]), (&json!(id), &json!(caption)));
    }
}

#[test]
fn firewall_location_is_a_serial_number() {
    let record = json!({
        "id": "f-1", "type": "Event::Firewall::FirewallAdvancedThreatProtection", "location": "C220ABCDEF",
        "endpoint_type": "xgfirewall",
    });
    assert_eq!(
        single("events", &record)["device"],
        json!({
            "uid": "C220ABCDEF", "type_id": 9, "type": "Firewall", "hw_info": { "serial_number": "C220ABCDEF" },
        })
    );
}

#[test]
fn intrusion_has_its_endpoints_by_direction() {
    let record = |detection_type: Value| {
        json!({
            "id": "i-1", "type": "Event::Endpoint::Threat::IpsInboundDetection", "location": "WS-0001",
            "source_info": { "ip": "10.1.2.3" }, "source": "n/a",
            "ips_threat_data": {
                "detectionType": detection_type, "remoteIp": "192.0.2.7", "remotePort": "445", "localPort": "50000",
                "executablePath": "C:\\Windows\\svchost.exe", "executablePid": "812",
            },
        })
    };
    let local = json!({ "ip": "10.1.2.3", "hostname": "WS-0001", "port": 50_000 });
    let remote = json!({ "ip": "192.0.2.7", "port": 445 });
    for (direction, src, dst) in
        [(json!(0), &remote, &local), (json!("1"), &local, &remote), (json!(null), &remote, &local)]
    {
        let evidence = single("events", &record(direction))["evidences"][0].clone();
        assert_eq!((&evidence["src_endpoint"], &evidence["dst_endpoint"]), (src, dst));
        assert_eq!(evidence["process"]["pid"], 812);
        assert_eq!(evidence["process"]["file"]["name"], "svchost.exe");
        assert_eq!(evidence["actor"], Value::Null, "n/a is no user");
    }
}

#[test]
fn amsi_process_has_its_parent() {
    let mut record = detection();
    record["type"] = json!("Event::Endpoint::CoreAmsiBlocked");
    record["amsi_threat_data"] = json!({
        "processPath": "C:\\powershell.exe", "processId": "7", "parentProcessPath": "C:\\winword.exe",
        "parentProcessId": 6,
    });
    let process = single("events", &record)["evidences"][0]["process"].clone();
    assert_eq!((&process["pid"], &process["name"]), (&json!(7), &json!("powershell.exe")));
    assert_eq!(process["parent_process"]["pid"], 6);
    record["amsi_threat_data"] = json!({ "processPath": "C:\\powershell.exe" });
    record["name"] = json!("AMSI blocked a script");
    let evidence = single("events", &record)["evidences"][0].clone();
    assert_eq!(evidence["process"], Value::Null, "a process needs an id");
    assert_eq!(evidence["file"]["name"], "powershell.exe");
}

#[test]
fn alert_joins_its_event_and_has_the_result() {
    let record = |status: Option<&str>| {
        json!({
            "id": "a-1", "type": "Event::Endpoint::Threat::CleanupFailed", "severity": "critical",
            "description": "Manual cleanup required: 'Mal/X' at '/tmp/x'", "location": "srv", "threat": "Mal/X",
            "event_service_event_id": "e-9", "threat_cleanable": true,
            "data": {
                "endpoint_id": "ep-1", "endpoint_type": "server", "endpoint_platform": "linux",
                "threat_status": status, "source_info": { "ip": "10.0.0.1" },
            },
        })
    };
    let row = single("alerts", &record(None));
    assert_eq!((&row["metadata"]["uid"], &row["finding_info"]["uid"]), (&json!("a-1"), &json!("e-9")));
    assert_eq!(row["metadata"]["log_name"], "siem/alerts");
    assert_eq!(row["device"]["os"], json!({ "type_id": 200, "type": "Linux", "name": "linux" }));
    assert_eq!((&row["device"]["type_id"], &row["device"]["ip"]), (&json!(1), &json!("10.0.0.1")));
    assert!(row["unmapped"]["data"].as_str().is_some_and(|text| text.contains("endpoint_platform")));
    for (status, disposition, state) in [
        (None, 19, 1),
        (Some("CLEANED_UP"), 11, 4),
        (Some("DISMISSED"), 19, 4),
        (Some("NOT_CLEANUPABLE"), 13, 1),
        (Some("CLEANUP_FAILED"), 13, 1),
        (Some("NEW"), 19, 1),
    ] {
        let row = single("alerts", &record(status));
        assert_eq!(
            (&row["disposition_id"], &row["status_id"]),
            (&json!(disposition), &json!(state)),
            "{status:?}"
        );
    }
}

#[test]
fn clean_up_has_a_row_for_each_item() {
    let mut record = detection();
    record["type"] = json!("Event::Endpoint::CoreCleaned");
    record["core_remedy_items"] = json!({ "totalItems": 4, "items": [
        { "type": "file", "result": "SUCCESS", "descriptor": "C:\\a\\b.exe", "processPath": "" },
        { "type": "process", "result": "FAILED", "descriptor": "1234", "processPath": "C:\\a\\b.exe" },
        { "type": "registry", "result": "NOT_FOUND", "descriptor": "HKLM\\x" },
        { "type": "file", "result": "NEW_WORD", "descriptor": "" },
    ] });
    let rows = rows(map_with("events", &record, json!({})));
    let found: Vec<_> = rows
        .iter()
        .map(|row| (row.class.uid(), row.value["metadata"]["uid"].clone(), row.value["status_id"].clone()))
        .collect();
    assert_eq!(
        found,
        [
            (7002, json!("e-1:0"), json!(1)),
            (7003, json!("e-1:1"), json!(2)),
            (7001, json!("e-1:2"), json!(3)),
            (7001, json!("e-1:3"), json!(99)),
        ]
    );
    assert!(rows.iter().all(|row| row.value["command_uid"] == "e-1"));
    assert_eq!(rows[0].value["file"]["path"], "C:\\a\\b.exe");
    assert_eq!(rows[1].value["process"]["file"]["name"], "b.exe");
    assert_eq!(rows[2].value["unmapped"]["item_descriptor"], "HKLM\\x");
}

#[test]
fn clean_up_without_items_has_the_file_of_its_name() {
    let mut record = detection();
    record["type"] = json!("Event::Endpoint::Threat::CleanedUp");
    let row = single("events", &record);
    assert_eq!((&row["class_uid"], &row["file"]["name"]), (&json!(7002), &json!("eicar.com")));
    record["name"] = json!("Malware cleaned up");
    assert_eq!(single("events", &record)["class_uid"], 7001);
}

#[test]
fn inventory_has_the_time_of_the_snapshot() {
    let record = json!({
        "id": "ep-1", "type": "computer", "hostname": "WS-0001", "lastSeenAt": time(NOW_MS - 9_000_000_000),
        "health": { "overall": "good", "threats": { "status": "good" } }, "serialNumber": "S1",
        "os": { "platform": "macOS", "name": "macOS Sequoia", "majorVersion": 15, "minorVersion": 1, "build": 0 },
        "ipv4Addresses": ["127.0.0.1", "169.254.1.1", "10.1.2.3"], "ipv6Addresses": ["fe80::1", "no address"],
        "macAddresses": ["00:11:22:33:44:55", "00-11"], "group": { "id": "g", "name": "Sales" },
        "associatedPerson": { "id": "p", "name": "Anna", "viaLogin": "ACME\\anna" },
        "assignedProducts": [{ "code": "xdr", "version": "1.2", "status": "installed" }],
        "tamperProtectionEnabled": true, "isolation": { "status": "notIsolated" },
        "tags": [{ "displayString": "site:cologne" }],
    });
    let row = &rows(map_with("endpoints", &record, json!({ "created_at": null })))[0];
    assert_eq!((row.class, row.time_ms), (Class::DeviceInventory, NOW_MS));
    let device = &row.value["device"];
    assert_eq!(device["last_seen_time"], NOW_MS - 9_000_000_000);
    assert_eq!(device["ip"], "10.1.2.3");
    let interfaces = device["network_interfaces"].as_array().expect("interfaces");
    assert_eq!(interfaces.len(), 5, "four addresses and one MAC address");
    assert!(
        interfaces.iter().all(|interface| interface.as_object().is_some_and(|members| members.len() == 3))
    );
    assert_eq!(
        device["os"],
        json!({ "name": "macOS Sequoia", "type_id": 300, "type": "macOS", "version": "15.1.0", "build": "0" })
    );
    assert_eq!((&device["domain"], &device["is_compliant"]), (&json!("ACME"), &json!(true)));
    assert_eq!(device["is_trusted"], Value::Null);
    let user = json!({ "uid": "p", "name": "anna", "full_name": "Anna", "domain": "ACME" });
    assert_eq!(row.value["actor"]["user"], user);
    assert_eq!(row.value["unmapped"]["assigned_products"], "xdr=1.2/installed");
    assert_eq!(row.value["severity_id"], 1);
    assert_eq!(row.value["metadata"]["event_code"], Value::Null);
}

#[test]
fn wrong_clock_gives_way_to_the_creation_time() {
    let record = detection();
    let time_of = |row| rows(map_with("events", &record, row))[0].time_ms;
    let day = 86_400_000;
    assert_eq!(time_of(json!({ "time": time(NOW_MS - 6 * day) })), NOW_MS - 6 * day);
    assert_eq!(time_of(json!({ "time": time(0) })), NOW_MS + 5_000);
    assert_eq!(time_of(json!({ "time": null })), NOW_MS + 5_000);
    assert_eq!(time_of(json!({ "time": null, "created_at": null })), 0, "the time of the commit");
}

#[test]
fn record_that_is_no_object_is_invalid() {
    for record in ["", "[]", "1", "{"] {
        let line = json!({
            "id": "e", "tenant": TENANT, "dataset": "events", "time": null, "created_at": null, "revision": 0,
            "record": record,
        });
        let line = line.to_string();
        let row = StoredRow::parse(line.as_bytes()).expect("a row");
        let settings = MappingSettings::default();
        assert_eq!(map_row(&row, Timestamp::UNIX_EPOCH, &settings), Mapped::Invalid, "{record}");
    }
}
