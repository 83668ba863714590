//! Tests of the emulator's Secrets Manager where the functions rely on it.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use aws_sdk_secretsmanager::{
    Client,
    error::ProvideErrorMetadata,
    primitives::DateTime,
    types::{Filter, FilterNameStringType},
};
use end_to_end::{LambdaService, moto::Moto};
use serde_json::{Value, json};

const V1: &str = "11111111-1111-4111-8111-111111111111";
const V2: &str = "22222222-2222-4222-8222-222222222222";
const V3: &str = "33333333-3333-4333-8333-333333333333";

/// Starts with a secret `s` and a first value, if the emulator is installed.
async fn started() -> Option<(Moto, Client)> {
    let moto = Moto::start().await.expect("the emulator serves")?;
    let secrets = moto.secrets();
    let create = secrets.create_secret().name("s").secret_string("one").client_request_token(V1);
    create.send().await.expect("a secret");
    Some((moto, secrets))
}

async fn current(secrets: &Client) -> String {
    let value = secrets.get_secret_value().secret_id("s").send().await.expect("a value");
    value.secret_string.unwrap_or_default()
}

async fn put_secret_value(secrets: &Client, token: &str, value: &str, labels: &[&str]) -> Result<(), String> {
    let put = secrets.put_secret_value().secret_id("s").client_request_token(token).secret_string(value);
    let labels = (!labels.is_empty()).then(|| labels.iter().map(|label| (*label).to_owned()).collect());
    let put = put.set_version_stages(labels).send().await;
    put.map(drop).map_err(|error| error.code().unwrap_or_default().to_owned())
}

async fn move_label(
    secrets: &Client,
    label: &str,
    from: Option<&str>,
    to: Option<&str>,
) -> Result<(), String> {
    let update = secrets.update_secret_version_stage().secret_id("s").version_stage(label);
    let update = update.set_remove_from_version_id(from.map(str::to_owned));
    let update = update.set_move_to_version_id(to.map(str::to_owned)).send().await;
    update.map(drop).map_err(|error| error.code().unwrap_or_default().to_owned())
}

/// Each version with its labels, as `version label label`.
async fn versions(secrets: &Client) -> Vec<String> {
    let described = secrets.describe_secret().secret_id("s").send().await.expect("a description");
    let described = described.version_ids_to_stages.expect("versions");
    let listed = secrets.list_secrets().send().await.expect("a list").secret_list.expect("secrets").remove(0);
    assert_eq!(listed.secret_versions_to_stages.as_ref(), Some(&described));
    let mut all: Vec<_> = described
        .into_iter()
        .map(|(version, mut labels)| {
            labels.sort();
            format!("{} {}", &version[..1], labels.join(" "))
        })
        .collect();
    all.sort();
    all
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
async fn awscurrent_follows_the_staging_label() {
    let Some((_moto, secrets)) = started().await else { panic!("missing EMULATOR_PYTHON") };
    put_secret_value(&secrets, V2, "two", &["AWSPENDING"]).await.unwrap();
    assert_eq!(current(&secrets).await, "one");
    assert_eq!(
        move_label(&secrets, "AWSCURRENT", None, Some(V2)).await.unwrap_err(),
        "InvalidParameterException"
    );
    assert_eq!(
        move_label(&secrets, "AWSCURRENT", Some(V1), None).await.unwrap_err(),
        "InvalidParameterException"
    );
    move_label(&secrets, "AWSCURRENT", Some(V1), Some(V2)).await.unwrap();
    assert_eq!(current(&secrets).await, "two");
    assert_eq!(versions(&secrets).await, ["1 AWSPREVIOUS", "2 AWSCURRENT AWSPENDING"]);

    let batch =
        secrets.batch_get_secret_value().secret_id_list("s").secret_id_list("none").send().await.unwrap();
    assert_eq!(batch.secret_values()[0].secret_string(), Some("two"));
    assert_eq!(batch.errors()[0].error_code(), Some("ResourceNotFoundException"));
    let filter = Filter::builder().key(FilterNameStringType::Name).values("s").build();
    let batch = secrets.batch_get_secret_value().filters(filter).send().await.unwrap();
    assert_eq!(batch.secret_values()[0].secret_string(), Some("two"));

    // And back: a version that is current again loses the label of the previous one.
    move_label(&secrets, "AWSCURRENT", Some(V2), Some(V1)).await.unwrap();
    assert_eq!(current(&secrets).await, "one");
    assert_eq!(versions(&secrets).await, ["1 AWSCURRENT", "2 AWSPENDING AWSPREVIOUS"]);
    let get = secrets.get_secret_value().secret_id("s");
    assert_eq!(get.clone().version_id(V2).send().await.unwrap().secret_string(), Some("two"));
    assert_eq!(get.clone().version_stage("AWSPREVIOUS").send().await.unwrap().secret_string(), Some("two"));
    let error = get.version_stage("none").send().await.unwrap_err().into_service_error();
    assert!(error.is_resource_not_found_exception(), "{error:?}");
    assert!(error.message().unwrap().contains("staging label: none"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
async fn batch_holds_twenty_values_and_skips_empty_secrets() {
    let Some((_moto, secrets)) = started().await else { panic!("missing EMULATOR_PYTHON") };
    for number in 0..24 {
        let create = secrets.create_secret().name(format!("s{number}"));
        // A version without a value.
        create.set_secret_string((number > 0).then(|| "x".to_owned())).send().await.unwrap();
    }
    secrets.delete_secret().secret_id("s1").send().await.unwrap();
    let filter = Filter::builder().key(FilterNameStringType::Name).values("s").build();
    let mut pages = Vec::new();
    let mut batches = secrets.batch_get_secret_value().filters(filter.clone()).into_paginator().send();
    while let Some(page) = batches.next().await {
        let page = page.unwrap();
        assert_eq!(page.errors().len(), 0);
        pages.push(page.secret_values().len());
    }
    assert_eq!(pages, [20, 3]);
    let ids = |number: usize| Some((0..number).map(|_| "s".to_owned()).collect());
    assert!(secrets.batch_get_secret_value().set_secret_id_list(ids(20)).send().await.is_ok());
    assert!(secrets.batch_get_secret_value().set_secret_id_list(ids(21)).send().await.is_err());
    let many = secrets.batch_get_secret_value().filters(filter).max_results(21);
    assert!(many.send().await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
async fn secret_version_is_immutable() {
    let Some((_moto, secrets)) = started().await else { panic!("missing EMULATOR_PYTHON") };
    for labels in [&["AWSPENDING"][..], &[]] {
        let token = if labels.is_empty() { V3 } else { V2 };
        put_secret_value(&secrets, token, "two", labels).await.unwrap();
        put_secret_value(&secrets, token, "two", labels).await.unwrap();
        assert_eq!(
            put_secret_value(&secrets, token, "other", labels).await.unwrap_err(),
            "ResourceExistsException"
        );
        let value = secrets.get_secret_value().secret_id("s").version_id(token).send().await.unwrap();
        assert_eq!(value.secret_string(), Some("two"));
    }
    assert_eq!(versions(&secrets).await, ["1 AWSPREVIOUS", "2 AWSPENDING", "3 AWSCURRENT"]);
    // A repeated request of an older version does not make it current.
    put_secret_value(&secrets, V1, "one", &[]).await.unwrap();
    assert_eq!(current(&secrets).await, "two");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
async fn custom_staging_labels_stay_until_moved() {
    let Some((_moto, secrets)) = started().await else { panic!("missing EMULATOR_PYTHON") };
    move_label(&secrets, "blue", None, Some(V1)).await.unwrap();
    put_secret_value(&secrets, V2, "two", &["AWSCURRENT", "green"]).await.unwrap();
    assert_eq!(versions(&secrets).await, ["1 AWSPREVIOUS blue", "2 AWSCURRENT green"]);
    let blue = secrets.get_secret_value().secret_id("s").version_stage("blue").send().await.unwrap();
    assert_eq!(blue.secret_string(), Some("one"));

    assert_eq!(move_label(&secrets, "blue", None, Some(V2)).await.unwrap_err(), "InvalidParameterException");
    assert_eq!(move_label(&secrets, "blue", Some(V2), None).await.unwrap_err(), "InvalidParameterException");
    move_label(&secrets, "blue", Some(V1), Some(V2)).await.unwrap();
    assert_eq!(versions(&secrets).await, ["1 AWSPREVIOUS", "2 AWSCURRENT blue green"]);
    move_label(&secrets, "green", Some(V2), None).await.unwrap();

    // A value with a label takes the label from another version. Versions without labels are
    // not listed.
    put_secret_value(&secrets, V3, "three", &["blue"]).await.unwrap();
    assert_eq!(versions(&secrets).await, ["1 AWSPREVIOUS", "2 AWSCURRENT", "3 blue"]);
    move_label(&secrets, "blue", Some(V3), None).await.unwrap();
    assert_eq!(versions(&secrets).await, ["1 AWSPREVIOUS", "2 AWSCURRENT"]);
    let update = secrets.update_secret().secret_id("s").secret_string("four");
    update.client_request_token("4".repeat(32)).send().await.unwrap();
    assert_eq!(versions(&secrets).await, ["2 AWSPREVIOUS", "4 AWSCURRENT"]);
    assert_eq!(current(&secrets).await, "four");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
async fn secret_reports_its_last_accessed_date() {
    let Some((_moto, secrets)) = started().await else { panic!("missing EMULATOR_PYTHON") };
    let read = async || {
        let described = secrets.describe_secret().secret_id("s").send().await.unwrap();
        described.last_accessed_date.as_ref().map(DateTime::secs)
    };
    assert_eq!(read().await, None);
    current(&secrets).await;
    let day = read().await.unwrap();
    let now = jiff::Timestamp::now().as_second();
    assert_eq!(day % 86_400, 0);
    assert!((now - 86_401..=now).contains(&day), "{day}");
}

/// A rotation function that fails at a chosen step.
#[derive(Debug)]
struct RotationFixture {
    moto: Moto,
    lambda: LambdaService,
    function: String,
    events: Arc<Mutex<Vec<Value>>>,
    should_fail: Arc<AtomicBool>,
}

impl RotationFixture {
    async fn start(fails_at: &'static str) -> Option<Self> {
        let lambda = LambdaService::start().await.expect("a service");
        let moto = Moto::start_with_lambda(&lambda.endpoint()).await.expect("the emulator serves")?;
        let create = moto.secrets().create_secret().name("s").secret_string("one").client_request_token(V1);
        create.send().await.expect("a secret");
        let (secrets, events, failing) = (moto.secrets(), Arc::<Mutex<Vec<_>>>::default(), Arc::default());
        let (recorded, fails) = (Arc::clone(&events), Arc::<AtomicBool>::clone(&failing));
        let function = lambda.register_script("rotate", move |event: Value| {
            recorded.lock().expect("no panic").push(event.clone());
            let fails = fails.load(Ordering::Relaxed) && event["Step"] == fails_at;
            step(secrets.clone(), event, fails)
        });
        Some(Self { moto, lambda, function, events, should_fail: failing })
    }

    async fn rotate(&self, token: &str) -> Result<String, String> {
        let rotate = self.moto.secrets().rotate_secret().secret_id("s").client_request_token(token);
        let rotated = rotate.rotation_lambda_arn(&self.function).send().await;
        rotated.map(|rotated| rotated.version_id.unwrap_or_default()).map_err(|error| {
            format!("{}: {}", error.code().unwrap_or_default(), error.message().unwrap_or_default())
        })
    }

    /// The steps and tokens of the function's invocations.
    fn steps(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let events = self.events.lock().expect("no panic");
        events.iter().map(|event| (text(&event["Step"]), text(&event["ClientRequestToken"]))).collect()
    }
}

async fn step(secrets: Client, event: Value, fails: bool) -> Result<Value, String> {
    let text = |name: &str| event[name].as_str().unwrap_or_default();
    let (secret, token) = (text("SecretId"), text("ClientRequestToken"));
    if fails {
        return Err("as configured".to_owned());
    }
    let result = match event["Step"].as_str() {
        Some("createSecret") => {
            let pending = secrets.get_secret_value().secret_id(secret).version_id(token);
            if pending.version_stage("AWSPENDING").send().await.is_ok() {
                return Ok(Value::Null);
            }
            let put = secrets.put_secret_value().secret_id(secret).client_request_token(token);
            put.secret_string("new")
                .version_stages("AWSPENDING")
                .send()
                .await
                .map(drop)
                .map_err(|e| format!("{e:?}"))
        }
        Some("finishSecret") => {
            let update = secrets.update_secret_version_stage().secret_id(secret).version_stage("AWSCURRENT");
            let update = update.move_to_version_id(token).remove_from_version_id(V1);
            update.send().await.map(drop).map_err(|error| format!("{error:?}"))
        }
        _ => Ok(()),
    };
    result.map(|()| Value::Null)
}

const STEPS: [&str; 4] = ["createSecret", "setSecret", "testSecret", "finishSecret"];

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
async fn rotation_runs_four_steps() {
    let Some(it) = RotationFixture::start("none").await else { panic!("missing EMULATOR_PYTHON") };
    let secrets = it.moto.secrets();
    assert_eq!(it.rotate(V2).await.unwrap(), V2);
    let rotations = it.moto.rotations().await.unwrap();
    assert_eq!(it.steps(), STEPS.map(|step| (step.to_owned(), V2.to_owned())));
    let described = secrets.describe_secret().secret_id("s").send().await.unwrap();
    assert_eq!(rotations.len(), 1);
    assert_eq!((&rotations[0].steps[..], &rotations[0].error), (&STEPS.map(str::to_owned)[..], &None));
    assert_eq!((Some(rotations[0].secret.as_str()), rotations[0].token.as_str()), (described.arn(), V2));
    let event = json!({ "Step": "createSecret", "SecretId": described.arn(), "ClientRequestToken": V2 });
    assert_eq!(it.events.lock().unwrap()[0], event);
    assert_eq!(described.rotation_enabled(), Some(true));
    assert_eq!(described.rotation_lambda_arn(), Some(it.function.as_str()));
    assert!(described.last_rotated_date().is_some());
    assert_eq!(current(&secrets).await, "new");
    assert_eq!(versions(&secrets).await, ["1 AWSPREVIOUS", "2 AWSCURRENT AWSPENDING"]);

    // AWSPENDING and AWSCURRENT on one version: the rotation is complete, and its request
    // can be repeated.
    assert_eq!(it.rotate(V2).await.unwrap(), V2);
    assert_eq!(it.moto.rotations().await.unwrap().len(), 1);
    assert_eq!(it.rotate(V3).await.unwrap(), V3);
    let rotations = it.moto.rotations().await.unwrap();
    assert_eq!(rotations[1].token, V3);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
async fn rotation_stops_at_a_failed_step_and_restarts() {
    for (number, failing) in STEPS.into_iter().enumerate() {
        let Some(it) = RotationFixture::start(failing).await else { panic!("missing EMULATOR_PYTHON") };
        it.should_fail.store(true, Ordering::Relaxed);
        it.rotate(V2).await.unwrap();
        let rotations = it.moto.rotations().await.unwrap();
        assert_eq!(rotations[0].steps, STEPS[..=number]);
        assert!(rotations[0].error.as_deref().unwrap().contains("as configured"), "{rotations:?}");
        let secrets = it.moto.secrets();
        assert_eq!(current(&secrets).await, "one");
        assert_eq!(versions(&secrets).await, ["1 AWSCURRENT", "2 AWSPENDING"]);
        assert!(secrets.describe_secret().secret_id("s").send().await.unwrap().last_rotated_date.is_none());

        it.should_fail.store(false, Ordering::Relaxed);
        let error = it.rotate(V3).await.unwrap_err();
        let expected = "A previous rotation isn't complete. That rotation will be reattempted.";
        assert_eq!(error, format!("InvalidRequestException: {expected}"));
        let rotations = it.moto.rotations().await.unwrap();
        assert_eq!((rotations[1].token.as_str(), &rotations[1].error), (V2, &None));
        assert_eq!(it.steps().len(), number + 1 + 4);
        assert!(it.steps().iter().all(|(_, token)| token == V2));
        assert_eq!(versions(&secrets).await, ["1 AWSPREVIOUS", "2 AWSCURRENT AWSPENDING"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
async fn rotate_secret_returns_before_the_rotation_ends() {
    let Some(it) = RotationFixture::start("none").await else { panic!("missing EMULATOR_PYTHON") };
    let (go, going) = tokio::sync::watch::channel(false);
    let function = it.lambda.register_script("slow", move |_| {
        let mut going = going.clone();
        async move { going.wait_for(|go| *go).await.map(|_| Value::Null).map_err(|error| error.to_string()) }
    });
    let secrets = it.moto.secrets();
    let rotate = secrets.rotate_secret().secret_id("s").client_request_token(V2);
    rotate.rotation_lambda_arn(&function).send().await.unwrap();
    assert_eq!(versions(&secrets).await, ["1 AWSCURRENT", "2 AWSPENDING"]);
    go.send_replace(true);
    assert_eq!(it.moto.rotations().await.unwrap()[0].steps, STEPS);
    assert_eq!(current(&secrets).await, "one", "the label did not move");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
async fn deferred_rotation_only_tests_the_function() {
    let Some(it) = RotationFixture::start("none").await else { panic!("missing EMULATOR_PYTHON") };
    let secrets = it.moto.secrets();
    let rotate = secrets.rotate_secret().secret_id("s").client_request_token(V2).rotate_immediately(false);
    rotate.rotation_lambda_arn(&it.function).send().await.unwrap();
    assert_eq!(it.moto.rotations().await.unwrap()[0].steps, ["testSecret"]);
    assert_eq!(versions(&secrets).await, ["1 AWSCURRENT"]);
    // Secrets Manager remembers the function.
    let rotated = secrets.rotate_secret().secret_id("s").client_request_token(V3).send().await.unwrap();
    assert_eq!(rotated.version_id(), Some(V3));
    assert_eq!(it.moto.rotations().await.unwrap()[1].steps, STEPS);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
async fn rotation_requires_a_function() {
    let Some((_moto, secrets)) = started().await else { panic!("missing EMULATOR_PYTHON") };
    let rotate = || secrets.rotate_secret().secret_id("s");
    let nowhere = rotate().rotation_lambda_arn("arn:aws:lambda:eu-west-1:123456789012:function:none");
    for rotate in [rotate(), nowhere] {
        assert_eq!(rotate.send().await.unwrap_err().code(), Some("InvalidRequestException"));
    }
    assert_eq!(versions(&secrets).await, ["1 AWSCURRENT"]);

    let Some(it) = RotationFixture::start("none").await else { panic!("missing EMULATOR_PYTHON") };
    let rotate = it.moto.secrets().rotate_secret().secret_id("s").client_request_token(V2);
    let unknown = it.function.replace("rotate", "unknown");
    rotate.rotation_lambda_arn(unknown).send().await.unwrap();
    let rotations = it.moto.rotations().await.unwrap();
    assert!(rotations[0].error.as_deref().unwrap().contains("Function not found"), "{rotations:?}");
}
