//! Events from EventBridge.

use serde_json::{Value, json};
use sophos_isolation::policy::Policy;

use super::{POLICY, RequestExt, TestEnv, current_value, decision_ids, post, recorded};

fn guardduty_event() -> Value {
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

fn security_hub_event(findings: Value) -> Value {
    json!({
        "id": "envelope-2", "source": "aws.securityhub", "account": "123456789012",
        "detail-type": "Security Hub Findings - Imported", "detail": {"findings": findings},
    })
}

#[tokio::test]
async fn guardduty_finding_creates_a_decision() {
    let env = TestEnv::new();
    let (response, notice) = env.event(&guardduty_event()).await;
    assert_eq!((response.status, notice.source.as_deref()), (202, Some("guardduty")));
    let ids = decision_ids(&response);
    assert_eq!(env.queued(), ids);
    let received = &env.received_signal(&ids[0]);
    assert_eq!(received["signal"]["host"]["ec2_instance_id"], "i-0123456789abcdef0");
    assert_eq!(
        (&received["secret_stage"], &received["source_ip"]),
        (&Value::Null, &Value::Null),
        "AWS vouches for it"
    );
    // It is delivered again in another envelope.
    let mut again = guardduty_event();
    again["id"] = json!("envelope-3");
    assert_eq!(env.event(&again).await.0.status, 200);
    again["detail"]["service"]["count"] = json!(2);
    assert_eq!(env.event(&again).await.0.status, 202);
    assert_eq!(env.decision_count(), 2);
}

#[tokio::test]
async fn security_hub_findings_create_a_decision_each() {
    let env = TestEnv::new();
    let findings = json!([finding("a", "i-0123456789abcdef0"), finding("b", "i-0123456789abcdef1")]);
    let (response, notice) = env.event(&security_hub_event(findings)).await;
    assert_eq!((response.status, notice.source.as_deref()), (202, Some("hub")));
    assert_eq!(decision_ids(&response).len(), 2);
    assert_eq!(env.queued(), decision_ids(&response));
}

#[tokio::test]
async fn findings_that_need_no_action_are_recorded() {
    let env = TestEnv::new();
    let mut sample = guardduty_event();
    sample["detail"]["service"]["additionalInfo"] = json!({"sample": true});
    let mut user = guardduty_event();
    user["detail"]["id"] = json!("f2");
    user["detail"]["resource"] = json!({"resourceType": "AccessKey"});
    for event in [sample, user, security_hub_event(json!([]))] {
        let (response, _) = env.event(&event).await;
        assert_eq!(response.status, 202);
        assert!(env.received_signal(&decision_ids(&response)[0])["not_actionable"]["code"].is_string());
    }
    assert!(env.queued().is_empty());
}

#[tokio::test]
async fn events_of_other_sources_create_nothing() {
    let env = TestEnv::new();
    let change = |member: &str, value: Value| {
        let mut event = guardduty_event();
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
        let (response, notice) = env.event(&event).await;
        assert_eq!(response.status, status, "{event}");
        assert!(notice.problem().is_some() && notice.created.is_empty(), "{event}");
        assert!(!format!("{response:?} {notice:?}").contains("Wq7x"));
    }
    assert_eq!(env.decision_count(), 0);
    // The last is authentic, and can be found.
    assert_eq!((env.store.objects().len(), env.store.count("unreadable/guardduty/")), (1, 1));
    assert!(env.queued().is_empty());
}

#[tokio::test]
async fn event_error_names_the_key_when_account_is_unlisted() {
    let env = TestEnv::new();
    let mut event = guardduty_event();
    event["account"] = json!("210987654321");
    for source in ["aws.guardduty", "aws.securityhub"] {
        event["source"] = json!(source);
        let (response, notice) = env.event(&event).await;
        assert_eq!((response.status, notice.error_kind), (403, Some("UnlistedAccount")));
        let problem = notice.problem().expect("a problem");
        assert!(problem.contains("account 210987654321") && problem.contains("administrator account"));
        assert!(problem.ends_with("findings are regional"), "it is not cut: {problem}");
    }
    event["account"] = json!("Wq7x");
    let (response, notice) = env.event(&event).await;
    assert!(!format!("{response:?} {notice:?}").contains("Wq7x"));
    event["source"] = json!("aws.ec2");
    assert_eq!(env.event(&event).await.1.error_kind, Some("InvalidEvent"));
}

#[tokio::test]
async fn event_is_recorded_when_it_cannot_be_parsed() {
    let env = TestEnv::new();
    let mut event = guardduty_event();
    event["detail"] = json!({ "title": "Wq7x" });
    let (response, notice) = env.event(&event).await;
    assert_eq!((response.status, notice.error_kind), (422, Some("MalformedEvent")));
    let path = notice.record_path.expect("a record");
    let record: Value = serde_json::from_slice(&env.store.objects()[&path]).expect("JSON");
    assert_eq!((&record["source"], &record["event_id"]), (&json!("guardduty"), &json!("envelope-1")));
    assert!(!record.to_string().contains("Wq7x"));
}

#[tokio::test]
async fn event_is_retried_when_its_source_is_disabled() {
    let mut env = TestEnv::new();
    let wrong = POLICY.replace("tool = \"guardduty\"", "tool = \"guardduty\"\nmode = \"loud\"");
    env.policy = Policy::parse_lenient(&wrong).expect("the other sources");
    let (response, notice) = env.event(&guardduty_event()).await;
    assert_eq!((response.status, notice.error_kind), (503, Some("SourceDisabled")));
    assert_eq!(notice.source.as_deref(), Some("guardduty"));
    assert!(notice.problem().is_some_and(|problem| problem.contains("sources.guardduty.mode")));
    assert!(env.store.objects().is_empty());
    let findings = json!([finding("a", "i-0123456789abcdef0")]);
    assert_eq!(env.event(&security_hub_event(findings)).await.0.status, 202);
}

/// Each tool has its source, and the accounts are separate.
#[tokio::test]
async fn accounts_are_separate_per_tool() {
    let mut env = TestEnv::new();
    let (rest, hub_source) = POLICY.split_once("[sources.hub]").expect("its source");
    let moved = format!("{rest}[sources.hub]{}", hub_source.replace("123456789012", "210987654321"));
    env.policy = Policy::parse(&moved).expect("a policy");
    let mut event = security_hub_event(json!([finding("a", "i-0123456789abcdef0")]));
    assert_eq!(env.event(&event).await.0.status, 403);
    assert_eq!(env.decision_count(), 0);
    event["account"] = json!("210987654321");
    assert_eq!(env.event(&event).await.0.status, 202);
    assert_eq!(env.event(&guardduty_event()).await.0.status, 202);
}

/// The decision has no host, and the ledger keeps it for the operator.
#[tokio::test]
async fn event_without_a_finding_is_recorded_and_not_enqueued() {
    let env = TestEnv::new();
    let mut event = guardduty_event();
    event["detail"] = Value::Null;
    let (response, _) = env.event(&event).await;
    assert_eq!(response.status, 202);
    assert_eq!(env.received_signal(&decision_ids(&response)[0])["not_actionable"]["code"], "no_host");
    assert!(env.queued().is_empty());
}

#[tokio::test]
async fn event_is_retried_after_a_failure() {
    let env = TestEnv::new();
    env.queue.set_failing(true);
    assert_eq!(env.event(&guardduty_event()).await.0.status, 503);
    env.queue.set_failing(false);
    env.store.fail_on(Some("received/"));
    assert_eq!(env.event(&guardduty_event()).await.0.status, 503);
    env.store.fail_on(None);
    let (response, _) = env.event(&guardduty_event()).await;
    assert_eq!((response.status, env.queued()), (200, decision_ids(&response)));
    assert_eq!(env.decision_count(), 1);
}

/// Any caller that knows the URL can send an envelope.
#[tokio::test]
async fn envelope_sent_to_the_webhook_is_rejected() {
    let env = TestEnv::new();
    for name in ["guardduty", "hub"] {
        let request = post(&format!("/hooks/{name}"), guardduty_event().to_string())
            .with_header("authorization", format!("Bearer {}", current_value(name)));
        let (response, notice) = env.handle(&request).await;
        assert_eq!(response.status, 401);
        assert!(notice.problem().is_some_and(|problem| problem.contains("EventBridge")));
        let path = post(&format!("/hooks/{name}/{}", current_value(name)), guardduty_event().to_string());
        assert_eq!(env.send(&path).await, response);
    }
    assert!(env.store.objects().is_empty());
}

#[tokio::test]
#[ignore = "needs recorded material beside the checkout: `cargo xtask test` runs it where that is"]
async fn collected_event_is_accepted() {
    let body = recorded("security_hub/eventbridge_findings_imported_asff.json");
    let env = TestEnv::new();
    let event: Value = serde_json::from_slice(&body).expect("JSON");
    let (response, notice) = env.event(&event).await;
    assert_eq!((response.status, notice.source.as_deref()), (202, Some("hub")), "{}", response.body);
    assert!(env.queued().is_empty(), "it is about a user");
}
