//! Requests to a source that an error in the policy disables.

use sophos_isolation::policy::Policy;

use super::{POLICY, TestEnv, alert_body, post, signed_request};

fn disabled_env(name: &str) -> TestEnv {
    let mut env = TestEnv::new();
    let table = format!("[sources.{name}]");
    let wrong = POLICY.replace(&table, &format!("{table}\nper_hour = 0"));
    assert_ne!(wrong, POLICY);
    env.policy = Policy::parse_lenient(&wrong).expect("the other sources");
    env
}

#[tokio::test]
async fn authentic_request_gets_503_when_disabled() {
    let env = disabled_env("scripts");
    env.store.fail_on(Some(""));
    let (response, notice) = env.handle(&signed_request(alert_body("1"))).await;
    assert_eq!((response.status, response.header("retry-after")), (503, Some("5")));
    assert!(!response.body.contains("per_hour"), "a caller learns nothing: {}", response.body);
    assert_eq!((notice.source.as_deref(), notice.error_kind), (Some("scripts"), Some("SourceDisabled")));
    assert!(notice.is_server_error(&response));
    assert!(notice.problem().is_some_and(|problem| problem.contains("sources.scripts.per_hour")));
    assert!(env.store.objects().is_empty() && env.queued().is_empty());
}

#[tokio::test]
async fn request_is_rejected_when_verify_is_invalid() {
    let mut env = TestEnv::new();
    let wrong = POLICY.replace("secret = \"scripts\"", "secret = \"a b\"");
    let wrong =
        wrong.replace("scheme = \"signature\", secret = \"a b\"", "scheme = \"none\", secret = \"a b\"");
    env.policy = Policy::parse_lenient(&wrong).expect("the other sources");
    let unknown = env.send(&post("/hooks/absent", alert_body("1"))).await;
    let (response, notice) = env.handle(&signed_request(alert_body("1"))).await;
    assert_eq!(response, unknown);
    assert_eq!((notice.source.as_deref(), notice.error_kind), (Some("scripts"), Some("SourceDisabled")));
    assert!(notice.is_server_error(&response), "the operator has to know");
    assert!(env.secrets.take_loaded().is_empty());
}

#[tokio::test]
async fn request_is_accepted_when_another_source_is_disabled() {
    let env = disabled_env("pd");
    assert_eq!(env.send(&signed_request(alert_body("1"))).await.status, 202);
    assert_eq!(env.send(&post("/hooks/pd", "{}")).await.status, 401);
    assert_eq!(env.send(&post("/hooks/absent", "{}")).await.status, 401);
}
