//! Formats of Elastic alerts: ECS members, and rules without a threat.

use serde_json::{Map, Value, json};
use sophos_isolation::adapters::Tool;

use super::{parse, parse_single, summaries, summary};

#[test]
fn elastic_parses_alerts_beside_other_objects() {
    let objects = json!({
        "source": {"ip": "198.51.100.7", "domain": "x"}, "destination": {"ip": "198.51.100.8"},
        "event": {"kind": "signal", "action": "start"}, "alert": {"id": "1"}, "alerts": [{"host": {"name": "no"}}],
        "hits": {"hits": [{"_source": {"host": {"name": "no"}}}]}, "context": {"alerts": [{"host": {"name": "no"}}]},
        "_source": {"host": {"name": "no"}}, "data": {"host": {"name": "no"}}, "rule": {"id": "r", "name": "n"},
        "agent": {"name": "no"}, "observer": {"name": "no"}, "container": {"name": "no"}, "process": {"name": "x"},
    });
    let alerts = [
        json!({"kibana.alert.uuid": "u", "host.name": "pc-1"}),
        json!({"kibana": {"alert": {"uuid": "u"}}, "host": {"name": "pc-1"}}),
        json!({"kibana": {"alert.uuid": "u"}, "host": {"name": ["pc-1"]}}),
        json!({"kibana.alert": {"uuid": "u"}, "host": {"name": "pc-1"}}),
    ];
    for alert in alerts {
        for (name, object) in objects.as_object().expect("objects") {
            let mut body = alert.clone();
            body[name] = object.clone();
            for body in
                [body.clone(), json!([body]), json!({"alerts": [body]}), json!({"_id": "i", "_source": body})]
            {
                let parsed_alerts = parse(Tool::Elastic, &body);
                assert_eq!(summaries(&parsed_alerts), ["- name:pc-1 act"], "{body}");
                assert_eq!(parsed_alerts[0].event_id, r#"["u"]"#);
            }
        }
    }
}

fn alert(members: Value) -> Value {
    let own = json!({"kibana.alert.uuid": "u", "host.name": "pc-1"});
    let all = [own, members].into_iter().flat_map(|value| value.as_object().cloned().unwrap_or_default());
    all.collect::<Map<_, _>>().into()
}

#[test]
fn elastic_finds_no_host_when_it_is_the_sensor() {
    for (members, expected) in [
        (json!({"observer": {"type": "ids", "product": "Suricata"}}), "- NoHost"),
        (json!({"observer.type": ["firewall"]}), "- NoHost"),
        (json!({"observer": {"hostname": "PC-1"}}), "- NoHost"),
        (json!({"observer": {"hostname": "pc-1.corp.example"}}), "- NoHost"),
        (json!({"observer": {"name": "ｐｃ-1"}}), "- NoHost"),
        (json!({"event": {"module": "zeek", "category": ["network"]}}), "- NoHost"),
        (json!({"observer": {"type": "agent", "vendor": "an EDR"}}), "- name:pc-1 act"),
        (json!({"observer": {"hostname": "console", "type": "edr"}}), "- name:pc-1 act"),
        (json!({"event": {"module": "endpoint"}}), "- name:pc-1 act"),
    ] {
        let body = alert(members);
        assert_eq!(summaries(&parse(Tool::Elastic, &body)), [expected], "{body}");
    }
}

#[test]
fn elastic_acts_on_security_rules_only() {
    let rule = |name: &str, value: &str| alert(json!({format!("kibana.alert.rule.{name}"): value}));
    for (body, expected) in [
        (rule("consumer", "siem"), "act"),
        (rule("producer", "siem"), "act"),
        (rule("rule_type_id", "siem.queryRule"), "act"),
        (rule("rule_type_id", "siem.mlRule"), "act"),
        (rule("category", "Custom Query Rule"), "act"),
        (rule("category", "Machine Learning Rule"), "act"),
        (rule("consumer", "infrastructure"), "NotAThreat"),
        (rule("consumer", "stackAlerts"), "NotAThreat"),
        (rule("consumer", "ml"), "NotAThreat"),
        (rule("producer", "apm"), "NotAThreat"),
        (rule("rule_type_id", "metrics.alert.threshold"), "NotAThreat"),
        (rule("rule_type_id", "logs.alert.document.count"), "NotAThreat"),
        (rule("rule_type_id", "xpack.uptime.alerts.monitorStatus"), "NotAThreat"),
        (rule("rule_type_id", "slo.rules.burnRate"), "NotAThreat"),
        (rule("rule_type_id", "apm.error_rate"), "NotAThreat"),
        (rule("rule_type_id", "observability.rules.custom_threshold"), "NotAThreat"),
        (rule("rule_type_id", ".es-query"), "NotAThreat"),
        (rule("rule_type_id", "xpack.ml.anomaly_detection_alert"), "NotAThreat"),
        (rule("category", "Metric threshold"), "NotAThreat"),
        (rule("category", "Uptime monitor status"), "NotAThreat"),
        (alert(json!({"rule": {"type": "xpack.uptime.alerts.tls"}})), "NotAThreat"),
        (
            alert(
                json!({"kibana.alert.rule.consumer": "infrastructure", "kibana.alert.rule.category": "Custom Query Rule"}),
            ),
            "NotAThreat",
        ),
        (alert(json!({"kibana": {"alert": {"uuid": "v", "rule": {"consumer": "logs"}}}})), "NotAThreat"),
        (
            alert(
                json!({"kibana": {"alert": {"rule": {"rule_type_id": "siem.eqlRule", "consumer": "siem"}}}}),
            ),
            "act",
        ),
    ] {
        assert_eq!(summary(&parse_single(Tool::Elastic, &body)), format!("- name:pc-1 {expected}"), "{body}");
    }
}

#[test]
fn elastic_refuses_resolved_alerts() {
    for (members, expected) in [
        (json!({"kibana.alert.workflow_status": "closed"}), "Resolved"),
        (json!({"kibana.alert.workflow_status": "acknowledged"}), "act"),
        (json!({"kibana.alert.status": "recovered"}), "Resolved"),
        (json!({"alert": {"actionGroup": "recovered"}}), "Resolved"),
        (json!({"signal": {"status": "closed"}}), "Resolved"),
        (json!({"kibana.alert.status": "active"}), "act"),
    ] {
        assert!(
            summary(&parse_single(Tool::Elastic, &alert(members.clone()))).ends_with(expected),
            "{members}"
        );
    }
}

#[test]
fn elastic_appends_domain_to_short_names_only() {
    let host = |host: Value| json!({"kibana.alert.uuid": "u", "host": host});
    for (host, expected) in [
        (host(json!({"name": "pc-1", "domain": "corp.example"})), "- name:pc-1.corp.example act"),
        (host(json!({"name": "pc-1", "domain": "CORP"})), "- name:pc-1 act"),
        (
            host(json!({"name": "pc-1.a.example", "hostname": "pc-1", "domain": "b.example"})),
            "- name:pc-1.a.example act",
        ),
        (host(json!({"hostname": "pc-1"})), "- name:pc-1 act"),
    ] {
        assert_eq!(summary(&parse_single(Tool::Elastic, &host)), expected, "{host}");
    }
}
