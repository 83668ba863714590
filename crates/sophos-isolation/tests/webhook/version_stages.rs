//! The previous value of a secret, which the policy can revoke.

use sophos_isolation::{ApprovalLinks, policy::Policy};

use super::{
    NOW, POLICY, RequestExt, TestEnv, alert_body,
    approval::{UNTIL, follow_link, waiting_decision},
    current_value, post, previous_value, v1_signature,
};

fn signed_with(key: &str, event: &str) -> sophos_isolation::webhook::Request {
    let (time, body) = (NOW.as_secs().to_string(), alert_body(event));
    let signature = v1_signature(key, &time, body.as_bytes());
    post("/hooks/scripts", body)
        .with_header("x-sophos-timestamp", time)
        .with_header("x-sophos-signature", signature)
}

#[tokio::test]
async fn previous_key_is_refused_when_the_policy_says_so() {
    let mut env = TestEnv::new();
    let (response, notice) = env.handle(&signed_with(&previous_value("scripts"), "a")).await;
    assert_eq!((response.status, notice.used_previous_key), (202, true));
    // The same process with its cached keys, under the next policy.
    let table = "[sources.scripts]";
    let stopped = POLICY.replace(table, &format!("{table}\naccept_previous = false"));
    env.policy = Policy::parse(&stopped).expect("a policy");
    assert_eq!(env.send(&signed_with(&previous_value("scripts"), "b")).await.status, 401);
    assert_eq!(env.send(&signed_with(&current_value("scripts"), "c")).await.status, 202);
    let bearer =
        |key: String| post("/hooks/defender", "{}").with_header("authorization", format!("Bearer {key}"));
    assert_ne!(env.send(&bearer(previous_value("defender"))).await.status, 401, "of this source alone");
}

#[tokio::test]
async fn previous_link_key_is_refused_when_the_policy_says_so() {
    let mut env = TestEnv::new();
    let id = waiting_decision(&env, "a").await;
    let link =
        |key: String| follow_link(&ApprovalLinks::new("https://hooks.example", key.into()), &id, UNTIL);
    let [old, new] = [link(previous_value("approval")), link(current_value("approval"))];
    assert_eq!(env.send(&old).await.status, 200);
    let stopped = POLICY.replace("[approve]", "[approve]\naccept_previous = false");
    env.policy = Policy::parse(&stopped).expect("a policy");
    assert_eq!((env.send(&old).await.status, env.send(&new).await.status), (403, 200));
}
