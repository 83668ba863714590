//! CrowdStrike, SentinelOne and Wazuh.

use serde_json::{Value, json};
use sophos_isolation::adapters::Tool;

use super::{parse, parse_refused, parse_single, summaries, summary};

#[test]
fn crowdstrike_parses_custom_workflow_bodies() {
    for body in [
        json!({"detection_id": "ldt:1", "hostname": "pc-1", "local_ip": "10.0.0.1", "mac_address": "aa-bb", "severity": "High"}),
        json!({"DetectionId": "ldt:1", "ComputerName": "pc-1", "LocalIP": "10.0.0.1", "MACAddress": "aa-bb", "Severity": 4}),
        json!({"data": {"DetectionID": "ldt:1", "device": {"hostname": "pc-1", "local_ip": "10.0.0.1", "mac_address": "aa-bb",
            "device_id": "0123456789abcdef0123456789abcdef", "external_ip": "203.0.113.9"}, "severity": 70}}),
        json!({"composite_id": "ldt:1", "Hostname": "pc-1", "local_ip": "10.0.0.1", "mac_address": "aa-bb",
            "severity": 10, "severity_name": "High", "aid": "0123456789abcdef0123456789abcdef"}),
        json!({"composite_id": "ldt:1", "hostname": "${data['host']}", "computer_name": "pc-1", "local_ip": "10.0.0.1",
            "mac_address": "aa-bb", "severity": "HIGH"}),
    ] {
        let parsed_alert = parse_single(Tool::CrowdStrike, &body);
        assert_eq!(summary(&parsed_alert), "high mac:aa-bb name:pc-1 ip:10.0.0.1 act", "{body}");
        assert_eq!(parsed_alert.event_id, r#"["ldt:1",null]"#);
    }
}

#[test]
fn crowdstrike_ignores_unfilled_templates() {
    let body = json!({"detection_id": "d", "hostname": "${host}", "local_ip": "{{ip}}", "mac_address": "-", "severity": "${s}"});
    assert_eq!(summary(&parse_single(Tool::CrowdStrike, &body)), "- NoHost");
    let error = parse_refused(Tool::CrowdStrike, &json!({"detection_id": "${id}", "hostname": "pc-1"}));
    assert_eq!(error, "missing event id: the event has no CompositeId or DetectionId");
}

#[test]
fn crowdstrike_maps_severity_words_and_both_scales() {
    for (value, expected) in [
        (json!(1), "informational"),
        (json!(2), "low"),
        (json!(3), "medium"),
        (json!(4), "high"),
        (json!(5), "critical"),
        (json!(10), "informational"),
        (json!(20), "low"),
        (json!(40), "medium"),
        (json!("60"), "high"),
        (json!(80), "critical"),
        (json!("Critical"), "critical"),
        (json!("?"), "-"),
    ] {
        let body = json!({"CompositeId": "c", "Severity": value});
        assert_eq!(summary(&parse_single(Tool::CrowdStrike, &body)), format!("{expected} NoHost"), "{value}");
    }
}

#[test]
fn crowdstrike_refuses_events_that_need_no_action() {
    for (more, expected) in [
        (json!({"Status": "closed"}), "Resolved"),
        (json!({"status": "false_positive"}), "Resolved"),
        (json!({"status": "true_positive"}), "act"),
        (json!({"status": "in_progress"}), "act"),
        (
            json!({"Description": "Non-malicious sample detection generated for evaluation purposes."}),
            "Sample",
        ),
        (json!({"CommandLine": "x CROWDSTRIKE_SAMPLE_DETECTION"}), "act"),
        (json!({"metadata": {"eventType": "IdpDetectionSummaryEvent"}}), "act"),
        (json!({"metadata": {"eventType": "AuthActivityAuditEvent"}}), "NotAThreat"),
        (json!({"metadata": {"eventType": "FirewallMatchEvent"}}), "NotAThreat"),
    ] {
        let mut body = json!({"CompositeId": "c", "Hostname": "pc-1"});
        for (name, value) in more.as_object().expect("members") {
            body[name] = value.clone();
        }
        assert_eq!(
            summary(&parse_single(Tool::CrowdStrike, &body)),
            format!("- name:pc-1 {expected}"),
            "{more}"
        );
    }
    let login = json!({"event": {"UserId": "u", "OperationName": "userAuthenticate"}, "metadata": {
        "eventType": "AuthActivityAuditEvent", "offset": 7, "customerIDString": "c", "eventCreationTime": 1}});
    let parsed_alert = parse_single(Tool::CrowdStrike, &login);
    assert_eq!(summary(&parsed_alert), "- NotAThreat");
    assert_eq!(parsed_alert.event_id, r#"["7","c","1"]"#);
}

fn threat() -> Value {
    json!({
        "id": "t-1",
        "agentDetectionInfo": {"agentIpV4": "10.0.0.1,10.0.0.2", "agentUuid": "u", "externalIp": "203.0.113.9", "accountId": "7"},
        "agentRealtimeInfo": {"agentComputerName": "pc-1", "agentId": "1", "agentUuid": "u", "networkInterfaces": [
            {"id": "1", "inet": ["10.0.0.1"], "physical": "aa:bb:cc:dd:ee:ff"}]},
        "threatInfo": {"threatId": "t-1", "threatName": "mimikatz.exe", "confidenceLevel": "malicious",
            "analystVerdict": "undefined", "incidentStatus": "unresolved", "updatedAt": "2026-01-01T00:00:00Z"}
    })
}

#[test]
fn sentinelone_parses_api_threats() {
    let expected = "high mac:aa:bb:cc:dd:ee:ff name:pc-1 ip:10.0.0.1,10.0.0.2 act";
    for body in [threat(), json!({"data": [threat()]}), json!([threat()])] {
        let parsed_alert = parse_single(Tool::SentinelOne, &body);
        assert_eq!(summary(&parsed_alert), expected);
        assert_eq!(parsed_alert.event_id, r#"["t-1","2026-01-01T00:00:00Z"]"#);
        assert_eq!(parsed_alert.signal.title, "mimikatz.exe");
        assert_eq!(parsed_alert.signal.account.as_deref(), Some("7"));
    }
    for (member, value) in [("incidentStatus", "resolved"), ("analystVerdict", "false_positive")] {
        let mut body = threat();
        body["threatInfo"][member] = json!(value);
        assert!(summary(&parse_single(Tool::SentinelOne, &body)).ends_with("Resolved"), "{member}");
    }
}

#[test]
fn sentinelone_parses_api_cloud_alerts() {
    let body = json!({
        "agentDetectionInfo": {"name": "pc-1", "uuid": "u"}, "agentRealtimeInfo": {"id": "1", "name": "pc-1"},
        "alertInfo": {"alertId": "c-1", "incidentStatus": "Unresolved", "updatedAt": "U"},
        "ruleInfo": {"name": "rule", "severity": "Critical"}
    });
    let parsed_alert = parse_single(Tool::SentinelOne, &body);
    assert_eq!(summary(&parsed_alert), "critical name:pc-1 act");
    assert_eq!(parsed_alert.event_id, r#"["c-1","U"]"#);
}

#[test]
fn sentinelone_acts_on_threat_activities_only() {
    let activity = |kind: Value, data: Value| json!({"activityUuid": "a", "activityType": kind, "agentId": "1", "threatId": "t", "data": data});
    let pc = json!({"computerName": "pc-1"});
    let sure = json!({"computerName": "pc-1", "confidenceLevel": "malicious"});
    for (kind, data, expected) in [
        (json!(3608), pc.clone(), "- name:pc-1 act"),
        (json!("3608"), pc.clone(), "- name:pc-1 act"),
        (json!(18), pc.clone(), "- name:pc-1 act"),
        (json!(4003), pc.clone(), "- name:pc-1 act"),
        (json!(90), pc.clone(), "- name:pc-1 NotAThreat"),
        (json!(27), pc.clone(), "- name:pc-1 NotAThreat"),
        (json!(null), pc.clone(), "- name:pc-1 act"),
        (json!(2001), sure.clone(), "high name:pc-1 NotAThreat"),
        (json!(null), sure.clone(), "high name:pc-1 act"),
        (
            json!(19),
            json!({"computerName": "pc-1", "newAnalystVerdict": "false_positive"}),
            "- name:pc-1 Resolved",
        ),
        (json!(19), json!({"computerName": "pc-1", "newIncidentStatus": "resolved"}), "- name:pc-1 Resolved"),
        (json!(19), json!({"computerName": "N/A"}), "- NoHost"),
    ] {
        assert_eq!(
            summary(&parse_single(Tool::SentinelOne, &activity(kind.clone(), data))),
            expected,
            "{kind}"
        );
    }
    for (word, expected) in
        [("E_HIGH", "high"), ("E_LOW", "low"), ("E_INFO", "informational"), ("suspicious", "medium")]
    {
        let body = activity(json!(3608), json!({"severity": word}));
        assert_eq!(summary(&parse_single(Tool::SentinelOne, &body)), format!("{expected} NoHost"));
    }
    let error = parse_refused(Tool::SentinelOne, &json!({"computername": "pc-1"}));
    assert_eq!(error, "missing event id: the message has no activityUuid or threatId");
}

fn wazuh(agent: Value) -> Value {
    json!({"timestamp": "2026-01-01T00:00:00.000+0000", "id": "1580123327.49031", "manager": {"name": "siem"},
        "rule": {"level": 12, "description": "Malware", "id": "554"}, "agent": agent,
        "data": {"srcip": "198.51.100.7"}, "full_log": "x"})
}

#[test]
fn wazuh_parses_alerts_in_every_wrapper() {
    let alert = wazuh(json!({"id": "001", "name": "web-1", "ip": "10.0.0.5"}));
    for body in
        [alert.clone(), json!({"alert": alert}), json!({"version": 1, "parameters": {"alert": alert}})]
    {
        let parsed_alert = parse_single(Tool::Wazuh, &body);
        assert_eq!(summary(&parsed_alert), "high name:web-1 ip:10.0.0.5 act");
        assert_eq!(parsed_alert.event_id, r#"["1580123327.49031","siem"]"#);
    }
    for (level, expected) in [(3, "informational"), (4, "low"), (7, "medium"), (12, "high"), (15, "critical")]
    {
        let mut body = alert.clone();
        body["rule"]["level"] = json!(level);
        assert!(summary(&parse_single(Tool::Wazuh, &body)).starts_with(expected));
    }
    let error = parse_refused(Tool::Wazuh, &json!({"agent": {"id": "001"}, "description": "Agent Name x"}));
    assert_eq!(error, "missing event id: the alert has no id");
}

#[test]
fn wazuh_refuses_alerts_about_the_manager() {
    for id in [json!("000"), json!("0"), json!(0), json!(" 000 ")] {
        let body = wazuh(json!({"id": id, "name": "siem", "ip": "any"}));
        assert_eq!(summary(&parse_single(Tool::Wazuh, &body)), "high name:siem Manager");
    }
    assert!(summary(&parse_single(Tool::Wazuh, &wazuh(json!({"name": "siem"})))).ends_with("Manager"));
    let agent = wazuh(json!({"id": "010", "name": "web-1", "ip": "any"}));
    assert_eq!(summary(&parse_single(Tool::Wazuh, &agent)), "high name:web-1 act");
}

#[test]
fn wazuh_finds_no_host_in_the_log_of_text_alerts() {
    let body = |description: &str| json!({"message": "m", "severity": "high", "description": description});
    for (description, expected) in [
        ("Rule ID 1\nAgent ID 000\nAgent Name siem\nTitle t\n", "high name:siem Manager"),
        ("Rule ID 1\nAgent ID 002\nAgent Name a\nTitle t\nFull Log x\nAgent Name dc-1\n", "high name:a act"),
        ("Rule ID 1\nTitle t\nAgent Name dc-1\n", "high NoHost"),
        ("Full Log x\nAgent ID 003\nAgent Name dc-1\n", "high NoHost"),
    ] {
        assert_eq!(summary(&parse_single(Tool::Wazuh, &body(description))), expected, "{description:?}");
    }
    let [one, other] = ["Agent Name a", "Agent Name b"].map(|text| parse(Tool::Wazuh, &body(text)));
    assert_ne!(one[0].event_id, other[0].event_id);
    assert_eq!(summaries(&one), ["high name:a act"]);
}
