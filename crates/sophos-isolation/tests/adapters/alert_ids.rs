//! Alert ids: equal for updates of an alert, different for other alerts.

use serde_json::{Value, json};
use sophos_isolation::adapters::Tool;

use super::parse_single;

/// A tool, an alert, an update of the alert, and another alert.
fn alert_id_cases() -> Vec<(Tool, Value, Value, Value)> {
    let pagerduty = |event: &str, kind: &str, data: Value| json!({"event": {"id": event, "event_type": kind, "data": data}});
    let incident = |id: &str, number: u32, modified: &str| {
        let id = format!("/subscriptions/s/workspaces/{id}/Incidents/{number}");
        json!({"id": id, "type": "Microsoft.SecurityInsights/Incidents",
            "properties": {"incidentNumber": number, "lastModifiedTimeUtc": modified}})
    };
    let okta = |hook: &str, uuid: &str| json!({"eventId": hook, "data": {"events": [{"uuid": uuid}]}});
    vec![
        (
            Tool::GuardDuty,
            json!({"id": "f", "updatedAt": "1"}),
            json!({"id": "f", "updatedAt": "2"}),
            json!({"id": "g", "updatedAt": "1"}),
        ),
        (
            Tool::PagerDuty,
            pagerduty("1", "incident.triggered", json!({"id": "Q1", "type": "incident"})),
            pagerduty(
                "2",
                "incident.annotated",
                json!({"id": "N1", "type": "incident_note", "incident": {"id": "Q1"}}),
            ),
            pagerduty("3", "incident.triggered", json!({"id": "Q2", "type": "incident"})),
        ),
        (Tool::MicrosoftSentinel, incident("w", 1, "1"), incident("w", 1, "2"), incident("v", 1, "3")),
        (
            Tool::MicrosoftSentinel,
            json!({"workspaceId": "w", "object": {"properties": {"incidentNumber": 1, "lastModifiedTimeUtc": "1"}}}),
            json!({"workspaceId": "w", "object": {"properties": {"incidentNumber": 1, "lastModifiedTimeUtc": "2"}}}),
            json!({"workspaceId": "v", "object": {"properties": {"incidentNumber": 1, "lastModifiedTimeUtc": "1"}}}),
        ),
        (
            Tool::SentinelOne,
            json!({"activityType": 19, "activityUuid": "a", "threatId": "t"}),
            json!({"activityType": 4008, "activityUuid": "b", "threatId": "t"}),
            json!({"activityType": 19, "activityUuid": "c", "threatId": "u"}),
        ),
        (
            Tool::SentinelOne,
            json!({"activityType": 3608, "id": "1", "data": {"alertid": "x"}}),
            json!({"alertInfo": {"alertId": "x", "updatedAt": "2"}}),
            json!({"activityType": 3608, "id": "2", "data": {"alertid": "y"}}),
        ),
        (
            Tool::SentinelOne,
            json!({"id": "1", "assets": [], "updatedAt": "1"}),
            json!({"id": "1", "assets": [], "updatedAt": "2"}),
            json!({"id": "2", "assets": [], "updatedAt": "1"}),
        ),
        (
            Tool::CrowdStrike,
            json!({"composite_id": "c", "updated_timestamp": "1"}),
            json!({"composite_id": "c", "updated_timestamp": "2"}),
            json!({"composite_id": "d", "updated_timestamp": "1"}),
        ),
        (Tool::Okta, okta("h", "a"), okta("i", "a"), okta("h", "b")),
        (
            Tool::Splunk,
            json!({"sid": "1", "result": {"event_id": "x@@notable@@y", "status_label": "New"}}),
            json!({"sid": "2", "result": {"event_id": "x@@notable@@y", "status_label": "In Progress"}}),
            json!({"sid": "1", "result": {"event_id": "z@@notable@@y", "status_label": "New"}}),
        ),
    ]
}

#[test]
fn alert_id_is_stable_across_updates() {
    for (tool, first, update, other) in alert_id_cases() {
        let [first, update, other] = [first, update, other].map(|body| parse_single(tool, &body));
        assert_eq!(first.alert_id, update.alert_id, "{tool}");
        assert_ne!(first.event_id, update.event_id, "{tool}");
        assert_ne!(first.alert_id, other.alert_id, "{tool}");
        assert_ne!(first.event_id, other.event_id, "{tool}");
    }
}

#[test]
fn splunk_rows_of_one_search_have_distinct_alert_ids() {
    let row = |host: &str| json!({"sid": "s", "result": {"dest": host}});
    assert_ne!(
        parse_single(Tool::Splunk, &row("a")).alert_id,
        parse_single(Tool::Splunk, &row("b")).alert_id
    );
    let signal = |id: &str| json!({"_id": id, "_source": {"signal": {"rule": {"id": "r"}}}});
    assert_ne!(
        parse_single(Tool::Elastic, &signal("1")).alert_id,
        parse_single(Tool::Elastic, &signal("2")).alert_id
    );
}
