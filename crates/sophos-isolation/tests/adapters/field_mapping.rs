//! JSON of any shape, with fields and conditions from the policy.

use proptest::prelude::*;
use serde_json::{Value, json};
use sophos_isolation::adapters::{Adapter, Alert, Message, NotActionable, Tool};

use super::{parse_bytes, properties::any_json, summaries, summary};

fn adapter(text: &str) -> Adapter {
    Adapter::parse(Tool::Generic, text).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

fn parse_text(adapter: &Adapter, body: &str) -> Result<Vec<Alert>, String> {
    adapter
        .parse_message(&Message { body: body.as_bytes(), idempotency_key: None })
        .map_err(|error| error.to_string())
}

fn parse(text: &str, body: &Value) -> Result<Vec<Alert>, String> {
    parse_text(&adapter(text), &body.to_string())
}

/// The alert of one document parsed with these fields.
fn parse_single(fields: &str, body: &Value) -> String {
    let parsed_alerts = parse(&format!("[fields]\nevent_id = \"/id\"\n{fields}"), body).expect("readable");
    summaries(&parsed_alerts).join("; ")
}

#[test]
fn mapped_source_ignores_the_native_format() {
    let fields = "[fields]\nevent_id = \"/id\"\nhostname = \"/principal/hostname\"";
    let body = json!({
        "id": "1", "principal": {"hostname": null}, "target": {"hostname": "FILESRV", "ip": "10.5.5.5"},
        "tenant": "t", "severity": "high", "title": "x", "action": "DETECTED", "ttl": "soon",
    });
    let parsed_alerts = parse(fields, &body).expect("readable");
    assert_eq!(summaries(&parsed_alerts), ["- NoHost"]);
    assert_eq!(parsed_alerts[0].signal.tenant, None);
    assert_eq!(parsed_alerts[0].signal.title, "");

    let mut named = body;
    named["principal"]["hostname"] = json!("LT-1");
    assert_eq!(summaries(&parse(fields, &named).expect("readable")), ["- name:LT-1 act"]);
    // Only a host field disables the native format.
    let own = json!({"id": 7, "target": {"hostname": "LT-1"}, "ttl": "4h"});
    let parsed_alerts = parse("[fields]\nevent_id = \"/id\"", &own).expect("readable");
    assert_eq!(summaries(&parsed_alerts), ["- name:LT-1 act"]);
    assert_eq!(parsed_alerts[0].signal.release_after_seconds, Some(14_400));
}

#[test]
fn mapped_source_falls_back_to_the_header_for_event_id() {
    let adapter = adapter("fields = { hostname = \"/host\" }");
    let body = br#"{"host": "LT-1", "event_id": "not this"}"#;
    let read = |idempotency_key| adapter.parse_message(&Message { body, idempotency_key });
    assert_eq!(read(Some("key")).expect("readable")[0].event_id, r#"["key"]"#);
    let error = read(None).expect_err("no id").to_string();
    assert!(error.ends_with("set fields.event_id in the policy, or send an Idempotency-Key"), "{error}");
}

#[test]
fn condition_refuses_resolved_alerts() {
    let text = r#"
        when = [{ pointer = "/alerts/0/status", equals = "firing" }]
        [fields]
        event_id = "/alerts/0/fingerprint"
        hostname = "/alerts/0/labels/instance"
        severity = "/alerts/0/labels/severity"
        "#;
    let body = |status: &str| json!({"status": status, "alerts": [{"status": status, "labels": {"instance": "graf-01", "severity": "critical"}, "fingerprint": "f1"}]});
    let resolved = parse(text, &body("resolved")).expect("readable").remove(0);
    assert_eq!(summary(&resolved), "critical name:graf-01 NotSelected");
    assert_eq!(
        resolved.detail.as_deref(),
        Some("the value at \"/alerts/0/status\" does not meet when[0] of the source")
    );
    let firing = parse(text, &body("firing")).expect("readable").remove(0);
    assert_eq!(summary(&firing), "critical name:graf-01 act");
    // A refused event does not block a later one with the same id.
    assert_ne!(firing.event_id, resolved.event_id);
    assert_eq!(firing.alert_id, resolved.alert_id);
    // An alert that does not act needs no other member.
    let bare = json!({"alerts": [{"status": "resolved"}]});
    assert_eq!(summaries(&parse(text, &bare).expect("readable")), ["- NotSelected"]);
}

#[test]
fn event_id_keeps_numbers_exact_at_any_length() {
    let ids = |tool: Tool, body: &dyn Fn(&str) -> String| {
        let id = |digits: &str| {
            let parsed_alerts = parse_bytes(tool, body(digits).as_bytes()).expect("readable");
            parsed_alerts.into_iter().next().expect("one").event_id
        };
        let [one, other] =
            ["340282366920938463463374607431768211455", "340282366920938463463374607431768211454"];
        assert!(id(one).contains(one));
        assert_ne!(id(one), id(other), "{tool}");
        assert_ne!(id("9007199254740993.1"), id("9007199254740993.2"), "{tool}");
        assert!(id("1e400").contains("1e400"));
        assert_eq!(id("7"), id("\"7\""));
    };
    ids(Tool::Generic, &|id| format!(r#"{{"event_id": {id}, "target": {{"hostname": "web-01"}}}}"#));
    ids(Tool::Elastic, &|id| format!(r#"{{"kibana.alert.uuid": {id}, "host": {{"name": "a"}}}},"#));
    ids(Tool::GuardDuty, &|id| format!(r#"{{"id": {id}, "severity": 8.5}}"#));
    let error = parse_bytes(Tool::Generic, b"{\"a\": 1.5,\n \"b\": 1.5 x}").expect_err("no JSON").to_string();
    assert!(error.starts_with("invalid body at line 2, column 11: "), "{error}");
}

#[test]
fn mapping_uses_the_first_pointer_with_a_value() {
    let body = json!({"id": 1, "a": "", "b": null, "c": ["localhost", "{{host}}"], "d": "pc-1", "e": "high", "u": "unknown", "x": "10.0.0.1"});
    assert_eq!(
        parse_single(r#"hostname = ["/a", "/b", "/c", "/x", "/none", "/d"]"#, &body),
        "- name:pc-1 act"
    );
    assert_eq!(
        parse_single("hostname = \"/d\"\nseverity = [\"/b\", \"/u\", \"/e\"]", &body),
        "high name:pc-1 act"
    );
    assert_eq!(parse_single("ip = [\"/d\", \"/x\"]", &body), "- ip:10.0.0.1 act");
    let named =
        parse("[fields]\nevent_id = [\"/u\", \"/b\", \"/e\"]\nhostname = \"/d\"", &body).expect("readable");
    assert_eq!(named[0].event_id, r#"["high"]"#);
}

#[test]
fn iterate_returns_one_signal_per_element() {
    let text = r#"
        [fields]
        iterate = "/alerts"
        event_id = "/id"
        alert_id = "/rule"
        hostname = "/host"
        tenant = "^/customer"
        title = "^/name"
        "#;
    let body = |alerts: Value| json!({"name": "n", "customer": "c", "alerts": alerts});
    let parsed_alerts =
        parse(text, &body(json!([{"id": 1, "rule": "r", "host": "a"}, {"id": 2, "rule": "r", "host": "b"}])))
            .expect("readable");
    assert_eq!(summaries(&parsed_alerts), ["- name:a act", "- name:b act"]);
    assert!(
        parsed_alerts.iter().all(|parsed_alert| parsed_alert.signal.title == "n"
            && parsed_alert.signal.tenant.as_deref() == Some("c"))
    );
    assert_eq!(parsed_alerts[0].event_id, r#"["1"]"#);
    assert_eq!(parsed_alerts[1].alert_id, r#"["r"]"#);
    // An alert keeps its event id in a group of any size.
    let alone = parse(text, &body(json!([{"id": 2, "rule": "r", "host": "b"}]))).expect("readable");
    assert_eq!(alone[0], parsed_alerts[1]);
    assert_eq!(summaries(&parse(text, &body(json!([]))).expect("readable")), ["- NoHost"]);
    for nothing in [json!(null), json!({"a": 1}), json!("x")] {
        let error = parse(text, &body(nothing)).expect_err("no list");
        assert_eq!(error, "missing list at \"/alerts\": send a list, or set fields.iterate to its location");
    }
    let many: Vec<_> = (0..101).map(|id| json!({"id": id, "host": "a"})).collect();
    assert!(parse(text, &body(json!(many))).expect_err("too many").contains("100"));
}

#[test]
fn iterate_keeps_valid_alerts_beside_invalid_ones() {
    let text = "[fields]\niterate = \"/alerts\"\nevent_id = \"/id\"\nhostname = \"/host\"\naction = \"/do\"";
    let body = json!({"alerts": [{"host": "a", "do": "isolate"}, {"id": 2, "host": "b", "do": "isolate"}, {"id": 3, "host": "c"}, null]});
    let parsed_alerts = parse(text, &body).expect("readable");
    assert_eq!(
        summaries(&parsed_alerts),
        ["- name:a Unreadable", "- name:b act", "- name:c Unreadable", "- Unreadable"]
    );
    let details: Vec<_> =
        parsed_alerts.iter().map(|parsed_alert| parsed_alert.detail.as_deref().unwrap_or_default()).collect();
    assert!(
        details[0].starts_with("missing event id: no value at \"/alerts/0/id\"; set fields.event_id"),
        "{details:?}"
    );
    assert!(
        details[2].starts_with("missing action: no value at \"/alerts/2/do\"; set fields.action"),
        "{details:?}"
    );
    // If no alert can be parsed, the sender receives the error.
    let error = parse(text, &json!({"alerts": [{"host": "a"}, {"host": "b"}]})).expect_err("no id");
    assert!(error.starts_with("missing event id: no value at \"/alerts/0/id\""), "{error}");
}

#[test]
fn iterate_makes_a_root_event_id_unique_per_element() {
    let text = "[fields]\niterate = \"/alerts\"\nevent_id = \"^/group\"\nhostname = \"/host\"";
    let body = json!({"group": "g", "alerts": [{"host": "a", "n": 1}, {"host": "a", "n": 2}, {"host": "b"}]});
    let parsed_alerts = parse(text, &body).expect("readable");
    assert_eq!(parsed_alerts.len(), 3);
    assert!(parsed_alerts.iter().all(|parsed_alert| parsed_alert.alert_id == r#"["g"]"#));
}

#[test]
fn event_id_parts_require_every_mandatory_part() {
    let text = "[fields]\nhostname = \"/h\"\nevent_id_parts = [\"/a\", \"/b?\", \"/c\"]";
    let id = |body: Value| parse(text, &body).map(|parsed_alerts| parsed_alerts[0].event_id.clone());
    assert_eq!(id(json!({"h": "x", "a": 1, "b": "2", "c": "3"})), Ok(r#"["1","2","3"]"#.to_owned()));
    assert_eq!(id(json!({"h": "x", "a": 1, "c": "3"})), Ok(r#"["1",null,"3"]"#.to_owned()));
    let error = id(json!({"h": "x", "a": 1, "b": 2})).expect_err("a part");
    assert_eq!(
        error,
        "missing event id: no value at \"/c\"; set fields.event_id_parts to its location, or send an Idempotency-Key"
    );
}

#[test]
fn alert_id_defaults_to_the_mapped_event_id() {
    let alert = |more: &str, body: Value| {
        let text = format!("[fields]\nhostname = \"/h\"\nevent_id_parts = [\"/a\", \"/b\"]\n{more}");
        parse(&text, &body).expect("readable")[0].alert_id.clone()
    };
    let body = json!({"h": "x", "a": 1, "b": 2, "c": "case"});
    assert_eq!(alert("", body.clone()), r#"["1","2"]"#);
    assert_eq!(alert("alert_id = [\"/none\", \"/c\"]", body.clone()), r#"["case"]"#);
    assert_eq!(alert("alert_id = \"/none\"", body), r#"["1","2"]"#);
}

#[test]
fn mapping_strips_ports_prefixes_and_suffixes() {
    let instance = "hostname = \"/i\"\nip = \"/i\"\nstrip_port = true";
    for (value, expected) in [
        ("pc-1:9100", "- name:pc-1 act"),
        ("pc-1.corp.example:9100", "- name:pc-1.corp.example act"),
        ("pc-1", "- name:pc-1 act"),
        ("10.0.0.5:9100", "- ip:10.0.0.5 act"),
        ("10.0.0.5", "- ip:10.0.0.5 act"),
        ("[fd00::5]:9100", "- ip:fd00::5 act"),
        ("fd00::5", "- ip:fd00::5 act"),
        ("https://pc-1/health", "- NoHost"),
        ("pc-1:", "- NoHost"),
        ("pc-1:123456", "- NoHost"),
        ("{{instance}}:9100", "- NoHost"),
        ("${instance}", "- NoHost"),
    ] {
        assert_eq!(parse_single(instance, &json!({"id": 1, "i": value})), expected, "{value}");
    }
    // Without the key, a text with a port is neither a name nor an address.
    assert_eq!(
        parse_single("hostname = \"/i\"\nip = \"/i\"", &json!({"id": 1, "i": "10.0.0.5:9100"})),
        "- NoHost"
    );

    let tags = json!({"id": 1, "tags": ["env:prod", "HOST:web-1.local", "team:host:x"]});
    let fields = "hostname = \"/tags\"\nhostname_prefix = \"host:\"\nhostname_suffix = \".LOCAL\"";
    assert_eq!(parse_single(fields, &tags), "- name:web-1 act");
    assert_eq!(parse_single(fields, &json!({"id": 1, "tags": ["env:prod"]})), "- NoHost");
}

#[test]
fn mapping_splits_names_of_several_machines() {
    let body = json!({"id": 1, "hosts": ["pc-1", "pc-2.corp.example", "PC-2", "pc-1"], "ip": "10.0.0.1"});
    let text = "[fields]\nevent_id = \"/id\"\nhostname = \"/hosts\"\nip = \"/ip\"";
    let parsed_alerts = parse(text, &body).expect("readable");
    // The owner of the address is unknown.
    assert_eq!(summaries(&parsed_alerts), ["- name:pc-1 act", "- name:pc-2.corp.example act"]);
    assert_ne!(parsed_alerts[0].event_id, parsed_alerts[1].event_id);
    let same = json!({"id": 1, "hosts": ["pc-1", "pc-1.corp.example"], "ip": "10.0.0.1"});
    assert_eq!(
        summaries(&parse(text, &same).expect("readable")),
        ["- name:pc-1.corp.example ip:10.0.0.1 act"]
    );
    let many: Vec<_> = (0..100).map(|number| format!("pc-{number}")).collect();
    assert_eq!(parse(text, &json!({"id": 1, "hosts": many})).expect("readable").len(), 100);
    let more: Vec<_> = (0..101).map(|number| format!("pc-{number}")).collect();
    assert!(parse(text, &json!({"id": 1, "hosts": more})).is_err());
    // The native format behaves the same, and an id decides without the names.
    let own =
        |target: Value| summaries(&parse("", &json!({"event_id": "e", "target": target})).expect("readable"));
    assert_eq!(own(json!({"hostname": ["a", "b"]})), ["- name:a act", "- name:b act"]);
    assert_eq!(own(json!({"hostname": ["a", "b"], "ec2_instance_id": "i-1"})), ["- ec2:i-1 name:a,b act"]);
}

#[test]
fn mapping_parses_netbios_names() {
    let parsed_alerts =
        parse("[fields]\nevent_id = \"/id\"\nnetbios = \"/nb\"", &json!({"id": 1, "nb": "LONGNAMEOFAMACH"}));
    let host = &parsed_alerts.expect("readable")[0].signal.host;
    assert_eq!(host.netbios_names, ["LONGNAMEOFAMACH"]);
    assert!(host.hostnames.is_empty());
    let two = parse("[fields]\nevent_id = \"/id\"\nnetbios = \"/nb\"", &json!({"id": 1, "nb": ["A", "B"]}));
    assert_eq!(two.expect("readable").len(), 2);
}

#[test]
fn severity_is_mapped_fixed_or_default() {
    let body = |value: Value| json!({"id": 1, "h": "a", "s": value});
    let map = "hostname = \"/h\"\nseverity = \"/s\"\nseverity_map = { P1 = \"critical\", \"5\" = \"high\", \"0.5\" = \"low\" }";
    for (value, expected) in [
        (json!("p1 "), "critical"),
        (json!(5), "high"),
        (json!("5"), "high"),
        (json!(0.5), "low"),
        (json!("medium"), "medium"),
        (json!("P9"), "-"),
        (json!(null), "-"),
    ] {
        assert_eq!(parse_single(map, &body(value.clone())), format!("{expected} name:a act"), "{value}");
        let otherwise = if expected == "-" { "informational" } else { expected };
        let with_default = format!("{map}\nseverity_default = \"informational\"");
        assert_eq!(parse_single(&with_default, &body(value)), format!("{otherwise} name:a act"));
    }
    assert_eq!(
        parse_single("hostname = \"/h\"\nseverity_fixed = \"high\"", &body(json!("low"))),
        "high name:a act"
    );
    // For a tool with its own severity, the default applies if it is missing.
    let falcon =
        Adapter::parse(Tool::CrowdStrike, "fields = { severity_default = \"low\" }").expect("fields");
    let read = |body: Value| {
        summaries(
            &falcon
                .parse_message(&Message { body: body.to_string().as_bytes(), idempotency_key: None })
                .expect("readable"),
        )
    };
    assert_eq!(read(json!({"CompositeId": "c", "Hostname": "a"})), ["low name:a act"]);
}

#[test]
fn pointer_continues_into_embedded_json() {
    let inner = json!({"detail": {"host": "pc-1", "id": 1}, "alerts": [{"host": "a", "id": 1}, {"host": "b", "id": 2}]}).to_string();
    let body = json!({"Message": inner, "id": 1});
    assert_eq!(parse_single("hostname = \"/Message#/detail/host\"", &body), "- name:pc-1 act");
    let text = "[fields]\niterate = \"/Message#/alerts\"\nevent_id = \"/id\"\nhostname = \"/host\"";
    assert_eq!(summaries(&parse(text, &body).expect("readable")), ["- name:a act", "- name:b act"]);
    let exact = r#"{"Message": "{\"id\": 340282366920938463463374607431768211455}", "h": "a"}"#;
    let text = "fields = { event_id = \"/Message#/id\", hostname = \"/h\" }";
    let parsed_alerts = parse_text(&adapter(text), exact).expect("readable");
    assert_eq!(parsed_alerts[0].event_id, r#"["340282366920938463463374607431768211455"]"#);
}

#[test]
fn conditions_compare_values_as_text() {
    let holds = |test: &str, value: Value| {
        let text = format!(
            "when = [{{ pointer = \"/v\", {test} }}]\nfields = {{ event_id = \"/id\", hostname = \"/h\" }}"
        );
        let mut body = json!({"id": 1, "h": "a"});
        if !value.is_null() {
            body["v"] = value;
        }
        parse(&text, &body).expect("readable")[0].refusal != Some(NotActionable::NotSelected)
    };
    for (test, value, expected) in [
        ("equals = \"Firing\"", json!(" FIRING "), true),
        ("equals = \"firing\"", json!("firing now"), false),
        ("equals = \"firing\"", json!(null), false),
        ("equals = 5", json!("5"), true),
        ("equals = \"5\"", json!(5), true),
        ("equals = true", json!("True"), true),
        ("equals = \"a\"", json!(["b", "a"]), true),
        ("equals = \"a\"", json!({"a": "a"}), false),
        ("equals = \"a\"", json!([]), false),
        ("in = [\"a\", 7]", json!(7), true),
        ("in = [\"a\", 7]", json!("b"), false),
        ("in = [\"a\", 7]", json!(null), false),
        ("matches = \"CRIT*\"", json!("critical"), true),
        ("matches = [\"x?\", \"*y\"]", json!("xy"), true),
        ("matches = \"crit*\"", json!("not crit"), false),
        ("matches = \"*\"", json!(null), false),
        ("not_in = [\"closed\"]", json!("Closed"), false),
        ("not_in = [\"closed\"]", json!("open"), true),
        ("not_in = [\"closed\"]", json!(null), true),
        ("not_in = [\"closed\"]", json!(["open", "closed"]), false),
        ("not_in = [true]", json!({"by": "someone"}), false),
        ("not_matches = \"*resolved*\"", json!("STATUS_RESOLVED"), false),
        ("not_matches = \"*resolved*\"", json!(1), true),
        ("absent = true", json!(null), true),
        ("absent = true", json!(" "), true),
        ("absent = true", json!(false), false),
        ("absent = true", json!({}), false),
        ("absent = false", json!(null), false),
        ("absent = false", json!(0), true),
    ] {
        assert_eq!(holds(test, value.clone()), expected, "{test} {value}");
    }
}

#[test]
fn conditions_must_all_be_met_for_every_tool() {
    let when = "when = [{ pointer = \"/a\", equals = 1 }, { pointer = [\"/none\", \"/b\"], equals = 2 }]";
    for (tool, body) in [
        (Tool::Generic, json!({"event_id": "e", "target": {"hostname": "h"}})),
        (Tool::CrowdStrike, json!({"CompositeId": "c", "Hostname": "h"})),
        (Tool::Wazuh, json!({"id": "1", "agent": {"id": "001", "name": "h"}, "rule": {"level": 12}})),
    ] {
        let adapter = Adapter::parse(tool, when).expect("conditions");
        for (a, b, acts) in [(1, 2, true), (1, 3, false), (3, 2, false)] {
            let mut body = body.clone();
            body["a"] = json!(a);
            body["b"] = json!(b);
            let parsed_alert = parse_text(&adapter, &body.to_string()).expect("readable").remove(0);
            assert_eq!(parsed_alert.refusal.is_none(), acts, "{tool} {a} {b}: {parsed_alert:?}");
        }
    }
}

#[test]
fn splunk_parses_each_row_of_a_list() {
    let splunk = Adapter::parse(Tool::Splunk, "fields = { iterate = \"/rows\", hostname = \"/dest\" }")
        .expect("fields");
    let body = json!({"sid": "s", "search_name": "n", "rows": [{"dest": "a", "urgency": "high"}, {"dest": "b", "host": "syslog-1"}]});
    let parsed_alerts = parse_text(&splunk, &body.to_string()).expect("readable");
    assert_eq!(summaries(&parsed_alerts), ["high name:a act", "- name:b act"]);
    assert!(
        parsed_alerts[0].event_id.starts_with(r#"["s","#)
            && parsed_alerts[0].event_id != parsed_alerts[1].event_id
    );
    assert_ne!(parsed_alerts[0].alert_id, parsed_alerts[1].alert_id, "each row is an alert of its own");
}

#[test]
fn parse_errors_name_the_member_and_the_key() {
    let fields = "event_id = \"/id\"\nhostname = \"/h\"\n";
    let error =
        |more: &str, body: Value| parse(&format!("[fields]\n{fields}{more}"), &body).expect_err("unreadable");
    let secret = "do-not-repeat";
    for (more, body, expected) in [
        (
            "",
            json!({"h": "a"}),
            "missing event id: no value at \"/id\"; set fields.event_id to its location, or send an Idempotency-Key",
        ),
        (
            "action = [\"/do\", \"/act\"]",
            json!({"id": 1}),
            "missing action: no value at \"/do\" or \"/act\"; set fields.action to its location",
        ),
        (
            "action = \"/do\"",
            json!({"id": 1, "do": secret}),
            "invalid action at \"/do\": expected isolate or release; set fields.action if it is elsewhere",
        ),
        (
            "ttl = \"/for\"",
            json!({"id": 1, "for": secret}),
            "invalid ttl at \"/for\": expected seconds, or a duration such as 90s, 30m, 4h or 2d; set fields.ttl if it is elsewhere",
        ),
    ] {
        assert_eq!(error(more, body), expected);
    }
}

/// Generates fields and conditions with any pointers.
fn any_source() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "detail", "events", "id", "host", "ip", "target", "0", "1", "data", "alerts", "a b",
    ]);
    let mark = prop::sample::select(vec!["", "", "", "#"]);
    let root = prop::sample::select(vec!["", "", "^"]);
    let pointer = (root, prop::collection::vec((name, mark), 1..4)).prop_map(|(root, steps)| {
        let steps: Vec<_> = steps.iter().map(|(name, mark)| format!("/{name}{mark}")).collect();
        format!("\"{root}{}\"", steps.concat())
    });
    let key = prop::sample::select(vec![
        "iterate",
        "event_id",
        "alert_id",
        "tenant",
        "account",
        "endpoint_id",
        "ec2_instance_id",
        "hostname",
        "netbios",
        "mac",
        "ip",
        "severity",
        "title",
        "reason",
        "observed_at",
        "action",
        "ttl",
    ]);
    let test = prop::sample::select(vec![
        "equals = 1",
        "in = [\"a\", true]",
        "not_in = [\"b\"]",
        "matches = \"*a?\"",
        "not_matches = \"*\"",
        "absent = true",
    ]);
    let fields = prop::collection::btree_map(key, pointer.clone(), 1..10);
    (fields, prop::collection::vec((pointer, test), 0..3), any::<bool>()).prop_map(|(fields, when, more)| {
        let when: Vec<_> = when.iter().map(|(at, test)| format!("{{ pointer = {at}, {test} }}")).collect();
        let when = if when.is_empty() { String::new() } else { format!("when = [{}]\n", when.join(", ")) };
        let lines: Vec<_> = fields.iter().map(|(key, pointer)| format!("{key} = {pointer}\n")).collect();
        let trims = more && fields.contains_key("hostname");
        let trims =
            if trims { "hostname_prefix = \"h\"\nhostname_suffix = \"é\"\nstrip_port = true\n" } else { "" };
        format!("{when}[fields]\n{}{trims}", lines.concat())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mapping_never_panics_on_any_json(text in any_source(), body in any_json(), inner in any_json()) {
        let adapter = adapter(&text);
        let body = match body {
            Value::Object(mut members) => {
                members.insert("host".into(), inner.to_string().into());
                Value::Object(members)
            }
            body => body,
        };
        let body = body.to_string();
        let read = parse_text(&adapter, &body);
        prop_assert_eq!(&read, &parse_text(&adapter, &body));
        for parsed_alert in read.iter().flatten() {
            prop_assert!(parsed_alert.refusal.is_some() || !parsed_alert.signal.host.is_empty());
            prop_assert!(parsed_alert.signal.host.hostnames.iter().all(|name| name.parse::<std::net::IpAddr>().is_err()));
        }
    }
}
