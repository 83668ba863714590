//! Messages with several alerts; some cannot be parsed.

use serde_json::{Value, json};
use sophos_isolation::adapters::Tool;

use super::{parse, parse_bytes, parse_refused, summaries};

const GOOD: &str = r#"{"kibana.alert.uuid":"u1","host.name":"pc-1"}"#;
const OTHER: &str = r#"{"kibana.alert.uuid":"u2","host.name":"pc-2","source":{"ip":"198.51.100.7"}}"#;

#[test]
fn elastic_keeps_valid_alerts_of_a_batch() {
    for body in [
        format!(r#"{GOOD}{{"host.name":"pc-9"}}{OTHER}"#),
        format!(r#"[{GOOD},{OTHER},7]"#),
        format!(r#"[{GOOD},"text",{OTHER}]"#),
        format!(r#"{{"alerts":[{GOOD},{{}},{OTHER}]}}"#),
        format!(
            r#"{{"context":{{"alerts":[{GOOD},{{"host":{{"name":"pc-9"}}}},{OTHER}]}},"alert":{{"uuid":"x"}}}}"#
        ),
        format!("{GOOD}\n{{\"kibana.alert.uuid\":}}\n{OTHER}\n"),
    ] {
        let parsed_alerts = parse_bytes(Tool::Elastic, body.as_bytes()).expect(&body);
        let (unreadable, acting): (Vec<_>, Vec<_>) =
            summaries(&parsed_alerts).into_iter().partition(|line| line.ends_with("Unreadable"));
        assert_eq!(acting, ["- name:pc-1 act", "- name:pc-2 act"], "{body}");
        assert_eq!(unreadable.len(), 1, "{body}");
    }
}

#[test]
fn elastic_rejects_text_with_ambiguous_boundaries() {
    for body in [
        format!("{GOOD}{{\"kibana.alert.uuid\":}}{OTHER}"),
        format!("{{\"alerts\":[\n{GOOD}\n{{bad}}\n]}}"),
        format!("{GOOD}\n{{\"kibana.alert.uuid\":\"u3\",\n{OTHER}"),
        "{bad}\n{bad too}".to_owned(),
    ] {
        assert!(parse_bytes(Tool::Elastic, body.as_bytes()).is_err(), "{body}");
    }
}

#[test]
fn adapters_keep_valid_alerts_of_a_batch() {
    let instance = json!({"resourceType": "Instance", "instanceDetails": {"instanceId": "i-1"}});
    let finding = json!({"id": "f", "severity": 8, "resource": instance});
    let nameless = json!({"severity": 8, "resource": instance});
    assert_eq!(
        summaries(&parse(Tool::GuardDuty, &json!({"Findings": [nameless, finding]}))),
        ["high ec2:i-1 Unreadable", "high ec2:i-1 act"]
    );
    assert!(
        parse_refused(Tool::GuardDuty, &json!({"Findings": [nameless, nameless]})).ends_with("has no id")
    );

    let alert = json!({"id": "a", "severity": "high", "computerDnsName": "pc-1"});
    let body = json!({"value": [{"severity": "high"}, alert, {}]});
    assert_eq!(
        summaries(&parse(Tool::MicrosoftDefender, &body)),
        ["high Unreadable", "high name:pc-1 act", "- NotAThreat"]
    );
}

#[test]
fn adapters_give_invalid_alerts_distinct_event_ids() {
    let body: Value =
        json!([{"kibana.alert.uuid": "u"}, {"host.name": "a"}, {"host.name": "b"}, {"host.name": "a"}]);
    let parsed_alerts = parse(Tool::Elastic, &body);
    assert_eq!(summaries(&parsed_alerts), ["- NoHost", "- name:a Unreadable", "- name:b Unreadable"]);
    assert_ne!(parsed_alerts[1].event_id, parsed_alerts[2].event_id);
}
