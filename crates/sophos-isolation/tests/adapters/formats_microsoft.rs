//! Formats of Microsoft messages: names, incidents, and other resources.

use serde_json::{Value, json};
use sophos_isolation::adapters::Tool;

use super::{parse, parse_refused, parse_single, summaries, summary};

fn incident(entities: Value) -> Value {
    json!({"properties": {"incidentNumber": 3, "severity": "High", "status": "New", "relatedEntities": entities}})
}

fn host(properties: Value) -> Value {
    json!([{"kind": "Host", "properties": properties}])
}

#[test]
fn sentinel_never_widens_a_full_name() {
    for (properties, expected) in [
        (json!({"hostName": "vm", "dnsDomain": "a.example"}), "high name:vm.a.example act"),
        (
            json!({"hostName": "vm", "dnsDomain": "a.example", "netBiosName": "VM", "friendlyName": "other"}),
            "high name:vm.a.example act",
        ),
        (json!({"hostName": "vm.a.example"}), "high name:vm.a.example act"),
        (json!({"hostName": "vm.a.example", "dnsDomain": "b.example"}), "high name:vm.a.example act"),
        (json!({"hostName": "vm", "fullyQualifiedDomainName": "vm.a.example"}), "high name:vm.a.example act"),
        (json!({"hostName": "vm", "additionalData": {"FQDN": "vm.a.example"}}), "high name:vm.a.example act"),
        (json!({"hostName": "vm", "ntDomain": "A"}), "high name:vm act"),
        (json!({"hostName": "vm", "dnsDomain": "WORKGROUP"}), "high name:vm act"),
        (json!({"netBiosName": "VM", "ntDomain": "A", "friendlyName": "other"}), "high netbios:VM act"),
        (json!({"friendlyName": "other"}), "high NoHost"),
    ] {
        assert_eq!(
            summary(&parse_single(Tool::MicrosoftSentinel, &incident(host(properties.clone())))),
            expected,
            "{properties}"
        );
    }
    let bare = incident(json!([{"Type": "host", "HostName": "vm", "DnsDomain": "a.example"}]));
    assert_eq!(summary(&parse_single(Tool::MicrosoftSentinel, &bare)), "high name:vm.a.example act");
}

#[test]
fn sentinel_parses_alerts_with_embedded_entities() {
    let entities = r#"[{"$id":"2","Type":"process","Host":{"$id":"3","HostName":"vm1","DnsDomain":"a.example","Type":"host"}},
        {"$ref":"3"},{"$id":"4","HostName":"vm2","Type":"host"},{"$id":"5","Address":"198.51.100.7","Type":"ip"},
        {"$id":"6","HostName":"vm3","Type":"host","Roles":["Contextual"]}]"#;
    let row = json!({"Type": "SecurityAlert", "SystemAlertId": "s-1", "AlertSeverity": "High", "AlertName": "n", "Status": "New",
        "TenantId": "w-1", "EndTime": "2026-05-04T08:00:00Z", "CompromisedEntity": "dc-1", "Entities": entities});
    let entity = json!({"kind": "SecurityAlert", "name": "x", "properties": {"systemAlertId": "s-1", "severity": "High",
        "alertDisplayName": "n", "status": "New", "endTimeUtc": "2026-05-04T08:00:00Z", "Entities": entities}});
    for body in [row.clone(), entity] {
        let parsed_alerts = parse(Tool::MicrosoftSentinel, &body);
        assert_eq!(
            summaries(&parsed_alerts),
            ["high name:vm1.a.example act", "high name:vm2 act", "high name:vm3 OnlyRelated"]
        );
        assert_eq!(parsed_alerts[0].signal.title, "n");
        assert_eq!(parsed_alerts[0].signal.observed_at.as_deref(), Some("2026-05-04T08:00:00Z"));
    }
    let mut over = row;
    over["Status"] = json!("Resolved");
    assert!(summaries(&parse(Tool::MicrosoftSentinel, &over)).iter().all(|line| line.ends_with("Resolved")));
}

#[test]
fn sentinel_parses_alerts_of_an_incident() {
    let entities = r#"[{"$id":"1","HostName":"vm2","DnsDomain":"a.example","Type":"host"}]"#;
    let mut body = incident(host(json!({"hostName": "vm1"})));
    body["properties"]["alerts"] =
        json!([{"kind": "SecurityAlert", "properties": {"systemAlertId": "s", "Entities": entities}}]);
    let expected = ["high name:vm1 act", "high name:vm2.a.example act"];
    assert_eq!(summaries(&parse(Tool::MicrosoftSentinel, &body)), expected);
    assert_eq!(
        summaries(&parse(Tool::MicrosoftSentinel, &json!({"objectSchemaType": "Incident", "object": body}))),
        expected
    );
    assert_eq!(summaries(&parse(Tool::MicrosoftSentinel, &json!({"value": [body]}))), expected);
}

#[test]
fn sentinel_refuses_other_documents() {
    for (kind, properties) in [
        (
            "Microsoft.SecurityInsights/Incidents/Comments",
            json!({"message": "isolate pc-1", "entities": host(json!({"hostName": "pc-1"}))}),
        ),
        ("Microsoft.SecurityInsights/Incidents/Tasks", json!({"title": "t", "status": "New"})),
        (
            "Microsoft.SecurityInsights/Bookmarks",
            json!({"displayName": "b", "entities": host(json!({"hostName": "pc-1"}))}),
        ),
        ("Microsoft.SecurityInsights/Entities", json!({"hostName": "pc-1"})),
    ] {
        let body = json!({"id": "/subscriptions/s/x", "type": kind, "properties": properties});
        assert_eq!(summary(&parse_single(Tool::MicrosoftSentinel, &body)), "- NotAThreat", "{kind}");
    }
    assert!(
        parse_refused(Tool::MicrosoftSentinel, &json!({"title": "t"}))
            .ends_with("the incident has no incidentNumber")
    );
}

#[test]
fn defender_never_widens_a_full_name() {
    let device = |members: Value| {
        let mut device = json!({"@odata.type": "#microsoft.graph.security.deviceEvidence"});
        for (name, value) in members.as_object().expect("members") {
            device[name] = value.clone();
        }
        json!({"id": "a", "severity": "high", "evidence": [device]})
    };
    for (members, expected) in [
        (json!({"deviceDnsName": "vm.a.example", "hostName": "other"}), "high name:vm.a.example act"),
        (json!({"deviceDnsName": "vm", "hostName": "vm.a.example"}), "high name:vm.a.example act"),
        (json!({"hostName": "vm", "dnsDomain": "a.example", "ntDomain": "A"}), "high name:vm.a.example act"),
        (json!({"hostName": "vm", "ntDomain": "A"}), "high name:vm act"),
        (json!({"netBiosName": "VM"}), "high netbios:VM act"),
    ] {
        assert_eq!(
            summary(&parse_single(Tool::MicrosoftDefender, &device(members.clone()))),
            expected,
            "{members}"
        );
    }
    let row = |name: &str, more: &str| {
        json!({"category": "AdvancedHunting-AlertEvidence", "properties": {"AlertId": "h", "EntityType": "Machine",
            "Severity": "High", "DeviceName": name, "AdditionalFields": more}})
    };
    for (name, more, expected) in [
        ("vm.a.example", r#"{"DnsDomain":"b.example","HostName":"vm"}"#, "high name:vm.a.example act"),
        ("vm", r#"{"DnsDomain":"a.example"}"#, "high name:vm.a.example act"),
        ("vm", "no JSON", "high name:vm act"),
    ] {
        assert_eq!(
            summary(&parse_single(Tool::MicrosoftDefender, &row(name, more))),
            expected,
            "{name} {more}"
        );
    }
}

#[test]
fn defender_refuses_other_resources() {
    for body in [
        json!({"id": "m", "computerDnsName": "pc-1", "osPlatform": "Windows11", "healthStatus": "Active", "riskScore": "High"}),
        json!({"id": "m", "computerDnsName": "pc-1", "exposureLevel": "High", "lastSeen": "T"}),
        json!({"id": "n", "type": "Isolate", "requestor": "a@b.example", "status": "Succeeded", "machineId": "m", "computerDnsName": "pc-1"}),
        json!({"id": "7", "state": "Running", "machineId": "m", "computerDnsName": "pc-1", "triggeringAlertId": "a"}),
        json!({"id": "1", "indicatorValue": "evil.example", "indicatorType": "DomainName", "title": "t", "severity": "High", "action": "Block"}),
        json!({"id": "CVE-2026-0001", "name": "n", "severity": "Critical", "cvssV3": 9.8, "exposedMachines": 3}),
        json!({"cveId": "CVE-2026-0001", "severity": "Critical", "computerDnsName": "pc-1", "machineId": "m"}),
        json!({"sha1": "ab", "sha256": "cd", "globalPrevalence": 5, "determinationType": "Malware"}),
        json!({"id": "user1", "accountName": "user1", "mostPrevalentMachineId": "m"}),
        json!({"id": "9", "incidentName": "n", "severity": "High", "status": "Active"}),
    ] {
        let parsed_alert = parse_single(Tool::MicrosoftDefender, &body);
        assert!(summary(&parsed_alert).ends_with("NotAThreat"), "{body}: {}", summary(&parsed_alert));
    }
    assert!(parse_refused(Tool::MicrosoftDefender, &json!({"foo": 1})).ends_with("the alert has no id"));
}

#[test]
fn defender_parses_alerts_of_incidents() {
    let alert = |id: &str, name: &str| {
        json!({"alertId": id, "title": "t", "severity": "High", "status": "New", "lastUpdatedTime": "U",
            "devices": [{"deviceDnsName": name, "osPlatform": "Windows11", "healthStatus": "Active"}]})
    };
    let incident = json!({"incidentId": 9, "incidentName": "n", "severity": "High", "status": "Active",
        "alerts": [alert("a", "pc-1.a.example"), alert("b", "pc-2")]});
    let expected = ["high name:pc-1.a.example act", "high name:pc-2 act"];
    for body in [incident.clone(), json!({"value": [incident]}), json!([incident])] {
        assert_eq!(summaries(&parse(Tool::MicrosoftDefender, &body)), expected);
    }
    let mut over = incident;
    over["status"] = json!("Resolved");
    let expected = ["high name:pc-1.a.example Resolved", "high name:pc-2 Resolved"];
    assert_eq!(summaries(&parse(Tool::MicrosoftDefender, &over)), expected);
}
