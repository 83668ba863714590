//! Formats of SentinelOne messages: rules, unified alerts, mitigation reports.

use serde_json::{Value, json};
use sophos_isolation::adapters::Tool;

use super::{parse, parse_single, summaries, summary};

fn activity(kind: Value, data: Value) -> Value {
    json!({"activityType": kind, "activityUuid": "a", "threatId": "t", "data": data})
}

#[test]
fn sentinelone_parses_rule_alerts() {
    for (kind, data) in [
        (
            json!(3608),
            json!({"origAgentName": "pc-1", "alertId": "1", "severity": "E_HIGH", "agentIpV4": "10.0.0.1"}),
        ),
        (
            json!("3608"),
            json!({"origagentname": "pc-1", "alertid": 1, "severity": "High", "agentipv4": "10.0.0.1"}),
        ),
        (
            json!(3784),
            json!({"origagentname": "pc-1", "rulename": "r", "severity": "E_HIGH", "agentipv4": "10.0.0.1"}),
        ),
        (
            json!(3785),
            json!({"origagentname": "pc-1", "alertid": "2", "severity": "E_HIGH", "agentipv4": "10.0.0.1"}),
        ),
        (
            json!(null),
            json!({"origagentname": "pc-1", "alertid": "2", "severity": "E_HIGH", "agentipv4": "10.0.0.1"}),
        ),
    ] {
        assert_eq!(
            summary(&parse_single(Tool::SentinelOne, &activity(kind.clone(), data))),
            "high name:pc-1 ip:10.0.0.1 act",
            "{kind}"
        );
    }
    // A library rule, or an alert of one, was edited.
    for data in [
        json!({"rulename": "r", "severity": "E_HIGH"}),
        json!({"origagentname": "pc-1", "alertid": "2", "newIncidentStatus": "in_progress"}),
    ] {
        assert!(
            summary(&parse_single(Tool::SentinelOne, &activity(json!(3782), data))).ends_with("NotAThreat")
        );
    }
}

#[test]
fn sentinelone_refuses_threat_status_changes() {
    let data =
        json!({"computerName": "pc-1", "threatClassification": "Ransomware", "confidenceLevel": "malicious"});
    for kind in [
        21, 22, 34, 90, 221, 2001, 2002, 2004, 2013, 2021, 2024, 2028, 2029, 2030, 3609, 4002, 4008, 4011,
        5120,
    ] {
        let parsed_alert = parse_single(Tool::SentinelOne, &activity(json!(kind), data.clone()));
        assert_eq!(summary(&parsed_alert), "high name:pc-1 NotAThreat", "{kind}");
    }
    for kind in [18, 19, 20, 4003, 4106, 4107, 4108, 4109, 4111] {
        let parsed_alert = parse_single(Tool::SentinelOne, &activity(json!(kind), data.clone()));
        assert_eq!(summary(&parsed_alert), "high name:pc-1 act", "{kind}");
    }
    // The same without an activity type.
    for change in ["newStatus", "oldIncidentStatus", "newAnalystVerdict"] {
        let mut data = data.clone();
        data[change] = json!("in_progress");
        assert!(
            summary(&parse_single(Tool::SentinelOne, &activity(json!(null), data))).ends_with("NotAThreat"),
            "{change}"
        );
    }
}

#[test]
fn sentinelone_acts_on_mitigated_threats() {
    for (member, value, expected) in [
        ("mitigationStatus", "mitigated", "act"),
        ("mitigationStatus", "not_mitigated", "act"),
        ("mitigationStatus", "marked_as_benign", "Resolved"),
        ("incidentStatus", "resolved", "Resolved"),
        ("analystVerdict", "false_positive", "Resolved"),
        ("analystVerdict", "true_positive", "act"),
    ] {
        let mut body = json!({"id": "t", "threatInfo": {"threatId": "t", "confidenceLevel": "malicious"},
            "agentRealtimeInfo": {"agentComputerName": "pc-1", "agentDomain": "corp.example"}});
        body["threatInfo"][member] = json!(value);
        assert_eq!(
            summary(&parse_single(Tool::SentinelOne, &body)),
            format!("high name:pc-1.corp.example {expected}"),
            "{value}"
        );
    }
}

fn unified(assets: Value) -> Value {
    json!({"id": "0191-a", "severity": "CRITICAL", "status": "NEW", "analystVerdict": "UNDEFINED", "result": "UNMITIGATED",
        "classification": "RANSOMWARE", "confidenceLevel": "MALICIOUS", "name": "x", "detectedAt": "2026-05-04T08:00:00Z",
        "detectionSource": {"product": "EDR", "vendor": "SentinelOne"}, "updatedAt": "2026-06-04T08:00:00Z",
        "lastSeenAt": "2026-06-04T08:00:00Z", "assets": assets})
}

fn machine(name: &str, role: &str) -> Value {
    json!({"id": "m", "name": name, "role": role, "category": "Workstation", "agentUuid": "0f1e2d", "osType": "WINDOWS"})
}

#[test]
fn sentinelone_parses_each_target_of_a_unified_alert() {
    let account = json!({"name": "j.doe", "category": "Identity", "role": "TARGET"});
    let bucket = json!({"name": "files", "category": "Storage", "subcategory": "Bucket"});
    let assets = json!([
        machine("pc-1", "TARGET"),
        machine("pc-2", "RELATED"),
        machine("srv-1", "TARGET"),
        account,
        bucket
    ]);
    let expected = ["critical name:pc-1 act", "critical name:srv-1 act", "critical name:pc-2 OnlyRelated"];
    let parsed_alerts = parse(Tool::SentinelOne, &unified(assets));
    assert_eq!(summaries(&parsed_alerts), expected);
    assert_eq!(parsed_alerts[0].signal.observed_at.as_deref(), Some("2026-05-04T08:00:00Z"));
    assert_eq!(parsed_alerts[0].signal.reason.as_deref(), Some("RANSOMWARE"));
    assert_eq!(
        summaries(&parse(Tool::SentinelOne, &unified(json!([{"name": "j.doe", "category": "Identity"}])))),
        ["critical NoHost"]
    );
}

#[test]
fn sentinelone_finds_unified_alerts_in_wrappers() {
    let [first, second] = ["pc-1", "pc-2"].map(|name| unified(json!([machine(name, "TARGET")])));
    let node = |alert: &Value| json!({"cursor": "c", "node": alert});
    for body in [
        json!([first, second]),
        json!({"data": [first, second], "pagination": {"totalItems": 2}}),
        json!({"data": {"alerts": {"edges": [node(&first), node(&second)], "pageInfo": {"hasNextPage": false}}}}),
        json!({"data": {"unifiedAlerts": {"nodes": [first, second]}}}),
        json!({"edges": [node(&first), node(&second)]}),
    ] {
        let mut parsed_alerts = summaries(&parse(Tool::SentinelOne, &body));
        parsed_alerts.sort();
        assert_eq!(parsed_alerts, ["critical name:pc-1 act", "critical name:pc-2 act"], "{body}");
    }
    for body in [json!({"data": {"alert": first}}), json!({"alert": first}), json!({"node": first})] {
        assert_eq!(summaries(&parse(Tool::SentinelOne, &body)), ["critical name:pc-1 act"], "{body}");
    }
}

#[test]
fn sentinelone_refuses_resolved_unified_alerts() {
    for (member, value, expected) in [
        ("status", "RESOLVED", "Resolved"),
        ("status", "FALSE_POSITIVE", "Resolved"),
        ("status", "IN_PROGRESS", "act"),
        ("analystVerdict", "FALSE_POSITIVE_BENIGN", "Resolved"),
        ("analystVerdict", "TRUE_POSITIVE_BENIGN_BUT_SUSPICIOUS", "Resolved"),
        ("analystVerdict", "TRUE_POSITIVE", "act"),
        ("result", "MITIGATED", "act"),
        ("result", "BENIGN", "Resolved"),
    ] {
        let mut body = unified(json!([machine("pc-1", "TARGET")]));
        body[member] = json!(value);
        assert_eq!(
            summary(&parse_single(Tool::SentinelOne, &body)),
            format!("critical name:pc-1 {expected}"),
            "{value}"
        );
    }
}

#[test]
fn sentinelone_appends_domain_of_the_only_asset() {
    let mut body = unified(json!([machine("pc-1", "TARGET")]));
    body["detectionTime"] = json!({"assets": [{"asset": {"domain": "corp.example", "consoleIpAddress": "203.0.113.9"}}],
        "attacker": {"host": "evil.example", "ip": "198.51.100.7"}});
    assert_eq!(summary(&parse_single(Tool::SentinelOne, &body)), "critical name:pc-1.corp.example act");
    body["detectionTime"]["assets"][0]["asset"]["domain"] = json!("WORKGROUP");
    assert_eq!(summary(&parse_single(Tool::SentinelOne, &body)), "critical name:pc-1 act");
}
