//! The guards that prevent an isolation.

use serde_json::json;
use sophos_isolation::{ApprovalAnswer, CommandError, DecisionId, DecisionState};
use sophos_simulator::{MachineType, Tag};

use crate::support::{HOUR, TestEnv, TestPolicy, host, id, machine, machines};

#[tokio::test]
async fn dry_run_isolates_nothing() {
    for (mode, source) in [("dry_run", ""), ("enforce", "mode = \"dry_run\"")] {
        let world = TestEnv::new(machines(1)).await;
        let policy = TestPolicy { mode, source, ..TestPolicy::default() }.policy();
        let decision = world.decide(&policy, "event", host(1)).await;
        assert_eq!(world.state(&decision).await, DecisionState::DryRun);
        world.follow_up_for(&policy, 5 * HOUR).await;
        assert_eq!(world.changes(), [""; 0]);
        assert_eq!(world.calls("isolation.bulk"), 0);
        assert_eq!(world.publisher.outcomes_of(&decision), ["dry_run"]);
        assert_eq!(world.ledger().scheduled_follow_ups().await.unwrap(), []);
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
    let world = TestEnv::new(vec![protected, other]).await;
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
        let decision = world
            .decide(&policy, &format!("dc {at}"), json!({ "mac_addresses": [crate::support::mac(1)] }))
            .await;
        assert_eq!(world.code(&decision).await, "protected", "{protect}");
        assert_eq!(world.changes(), [""; 0], "{protect}");
        let rehearsal = TestPolicy { extra: &more, mode: "dry_run", ..TestPolicy::default() }.policy();
        let unprotected = world.decide(&rehearsal, &format!("pc {at}"), host(2)).await;
        assert_eq!(world.state(&unprotected).await, DecisionState::DryRun, "{protect}");
    }
}

const APPROVE: &str = "[approve]\npatterns = [\"pc-*\"]\ntimeout = \"1h\"";

fn approval_policy() -> TestPolicy<'static> {
    TestPolicy { extra: APPROVE, ..TestPolicy::default() }
}

#[tokio::test]
async fn approved_decision_is_isolated() {
    let world = TestEnv::new(machines(1)).await;
    let policy = approval_policy().policy();
    let decision = world.decide(&policy, "event", host(1)).await;
    assert_eq!(world.state(&decision).await, DecisionState::PendingApproval);
    let link = world.publisher.last_outcome(&decision).approval_url.unwrap();
    assert!(link.expose().contains(decision.as_str()));
    world.follow_up_for(&policy, HOUR / 2).await;
    assert_eq!(world.changes(), [""; 0]);

    for _ in 0..2 {
        let answered = world
            .ledger()
            .answer_approval(&decision, ApprovalAnswer::Approve, "ana", world.now())
            .await
            .unwrap();
        assert_eq!(answered.state(), DecisionState::Approved);
    }
    let late = world.ledger().answer_approval(&decision, ApprovalAnswer::Decline, "bo", world.now()).await;
    assert!(
        matches!(late, Err(CommandError::InvalidState { state: DecisionState::Approved, .. })),
        "{late:?}"
    );
    // No message is sent; the follow-up is scheduled.
    world.follow_up_for(&policy, 300).await;
    assert_eq!(
        world.steps(&decision).await,
        ["received", "pending_approval", "approved", "claimed", "requested", "isolated"]
    );
    assert_eq!(world.changes(), ["on 1"]);
    let again =
        world.ledger().answer_approval(&decision, ApprovalAnswer::Approve, "ana", world.now()).await.unwrap();
    assert_eq!(again.state(), DecisionState::Isolated);
    world.follow_up_for(&policy, 5 * HOUR).await;
    assert_eq!(world.changes(), ["on 1", "off 1"]);
}

#[tokio::test]
async fn declined_or_expired_decision_is_not_isolated() {
    let world = TestEnv::new(machines(2)).await;
    let policy = approval_policy().policy();
    let declined = world.decide(&policy, "declined", host(1)).await;
    let expired = world.decide(&policy, "expired", host(2)).await;
    world.ledger().answer_approval(&declined, ApprovalAnswer::Decline, "ana", world.now()).await.unwrap();
    world.follow_up_for(&policy, 2 * HOUR).await;
    assert_eq!(world.state(&declined).await, DecisionState::Declined);
    assert_eq!(world.state(&expired).await, DecisionState::Expired);
    let late = world.ledger().answer_approval(&expired, ApprovalAnswer::Approve, "ana", world.now()).await;
    assert!(
        matches!(late, Err(CommandError::InvalidState { state: DecisionState::Expired, .. })),
        "{late:?}"
    );
    assert_eq!(world.publisher.outcomes_of(&declined), ["pending_approval", "declined"]);
    assert_eq!(world.publisher.outcomes_of(&expired), ["pending_approval", "expired"]);
    assert_eq!(world.changes(), [""; 0]);
    assert_eq!(world.ledger().scheduled_follow_ups().await.unwrap(), []);
}

#[tokio::test]
async fn late_approval_is_ignored_before_the_follow_up() {
    let world = TestEnv::new(machines(1)).await;
    let policy = approval_policy().policy();
    let decision = world.decide(&policy, "event", host(1)).await;
    world.advance_clock(HOUR);
    let late = world.ledger().answer_approval(&decision, ApprovalAnswer::Approve, "ana", world.now()).await;
    assert!(
        matches!(late, Err(CommandError::InvalidState { state: DecisionState::PendingApproval, .. })),
        "{late:?}"
    );
    let unknown_id = DecisionId::from_event_id("edr", "unknown");
    let unknown =
        world.ledger().answer_approval(&unknown_id, ApprovalAnswer::Approve, "ana", world.now()).await;
    assert!(matches!(unknown, Err(CommandError::Unknown(_))));
}

#[tokio::test]
async fn approval_is_void_for_another_endpoint() {
    let mut second = machine(2);
    second.hostname = machine(1).hostname;
    second.online = Some(false);
    second.last_seen_seconds_ago = Some(HOUR as u32);
    let world = TestEnv::new(vec![machine(1), second]).await;
    let more = format!("{APPROVE}\n[endpoints]\nseen_within = \"20m\"");
    let policy = TestPolicy { extra: &more, ..TestPolicy::default() }.policy();
    let decision = world.decide(&policy, "event", host(1)).await;
    assert_eq!(world.decision(&decision).await.target().unwrap().endpoint, id(1));
    world.set_online(1, false);
    world.advance_clock(HOUR / 2);
    world.set_online(2, true);
    world.ledger().answer_approval(&decision, ApprovalAnswer::Approve, "ana", world.now()).await.unwrap();
    assert_eq!(world.work(&policy, &decision).await, DecisionState::Refused);
    assert_eq!(world.code(&decision).await, "target_changed");
    assert_eq!(world.changes(), [""; 0]);
}

#[tokio::test]
async fn endpoint_protected_after_approval_is_not_isolated() {
    let world = TestEnv::new(machines(1)).await;
    let decision = world.decide(&approval_policy().policy(), "event", host(1)).await;
    world.ledger().answer_approval(&decision, ApprovalAnswer::Approve, "ana", world.now()).await.unwrap();
    let more = format!("{APPROVE}\n[protect]\nnames = [\"pc-1\"]");
    let policy = TestPolicy { extra: &more, ..TestPolicy::default() }.policy();
    assert_eq!(world.work(&policy, &decision).await, DecisionState::Refused);
    assert_eq!(world.code(&decision).await, "protected");
    assert_eq!(world.changes(), [""; 0]);
}
