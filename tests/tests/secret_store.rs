//! Tests of the library that reads credentials from Secrets Manager, against the emulator.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use aws_sdk_secretsmanager::{Client, types::Tag};
use end_to_end::moto::Moto;
use serde_json::json;
use sophos_secrets::{CredentialStore, RequestedVersion, SecretSelector, SecretsManagerCredentials};

struct Fixture {
    moto: Moto,
    client: Client,
    seconds: Arc<AtomicU64>,
}

impl Fixture {
    async fn start() -> Option<Self> {
        let moto = Moto::start().await.expect("the emulator serves")?;
        Some(Self { client: moto.secrets(), moto, seconds: Arc::default() })
    }

    fn store(&self, selection: SecretSelector) -> SecretsManagerCredentials {
        self.store_with_ttl(selection, Duration::from_secs(300))
    }

    fn store_with_ttl(&self, selection: SecretSelector, time_to_live: Duration) -> SecretsManagerCredentials {
        let seconds = Arc::clone(&self.seconds);
        let clock = move || Duration::from_secs(seconds.load(Ordering::Relaxed));
        SecretsManagerCredentials::new(self.client.clone(), selection, time_to_live, clock)
    }

    async fn create(&self, name: &str, tag: Option<(&str, &str)>) {
        let create = self.client.create_secret().name(name).secret_string(value(name));
        let tags = tag.map(|(key, value)| vec![Tag::builder().key(key).value(value).build()]);
        create.set_tags(tags).send().await.expect("a secret");
    }

    /// The requests since the last call: list, batch, single.
    async fn requests(&self) -> [u64; 3] {
        let calls = self.moto.calls().await.expect("counts");
        self.moto.reset_calls().await.expect("counts");
        ["ListSecrets", "BatchGetSecretValue", "GetSecretValue"]
            .map(|name| calls.get(&format!("secretsmanager.{name}")).copied().unwrap_or_default())
    }

    fn advance_clock(&self, seconds: u64) {
        self.seconds.fetch_add(seconds, Ordering::Relaxed);
    }
}

fn value(client_id: &str) -> String {
    json!({ "client_id": client_id, "client_secret": "hush-hush" }).to_string()
}

async fn names(store: &SecretsManagerCredentials) -> Vec<(String, bool)> {
    let listed = store.list().await.expect("a list");
    listed.into_iter().map(|one| (one.name, one.credential.is_ok())).collect()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
async fn refresh_fetches_only_changed_secrets() {
    let Some(fixture) = Fixture::start().await else { panic!("missing EMULATOR_PYTHON") };
    for number in 0..45 {
        fixture.create(&format!("sophos/{number:02}"), None).await;
    }
    fixture.create("sophosother", None).await;
    let store = fixture.store(SecretSelector::Prefix("sophos/".into()));
    fixture.requests().await;
    assert_eq!(names(&store).await.len(), 45);
    assert_eq!(fixture.requests().await, [1, 3, 0]);
    names(&store).await;
    store.load("sophos/07", RequestedVersion::Cached).await.expect("a credential");
    assert_eq!(fixture.requests().await, [0, 0, 0], "all is known");

    fixture.advance_clock(301);
    names(&store).await;
    assert_eq!(fixture.requests().await, [1, 0, 0], "nothing has changed");

    let put = fixture.client.put_secret_value().secret_id("sophos/07").secret_string(value("another"));
    put.send().await.expect("a version");
    let delete = fixture.client.delete_secret().secret_id("sophos/08").force_delete_without_recovery(true);
    delete.send().await.expect("it is gone");
    fixture.advance_clock(301);
    fixture.requests().await;
    assert_eq!(names(&store).await.len(), 44);
    assert_eq!(fixture.requests().await, [1, 1, 0], "one has changed");
    let read =
        store.load("sophos/07", RequestedVersion::Cached).await.expect("no failure").expect("a credential");
    assert_eq!(read.credentials.client_id(), "another");
    let previous =
        store.load("sophos/07", RequestedVersion::Previous).await.expect("no failure").expect("a credential");
    assert_eq!(previous.credentials.client_id(), "sophos/07");
    assert!(store.load("sophos/08", RequestedVersion::Fresh).await.expect("no failure").is_none());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
async fn concurrent_callers_share_one_request() {
    let Some(fixture) = Fixture::start().await else { panic!("missing EMULATOR_PYTHON") };
    fixture.create("acme", None).await;
    let store = Arc::new(fixture.store(SecretSelector::Id("acme".into())));
    for (version, most) in
        [(RequestedVersion::Cached, 1), (RequestedVersion::Cached, 0), (RequestedVersion::Fresh, 2)]
    {
        fixture.requests().await;
        let reads = (0..50).map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.load("acme", version).await.map(|read| read.is_some()) })
        });
        for read in futures_util::future::join_all(reads).await {
            assert_eq!(read.expect("a task"), Ok(true));
        }
        let [list, batch, single] = fixture.requests().await;
        // A read may already be in progress when a caller requests a fresh one.
        assert!(list + batch == 0 && single <= most, "{single} for {version:?}");
        assert!(most == 0 || single > 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
async fn uncached_secrets_are_still_listed() {
    let Some(fixture) = Fixture::start().await else { panic!("missing EMULATOR_PYTHON") };
    fixture.create("acme", None).await;
    let store = fixture.store_with_ttl(SecretSelector::Prefix("ac".into()), Duration::ZERO);
    assert_eq!(names(&store).await, [("acme".to_owned(), true)]);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
async fn tag_match_is_case_sensitive() {
    let Some(fixture) = Fixture::start().await else { panic!("missing EMULATOR_PYTHON") };
    fixture.create("ours", Some(("sophos", "credential"))).await;
    fixture.create("longer", Some(("sophos", "credentials"))).await;
    fixture.create("other-key", Some(("sophos-old", "credential"))).await;
    fixture.create("none", None).await;
    let store = fixture.store(SecretSelector::Tag { key: "sophos".into(), value: "credential".into() });
    assert_eq!(names(&store).await, [("ours".to_owned(), true)]);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
async fn binary_and_missing_secrets_are_reported_by_name() {
    let Some(fixture) = Fixture::start().await else { panic!("missing EMULATOR_PYTHON") };
    let binary = aws_sdk_secretsmanager::primitives::Blob::new(b"hush-hush".to_vec());
    fixture.client.create_secret().name("binary").secret_binary(binary).send().await.expect("a secret");
    for (id, expected) in [("binary", "store it as text"), ("absent", "does not exist")] {
        let listed = fixture.store(SecretSelector::Id(id.into())).list().await.expect("a list");
        let error = listed[0].credential.as_ref().expect_err(expected).to_string();
        assert!(error.contains(expected) && error.contains(id) && !error.contains("hush"), "{error}");
    }
}
