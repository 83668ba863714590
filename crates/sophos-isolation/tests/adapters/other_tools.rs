//! Splunk, Elastic, PagerDuty, Okta and the native format.

use serde_json::{Value, json};
use sophos_isolation::{
    adapters::{Adapter, Message, Tool},
    signal::Action,
};

use super::{parse, parse_bytes, parse_refused, parse_single, summaries, summary};

#[test]
fn splunk_gives_rows_of_one_sid_distinct_event_ids() {
    let id = |text: &str| parse_bytes(Tool::Splunk, text.as_bytes()).expect("readable").remove(0).event_id;
    let first = id(r#"{"sid":"s","search_name":"n","result":{"a":"1","b":"2"}}"#);
    assert_eq!(first, id("{ \"result\": {\"b\":\"2\",\n\"a\":\"1\"}, \"sid\":\"s\", \"search_name\":\"n\"}"));
    assert_ne!(first, id(r#"{"sid":"s","search_name":"n","result":{"a":"1","b":"3"}}"#));
    assert_ne!(first, id(r#"{"sid":"t","search_name":"n","result":{"a":"1","b":"2"}}"#));
    assert_ne!(first, id(r#"{"sid":"s","search_name":"n"}"#));
}

#[test]
fn splunk_does_not_take_the_log_sender_for_the_host() {
    let body = json!({"sid": "s", "search_name": "n", "result": {"host": "syslog-1", "dest": "pc-1", "urgency": "high"}});
    let parsed_alert = parse_single(Tool::Splunk, &body);
    assert_eq!(summary(&parsed_alert), "high NoHost");
    assert_eq!(parsed_alert.signal.title, "n");
    assert!(parse_refused(Tool::Splunk, &json!({"result": {}})).ends_with("the message has no sid"));
}

const FLAT: &str = r#"{"kibana.alert.uuid":"u1","kibana.alert.severity":"high","kibana.alert.rule.name":"r",
    "host.name":"pc-1","host.ip":["10.0.0.1","fe80::1"],"host.mac":["AA-BB"],"host.id":"own","source.ip":"198.51.100.7"}"#;
const NESTED: &str = r#"{"kibana":{"alert":{"uuid":"u2","severity":"low","rule.name":"r"}},
    "host":{"name":["pc-2"],"ip":"10.0.0.2","id":"own"},"destination":{"ip":"198.51.100.7"}}"#;
const EXPECTED: [&str; 2] =
    ["high mac:AA-BB name:pc-1 ip:10.0.0.1,fe80::1 act", "low name:pc-2 ip:10.0.0.2 act"];

#[test]
fn elastic_parses_objects_with_any_separator() {
    for body in [
        format!("{FLAT}{NESTED}"),
        format!("{FLAT}\n{NESTED}\n"),
        format!("{FLAT},{NESTED},"),
        format!("[{FLAT},{NESTED}]"),
        format!("[{FLAT}]\n[{NESTED}]"),
        format!("[{FLAT},{NESTED},]"),
        format!("\u{feff}{FLAT}{NESTED}"),
        format!(r#"{{"alerts":[{FLAT},{NESTED}]}}"#),
        format!(r#"{{"context":{{"alerts":[{FLAT},{NESTED}]}}}}"#),
        format!(r#"{{"hits":{{"hits":[{{"_id":"a","_source":{FLAT}}},{{"_id":"b","_source":{NESTED}}}]}}}}"#),
    ] {
        let parsed_alerts = parse_bytes(Tool::Elastic, body.as_bytes()).expect(&body);
        assert_eq!(summaries(&parsed_alerts), EXPECTED, "{body}");
        assert_eq!([&*parsed_alerts[0].event_id, &*parsed_alerts[1].event_id], [r#"["u1"]"#, r#"["u2"]"#]);
    }
    for body in
        [format!("{FLAT} tail"), format!("{FLAT}{{"), "7".into(), "\"{}\"".into(), String::from("nul")]
    {
        assert!(parse_bytes(Tool::Elastic, body.as_bytes()).is_err(), "{body}");
    }
    for body in ["", " \n", "[]", "[,]"] {
        assert_eq!(
            summaries(&parse_bytes(Tool::Elastic, body.as_bytes()).expect("nothing")),
            ["- NoHost"],
            "{body}"
        );
    }
}

#[test]
fn elastic_rejects_large_batches_and_missing_ids() {
    let many =
        |count: usize| (0..count).map(|n| format!(r#"{{"kibana.alert.uuid":"{n}"}}"#)).collect::<String>();
    assert_eq!(parse_bytes(Tool::Elastic, many(100).as_bytes()).expect("readable").len(), 100);
    assert!(parse_bytes(Tool::Elastic, many(101).as_bytes()).is_err());
    let list = json!({"alerts": (0..101).map(|n| json!({"kibana.alert.uuid": n})).collect::<Value>()});
    assert!(parse_refused(Tool::Elastic, &list).contains("more than 100"));
    let error = parse_refused(Tool::Elastic, &json!({"host.name": "pc-1"}));
    assert_eq!(error, "missing event id: the alert has no kibana.alert.uuid");
    let older = json!({"_id": "i", "_source": {"signal": {"rule": {"id": "r", "severity": "critical"}}}});
    let parsed_alert = parse_single(Tool::Elastic, &older);
    assert_eq!(
        (summary(&parsed_alert).as_str(), parsed_alert.event_id.as_str()),
        ("critical NoHost", r#"["r","i"]"#)
    );
}

#[test]
fn elastic_parses_scores_states_and_several_hosts() {
    for (score, expected) in
        [(0, "low"), (21, "low"), (22, "medium"), (47, "medium"), (48, "high"), (74, "critical")]
    {
        let body = json!({"kibana.alert.uuid": "u", "kibana.alert.risk_score": score});
        assert_eq!(summary(&parse_single(Tool::Elastic, &body)), format!("{expected} NoHost"));
    }
    for (status, expected) in [("closed", "Resolved"), ("acknowledged", "act"), ("open", "act")] {
        let body =
            json!({"kibana": {"alert": {"uuid": "u", "workflow_status": status}}, "host": {"name": "pc-1"}});
        assert_eq!(summary(&parse_single(Tool::Elastic, &body)), format!("- name:pc-1 {expected}"));
    }
    let several = json!({"kibana.alert.uuid": "u", "host.name": ["pc-1", "pc-2"], "host.ip": ["10.0.0.1"]});
    assert_eq!(summaries(&parse(Tool::Elastic, &several)), ["- name:pc-1 act", "- name:pc-2 act"]);
}

fn pagerduty(kind: &str, data: Value) -> Value {
    json!({"event": {"id": "e", "event_type": kind, "occurred_at": "T", "data": data}})
}

#[test]
fn pagerduty_acts_while_the_incident_is_open() {
    for (kind, expected) in [
        ("incident.triggered", "high NoHost"),
        ("incident.escalated", "high NoHost"),
        ("incident.reopened", "high NoHost"),
        ("incident.acknowledged", "high NoHost"),
        ("incident.resolved", "high Resolved"),
        ("incident.annotated", "high NotAThreat"),
        ("service.created", "high NotAThreat"),
        ("pagey.ping", "high NotAThreat"),
        ("", "high NotAThreat"),
    ] {
        let body = pagerduty(kind, json!({"title": "t", "urgency": "high"}));
        assert_eq!(summary(&parse_single(Tool::PagerDuty, &body)), expected, "{kind}");
    }
    for (priority, expected) in [
        ("P1", "critical"),
        ("P2", "high"),
        ("p3", "medium"),
        ("P4", "low"),
        ("P5", "informational"),
        ("SEV", "low"),
    ] {
        let data = json!({"priority": {"summary": priority}, "urgency": "low", "status": "triggered"});
        assert_eq!(
            summary(&parse_single(Tool::PagerDuty, &pagerduty("incident.triggered", data))),
            format!("{expected} NoHost")
        );
    }
    let resolved = pagerduty("incident.priority_updated", json!({"status": "resolved"}));
    assert!(summary(&parse_single(Tool::PagerDuty, &resolved)).ends_with("Resolved"));
}

#[test]
fn okta_parses_each_event_without_a_host() {
    let event = |uuid: &str, severity: &str| {
        json!({"uuid": uuid, "severity": severity, "displayMessage": "m", "published": "T",
            "client": {"ipAddress": "198.51.100.7", "ipChain": [{"ip": "198.51.100.8"}], "device": "Computer"}})
    };
    let events = json!([event("a", "INFO"), event("b", "WARN"), event("c", "ERROR"), event("d", "DEBUG")]);
    let parsed_alerts = parse(Tool::Okta, &json!({"eventId": "h", "data": {"events": events}}));
    assert_eq!(
        summaries(&parsed_alerts),
        ["informational NoHost", "medium NoHost", "high NoHost", "informational NoHost"]
    );
    assert_eq!(parsed_alerts[1].event_id, r#"["h","b"]"#);
    assert_eq!(summaries(&parse(Tool::Okta, &json!({"eventId": "h", "data": {"events": []}}))), ["- NoHost"]);
    let anonymous = json!({"eventId": "h", "data": {"events": [event("", "INFO")]}});
    assert!(parse_refused(Tool::Okta, &anonymous).ends_with("an event has no uuid"));
    assert!(parse_refused(Tool::Okta, &json!({"eventId": "h"})).ends_with("the message has no data.events"));
}

fn native_message() -> Value {
    json!({
        "event_id": "x-1", "tenant": "11f104c5-cc4a-4a9f-bb9c-632c936dfb9f", "action": "isolate", "severity": "high",
        "target": {"endpoint_id": "4a7b", "ec2_instance_id": "i-1", "hostname": ["pc-1", "pc-1.corp.example"],
            "mac": "aa:bb", "ip": "10.0.0.1"},
        "title": "t\u{202e}\r\n", "reason": "  because  ", "ttl": "4h"
    })
}

#[test]
fn generic_parses_the_native_format() {
    let parsed_alert = parse_single(Tool::Generic, &native_message());
    assert_eq!(
        summary(&parsed_alert),
        "high endpoint:4a7b ec2:i-1 mac:aa:bb name:pc-1.corp.example ip:10.0.0.1 act"
    );
    assert_eq!(parsed_alert.event_id, r#"["x-1"]"#);
    let signal = parsed_alert.signal;
    assert_eq!(signal.tenant.as_deref(), Some("11f104c5-cc4a-4a9f-bb9c-632c936dfb9f"));
    assert_eq!((signal.title.as_str(), signal.reason.as_deref()), ("t", Some("because")));
    assert_eq!((signal.action, signal.release_after_seconds), (Action::Isolate, Some(14_400)));
    let mut bare = native_message();
    bare["target"] = json!({});
    assert_eq!(summary(&parse_single(Tool::Generic, &bare)), "high NoHost");
}

#[test]
fn generic_drops_names_that_cleaning_would_change() {
    for name in ["DC\u{200b}01", "DC01\u{202e}", "DC\u{0}01", "D C\t01"] {
        let body = json!({"event_id": "e", "target": {"hostname": name}});
        assert_eq!(summary(&parse_single(Tool::Generic, &body)), "- NoHost", "{name:?}");
    }
}

#[test]
fn generic_requires_an_event_id() {
    let mut body = native_message();
    body["event_id"] = json!(null);
    let bytes = body.to_string().into_bytes();
    let read = |idempotency_key| {
        Adapter::new(Tool::Generic).parse_message(&Message { body: &bytes, idempotency_key })
    };
    assert_eq!(read(Some("key")).expect("readable")[0].event_id, r#"["key"]"#);
    for key in [None, Some(" ")] {
        let error = read(key).expect_err("no identity").to_string();
        assert!(
            error.ends_with(
                "add event_id to the body, send an Idempotency-Key, or set fields.event_id in the policy"
            ),
            "{error}"
        );
    }
    let bytes = native_message().to_string().into_bytes();
    let message = Message { body: &bytes, idempotency_key: Some("key") };
    assert_eq!(
        Adapter::new(Tool::Generic).parse_message(&message).expect("readable")[0].event_id,
        r#"["x-1"]"#
    );
}

#[test]
fn generic_validates_actions_and_durations() {
    let with = |member: &str, value: Value| {
        let mut body = native_message();
        body[member] = value;
        body
    };
    for (value, expected) in [(json!("Release"), Action::Release), (json!(null), Action::Isolate)] {
        assert_eq!(parse_single(Tool::Generic, &with("action", value)).signal.action, expected);
    }
    for value in [json!("delete"), json!(""), json!("unknown"), json!(1), json!(["isolate"]), json!(true)] {
        let error = parse_refused(Tool::Generic, &with("action", value.clone()));
        assert!(
            error.starts_with("invalid action at \"/action\": expected isolate or release"),
            "{value}: {error}"
        );
    }
    for (value, expected) in [
        (json!(90), Some(90)),
        (json!("90"), Some(90)),
        (json!("90s"), Some(90)),
        (json!("30m"), Some(1_800)),
        (json!(" 2d "), Some(172_800)),
        (json!(null), None),
        (json!(""), None),
    ] {
        assert_eq!(
            parse_single(Tool::Generic, &with("ttl", value.clone())).signal.release_after_seconds,
            expected,
            "{value}"
        );
    }
    for value in [
        json!(0),
        json!(-1),
        json!(1.5),
        json!("h"),
        json!("4 h"),
        json!("4hours"),
        json!("+4h"),
        json!("1h30m"),
        json!("99999999999999999999"),
        json!("18446744073709551615d"),
        json!(true),
        json!({"h": 1}),
        json!([1, 2]),
    ] {
        let error = parse_refused(Tool::Generic, &with("ttl", value.clone()));
        assert!(error.starts_with("invalid ttl at \"/ttl\": expected seconds"), "{value}: {error}");
    }
}

#[test]
fn generic_rejects_invalid_json_without_repeating_it() {
    for tool in Tool::ALL {
        let error = parse_bytes(tool, b"{\"secret-word\": \xff").expect_err("unreadable").to_string();
        assert!(!error.contains("secret-word"), "{error}");
        let deep = [vec![b'['; 100_000], vec![b'{'; 100_000]].concat();
        assert!(parse_bytes(tool, &deep).is_err());
    }
}
