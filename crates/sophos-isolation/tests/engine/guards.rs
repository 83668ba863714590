//! What keeps an endpoint from being isolated.

use serde_json::json;
use sophos_isolation::{Answer, AnswerError, DecisionId, State};
use sophos_simulator::{MachineType, Tag};

use crate::support::{HOUR, Rules, World, host, id, machine, machines};

#[tokio::test]
async fn a_dry_run_isolates_nothing() {
    for (mode, source) in [("dry_run", ""), ("enforce", "mode = \"dry_run\"")] {
        let world = World::new(machines(1)).await;
        let policy = Rules { mode, source, ..Rules::default() }.policy();
        let decision = world.decide(&policy, "event", host(1)).await;
        assert_eq!(world.state(&decision).await, State::Rehearsed);
        world.follow_up_for(&policy, 5 * HOUR).await;
        assert_eq!(world.changes(), [""; 0]);
        assert_eq!(world.calls("isolation.bulk"), 0);
        assert_eq!(world.told.of(&decision), ["rehearsed"]);
        assert_eq!(world.ledger().agenda().await.unwrap(), []);
    }
}

#[tokio::test]
async fn a_protected_endpoint_is_not_isolated() {
    let mut protected = machine(1);
    protected.hostname = Some("dc01.corp.example".into());
    protected.machine_type = Some(MachineType::Server);
    protected.group = Some("Domain Controllers".into());
    protected.tags = vec![Tag::new("tier", "0")];
    let mut other = machine(2);
    other.group = Some("Office".into());
    let world = World::new(vec![protected, other]).await;
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
        let policy = Rules { more: &more, ..Rules::default() }.policy();
        let decision = world
            .decide(&policy, &format!("dc {at}"), json!({ "mac_addresses": [crate::support::mac(1)] }))
            .await;
        assert_eq!(world.code(&decision).await, "protected", "{protect}");
        assert_eq!(world.changes(), [""; 0], "{protect}");
        let rehearsal = Rules { more: &more, mode: "dry_run", ..Rules::default() }.policy();
        let unprotected = world.decide(&rehearsal, &format!("pc {at}"), host(2)).await;
        assert_eq!(world.state(&unprotected).await, State::Rehearsed, "{protect}");
    }
}

const APPROVE: &str = "[approve]\npatterns = [\"pc-*\"]\nwithin = \"1h\"";

fn approving() -> Rules<'static> {
    Rules { more: APPROVE, ..Rules::default() }
}

#[tokio::test]
async fn what_a_person_approves_is_isolated() {
    let world = World::new(machines(1)).await;
    let policy = approving().policy();
    let decision = world.decide(&policy, "event", host(1)).await;
    assert_eq!(world.state(&decision).await, State::Waiting);
    let link = world.told.last(&decision).approval_url.unwrap();
    assert!(link.expose().contains(decision.as_str()));
    world.follow_up_for(&policy, HOUR / 2).await;
    assert_eq!(world.changes(), [""; 0]);

    for _ in 0..2 {
        let answered = world.ledger().answer(&decision, Answer::Approve, "ana", world.now()).await.unwrap();
        assert_eq!(answered.state(), State::Approved);
    }
    let late = world.ledger().answer(&decision, Answer::Decline, "bo", world.now()).await;
    assert!(matches!(late, Err(AnswerError::State { state: State::Approved, .. })), "{late:?}");
    // Nobody is told to work on it: it is on the agenda.
    world.follow_up_for(&policy, 300).await;
    assert_eq!(
        world.steps(&decision).await,
        ["received", "waiting", "approved", "claimed", "requested", "isolated"]
    );
    assert_eq!(world.changes(), ["on 1"]);
    let again = world.ledger().answer(&decision, Answer::Approve, "ana", world.now()).await.unwrap();
    assert_eq!(again.state(), State::Isolated);
    world.follow_up_for(&policy, 5 * HOUR).await;
    assert_eq!(world.changes(), ["on 1", "off 1"]);
}

#[tokio::test]
async fn what_a_person_declines_or_nobody_answers_is_not_isolated() {
    let world = World::new(machines(2)).await;
    let policy = approving().policy();
    let declined = world.decide(&policy, "declined", host(1)).await;
    let expired = world.decide(&policy, "expired", host(2)).await;
    world.ledger().answer(&declined, Answer::Decline, "ana", world.now()).await.unwrap();
    world.follow_up_for(&policy, 2 * HOUR).await;
    assert_eq!(world.state(&declined).await, State::Declined);
    assert_eq!(world.state(&expired).await, State::Expired);
    let late = world.ledger().answer(&expired, Answer::Approve, "ana", world.now()).await;
    assert!(matches!(late, Err(AnswerError::State { state: State::Expired, .. })), "{late:?}");
    assert_eq!(world.told.of(&declined), ["waiting", "declined"]);
    assert_eq!(world.told.of(&expired), ["waiting", "expired"]);
    assert_eq!(world.changes(), [""; 0]);
    assert_eq!(world.ledger().agenda().await.unwrap(), []);
}

#[tokio::test]
async fn an_approval_after_its_time_does_not_count_even_before_the_follow_up() {
    let world = World::new(machines(1)).await;
    let policy = approving().policy();
    let decision = world.decide(&policy, "event", host(1)).await;
    world.pass(HOUR);
    let late = world.ledger().answer(&decision, Answer::Approve, "ana", world.now()).await;
    assert!(matches!(late, Err(AnswerError::State { state: State::Waiting, .. })), "{late:?}");
    let nobodys = DecisionId::of("edr", "nobody's");
    let unknown = world.ledger().answer(&nobodys, Answer::Approve, "ana", world.now()).await;
    assert!(matches!(unknown, Err(AnswerError::Unknown(_))));
}

#[tokio::test]
async fn an_approval_does_not_count_for_another_endpoint() {
    let mut second = machine(2);
    second.hostname = machine(1).hostname;
    second.online = Some(false);
    second.last_seen_seconds_ago = Some(HOUR as u32);
    let world = World::new(vec![machine(1), second]).await;
    let more = format!("{APPROVE}\n[endpoints]\nseen_within = \"20m\"");
    let policy = Rules { more: &more, ..Rules::default() }.policy();
    let decision = world.decide(&policy, "event", host(1)).await;
    assert_eq!(world.decision(&decision).await.target().unwrap().endpoint, id(1));
    world.online(1, false);
    world.pass(HOUR / 2);
    world.online(2, true);
    world.ledger().answer(&decision, Answer::Approve, "ana", world.now()).await.unwrap();
    assert_eq!(world.work(&policy, &decision).await, State::Refused);
    assert_eq!(world.code(&decision).await, "target_changed");
    assert_eq!(world.changes(), [""; 0]);
}

#[tokio::test]
async fn what_was_protected_after_the_approval_is_not_isolated() {
    let world = World::new(machines(1)).await;
    let decision = world.decide(&approving().policy(), "event", host(1)).await;
    world.ledger().answer(&decision, Answer::Approve, "ana", world.now()).await.unwrap();
    let more = format!("{APPROVE}\n[protect]\nnames = [\"pc-1\"]");
    let policy = Rules { more: &more, ..Rules::default() }.policy();
    assert_eq!(world.work(&policy, &decision).await, State::Refused);
    assert_eq!(world.code(&decision).await, "protected");
    assert_eq!(world.changes(), [""; 0]);
}
