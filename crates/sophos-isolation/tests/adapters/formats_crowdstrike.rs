//! Formats of CrowdStrike messages: leads, identity detections, workflows, audits.

use serde_json::{Value, json};
use sophos_isolation::adapters::Tool;

use super::{parse, parse_single, summaries, summary};

fn event(kind: &str, members: Value) -> Value {
    json!({"metadata": {"eventType": kind, "offset": 1, "customerIDString": "c", "eventCreationTime": 2}, "event": members})
}

#[test]
fn crowdstrike_parses_each_machine_of_a_lead() {
    let indicators = json!([
        {"Hostname": "pc-1", "Severity": 30}, {"Hostname": "pc-2", "Severity": 90}, {"Hostname": "pc-1", "Severity": 70},
        {"AgentId": "0123456789abcdef0123456789abcdef", "Severity": 90},
    ]);
    for kind in ["AutomatedLeadSummaryEvent", "AutomatedLeadUpdate"] {
        let members = json!({"LeadId": "l", "Score": 45, "ThreatgraphIndicators": indicators});
        let parsed_alerts = parse(Tool::CrowdStrike, &event(kind, members));
        assert_eq!(summaries(&parsed_alerts), ["high name:pc-1 act", "critical name:pc-2 act"], "{kind}");
        assert_ne!(parsed_alerts[0].alert_id, parsed_alerts[1].alert_id);
        assert_ne!(parsed_alerts[0].event_id, parsed_alerts[1].event_id);
    }
}

#[test]
fn crowdstrike_parses_leads_in_other_formats() {
    let flat = json!({"ExternalApiType": "Event_AutomatedLeadSummaryEvent", "CompositeId": "c", "Score": "85",
        "ThreatgraphIndicators": [{"ComputerName": "pc-1", "MachineDomain": "corp.example"}]});
    assert_eq!(summaries(&parse(Tool::CrowdStrike, &flat)), ["critical name:pc-1.corp.example act"]);
    let names = event(
        "AutomatedLeadSummaryEvent",
        json!({"CompositeId": "c", "Score": 10, "Hosts": ["pc-1", "pc-2"]}),
    );
    assert_eq!(
        summaries(&parse(Tool::CrowdStrike, &names)),
        ["informational name:pc-1 act", "informational name:pc-2 act"]
    );
    let closed =
        json!({"CompositeId": "c", "Status": "closed", "ThreatgraphIndicators": [{"Hostname": "pc-1"}]});
    assert_eq!(
        summaries(&parse(Tool::CrowdStrike, &event("AutomatedLeadUpdate", closed))),
        ["- name:pc-1 Resolved"]
    );
    let none = event("AutomatedLeadSummaryEvent", json!({"CompositeId": "c", "ThreatgraphIndicators": []}));
    assert_eq!(summaries(&parse(Tool::CrowdStrike, &none)), ["- NoHost"]);
}

#[test]
fn crowdstrike_takes_source_endpoint_of_identity_events() {
    let addresses = json!({"LocalIP": "10.0.0.9", "SourceEndpointIpAddress": "10.0.0.1"});
    for (members, expected) in [
        (
            json!({"SourceEndpointHostName": "pc-1.corp.example", "TargetEndpointHostName": "dc-1"}),
            "high name:pc-1.corp.example act",
        ),
        (
            json!({"TargetEndpointHostName": "dc-1", "TargetServiceAccessIdentifier": "cifs/dc-1"}),
            "high NoHost",
        ),
        (json!({"SourceAccountName": "a"}), "high NoHost"),
    ] {
        let mut members = members;
        members["DetectId"] = json!("d");
        members["Severity"] = json!(4);
        for (name, value) in addresses.as_object().expect("members") {
            members[name] = value.clone();
        }
        assert_eq!(
            summary(&parse_single(Tool::CrowdStrike, &event("IdpDetectionSummaryEvent", members))),
            expected
        );
    }
    let alert = json!({"composite_id": "c", "product": "idp", "source_endpoint_host_name": "pc-1", "severity_name": "High"});
    assert_eq!(summary(&parse_single(Tool::CrowdStrike, &alert)), "high name:pc-1 act");
}

#[test]
fn crowdstrike_recognises_machine_threats_by_kind() {
    for (kind, expected) in [
        ("EppDetectionSummaryEvent", "high name:pc-1 act"),
        ("XdrDetectionSummaryEvent", "high name:pc-1 act"),
        ("DetectionSummaryEvent", "high name:pc-1 act"),
        ("MobileDetectionSummaryEvent", "high NoHost"),
        ("CSPMIOAStreamingEvent", "high name:pc-1 NotAThreat"),
        ("CSPMSearchStreamingEvent", "high name:pc-1 NotAThreat"),
        ("CloudIndicator", "high name:pc-1 NotAThreat"),
        ("UserActivityAuditEvent", "high name:pc-1 NotAThreat"),
        ("IncidentAuditEvent", "high name:pc-1 NotAThreat"),
        ("RemoteResponseSessionStartEvent", "high name:pc-1 NotAThreat"),
        ("HashSpreadingEvent", "high name:pc-1 NotAThreat"),
    ] {
        let members = json!({"CompositeId": "c", "Severity": 70, "Hostname": "pc-1"});
        assert_eq!(summary(&parse_single(Tool::CrowdStrike, &event(kind, members))), expected, "{kind}");
    }
    let incident =
        json!({"IncidentID": "inc:1", "State": "open", "FineScore": 1.4, "HostID": "0123456789abcdef"});
    assert_eq!(
        summary(&parse_single(Tool::CrowdStrike, &event("IncidentSummaryEvent", incident.clone()))),
        "- NoHost"
    );
    let audit = json!({"metadata": {"offset": 1}, "event": {"OperationName": "update_detection", "Hostname": "pc-1"}});
    assert_eq!(summary(&parse_single(Tool::CrowdStrike, &audit)), "- name:pc-1 NotAThreat");
}

#[test]
fn crowdstrike_respects_alert_status() {
    for (member, value, expected) in [
        ("status", "closed", "Resolved"),
        ("Status", "ignored", "Resolved"),
        ("State", "closed", "Resolved"),
        ("resolution", "false_positive", "Resolved"),
        ("status", "reopened", "act"),
        ("status", "new", "act"),
    ] {
        let mut body = json!({"composite_id": "c", "hostname": "pc-1"});
        body[member] = json!(value);
        assert!(summary(&parse_single(Tool::CrowdStrike, &body)).ends_with(expected), "{member} {value}");
    }
}

#[test]
fn crowdstrike_parses_names_composed_by_workflows() {
    for body in [
        json!({"Detection ID": "d", "Host Name": "pc-1", "Severity": "High", "Local IP": "10.0.0.1"}),
        json!({"detection.id": "d", "device.hostname": "pc-1", "detection.severity": "High", "device.local_ip": "10.0.0.1"}),
        json!({"data": {"detections.id": "d", "detections.severity": "High", "devices.hostname": "pc-1", "devices.local_ip": "10.0.0.1"},
            "meta": {"trigger_name": "Detection"}}),
        json!({"composite-id": "d", "sensor.hostname": "pc-1", "severity": "high", "local-ip": "10.0.0.1"}),
    ] {
        let parsed_alert = parse_single(Tool::CrowdStrike, &body);
        assert_eq!(summary(&parsed_alert), "high name:pc-1 ip:10.0.0.1 act", "{body}");
        assert_eq!(parsed_alert.event_id, r#"["d",null]"#);
    }
    // A member named after another machine is not the host.
    let other = json!({"detection.id": "d", "target.hostname": "dc-1", "Remote Hostname": "x"});
    assert_eq!(summary(&parse_single(Tool::CrowdStrike, &other)), "- NoHost");
}

#[test]
fn crowdstrike_parses_list_elements_separately() {
    let alerts = json!([{"composite_id": "a", "hostname": "pc-1"}, {"composite_id": "b", "device": {"hostname": "pc-2"}}]);
    for body in
        [alerts.clone(), json!({"meta": {"query_time": 1}, "resources": alerts}), json!({"alerts": alerts})]
    {
        assert_eq!(summaries(&parse(Tool::CrowdStrike, &body)), ["- name:pc-1 act", "- name:pc-2 act"]);
    }
}

#[test]
fn crowdstrike_appends_dns_domains_only() {
    for (domain, expected) in [
        ("corp.example", "- name:pc-1.corp.example act"),
        ("CORP", "- name:pc-1 act"),
        ("WORKGROUP", "- name:pc-1 act"),
        ("", "- name:pc-1 act"),
    ] {
        let body = json!({"composite_id": "c", "hostname": "pc-1", "MachineDomain": domain});
        assert_eq!(summary(&parse_single(Tool::CrowdStrike, &body)), expected, "{domain}");
    }
    let full = json!({"composite_id": "c", "hostname": "pc-1.a.example", "MachineDomain": "b.example"});
    assert_eq!(summary(&parse_single(Tool::CrowdStrike, &full)), "- name:pc-1.a.example act");
}
