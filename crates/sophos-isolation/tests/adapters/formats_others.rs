//! Formats of PagerDuty, Splunk and Wazuh messages.

use serde_json::{Value, json};
use sophos_isolation::adapters::Tool;

use super::{parse, parse_single, summaries, summary};

#[test]
fn pagerduty_refuses_events_of_other_kinds() {
    for (kind, data, expected) in [
        ("incident.annotated", json!({"type": "incident_note", "incident": {"id": "Q"}}), "NotAThreat"),
        (
            "incident.status_update_published",
            json!({"type": "incident_status_update", "incident": {"id": "Q"}}),
            "NotAThreat",
        ),
        (
            "incident.responder.added",
            json!({"type": "incident_responder", "incident": {"id": "Q"}}),
            "NotAThreat",
        ),
        (
            "incident.workflow.started",
            json!({"type": "incident_workflow_instance", "incident": {"id": "Q"}}),
            "NotAThreat",
        ),
        (
            "incident.custom_field_values.updated",
            json!({"type": "incident_field_values", "incident": {"id": "Q"}}),
            "NoHost",
        ),
    ] {
        let body = json!({"event": {"id": "1", "event_type": kind, "data": data}});
        assert_eq!(summary(&parse_single(Tool::PagerDuty, &body)), format!("- {expected}"), "{kind}");
    }
}

#[test]
fn splunk_refuses_resolved_notables() {
    let adapter = super::configured(Tool::Splunk, r#"hostname = "/result/dest""#);
    let notable = "00aa@@notable@@11bb";
    for (more, expected) in [
        (json!({"event_id": notable, "status": "1", "status_label": "New"}), "act"),
        (json!({"event_id": notable, "status": "5", "status_label": "Closed"}), "Resolved"),
        (json!({"event_id": notable, "status": "4"}), "Resolved"),
        (
            json!({"event_id": notable, "disposition_label": "False Positive - Incorrect Analytic Logic"}),
            "Resolved",
        ),
        (json!({"event_id": notable, "disposition_label": "True Positive - Suspicious Activity"}), "act"),
        // In a custom search, the column has another meaning.
        (json!({"status": "4"}), "act"),
        (json!({"status": "closed"}), "act"),
    ] {
        let mut row = more.clone();
        row["dest"] = json!("pc-1");
        let body = json!({"sid": "s", "search_name": "n", "result": row}).to_string().into_bytes();
        let message = sophos_isolation::adapters::Message { body: &body, idempotency_key: None };
        assert_eq!(
            summaries(&adapter.parse_message(&message).expect("readable")),
            [format!("- name:pc-1 {expected}")],
            "{more}"
        );
    }
}

fn wazuh(groups: Value) -> Value {
    json!({"id": "1.2", "rule": {"level": 13, "description": "d", "groups": groups},
        "agent": {"id": "001", "name": "web-1", "ip": "10.0.0.5"}, "manager": {"name": "siem"}})
}

#[test]
fn wazuh_refuses_vulnerabilities_and_undone_responses() {
    for (groups, expected) in [
        (json!(["ossec", "rootcheck"]), "act"),
        (json!(["syscheck"]), "act"),
        (json!(["vulnerability-detector"]), "NotAThreat"),
        (json!(["sca", "compliance"]), "NotAThreat"),
    ] {
        assert_eq!(
            summary(&parse_single(Tool::Wazuh, &wazuh(groups))),
            format!("high name:web-1 ip:10.0.0.5 {expected}")
        );
    }
    for (command, expected) in [("add", "act"), ("delete", "Resolved")] {
        let body = json!({"version": 1, "command": command, "parameters": {"alert": wazuh(json!([]))}});
        assert!(summary(&parse_single(Tool::Wazuh, &body)).ends_with(expected), "{command}");
    }
    let text = |status: &str| json!({"message": "m", "status": status, "description": "Agent ID 002\nAgent Name a\n"});
    for (status, expected) in [("firing", "act"), ("resolved", "Resolved"), ("suppressed", "Suppressed")] {
        assert!(summary(&parse_single(Tool::Wazuh, &text(status))).ends_with(expected), "{status}");
    }
}

#[test]
fn wazuh_refuses_logs_collected_from_other_hosts() {
    for (writer, expected) in [
        ("switch-1", "OnlyRelated"),
        ("10.0.0.254", "OnlyRelated"),
        ("PC-1", "act"),
        ("pc-1.corp.example", "act"),
        ("10.0.0.7", "act"),
        ("", "act"),
    ] {
        let alert = json!({
            "id": "1.2", "rule": {"level": 12}, "agent": {"id": "001", "name": "pc-1", "ip": "10.0.0.7"},
            "predecoder": {"hostname": writer},
        });
        assert_eq!(
            summary(&parse_single(Tool::Wazuh, &alert)),
            format!("high name:pc-1 ip:10.0.0.7 {expected}"),
            "{writer}"
        );
    }
}

#[test]
fn wazuh_parses_list_elements_separately() {
    let mut second = wazuh(json!([]));
    second["id"] = json!("1.3");
    second["agent"]["name"] = json!("web-2");
    let parsed_alerts = parse(Tool::Wazuh, &json!([wazuh(json!([])), second]));
    assert_eq!(
        summaries(&parsed_alerts),
        ["high name:web-1 ip:10.0.0.5 act", "high name:web-2 ip:10.0.0.5 act"]
    );
    assert_ne!(parsed_alerts[0].alert_id, parsed_alerts[1].alert_id);
}
