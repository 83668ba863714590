//! Tests of the built command line with credentials in Secrets Manager.

use std::{path::Path, process::Output};

use end_to_end::{TestEnv, moto::Moto, pipeline_env::partner_config, program};
use serde_json::{Value, json};
use sophos_simulator::CredentialKind;
use tempfile::TempDir;
use tokio::process::Command;

const NAME: &str = "sophos/credentials/first";

/// A simulator, the emulator of AWS, and a home directory with a profile.
struct Fixture {
    env: TestEnv,
    moto: Moto,
    home: TempDir,
}

impl Fixture {
    async fn start() -> Option<Self> {
        let moto = Moto::start().await.expect("the emulator serves")?;
        let env = TestEnv::start(partner_config(2, 1), CredentialKind::Partner).await.expect("a simulator");
        let fixture = Self { env, moto, home: tempfile::tempdir().expect("a folder") };
        let init = fixture.run(&["config", "init", "--secret", &format!("aws:{NAME}")]).await;
        assert!(init.status.success(), "{}", text(&init));
        Some(fixture)
    }

    /// The credential as the functions store it.
    fn value(&self, secret: &str) -> Value {
        let credential = self.env.credential();
        json!({
            "client_id": credential.client_id,
            "client_secret": secret,
            "role": "read_only",
            "expires_at": "2029-11-01T00:00:00Z",
        })
    }

    async fn put(&self, secret: &str) {
        let (secrets, value) = (self.moto.secrets(), self.value(secret).to_string());
        let put = secrets.put_secret_value().secret_id(NAME).secret_string(value.clone()).send().await;
        if put.is_err() {
            secrets.create_secret().name(NAME).secret_string(value).send().await.expect("a secret");
        }
    }

    async fn run(&self, arguments: &[&str]) -> Output {
        let home: &Path = self.home.path();
        let output = Command::new(program("sophos"))
            .args(arguments)
            .env_clear()
            .env("HOME", home)
            .env("SOPHOS_IDENTITY_URL", self.env.simulator.identity_url())
            .env("SOPHOS_GLOBAL_URL", self.env.simulator.global_url())
            .env("SOPHOS_FUSION_URL", self.env.simulator.fusion_url())
            .env("SOPHOS_RATE_LIMIT", "unlimited")
            .env("AWS_ENDPOINT_URL_SECRETS_MANAGER", self.moto.endpoint())
            .env("AWS_REGION", "eu-west-1")
            .env("AWS_ACCESS_KEY_ID", "loopback")
            .env("AWS_SECRET_ACCESS_KEY", "loopback")
            .output();
        let output = output.await.expect("the program runs");
        assert!(!text(&output).contains(&self.env.credential().client_secret), "the secret leaked");
        output
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
async fn profile_reads_a_secret_of_the_functions() {
    let Some(fixture) = Fixture::start().await else { panic!("missing EMULATOR_PYTHON") };
    let missing = fixture.run(&["tenants", "list"]).await;
    assert_eq!(missing.status.code(), Some(4), "{}", text(&missing));
    fixture.put(&fixture.env.credential().client_secret).await;
    let listed = fixture.run(&["tenants", "list", "--jq", ".id"]).await;
    assert!(listed.status.success(), "{}", text(&listed));
    assert_eq!(String::from_utf8_lossy(&listed.stdout).lines().count(), 2, "{}", text(&listed));
    let tested = fixture.run(&["config", "test", "-o", "json"]).await;
    let tested: Value = serde_json::from_slice(&tested.stdout).expect("JSON");
    assert_eq!(tested["role"], "Service Principal Read-Only", "{tested}");
    assert!(tested["expires_at"].as_str().is_some_and(|time| time.starts_with("2029-11-01")), "{tested}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
async fn credentials_are_listed_and_checked() {
    let Some(fixture) = Fixture::start().await else { panic!("missing EMULATOR_PYTHON") };
    fixture.put("another").await;
    let prefix = ["--prefix", "sophos/credentials/"];
    let listed = fixture.run(&[&["credentials", "list"], &prefix[..]].concat()).await;
    assert!(text(&listed).contains(&fixture.env.credential().client_id), "{}", text(&listed));
    let rejected = fixture.run(&[&["credentials", "check"], &prefix[..]].concat()).await;
    assert_eq!(rejected.status.code(), Some(4), "{}", text(&rejected));
    fixture.put(&fixture.env.credential().client_secret).await;
    let passed = fixture.run(&[&["credentials", "check"], &prefix[..]].concat()).await;
    assert!(passed.status.success() && text(&passed).contains("passed"), "{}", text(&passed));
}
