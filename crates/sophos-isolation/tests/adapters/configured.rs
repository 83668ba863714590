//! Configured fields that replace the adapter's result.

use serde_json::{Value, json};
use sophos_isolation::adapters::{Adapter, Alert, Message, Tool};

use super::{configured, summaries, summary};

fn parse_configured(adapter: &Adapter, body: &Value) -> Result<Vec<Alert>, String> {
    let body = body.to_string().into_bytes();
    adapter
        .parse_message(&Message { body: &body, idempotency_key: Some("key") })
        .map_err(|error| error.to_string())
}

#[test]
fn mapping_clears_the_refusal_when_it_finds_a_host() {
    let splunk = configured(Tool::Splunk, r#"hostname = "/result/dest_host""#);
    let with = |host: Value| json!({"sid": "s", "result": {"host": "syslog-1", "dest_host": host}});
    assert_eq!(
        summary(&parse_configured(&splunk, &with(json!("pc-1"))).expect("readable")[0]),
        "- name:pc-1 act"
    );
    for nothing in [json!(""), json!(null), json!("unknown"), json!({"a": 1})] {
        assert_eq!(summary(&parse_configured(&splunk, &with(nothing)).expect("readable")[0]), "- NoHost");
    }

    let pagerduty = configured(Tool::PagerDuty, r#"endpoint_id = "/event/data/custom_fields/0/value""#);
    let body = |kind: &str| json!({"event": {"id": "e", "event_type": kind, "data": {"urgency": "high", "custom_fields": [{"value": "4a7b"}]}}});
    assert_eq!(
        summary(&parse_configured(&pagerduty, &body("incident.triggered")).expect("readable")[0]),
        "high endpoint:4a7b act"
    );
    // A configured host does not make a refused alert act.
    assert!(
        summary(&parse_configured(&pagerduty, &body("incident.resolved")).expect("readable")[0])
            .ends_with("Resolved")
    );
}

#[test]
fn mapping_replaces_identifiers_kind_by_kind() {
    let body = json!({"CompositeId": "c", "Hostname": "pc-1", "LocalIP": "10.0.0.1", "custom": {"names": ["a", "a.example"], "mac": "aa:bb:cc:dd:ee:01", "ip": "10.0.0.2"}, "level": 5});
    for (fields, expected) in [
        (r#"hostname = "/custom/names""#, "- name:a.example ip:10.0.0.1 act"),
        (r#"hostname = "/nowhere""#, "- ip:10.0.0.1 act"),
        (r#"severity = "/level""#, "critical name:pc-1 ip:10.0.0.1 act"),
        ("mac = \"/custom/mac\"\nip = \"/custom/ip\"", "- mac:aa:bb:cc:dd:ee:01 name:pc-1 ip:10.0.0.2 act"),
    ] {
        let adapter = configured(Tool::CrowdStrike, fields);
        assert_eq!(summary(&parse_configured(&adapter, &body).expect("readable")[0]), expected, "{fields}");
    }
}

#[test]
fn generic_parses_any_json_when_every_field_is_mapped() {
    let adapter = configured(
        Tool::Generic,
        r#"
        event_id = "/alert/0/key"
        tenant = "/customer"
        account = "/account"
        ec2_instance_id = "/machine/instance"
        hostname = "/machine/name"
        severity = "/prio"
        title = "/text"
        reason = "/why"
        observed_at = "/when"
        action = "/do"
        ttl = "/for"
        "#,
    );
    let body = json!({
        "alert": [{"key": 7}], "customer": "t", "account": 123, "machine": {"instance": "i-1", "name": "pc-1"},
        "prio": "Critical", "text": "x", "why": "y", "when": "z", "do": "release", "for": 60,
        "action": "something else", "ttl": "soon", "target": {"hostname": "not-this", "ip": "10.0.0.1"}
    });
    let parsed_alert = parse_configured(&adapter, &body).expect("readable").remove(0);
    assert_eq!(summary(&parsed_alert), "critical ec2:i-1 name:pc-1 act");
    assert_eq!(parsed_alert.event_id, r#"["7"]"#);
    let signal = serde_json::to_value(&parsed_alert.signal).expect("a signal");
    assert_eq!(
        signal,
        json!({
            "action": "release", "severity": "critical", "title": "x", "reason": "y", "observed_at": "z", "release_after_seconds": 60,
            "tenant": "t", "account": "123",
            "host": {"ec2_instance_id": "i-1", "hostnames": ["pc-1"]}
        })
    );
    // A configured action must not be missing.
    let mut unsaid = body.clone();
    unsaid["do"] = json!(null);
    assert_eq!(
        parse_configured(&adapter, &unsaid).expect_err("no action"),
        "missing action: no value at \"/do\"; set fields.action to its location"
    );
    // Nor may the event id, except with an Idempotency-Key.
    let mut nameless = body;
    nameless["alert"] = json!([]);
    assert_eq!(parse_configured(&adapter, &nameless).expect("readable")[0].event_id, r#"["key"]"#);
    let splunk = configured(Tool::Splunk, r#"event_id = "/result/id""#);
    let error = parse_configured(&splunk, &json!({"sid": "s"})).expect_err("no identity");
    assert_eq!(error, "missing event id: no value at \"/result/id\"; set fields.event_id to its location");
}

#[test]
fn mapping_resolves_pointers_in_each_list_element() {
    let okta = configured(Tool::Okta, r#"hostname = "/device/name""#);
    let events = json!([{"uuid": "a", "device": {"name": "pc-1"}}, {"uuid": "b"}]);
    let parsed_alerts =
        parse_configured(&okta, &json!({"eventId": "h", "data": {"events": events}})).expect("readable");
    assert_eq!(summaries(&parsed_alerts), ["- name:pc-1 act", "- NoHost"]);

    let elastic = configured(Tool::Elastic, "hostname = \"/my.host\"\nevent_id = \"/rule\"");
    let alerts =
        json!([{"kibana.alert.uuid": "u", "rule": "r", "my.host": "pc-1"}, {"rule": "r", "my.host": "pc-1"}]);
    let parsed_alerts = parse_configured(&elastic, &alerts).expect("readable");
    assert_eq!(summaries(&parsed_alerts), ["- name:pc-1 act", "- name:pc-1 act"]);
    // An id shared by both is combined with their own keys.
    assert_eq!([&*parsed_alerts[0].event_id, &*parsed_alerts[1].event_id], [r#"["r",["u"]]"#, r#"["r",1]"#]);
}

#[test]
fn event_id_differs_between_two_hosts() {
    let sentinel = json!([
        {"id": "a", "title": "t", "computerDnsName": "pc-1"}, {"id": "a", "title": "t", "computerDnsName": "pc-2"},
        {"id": "a", "title": "t", "computerDnsName": "pc-1"}
    ]);
    let parsed_alerts =
        parse_configured(&Adapter::new(Tool::MicrosoftDefender), &sentinel).expect("readable");
    assert_eq!(summaries(&parsed_alerts), ["- name:pc-1 act", "- name:pc-2 act"]);
    assert_ne!(parsed_alerts[0].event_id, parsed_alerts[1].event_id);
}

#[test]
fn event_id_parts_cannot_be_shifted() {
    let id = |id: &str, updated: &str| {
        let body = json!({"id": id, "updatedAt": updated});
        parse_configured(&Adapter::new(Tool::GuardDuty), &body).expect("readable").remove(0).event_id
    };
    assert_ne!(id("a\",\"b", "c"), id("a", "b\",\"c"));
    assert_ne!(id("a,b", "c"), id("a", "b,c"));
}
