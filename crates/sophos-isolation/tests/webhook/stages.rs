//! The previous value of a secret, which the policy may end at once.

use sophos_isolation::{ApprovalLinks, policy::Policy};

use super::{
    Dress, NOW, POLICY, World, alert,
    approval::{UNTIL, follow, waiting},
    current, post, previous, v1,
};

fn signed_with(key: &str, event: &str) -> sophos_isolation::webhook::Request {
    let (time, body) = (NOW.as_secs().to_string(), alert(event));
    let signature = v1(key, &time, body.as_bytes());
    post("/hooks/scripts", body).with("x-sophos-timestamp", time).with("x-sophos-signature", signature)
}

#[tokio::test]
async fn previous_key_is_refused_when_the_policy_says_so() {
    let mut world = World::new();
    let (response, notice) = world.handle(&signed_with(&previous("scripts"), "a")).await;
    assert_eq!((response.status, notice.previous_key), (202, true));
    // The same process, whose keys are kept, under the next policy.
    let table = "[sources.scripts]";
    let stopped = POLICY.replace(table, &format!("{table}\naccept_previous = false"));
    world.policy = Policy::parse(&stopped).expect("a policy");
    assert_eq!(world.send(&signed_with(&previous("scripts"), "b")).await.status, 401);
    assert_eq!(world.send(&signed_with(&current("scripts"), "c")).await.status, 202);
    let bearer = |key: String| post("/hooks/defender", "{}").with("authorization", format!("Bearer {key}"));
    assert_ne!(world.send(&bearer(previous("defender"))).await.status, 401, "of this source alone");
}

#[tokio::test]
async fn previous_key_of_links_is_refused_when_told() {
    let mut world = World::new();
    let id = waiting(&world, "a").await;
    let link = |key: String| follow(&ApprovalLinks::new("https://hooks.example", key.into()), &id, UNTIL);
    let [old, new] = [link(previous("approval")), link(current("approval"))];
    assert_eq!(world.send(&old).await.status, 200);
    let stopped = POLICY.replace("[approve]", "[approve]\naccept_previous = false");
    world.policy = Policy::parse(&stopped).expect("a policy");
    assert_eq!((world.send(&old).await.status, world.send(&new).await.status), (403, 200));
}
