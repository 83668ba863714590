//! Events that EventBridge brings.

use serde_json::{Value, json};
use sophos_isolation::policy::Policy;

use super::{Dress, POLICY, World, current, ids, post, shared};

fn guardduty() -> Value {
    json!({
        "id": "envelope-1", "source": "aws.guardduty", "account": "123456789012", "detail-type": "GuardDuty Finding",
        "detail": {
            "id": "f1", "accountId": "123456789012", "severity": 8, "title": "beacon", "updatedAt": "2026-09-21T14:00:00Z",
            "resource": {"resourceType": "Instance", "instanceDetails": {"instanceId": "i-0123456789abcdef0"}},
            "service": {"count": 1, "archived": false},
        },
    })
}

fn finding(id: &str, instance: &str) -> Value {
    json!({
        "Id": id, "UpdatedAt": "2026-09-21T14:00:00Z", "AwsAccountId": "123456789012", "Types": ["TTPs/Impact"],
        "Severity": {"Label": "HIGH"}, "Title": "beacon",
        "Resources": [{"Type": "AwsEc2Instance", "Id": format!("arn:aws:ec2:eu-west-1:123456789012:instance/{instance}")}],
    })
}

fn hub(findings: Value) -> Value {
    json!({
        "id": "envelope-2", "source": "aws.securityhub", "account": "123456789012",
        "detail-type": "Security Hub Findings - Imported", "detail": {"findings": findings},
    })
}

#[tokio::test]
async fn a_finding_of_guardduty_begins_a_decision() {
    let world = World::new();
    let (response, notice) = world.event(&guardduty()).await;
    assert_eq!((response.status, notice.source.as_deref()), (202, Some("guardduty")));
    let ids = ids(&response);
    assert_eq!(world.queued(), ids);
    let received = &world.received(&ids[0]);
    assert_eq!(received["signal"]["host"]["ec2_instance_id"], "i-0123456789abcdef0");
    assert_eq!((&received["key"], &received["from"]), (&Value::Null, &Value::Null), "AWS vouches for it");
    // It is brought again in another envelope.
    let mut again = guardduty();
    again["id"] = json!("envelope-3");
    assert_eq!(world.event(&again).await.0.status, 200);
    again["detail"]["service"]["count"] = json!(2);
    assert_eq!(world.event(&again).await.0.status, 202);
    assert_eq!(world.decisions(), 2);
}

#[tokio::test]
async fn findings_of_security_hub_begin_a_decision_each() {
    let world = World::new();
    let findings = json!([finding("a", "i-0123456789abcdef0"), finding("b", "i-0123456789abcdef1")]);
    let (response, notice) = world.event(&hub(findings)).await;
    assert_eq!((response.status, notice.source.as_deref()), (202, Some("hub")));
    assert_eq!(ids(&response).len(), 2);
    assert_eq!(world.queued(), ids(&response));
}

#[tokio::test]
async fn findings_that_ask_for_nothing_are_recorded() {
    let world = World::new();
    let mut sample = guardduty();
    sample["detail"]["service"]["additionalInfo"] = json!({"sample": true});
    let mut user = guardduty();
    user["detail"]["id"] = json!("f2");
    user["detail"]["resource"] = json!({"resourceType": "AccessKey"});
    for event in [sample, user, hub(json!([]))] {
        let (response, _) = world.event(&event).await;
        assert_eq!(response.status, 202);
        assert!(world.received(&ids(&response)[0])["not_actionable"]["code"].is_string());
    }
    assert!(world.queued().is_empty());
}

#[tokio::test]
async fn events_of_others_begin_nothing() {
    let world = World::new();
    let change = |member: &str, value: Value| {
        let mut event = guardduty();
        event[member] = value;
        event
    };
    let rows = [
        (change("source", json!("aws.ec2")), 422),
        (change("source", json!("my.guardduty")), 422),
        (change("source", json!("AWS.GUARDDUTY")), 422),
        (change("source", json!(["aws.guardduty"])), 422),
        (change("source", Value::Null), 422),
        (json!("aws.guardduty"), 422),
        (json!([]), 422),
        (Value::Null, 422),
        (change("account", json!("210987654321")), 403),
        (change("account", json!(123456789012_u64)), 403),
        (change("account", json!("")), 403),
        (change("account", Value::Null), 403),
        (change("detail", json!({"title": "Wq7x"})), 422),
    ];
    for (event, status) in rows {
        let (response, notice) = world.event(&event).await;
        assert_eq!(response.status, status, "{event}");
        assert!(notice.problem().is_some() && notice.begun.is_empty(), "{event}");
        assert!(!format!("{response:?} {notice:?}").contains("Wq7x"));
    }
    assert_eq!(world.decisions(), 0);
    // The last is authentic, and can be found.
    assert_eq!((world.memory.all().len(), world.memory.count("unreadable/guardduty/")), (1, 1));
    assert!(world.queued().is_empty());
}

#[tokio::test]
async fn event_says_what_is_to_be_listed_when_its_account_is_not() {
    let world = World::new();
    let mut event = guardduty();
    event["account"] = json!("210987654321");
    for source in ["aws.guardduty", "aws.securityhub"] {
        event["source"] = json!(source);
        let (response, notice) = world.event(&event).await;
        assert_eq!((response.status, notice.error_kind), (403, Some("UnlistedAccount")));
        let problem = notice.problem().expect("a problem");
        assert!(problem.contains("account 210987654321") && problem.contains("administrator account"));
        assert!(problem.ends_with("findings are regional"), "it is not cut: {problem}");
    }
    event["account"] = json!("Wq7x");
    let (response, notice) = world.event(&event).await;
    assert!(!format!("{response:?} {notice:?}").contains("Wq7x"));
    event["source"] = json!("aws.ec2");
    assert_eq!(world.event(&event).await.1.error_kind, Some("InvalidEvent"));
}

#[tokio::test]
async fn event_leaves_a_record_when_it_cannot_be_read() {
    let world = World::new();
    let mut event = guardduty();
    event["detail"] = json!({ "title": "Wq7x" });
    let (response, notice) = world.event(&event).await;
    assert_eq!((response.status, notice.error_kind), (422, Some("UnreadableEvent")));
    let path = notice.record.expect("a record");
    let record: Value = serde_json::from_slice(&world.memory.all()[&path]).expect("JSON");
    assert_eq!((&record["source"], &record["event_id"]), (&json!("guardduty"), &json!("envelope-1")));
    assert!(!record.to_string().contains("Wq7x"));
}

#[tokio::test]
async fn event_is_brought_again_when_its_source_is_disabled() {
    let mut world = World::new();
    let wrong = POLICY.replace("tool = \"guardduty\"", "tool = \"guardduty\"\nmode = \"loud\"");
    world.policy = Policy::load(&wrong).expect("the other sources");
    let (response, notice) = world.event(&guardduty()).await;
    assert_eq!((response.status, notice.error_kind), (503, Some("SourceDisabled")));
    assert_eq!(notice.source.as_deref(), Some("guardduty"));
    assert!(notice.problem().is_some_and(|problem| problem.contains("sources.guardduty.mode")));
    assert!(world.memory.all().is_empty());
    let findings = json!([finding("a", "i-0123456789abcdef0")]);
    assert_eq!(world.event(&hub(findings)).await.0.status, 202);
}

/// Each tool has its source, and the account of one is none of the other's.
#[tokio::test]
async fn an_account_is_only_its_own_tools() {
    let mut world = World::new();
    let (rest, hub_source) = POLICY.split_once("[sources.hub]").expect("its source");
    let moved = format!("{rest}[sources.hub]{}", hub_source.replace("123456789012", "210987654321"));
    world.policy = Policy::parse(&moved).expect("a policy");
    let mut event = hub(json!([finding("a", "i-0123456789abcdef0")]));
    assert_eq!(world.event(&event).await.0.status, 403);
    assert_eq!(world.decisions(), 0);
    event["account"] = json!("210987654321");
    assert_eq!(world.event(&event).await.0.status, 202);
    assert_eq!(world.event(&guardduty()).await.0.status, 202);
}

/// It says nothing, and stands in the ledger for whoever looks for it.
#[tokio::test]
async fn an_event_without_a_finding_is_recorded_and_not_handed_on() {
    let world = World::new();
    let mut event = guardduty();
    event["detail"] = Value::Null;
    let (response, _) = world.event(&event).await;
    assert_eq!(response.status, 202);
    assert_eq!(world.received(&ids(&response)[0])["not_actionable"]["code"], "no_host");
    assert!(world.queued().is_empty());
}

#[tokio::test]
async fn what_fails_is_brought_again() {
    let world = World::new();
    world.line.fail(true);
    assert_eq!(world.event(&guardduty()).await.0.status, 503);
    world.line.fail(false);
    world.memory.fail(Some("received/"));
    assert_eq!(world.event(&guardduty()).await.0.status, 503);
    world.memory.fail(None);
    let (response, _) = world.event(&guardduty()).await;
    assert_eq!((response.status, world.queued()), (200, ids(&response)));
    assert_eq!(world.decisions(), 1);
}

/// Whoever finds the URL can write an envelope.
#[tokio::test]
async fn an_envelope_at_the_webhook_is_not_believed() {
    let world = World::new();
    for name in ["guardduty", "hub"] {
        let request = post(&format!("/hooks/{name}"), guardduty().to_string())
            .with("authorization", format!("Bearer {}", current(name)));
        let (response, notice) = world.handle(&request).await;
        assert_eq!(response.status, 401);
        assert!(notice.problem().is_some_and(|problem| problem.contains("EventBridge")));
        let path = post(&format!("/hooks/{name}/{}", current(name)), guardduty().to_string());
        assert_eq!(world.send(&path).await, response);
    }
    assert!(world.memory.all().is_empty());
}

#[tokio::test]
async fn the_collected_event_is_taken() {
    let Some(body) = shared("security_hub/eventbridge_findings_imported_asff.json") else { return };
    let world = World::new();
    let event: Value = serde_json::from_slice(&body).expect("JSON");
    let (response, notice) = world.event(&event).await;
    assert_eq!((response.status, notice.source.as_deref()), (202, Some("hub")), "{}", response.body);
    assert!(world.queued().is_empty(), "it is about a user");
}
