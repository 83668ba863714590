//! The guards that prevent an isolation.

use serde_json::json;
use sophos_isolation::{ApprovalAnswer, CommandError, DecisionId, DecisionState};
use sophos_simulator::{MachineType, Tag};

use crate::support::{HOUR, TestEnv, TestPolicy, host, id, machine, machines};

#[tokio::test]
async fn dry_run_isolates_nothing() {
    for (mode, source) in [("dry_run", ""), ("enforce", "mode = \"dry_run\"")] {
        let env = TestEnv::new(machines(1)).await;
        let policy = TestPolicy { mode, source, ..TestPolicy::default() }.policy();
        let decision = env.decide(&policy, "event", host(1)).await;
        assert_eq!(env.state(&decision).await, DecisionState::DryRun);
        env.follow_up_for(&policy, 5 * HOUR).await;
        assert_eq!(env.changes(), [""; 0]);
        assert_eq!(env.calls("isolation.bulk"), 0);
        assert_eq!(env.publisher.outcomes_of(&decision), ["dry_run"]);
        assert_eq!(env.ledger().scheduled_follow_ups().await.unwrap(), []);
    }
}

#[tokio::test]
async fn protected_endpoint_is_not_isolated() {
    let mut protected = machine(1);
    protected.hostname = Some("dc01.corp.example".into());
    protected.machine_type = Some(MachineType::Server);
    protected.group = Some("Domain Controllers".into());
    protected.tags = vec![Tag::new("tier", "0")];
    let mut other = machine(2);
    other.group = Some("Office".into());
    let env = TestEnv::new(vec![protected, other]).await;
    for (at, protect) in [
        "names = [\"dc01\"]".to_owned(),
        "patterns = [\"dc??\"]".to_owned(),
        "groups = [\"domain controllers\"]".to_owned(),
        "types = [\"server\"]".to_owned(),
        "tags = [\"tier=0\"]".to_owned(),
        format!("ids = [\"{}\"]", id(1)),
    ]
    .into_iter()
    .enumerate()
    {
        let more = format!("[protect]\n{protect}");
        let policy = TestPolicy { extra: &more, ..TestPolicy::default() }.policy();
        let decision = env
            .decide(&policy, &format!("dc {at}"), json!({ "mac_addresses": [crate::support::mac(1)] }))
            .await;
        assert_eq!(env.code(&decision).await, "protected", "{protect}");
        assert_eq!(env.changes(), [""; 0], "{protect}");
        let rehearsal = TestPolicy { extra: &more, mode: "dry_run", ..TestPolicy::default() }.policy();
        let unprotected = env.decide(&rehearsal, &format!("pc {at}"), host(2)).await;
        assert_eq!(env.state(&unprotected).await, DecisionState::DryRun, "{protect}");
    }
}

const APPROVE: &str = "[approve]\npatterns = [\"pc-*\"]\ntimeout = \"1h\"";

fn approval_policy() -> TestPolicy<'static> {
    TestPolicy { extra: APPROVE, ..TestPolicy::default() }
}

#[tokio::test]
async fn approved_decision_is_isolated() {
    let env = TestEnv::new(machines(1)).await;
    let policy = approval_policy().policy();
    let decision = env.decide(&policy, "event", host(1)).await;
    assert_eq!(env.state(&decision).await, DecisionState::PendingApproval);
    let link = env.publisher.last_outcome(&decision).approval_url.unwrap();
    assert!(link.expose().contains(decision.as_str()));
    env.follow_up_for(&policy, HOUR / 2).await;
    assert_eq!(env.changes(), [""; 0]);

    for _ in 0..2 {
        let answered =
            env.ledger().answer_approval(&decision, ApprovalAnswer::Approve, "ana", env.now()).await.unwrap();
        assert_eq!(answered.state(), DecisionState::Approved);
    }
    let late = env.ledger().answer_approval(&decision, ApprovalAnswer::Decline, "bo", env.now()).await;
    assert!(
        matches!(late, Err(CommandError::InvalidState { state: DecisionState::Approved, .. })),
        "{late:?}"
    );
    // No message is sent; the follow-up is scheduled.
    env.follow_up_for(&policy, 300).await;
    assert_eq!(
        env.steps(&decision).await,
        ["received", "pending_approval", "approved", "claimed", "requested", "isolated"]
    );
    assert_eq!(env.changes(), ["on 1"]);
    let again =
        env.ledger().answer_approval(&decision, ApprovalAnswer::Approve, "ana", env.now()).await.unwrap();
    assert_eq!(again.state(), DecisionState::Isolated);
    env.follow_up_for(&policy, 5 * HOUR).await;
    assert_eq!(env.changes(), ["on 1", "off 1"]);
}

#[tokio::test]
async fn declined_or_expired_decision_is_not_isolated() {
    let env = TestEnv::new(machines(2)).await;
    let policy = approval_policy().policy();
    let declined = env.decide(&policy, "declined", host(1)).await;
    let expired = env.decide(&policy, "expired", host(2)).await;
    env.ledger().answer_approval(&declined, ApprovalAnswer::Decline, "ana", env.now()).await.unwrap();
    env.follow_up_for(&policy, 2 * HOUR).await;
    assert_eq!(env.state(&declined).await, DecisionState::Declined);
    assert_eq!(env.state(&expired).await, DecisionState::Expired);
    let late = env.ledger().answer_approval(&expired, ApprovalAnswer::Approve, "ana", env.now()).await;
    assert!(
        matches!(late, Err(CommandError::InvalidState { state: DecisionState::Expired, .. })),
        "{late:?}"
    );
    assert_eq!(env.publisher.outcomes_of(&declined), ["pending_approval", "declined"]);
    assert_eq!(env.publisher.outcomes_of(&expired), ["pending_approval", "expired"]);
    assert_eq!(env.changes(), [""; 0]);
    assert_eq!(env.ledger().scheduled_follow_ups().await.unwrap(), []);
}

#[tokio::test]
async fn late_approval_is_ignored_before_the_follow_up() {
    let env = TestEnv::new(machines(1)).await;
    let policy = approval_policy().policy();
    let decision = env.decide(&policy, "event", host(1)).await;
    env.advance_clock(HOUR);
    let late = env.ledger().answer_approval(&decision, ApprovalAnswer::Approve, "ana", env.now()).await;
    assert!(
        matches!(late, Err(CommandError::InvalidState { state: DecisionState::PendingApproval, .. })),
        "{late:?}"
    );
    let unknown_id = DecisionId::from_event_id("edr", "unknown");
    let unknown = env.ledger().answer_approval(&unknown_id, ApprovalAnswer::Approve, "ana", env.now()).await;
    assert!(matches!(unknown, Err(CommandError::Unknown(_))));
}

#[tokio::test]
async fn approval_is_void_for_another_endpoint() {
    let mut second = machine(2);
    second.hostname = machine(1).hostname;
    second.online = Some(false);
    second.last_seen_seconds_ago = Some(HOUR as u32);
    let env = TestEnv::new(vec![machine(1), second]).await;
    let more = format!("{APPROVE}\n[endpoints]\nseen_within = \"20m\"");
    let policy = TestPolicy { extra: &more, ..TestPolicy::default() }.policy();
    let decision = env.decide(&policy, "event", host(1)).await;
    assert_eq!(env.decision(&decision).await.target().unwrap().endpoint, id(1));
    env.set_online(1, false);
    env.advance_clock(HOUR / 2);
    env.set_online(2, true);
    env.ledger().answer_approval(&decision, ApprovalAnswer::Approve, "ana", env.now()).await.unwrap();
    assert_eq!(env.work(&policy, &decision).await, DecisionState::Refused);
    assert_eq!(env.code(&decision).await, "target_changed");
    assert_eq!(env.changes(), [""; 0]);
}

#[tokio::test]
async fn endpoint_protected_after_approval_is_not_isolated() {
    let env = TestEnv::new(machines(1)).await;
    let decision = env.decide(&approval_policy().policy(), "event", host(1)).await;
    env.ledger().answer_approval(&decision, ApprovalAnswer::Approve, "ana", env.now()).await.unwrap();
    let more = format!("{APPROVE}\n[protect]\nnames = [\"pc-1\"]");
    let policy = TestPolicy { extra: &more, ..TestPolicy::default() }.policy();
    assert_eq!(env.work(&policy, &decision).await, DecisionState::Refused);
    assert_eq!(env.code(&decision).await, "protected");
    assert_eq!(env.changes(), [""; 0]);
}
