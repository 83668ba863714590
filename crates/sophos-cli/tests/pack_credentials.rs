//! `sophos credentials` with a local file.

mod pack_support;

use pack_support::{TestEnv, stored_credentials};
use serde_json::json;
use sophos_simulator::Config;

#[tokio::test]
async fn list_shows_owner_role_and_expiry_without_secrets() {
    let env = TestEnv::start(Config::default()).await;
    let file = stored_credentials::write_with_expired(&env);
    let listed = env.run(&["credentials", "list", "--file", &file]).await.expect(3);
    let records = listed.records();
    assert_eq!(records.len(), env.simulator.credentials().len() + 1);
    let partner = records.iter().find(|record| record["client_id"] == env.credential.client_id).expect("one");
    assert_eq!(partner["role"], "read_only");
    assert_eq!(partner["expires_at"], "2029-11-01T00:00:00Z");
    let owner = format!("{} {}", env.credential.id_type, env.credential.principal_id);
    assert_eq!(partner["owner"], json!(owner));
    assert!(listed.stderr.contains("stale: it has expired"), "{}", listed.stderr);
    assert!(!listed.stdout.contains("hush") && !listed.stderr.contains("hush"));
}

#[tokio::test]
async fn check_tests_each_credential() {
    let env = TestEnv::start(Config::default()).await;
    let file = stored_credentials::write_with_expired(&env);
    let checked = env.run(&["credentials", "check", "--file", &file]).await.expect(3);
    for record in checked.records() {
        let expected = if record["name"] == "stale" { "rejected" } else { "passed" };
        assert_eq!(record["result"], expected, "{record}");
        assert_eq!(record["version"], "current");
    }
    assert!(!checked.stdout.contains("hush") && !checked.stderr.contains("hush"));
    let one = env.run(&["credentials", "check", "stale", "--file", &file]).await.expect(4);
    assert_eq!(one.record()["result"], "rejected");
    let unknown = env.run(&["credentials", "check", "other", "--file", &file]).await.expect(5);
    assert!(unknown.stderr.contains("stale"), "{}", unknown.stderr);
}

#[tokio::test]
async fn location_must_be_given_and_private() {
    let env = TestEnv::start(Config::default()).await;
    let missing = env.run(&["credentials", "list"]).await.expect(2);
    assert!(missing.stderr.contains("--prefix"), "{}", missing.stderr);
    env.run(&["credentials", "list", "--file", "/nowhere/credentials.toml"]).await.expect(5);
    let file = stored_credentials::write_with_expired(&env);
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o644)).expect("a mode");
    let open = env.run(&["credentials", "list", "--file", &file]).await.expect(4);
    assert!(open.stderr.contains("chmod 600"), "{}", open.stderr);
}
