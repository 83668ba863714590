//! Alerts that once led to a wrong machine or to none, with the correct result.

use serde_json::{Value, json};
use sophos_isolation::adapters::Tool;

use super::{parse, parse_refused, summaries};

/// The name, the tool, the payload, and the expected alerts.
type Case = (&'static str, Tool, Value, &'static [&'static str]);

fn finding(kind: &str, more: Value) -> Value {
    let mut detail = json!({"id": "f-1", "accountId": "111122223333", "updatedAt": "2026-05-04T08:00:00Z",
        "severity": 8, "title": "t", "type": kind, "service": {"count": 1}});
    for (name, value) in more.as_object().expect("members") {
        detail[name] = value.clone();
    }
    json!({"source": "aws.guardduty", "account": "111122223333", "detail-type": "GuardDuty Finding", "detail": detail})
}

fn cases() -> Vec<Case> {
    vec![
        (
            "the incident names a machine of another domain",
            Tool::MicrosoftSentinel,
            json!({"object": {"properties": {"incidentNumber": 7, "lastModifiedTimeUtc": "2026-05-04T08:00:00Z",
                "severity": "High", "status": "New", "relatedEntities": [
                {"kind": "Host", "properties": {"hostName": "app7", "dnsDomain": "north.example"}}]}}}),
            &["high name:app7.north.example act"],
        ),
        (
            "the evidence names a machine of another domain",
            Tool::MicrosoftDefender,
            json!({"id": "a-1", "severity": "high", "status": "new", "lastUpdateDateTime": "2026-05-04T08:00:00Z",
                "evidence": [{"@odata.type": "#microsoft.graph.security.deviceEvidence",
                "deviceDnsName": "app7.north.example", "hostName": "app7", "roles": ["compromised"]}]}),
            &["high name:app7.north.example act"],
        ),
        (
            "the host state names a machine of another domain",
            Tool::MicrosoftDefender,
            json!({"id": "a-1", "severity": "high", "lastModifiedDateTime": "2026-05-04T08:00:00Z",
                "hostStates": [{"fqdn": "app7.north.example", "netBiosName": "APP7"}]}),
            &["high name:app7.north.example act"],
        ),
        (
            "the private address of the instance is another machine's",
            Tool::GuardDuty,
            finding(
                "Backdoor:EC2/C&CActivity.B!DNS",
                json!({"resource": {"resourceType": "Instance", "instanceDetails": {
                    "instanceId": "i-0fedcba9876543210", "networkInterfaces": [
                    {"privateIpAddress": "10.20.0.4", "privateDnsName": "ip-10-20-0-4.ec2.internal"}]}}}),
            ),
            &["high ec2:i-0fedcba9876543210 act"],
        ),
        (
            "an ECS object has the name of a wrapper",
            Tool::Elastic,
            json!({"kibana.alert.uuid": "u-1", "kibana.alert.severity": "high", "host": {"name": "web-9"},
                "source": {"ip": "198.51.100.7"}}),
            &["high name:web-9 act"],
        ),
        (
            "the container runs on an instance",
            Tool::GuardDuty,
            finding(
                "Execution:Runtime/NewBinaryExecuted",
                json!({"resource": {"resourceType": "Container", "containerDetails": {"id": "c0ffee"},
                    "instanceDetails": {"instanceId": "i-0fedcba9876543210"}}}),
            ),
            &["high ec2:i-0fedcba9876543210 act"],
        ),
        (
            "the sequence has an instance among its resources",
            Tool::GuardDuty,
            finding(
                "AttackSequence:EC2/CompromisedInstanceGroup",
                json!({"service": {"detection": {"sequence": {"uid": "s-1", "resources": [
                    {"resourceType": "EC2_INSTANCE",
                     "uid": "arn:aws:ec2:eu-west-1:111122223333:instance/i-0fedcba9876543210"}]}}}}),
            ),
            &["high ec2:i-0fedcba9876543210 act"],
        ),
        (
            "the custom rule names the original agent",
            Tool::SentinelOne,
            json!({"activityType": 3608, "id": "1", "data": {"severity": "E_HIGH", "origagentname": "lap-3"}}),
            &["high name:lap-3 act"],
        ),
        (
            "the unified alert has assets",
            Tool::SentinelOne,
            json!({"id": "1", "severity": "HIGH", "status": "NEW", "classification": "MALWARE",
                "assets": [{"name": "lap-3", "role": "TARGET"}], "detectedAt": "2026-05-04T08:00:00.123Z"}),
            &["high name:lap-3 act"],
        ),
        (
            "the rule is one of the platform",
            Tool::SentinelOne,
            json!({"activityType": 3784, "id": "1",
                "data": {"severity": "E_HIGH", "origagentname": "lap-3", "rulename": "r"}}),
            &["high name:lap-3 act"],
        ),
        (
            "the threat was mitigated",
            Tool::SentinelOne,
            json!({"activityType": 4008, "id": "1",
                "data": {"computerName": "lap-3", "newStatus": "Mitigated", "threatClassification": "Trojan"}}),
            &["- name:lap-3 NotAThreat"],
        ),
        (
            "the object is a machine",
            Tool::MicrosoftDefender,
            json!({"id": "0a1b2c3d", "computerDnsName": "lap-3", "osPlatform": "Windows11", "riskScore": "High"}),
            &["- NotAThreat"],
        ),
        (
            "the rule watches a metric",
            Tool::Elastic,
            json!({"kibana.alert.uuid": "u-1", "kibana.alert.rule.category": "Inventory",
                "kibana.alert.rule.consumer": "infrastructure", "host.name": "web-9"}),
            &["- name:web-9 NotAThreat"],
        ),
        (
            "the lead names machines in its indicators",
            Tool::CrowdStrike,
            json!({"metadata": {"eventType": "AutomatedLeadSummaryEvent", "offset": 4},
                "event": {"CompositeId": "c-1", "Score": 54, "ThreatgraphIndicators": [{"Severity": 70, "Hostname": "lap-3"}]}}),
            &["high name:lap-3 act"],
        ),
    ]
}

#[test]
fn adapters_parse_each_case() {
    for (name, tool, body, expected) in cases() {
        assert_eq!(summaries(&parse(tool, &body)), expected, "{name}");
    }
}

#[test]
fn graph_change_notification_error_names_the_remedy() {
    let one = json!({"subscriptionId": "5d1c", "clientState": "s", "changeType": "updated", "resource": "security/alerts_v2/a"});
    let bare = json!({"subscriptionId": "5d1c", "resource": "security/incidents/7", "tenantId": "t",
        "resourceData": {"@odata.type": "#microsoft.graph.security.incident", "id": "7"}});
    for body in [json!({"value": [one]}), json!({"value": [one, bare]}), bare.clone()] {
        let error = parse_refused(Tool::MicrosoftDefender, &body);
        assert!(error.starts_with("missing alert: ") && error.contains("Logic App"), "{error}");
        assert!(error.len() <= 200, "{error}");
    }
    let data = json!({"id": "a", "title": "t", "severity": "high", "computerDnsName": "lap-3"});
    let rich = json!({"value": [{"subscriptionId": "5d1c", "resource": "security/alerts_v2/a", "resourceData": data}]});
    assert_eq!(summaries(&parse(Tool::MicrosoftDefender, &rich)), ["high name:lap-3 act"]);
}

#[test]
fn pagerduty_finds_host_when_the_policy_maps_a_field() {
    let adapter = super::configured(Tool::PagerDuty, r#"hostname = "/event/data/custom_fields/0/value""#);
    let body = |value: Value, status: &str| {
        json!({"event": {"id": "1", "event_type": "incident.custom_field_values.updated", "data": {
            "type": "incident_field_values", "incident": {"id": "Q1", "summary": "malware", "status": status},
            "custom_fields": [{"name": "machine", "value": value}]}}})
    };
    for (value, status, expected) in [
        (json!("LT-0815"), "triggered", "- name:LT-0815 act"),
        (json!("LT-0815"), "resolved", "- name:LT-0815 Resolved"),
        (json!(null), "triggered", "- NoHost"),
    ] {
        let body = body(value, status).to_string().into_bytes();
        let message = sophos_isolation::adapters::Message { body: &body, idempotency_key: None };
        assert_eq!(summaries(&adapter.parse_message(&message).expect("readable")), [expected]);
    }
    assert_eq!(summaries(&parse(Tool::PagerDuty, &body(json!("LT-0815"), "triggered"))), ["- NoHost"]);
}

#[test]
fn adapters_prefer_full_names_over_netbios_names() {
    let legacy = json!({"id": "a", "severity": "high", "title": "t", "hostStates": [
        {"fqdn": "CORP-LAPTOP-0031.corp.example", "netBiosName": "CORP-LAPTOP-003"}, {"netBiosName": "CORP-LAPTOP-004"}]});
    assert_eq!(
        summaries(&parse(Tool::MicrosoftDefender, &legacy)),
        ["high name:CORP-LAPTOP-0031.corp.example act", "high netbios:CORP-LAPTOP-004 act"]
    );
    let incident = json!({"properties": {"incidentNumber": 1, "severity": "High", "status": "New", "relatedEntities": [
        {"kind": "Host", "properties": {"netBiosName": "CORP-LAPTOP-004", "ntDomain": "CORP"}}]}});
    assert_eq!(summaries(&parse(Tool::MicrosoftSentinel, &incident)), ["high netbios:CORP-LAPTOP-004 act"]);
}
