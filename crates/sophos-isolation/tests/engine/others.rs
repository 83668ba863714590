//! People in the console, who isolate and release as well.

use sophos_isolation::State;

use crate::support::{ACME, HOUR, Rules, World, host, id, machines, policy};

#[tokio::test]
async fn what_somebody_else_has_isolated_is_left_to_them() {
    let world = World::new(machines(1)).await;
    world.console(1, true, "by hand").await;
    world.pass(120);
    let decision = world.decide(&policy(), "event", host(1)).await;
    assert_eq!(world.state(&decision).await, State::AlreadyIsolated);
    assert_eq!(world.told.last(&decision).detail.as_deref(), Some("by hand"));
    world.follow_up_for(&policy(), 6 * HOUR).await;
    assert_eq!(world.changes(), ["on 1"]);
    assert_eq!(world.ledger().agenda().await.unwrap(), []);
    assert_eq!(world.names(&format!("slots/estate/{ACME}")).await, [""; 0]);
}

#[tokio::test]
async fn what_somebody_else_has_released_is_over_and_its_place_free() {
    let world = World::new(machines(10)).await;
    let policy = Rules { estate_share: 0.1, ..Rules::default() }.policy();
    let decision = world.decide(&policy, "event", host(1)).await;
    world.follow_up_for(&policy, 300).await;
    world.console(1, false, "it is clean").await;
    world.follow_up_for(&policy, HOUR + 120).await;
    assert_eq!(world.state(&decision).await, State::TakenOver);
    let next = world.decide(&policy, "next", host(2)).await;
    assert_eq!(world.state(&next).await, State::Requested);
    world.follow_up_for(&policy, HOUR).await;
    assert_eq!(world.changes(), ["on 1", "off 1", "on 2"]);
}

#[tokio::test]
async fn what_somebody_else_has_isolated_again_is_not_lifted() {
    let world = World::new(machines(1)).await;
    let decision = world.decide(&policy(), "event", host(1)).await;
    world.follow_up_for(&policy(), 300).await;
    world.console(1, false, "it is clean").await;
    world.pass(120);
    // They write of ours, and it is theirs.
    world.console(1, true, &format!("it is not; see {decision}")).await;
    world.follow_up_for(&policy(), 6 * HOUR).await;
    assert_eq!(world.state(&decision).await, State::TakenOver);
    assert_eq!(world.changes(), ["on 1", "off 1", "on 1"]);
    assert_eq!(world.names(&format!("machines/{ACME}/{}", id(1))).await, [""; 0]);
}

#[tokio::test]
async fn detail_holds_no_secret_that_a_comment_repeats() {
    let world = World::new(machines(2)).await;
    let secret = world.sim.credentials()[0].client_secret.clone();
    let comment = format!("by hand, with {secret}");
    world.console(1, true, &comment).await;
    let (first, second) =
        (world.decide(&policy(), "event", host(1)).await, world.decide(&policy(), "another", host(2)).await);
    world.follow_up_for(&policy(), 300).await;
    world.console(2, false, "it is clean").await;
    world.pass(120);
    world.console(2, true, &comment).await;
    world.follow_up_for(&policy(), 6 * HOUR).await;
    assert_eq!(world.state(&second).await, State::TakenOver);
    for decision in [first, second] {
        let detail = world.told.last(&decision).detail.expect("a reason");
        assert!(detail.ends_with("by hand, with [redacted]"), "{detail}");
        let kept = world.ledger().decision(&decision).await.unwrap().unwrap();
        assert!(!serde_json::to_string(kept.entries()).unwrap().contains(&secret));
    }
}

#[tokio::test]
async fn what_somebody_else_isolates_while_the_release_is_pending_is_theirs() {
    let world = World::new(machines(1)).await;
    let policy = Rules { release: "10m", ..Rules::default() }.policy();
    let decision = world.decide(&policy, "event", host(1)).await;
    while world.state(&decision).await != State::ReleaseRequested {
        world.follow_up_for(&policy, 60).await;
    }
    world.pass(60);
    world.console(1, true, "by hand").await;
    world.follow_up_for(&policy, HOUR).await;
    assert!(world.state(&decision).await.is_final());
    assert_eq!(world.changes(), ["on 1", "off 1", "on 1"]);
}
