//! The permissions of the webhook: the effects on the worker of the objects that it
//! may write.

use serde_json::{Value, json};
use sophos_isolation::{ApprovalAnswer, DecisionId, DecisionState, FollowUpScope};

use crate::support::{ACME, HOUR, TestEnv, TestPolicy, change_text, host, id, machines};

/// Writes an object with the webhook's permissions.
fn write_object(env: &TestEnv, path: &str, body: &Value) {
    let folder = path.split('/').next().unwrap();
    assert!(
        ["received", "answers", "arrivals", "inbox", "replays", "unreadable"].contains(&folder),
        "{path}"
    );
    let path = env.path(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, body.to_string()).unwrap();
}

/// A first entry with this transition.
fn entry(decision: &DecisionId, step: Value) -> Value {
    let mut entry = json!({
        "version": 1, "decision": decision, "sequence": 1, "at_ms": 1_768_478_400_000_u64, "attempt_id": "forged",
    });
    entry.as_object_mut().unwrap().extend(step.as_object().unwrap().clone());
    entry
}

fn received_object(source: &str, signal: Value) -> Value {
    json!({
        "transition": "received", "source": source, "tool": "generic", "body_sha256": "00", "secret_stage": "current",
        "signal": signal,
    })
}

fn target(number: u32) -> Value {
    json!({ "tenant": ACME, "endpoint": id(number) })
}

fn claim(number: u32, mark: &str) -> Value {
    json!({
        "transition": "claimed", "target": target(number), "policy_digest": "00", "lease_until": 0, "comment_tag": mark,
        "permits": ["permits/hour/0/source/edr/000000.00000001"],
    })
}

/// Processes all decisions, and lets four hours pass.
async fn work_on(env: &TestEnv, rules: &TestPolicy<'_>, ids: &[DecisionId]) {
    let policy = rules.policy();
    for decision in ids {
        drop(env.engine().process(&policy, std::slice::from_ref(decision), None).await);
    }
    for _ in 0..4 {
        drop(env.engine().follow_up_scope(&policy, FollowUpScope::Open, None).await);
        env.advance_clock(HOUR);
    }
}

#[tokio::test]
async fn forged_transitions_isolate_and_release_nothing() {
    let env = TestEnv::new(machines(4)).await;
    env.isolate_in_console(4, true, "investigating").await;
    let mark = DecisionId::from_event_id("edr", "another").to_string();
    let steps = [
        claim(1, "investigating"),
        claim(2, &mark),
        json!({ "transition": "approved", "by": "ana" }),
        json!({ "transition": "requested", "origin": "requested" }),
        json!({ "transition": "isolated" }),
        json!({ "transition": "deferred", "detail": "", "retry_at": 0, "target": target(3) }),
        json!({ "transition": "release_pending", "reason": "requested" }),
        json!({ "transition": "pending_approval", "target": target(3), "reason": "", "expires_at": 9_999_999_999_u64 }),
    ];
    let mut ids = Vec::new();
    for (at, step) in steps.into_iter().enumerate() {
        let decision = DecisionId::from_event_id("edr", &format!("forged {at}"));
        write_object(&env, &format!("received/{decision}.json"), &entry(&decision, step));
        write_object(&env, &format!("inbox/000000000030-{decision}"), &Value::Null);
        ids.push(decision);
    }
    work_on(&env, &TestPolicy::default(), &ids).await;
    assert_eq!(env.changes(), ["on 4"], "what the administrator did, and nothing else");
}

#[tokio::test]
async fn forged_signals_stay_within_the_budget() {
    let env = TestEnv::new(machines(8)).await;
    let rules = TestPolicy { per_hour: 2, extra: "[protect]\nnames = [\"pc-1\"]\n", ..TestPolicy::default() };
    let mut ids = Vec::new();
    for number in 1..=8 {
        let decision = DecisionId::from_event_id("edr", &format!("forged {number}"));
        let signal =
            json!({ "action": "isolate", "severity": "critical", "title": "", "host": host(number) });
        write_object(
            &env,
            &format!("received/{decision}.json"),
            &entry(&decision, received_object("edr", signal)),
        );
        write_object(
            &env,
            &format!("answers/{decision}.json"),
            &json!({
                "version": 1, "decision": decision, "answer": "approve", "by": "ana", "at_ms": 0,
            }),
        );
        ids.push(decision);
    }
    let policy = rules.policy();
    env.engine().process(&policy, &ids, None).await;
    env.follow_up(&policy).await;
    let changes = env.changes();
    assert_eq!(changes.len(), 2, "{changes:?}");
    assert!(!changes.contains(&"on 1".to_owned()), "{changes:?}");
}

#[tokio::test]
async fn first_received_entry_wins() {
    let env = TestEnv::new(machines(1)).await;
    let rules = TestPolicy { source: "may_release = false", ..TestPolicy::default() };
    let policy = rules.policy();
    let decision = env.decide(&policy, "event", host(1)).await;
    env.follow_up_for(&policy, 120).await;
    let before = env.decision(&decision).await;
    // Now the decision would belong to the source that may release.
    let signal = json!({ "action": "isolate", "severity": "critical", "title": "", "host": host(1) });
    write_object(
        &env,
        &format!("received/{decision}.json"),
        &entry(&decision, received_object("soc", signal)),
    );
    assert_eq!(env.decision(&decision).await, before);
    let release = json!({ "action": "release", "title": "", "host": host(1) });
    let other = DecisionId::from_event_id("soc", "release");
    write_object(&env, &format!("received/{other}.json"), &entry(&other, received_object("soc", release)));
    assert_eq!(env.work(&policy, &other).await, DecisionState::Refused);
    assert_eq!(env.code(&other).await, "nothing_to_release");
    assert_eq!(env.changes(), ["on 1"]);
}

#[tokio::test]
async fn forged_release_leaves_an_administrators_isolation() {
    let env = TestEnv::new(machines(1)).await;
    env.isolate_in_console(1, true, "investigating").await;
    for (at, comment) in ["iso-", "batch-", "iso-0123456789abcdef01234567x"].into_iter().enumerate() {
        for (enabled, comment) in [(false, ""), (true, comment)] {
            env.advance_clock(600);
            env.isolate_in_console(1, enabled, comment).await;
        }
        let decision = DecisionId::from_event_id("soc", &format!("release {at}"));
        let signal = json!({ "action": "release", "title": "", "host": host(1) });
        write_object(
            &env,
            &format!("received/{decision}.json"),
            &entry(&decision, received_object("soc", signal)),
        );
        work_on(&env, &TestPolicy::default(), &[decision]).await;
    }
    let ours = env.sim.isolation_changes();
    assert_eq!(ours.last().map(change_text).as_deref(), Some("on 1"), "{ours:?}");
    assert_eq!(env.changes().len(), 7, "the administrator's alone");
}

#[tokio::test]
async fn answer_is_applied_once_and_only_while_waiting() {
    let env = TestEnv::new(machines(2)).await;
    let rules = TestPolicy { source: "approve = \"always\"", ..TestPolicy::default() };
    let policy = rules.policy();
    let submit = async |decision: &DecisionId, answer| {
        env.ledger().submit_answer(decision, answer, "ana", env.now()).await
    };
    let approved = env.decide(&policy, "approved", host(1)).await;
    let declined = env.decide(&policy, "declined", host(2)).await;
    for decision in [&approved, &declined] {
        assert_eq!(env.state(decision).await, DecisionState::PendingApproval);
    }
    submit(&approved, ApprovalAnswer::Approve).await.unwrap();
    submit(&approved, ApprovalAnswer::Approve).await.unwrap();
    submit(&approved, ApprovalAnswer::Decline).await.unwrap_err();
    assert_eq!(env.state(&approved).await, DecisionState::PendingApproval, "the worker takes it");
    assert_eq!(env.work(&policy, &approved).await, DecisionState::Requested);
    assert_eq!(
        env.steps(&approved).await,
        ["received", "pending_approval", "approved", "claimed", "requested"]
    );
    // No message is sent for it: the scheduled follow-up suffices.
    submit(&declined, ApprovalAnswer::Decline).await.unwrap();
    env.follow_up_for(&policy, 60).await;
    assert_eq!(env.steps(&declined).await, ["received", "pending_approval", "declined"]);
    submit(&declined, ApprovalAnswer::Approve).await.unwrap_err();
    assert_eq!(env.changes(), ["on 1"]);
}

#[tokio::test]
async fn timely_answer_counts_when_processed_late() {
    let env = TestEnv::new(machines(2)).await;
    let policy = TestPolicy { source: "approve = \"always\"", ..TestPolicy::default() }.policy();
    let [in_time, late] =
        [env.decide(&policy, "in time", host(1)).await, env.decide(&policy, "late", host(2)).await];
    env.ledger().submit_answer(&in_time, ApprovalAnswer::Approve, "ana", env.now()).await.unwrap();
    env.advance_clock(5 * HOUR);
    env.ledger().submit_answer(&late, ApprovalAnswer::Approve, "ana", env.now()).await.unwrap_err();
    // A forged time is no later than now.
    write_object(
        &env,
        &format!("answers/{late}.json"),
        &json!({
            "version": 1, "decision": late, "answer": "approve", "by": "ana", "at_ms": u64::MAX,
        }),
    );
    env.follow_up(&policy).await;
    assert_eq!(env.state(&in_time).await, DecisionState::Requested);
    assert_eq!(env.state(&late).await, DecisionState::Expired);
}
