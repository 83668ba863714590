//! Requests to a source that a mistake in the policy disables.

use sophos_isolation::policy::Policy;

use super::{Dress, POLICY, World, alert, get, post, signed};

fn disabled(name: &str) -> World {
    let mut world = World::new();
    let table = format!("[sources.{name}]");
    let wrong = POLICY.replace(&table, &format!("{table}\nper_hour = 0"));
    assert_ne!(wrong, POLICY);
    world.policy = Policy::load(&wrong).expect("the other sources");
    world
}

#[tokio::test]
async fn request_is_sent_again_when_its_source_is_disabled() {
    let world = disabled("scripts");
    // Neither the store nor the secrets are asked.
    world.memory.fail(Some(""));
    world.vault.fail();
    let good = signed(alert("1"));
    let forged = good.clone().with("x-sophos-signature", "v1=00");
    for request in
        [good, forged, post("/hooks/scripts", "x"), post("/hooks/scripts/secret", vec![0; 2 << 20])]
    {
        let (response, notice) = world.handle(&request).await;
        assert_eq!((response.status, response.header("retry-after")), (503, Some("5")));
        assert!(!response.body.contains("per_hour"), "a caller learns nothing: {}", response.body);
        assert_eq!((notice.source.as_deref(), notice.error_kind), (Some("scripts"), Some("SourceDisabled")));
        assert!(notice.problem().is_some_and(|problem| problem.contains("sources.scripts.per_hour")));
    }
    assert!(world.memory.all().is_empty() && world.queued().is_empty());
}

#[tokio::test]
async fn request_is_taken_when_another_source_is_disabled() {
    let world = disabled("pd");
    assert_eq!(world.send(&signed(alert("1"))).await.status, 202);
    assert_eq!(world.send(&post("/hooks/pd", "{}")).await.status, 503);
    assert_eq!(world.send(&post("/hooks/nobody", "{}")).await.status, 401);
}

#[tokio::test]
async fn challenge_is_sent_again_when_its_source_is_disabled() {
    let challenge = get("/hooks/okta").with("x-okta-verification-challenge", "abc");
    assert_eq!(disabled("okta").send(&challenge).await.status, 503);
    assert_eq!(disabled("pd").send(&challenge).await.status, 200);
}
