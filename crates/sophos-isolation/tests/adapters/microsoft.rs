//! Microsoft Defender and Microsoft Sentinel.

use serde_json::{Value, json};
use sophos_isolation::adapters::Tool;

use super::{parse, parse_refused, parse_single, summaries, summary};

fn device(name: &str, more: Value) -> Value {
    let mut device = json!({
        "@odata.type": "#microsoft.graph.security.deviceEvidence",
        "deviceDnsName": format!("{name}.corp.example"), "hostName": name,
        "mdeDeviceId": "0123456789abcdef0123456789abcdef01234567", "azureAdDeviceId": "a-d",
        "lastExternalIpAddress": "203.0.113.9", "ipInterfaces": ["10.0.0.7", "127.0.0.1"]
    });
    for (member, value) in more.as_object().expect("members") {
        device[member] = value.clone();
    }
    device
}

fn graph(evidence: Value) -> Value {
    json!({"id": "a1", "tenantId": "t-1", "lastUpdateDateTime": "2026-01-01T00:00:00Z", "severity": "high",
        "status": "new", "title": "Ransomware", "evidence": evidence})
}

#[test]
fn defender_parses_each_device_of_a_graph_alert() {
    let file = json!({"@odata.type": "#microsoft.graph.security.fileEvidence", "mdeDeviceId": "x", "hostName": "no"});
    let evidence =
        json!([device("pc-1", json!({})), file, device("pc-2", json!({})), device("pc-1", json!({}))]);
    let parsed_alerts = parse(Tool::MicrosoftDefender, &graph(evidence));
    assert_eq!(
        summaries(&parsed_alerts),
        [
            "high name:pc-1.corp.example ip:10.0.0.7,127.0.0.1 act",
            "high name:pc-2.corp.example ip:10.0.0.7,127.0.0.1 act",
        ]
    );
    assert!(
        parsed_alerts[0].event_id.starts_with(r#"["a1","2026-01-01T00:00:00Z",[null,null,[],["pc-1.corp"#)
    );
    assert_ne!(parsed_alerts[0].event_id, parsed_alerts[1].event_id);
    assert_eq!(parsed_alerts[0].signal.account.as_deref(), Some("t-1"));
}

#[test]
fn defender_refuses_related_devices() {
    let context = json!({"roles": ["contextual"]});
    let parsed_alerts = parse(Tool::MicrosoftDefender, &graph(json!([device("pc-1", context.clone())])));
    assert!(summary(&parsed_alerts[0]).ends_with("OnlyRelated"));
    // The same device as an attacked one.
    let both =
        json!([device("pc-1", context), device("pc-1", json!({"roles": ["contextual", "compromised"]}))]);
    assert!(summary(&parse_single(Tool::MicrosoftDefender, &graph(both))).ends_with("act"));
}

#[test]
fn defender_refuses_resolved_alerts() {
    for (member, value, expected) in [
        ("status", "resolved", "Resolved"),
        ("status", "Dismissed", "Resolved"),
        ("status", "inProgress", "act"),
        ("classification", "falsePositive", "Resolved"),
        ("classification", "FalsePositive", "Resolved"),
        ("classification", "informationalExpectedActivity", "Resolved"),
        ("classification", "truePositive", "act"),
        ("feedback", "benignPositive", "Resolved"),
    ] {
        let mut body = graph(json!([device("pc-1", json!({}))]));
        body[member] = json!(value);
        assert!(
            summary(&parse_single(Tool::MicrosoftDefender, &body)).ends_with(expected),
            "{member} {value}"
        );
    }
}

#[test]
fn defender_parses_list_elements_separately() {
    let other = json!({"id": "a2", "severity": "low", "hostStates": [
        {"fqdn": "pc-3.corp.example", "netBiosName": "PC-3", "privateIpAddress": "10.0.0.3", "publicIpAddress": "203.0.113.1"},
        {"fqdn": "-", "netBiosName": null, "privateIpAddress": ""},
    ]});
    let alerts = json!([graph(json!([])), other]);
    let expected = ["high NoHost", "low name:pc-3.corp.example ip:10.0.0.3 act"];
    for body in [alerts.clone(), json!({"value": alerts}), json!({"alerts": alerts})] {
        assert_eq!(summaries(&parse(Tool::MicrosoftDefender, &body)), expected);
    }
}

#[test]
fn defender_parses_defender_api_alerts() {
    let parsed_alert = parse_single(
        Tool::MicrosoftDefender,
        &json!({
            "id": "da1", "incidentId": 7, "severity": "Medium", "status": "New", "title": "t", "aadTenantId": "t-2",
            "machineId": "0123456789abcdef0123456789abcdef01234567", "computerDnsName": "pc-4.corp.example",
            "lastUpdateTime": "2026-01-01T00:00:00Z", "evidence": [{"entityType": "Ip", "ipAddress": "198.51.100.7"}]
        }),
    );
    assert_eq!(summary(&parsed_alert), "medium name:pc-4.corp.example act");
    assert_eq!(parsed_alert.event_id, r#"["da1","2026-01-01T00:00:00Z"]"#);
    assert_eq!(parsed_alert.signal.account.as_deref(), Some("t-2"));
}

fn row(properties: Value) -> Value {
    json!({"category": "AdvancedHunting-AlertEvidence", "tenantId": "t-1", "properties": properties})
}

#[test]
fn defender_parses_device_rows_of_advanced_hunting() {
    let machine = |device: &str, role: &str| {
        row(json!({"AlertId": "h1", "Timestamp": "T", "EntityType": "Machine", "EvidenceRole": role,
            "Severity": "High", "DeviceId": device, "DeviceName": device, "RemoteIP": "198.51.100.7"}))
    };
    let file =
        row(json!({"AlertId": "h1", "Timestamp": "T", "EntityType": "File", "EvidenceRole": "Impacted",
        "DeviceName": "pc-9", "LocalIP": "10.0.0.9"}));
    let raw = json!({"category": "AdvancedHunting-DeviceEvents", "properties": {"DeviceName": "pc-9", "ReportId": 1}});
    let body = json!({"records": [machine("pc-1", "Impacted"), machine("pc-2", "Related"), file, raw]});
    let parsed_alerts = parse(Tool::MicrosoftDefender, &body);
    assert_eq!(
        summaries(&parsed_alerts),
        ["high name:pc-1 act", "high name:pc-2 OnlyRelated", "- NoHost", "- NotAThreat",]
    );
    assert_eq!(parsed_alerts[0].event_id, r#"["h1","T","Machine","pc-1","Impacted"]"#);
    assert!(parse_refused(Tool::MicrosoftDefender, &row(json!({}))).ends_with("properties.AlertId"));
}

fn incident(entities: Value) -> Value {
    json!({
        "id": "/subscriptions/s/…/Incidents/x", "name": "x", "type": "Microsoft.SecurityInsights/Incidents",
        "properties": {"title": "t", "severity": "High", "status": "New", "incidentNumber": 12,
            "lastModifiedTimeUtc": "2026-01-01T00:00:00Z", "relatedEntities": entities}
    })
}

fn entity(kind: &str, properties: Value) -> Value {
    json!({"id": "e", "type": "Microsoft.SecurityInsights/Entities", "kind": kind, "properties": properties})
}

#[test]
fn sentinel_parses_hosts_of_an_incident() {
    let entities = json!([
        entity("Account", json!({"accountName": "a", "hostName": "no"})),
        entity("Ip", json!({"address": "198.51.100.7"})),
        entity(
            "Host",
            json!({"hostName": "pc-1", "dnsDomain": "corp.example", "netBiosName": "PC-1", "azureID": "x"})
        ),
        entity("Host", json!({"hostName": "pc-2.corp.example", "dnsDomain": "corp.example"})),
        entity("Host", json!({"hostName": "", "netBiosName": "PC-3"})),
        entity("Host", json!({"osFamily": "Windows"})),
    ]);
    let expected =
        ["high name:pc-1.corp.example act", "high name:pc-2.corp.example act", "high netbios:PC-3 act"];
    let rule = json!({"objectSchemaType": "Incident", "objectEventType": "Create", "object": incident(entities.clone())});
    let mut beside = incident(json!([]));
    beside["entities"] = entities.clone();
    for body in [incident(entities), rule, beside] {
        let parsed_alerts = parse(Tool::MicrosoftSentinel, &body);
        assert_eq!(summaries(&parsed_alerts), expected);
        assert!(
            parsed_alerts
                .iter()
                .all(|parsed_alert| parsed_alert.event_id.starts_with(r#"["12","2026-01-01T00:00:00Z",["#))
        );
    }
}

#[test]
fn sentinel_refuses_closed_incidents() {
    let mut body = incident(json!([entity("Host", json!({"hostName": "pc-1"}))]));
    body["properties"]["status"] = json!("Closed");
    let parsed_alert = parse_single(Tool::MicrosoftSentinel, &body);
    assert_eq!(summary(&parsed_alert), "high name:pc-1 Resolved");
    assert_eq!(parsed_alert.event_id, r#"["12","2026-01-01T00:00:00Z"]"#);
    body["properties"]["incidentNumber"] = json!(null);
    assert!(parse_refused(Tool::MicrosoftSentinel, &body).ends_with("the incident has no incidentNumber"));
}
