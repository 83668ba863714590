//! Tests of the stack, deployed with the SAM CLI, within its permissions.

use std::{collections::BTreeSet, path::PathBuf};

use end_to_end::{
    isolation::parse_decision_id,
    stack::{DeployPackages, DeployedStack, STACK_NAME, SmokeTest, TENANT},
};
use serde_json::{Value, json};
use sophos_export::Dataset;
use sophos_simulator::{CredentialConfig, CredentialKind, Role};

/// The permissions that this run does not use: the role (or all), a part of the permission's
/// line, and the reason. Any other unused permission fails the test: remove it, or use it here.
const UNUSED_PERMISSIONS: [(&str, &str, &str); 8] = [
    ("ExportRole", "ReadSnapshots: s3:GetObject", "for the second snapshot, which `sophos-export` tests"),
    ("ExportRole", "/endpoint_changes/", "for the second snapshot, which `sophos-export` tests"),
    ("ExportRole", "/_quarantine/", "for records that cannot be read, which `sophos-export` tests"),
    ("ExportRole", "/isolation/arrivals/", "the export lists it, and its objects are empty"),
    ("ExportRole", "/isolation/received/", "for decisions that the worker has not begun"),
    ("", "Log: logs:", "Lambda uses it, to keep what a function writes"),
    ("", "Trace: xray:", "Lambda's daemon uses it"),
    (
        "ExportRole",
        "DeleteUncommittedObjects: s3:DeleteObject",
        "for what a killed run has left, which `tests/export_crashes.rs` has",
    ),
];

/// The messages of a plan for all datasets: 13 of each of 3 tenants, the audit log of the
/// partner, and the ledger. The next plan has no snapshots and no changes between them.
const ALL_MESSAGES: usize = 3 * 13 + 2;
const FEED_AND_LOG_MESSAGES: usize = 3 * 5 + 2;

/// The datasets that the lake has.
const LAKE_DATASETS: [Dataset; 4] =
    [Dataset::Events, Dataset::Alerts, Dataset::Endpoints, Dataset::Isolations];

/// The steps of a rotation.
const STEPS: [&str; 4] = ["createSecret", "setSecret", "testSecret", "finishSecret"];

/// The folder of the built functions.
fn programs() -> PathBuf {
    let program = std::env::current_exe().expect("a path");
    let folder = program.ancestors().skip(1).find(|folder| folder.join("alert-export").is_file());
    folder.expect("the functions are built; run `cargo build --workspace --bins`").to_owned()
}

fn logs(smoke_test: &SmokeTest, function: &str) -> String {
    let function = smoke_test.stack.resource(function).expect("a function");
    smoke_test.account.logs(&function.physical_id).join("\n")
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
async fn deployed_stack_works_within_its_permissions() {
    let started = SmokeTest::start(&DeployPackages::Programs(programs())).await;
    let Some(mut smoke_test) = started.expect("a stack") else { panic!("missing EMULATOR_PYTHON") };
    assert_all_resources_created(&smoke_test.stack);
    reports_missing_credential(&smoke_test).await;

    retries_finding_without_policy(&smoke_test).await;
    smoke_test.store_credential().await.expect("a credential");
    smoke_test.store_policy().await.expect("a policy");
    exports(&smoke_test, ALL_MESSAGES).await;
    announces_committed_objects(&smoke_test).await;
    sends_unreadable_message_to_dlq(&smoke_test).await;
    isolates(&mut smoke_test).await;
    isolates_for_a_finding(&smoke_test).await;
    writes_the_lake(&smoke_test).await;
    rotates(&smoke_test).await;
    audits_credentials(&smoke_test, 1).await;
    let mut known = BTreeSet::new();
    assert_permissions_used(&smoke_test, &mut known).await;
    redeploys(&mut smoke_test, &mut known).await;
    isolates_with_a_dedicated_credential(&mut smoke_test, &mut known).await;
    denies_actions_outside_the_role(&smoke_test).await;
    deletes_stack(&smoke_test).await;
}

/// A stack without notices, with a bucket and a key that exist before it.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
async fn deployed_stack_uses_an_existing_bucket_and_key() {
    const BUCKET: &str = "acme-siem";
    let packages = DeployPackages::Programs(programs());
    let mut key = String::new();
    let started = SmokeTest::start_with(&packages, async |account| {
        key = account.moto().create_key().await?;
        account.moto().create_bucket(BUCKET, Some(&key)).await?;
        let disabled = ["Notices", "NoticeQueue", "NoticeTopic"].map(|name| (name, "DISABLED".to_owned()));
        let own = [("ExistingBucket", BUCKET.into()), ("KmsKeyArn", key.clone())];
        Ok(disabled.into_iter().chain(own).collect())
    });
    let Some(mut smoke_test) = started.await.expect("a stack") else { panic!("missing EMULATOR_PYTHON") };
    assert_resources_emulated(&smoke_test.stack);
    assert_eq!(smoke_test.stack.output("BucketName").expect("a bucket"), BUCKET);
    assert_eq!(smoke_test.stack.output("KeyArn").expect("a key"), key);
    let created: Vec<_> =
        smoke_test.stack.resources_of_type("AWS::S3::Bucket").map(|(name, _)| name).collect();
    assert_eq!(created, ["RateLimitBucket"]);
    assert_eq!(smoke_test.stack.resources_of_type("AWS::KMS::Key").count(), 0);

    smoke_test.store_credential().await.expect("a credential");
    smoke_test.store_policy().await.expect("a policy");
    exports(&smoke_test, 6).await;
    sends_unreadable_message_to_dlq(&smoke_test).await;
    let sender = smoke_test.run_output_command("ShowFirstWebhookSecretCommand", None).await.expect("a key");
    isolates_for_a_report(&mut smoke_test, "case-1", &sender).await;
    let access = smoke_test.account.access().await.expect("the access report");
    let mut used = BTreeSet::new();
    for (name, role) in smoke_test.stack.resources_of_type("AWS::IAM::Role") {
        let of = access.role(&role.physical_id);
        let denied: Vec<_> = of.denied.iter().map(ToString::to_string).collect();
        assert_eq!(denied, Vec::<String>::new(), "{name}");
        let key_uses = of.permissions.iter().filter(|right| right.used && right.to_string().contains("kms:"));
        used.extend(key_uses.map(|right| format!("{name}: {}", right.statement)));
    }
    let used: Vec<_> = used.iter().map(String::as_str).filter(|line| !line.contains("Secrets")).collect();
    let expected = ["ExportRole", "WebhookRole", "WorkerRole"]
        .into_iter()
        .flat_map(|role| [format!("{role}: UseKeyForObjects"), format!("{role}: UseKeyForQueues")]);
    assert_eq!(used, expected.collect::<Vec<_>>());
}

/// The emulator implements all resources of the templates.
fn assert_resources_emulated(stack: &DeployedStack) {
    let names: Vec<_> =
        stack.resources.iter().filter(|(_, one)| !one.is_emulated).map(|(name, _)| name).collect();
    assert_eq!(names, Vec::<&String>::new());
}

fn assert_all_resources_created(stack: &DeployedStack) {
    assert_resources_emulated(stack);
    for kind in ["AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard", "AWS::Glue::Table", "AWS::KMS::Key"]
    {
        assert!(stack.resources_of_type(kind).count() > 0, "{kind}");
    }
}

/// Without a credential the export reports an error, and the stack stays deployed.
async fn reports_missing_credential(smoke_test: &SmokeTest) {
    let schedule = smoke_test.schedule_for("ExportFunction").expect("a schedule");
    let fired = smoke_test.account.fire_schedule(schedule).await.expect("it fires");
    let message = format!("{fired:?}\n{}", logs(smoke_test, "ExportFunction"));
    assert!(message.contains("credentials/first"), "{message}");
    // A process reads the credential again only after some seconds.
    smoke_test.account.restart(smoke_test.stack.output("ExportFunction").expect("a function")).await;
    // The rotation starts with its configuration, on a secret without a credential.
    let rotations = smoke_test.account.rotations().await.expect("rotations");
    assert_eq!(rotations.len(), 1, "{rotations:?}");
    assert_eq!(rotations[0].steps, ["testSecret"]);
    assert_eq!(rotations[0].error, None);
}

/// EventBridge retries a finding three times without a policy, and the webhook keeps it.
async fn retries_finding_without_policy(smoke_test: &SmokeTest) {
    smoke_test.send_guardduty_finding("too-early").await.expect("a finding");
    let deliveries = smoke_test.account.deliveries().await.expect("deliveries");
    assert_eq!((deliveries.len(), deliveries[0].attempts), (1, 3), "{deliveries:?}");
    assert!(deliveries[0].error.is_some(), "{deliveries:?}");
    let dead = smoke_test.stack.output("FindingDeadLetterQueueUrl").expect("a queue");
    let dead = smoke_test.account.moto().receive(dead).await.expect("they are there");
    assert!(dead.len() == 1 && dead[0].body().is_some_and(|body| body.contains("too-early")), "{dead:?}");
    // A process reads the policy again after a minute.
    smoke_test.account.restart(smoke_test.stack.output("WebhookFunction").expect("a function")).await;
}

async fn exports(smoke_test: &SmokeTest, messages: usize) {
    let exported = smoke_test.export().await.expect("an export");
    let message = || format!("{exported:?}\n{}", logs(smoke_test, "ExportFunction"));
    assert_eq!(exported.plan.error, None, "{}", message());
    assert_eq!(exported.plan.response["planned"], messages, "{}", message());
    let drained = &exported.drain;
    // Streams that need longer than a time slice continue in further messages.
    assert!(drained.handled >= messages && drained.failures.is_empty(), "{}", message());
    assert_eq!(exported.defects, Vec::<String>::new());
    assert!(exported.committed.rows() > 1_000, "{}", exported.committed.rows());
}

/// The queue has one event notification of S3 for each committed object.
async fn announces_committed_objects(smoke_test: &SmokeTest) {
    let account = &smoke_test.account;
    let (bucket, mut announced) = (smoke_test.stack.output("BucketName").expect("a bucket"), BTreeSet::new());
    for record in smoke_test.notices().await.expect("notices") {
        let event = (&record["eventSource"], &record["eventName"], &record["s3"]["bucket"]["name"]);
        assert_eq!(event, (&json!("aws:s3"), &json!("ObjectCreated:Put"), &json!(bucket)), "{record}");
        let object = &record["s3"]["object"];
        let key = object["key"].as_str().expect("a key");
        let key = percent_encoding::percent_decode_str(key).decode_utf8().expect("UTF-8").into_owned();
        let body = account.object(bucket, &key).await.expect("the object");
        assert_eq!(object["size"], body.len(), "{record}");
        assert!(object["eTag"].as_str().is_some_and(|tag| !tag.contains('"')), "{record}");
        announced.insert(key);
    }
    let mut committed = BTreeSet::new();
    for dataset in Dataset::ALL {
        let keys = account.keys(bucket, &format!("sophos/{dataset}/")).await.expect("a listing");
        committed.extend(keys);
    }
    assert!(!committed.is_empty());
    assert_eq!(announced, committed, "{}", logs(smoke_test, "ExportFunction"));
}

/// The lake gets each exported row of its datasets once.
async fn writes_the_lake(smoke_test: &SmokeTest) {
    exports(smoke_test, FEED_AND_LOG_MESSAGES).await;
    let first = smoke_test.write_lake().await.expect("a run");
    let message = || format!("{first:?}\n{}", logs(smoke_test, "LakeFunction"));
    assert_eq!(first.run.error, None, "{}", message());
    let exported = smoke_test.committed().await.expect("an export");
    let read: u64 = LAKE_DATASETS.iter().map(|dataset| exported.rows_of(dataset.name())).sum();
    assert_eq!(first.run.response["stored_rows"], read, "{}", message());
    assert_eq!(first.run.response["objects"], first.objects.len(), "{}", message());
    for class in ["2004", "5001", "7001"] {
        assert!(first.run.response["rows"][class].as_u64() > Some(0), "{class}: {}", message());
        let source = format!("ext/sophos-{class}/");
        assert!(first.objects.iter().any(|key| key.starts_with(&source)), "{source}: {}", message());
    }
    let second = smoke_test.write_lake().await.expect("a run");
    assert_eq!(
        (&second.run.response["stored_rows"], &second.run.response["unfinished"]),
        (&json!(0), &json!(false))
    );
    assert_eq!(second.objects, first.objects);
}

/// An unreadable message moves to the dead-letter queue, and other messages continue.
async fn sends_unreadable_message_to_dlq(smoke_test: &SmokeTest) {
    let sqs = smoke_test.account.moto().sqs();
    let send = sqs.send_message().queue_url(smoke_test.stack.output("ExportQueueUrl").expect("a queue"));
    let send = send.message_body("nonsense").message_group_id("unknown").message_deduplication_id("nonsense");
    send.send().await.expect("it is sent");
    let queue = smoke_test.queue_arn("ExportQueueUrl").expect("a queue");
    let drained = smoke_test.account.drain(&smoke_test.stack, &queue).await.expect("the queue is drained");
    assert_eq!((drained.handled, drained.failures.len()), (1, 0), "{drained:?}");
    let dead = smoke_test.stack.output("ExportDeadLetterQueueUrl").expect("a queue");
    let dead = smoke_test.account.moto().receive(dead).await.expect("it is there");
    assert_eq!(dead.iter().filter_map(|message| message.body()).collect::<Vec<_>>(), ["nonsense"]);
}

async fn isolates(smoke_test: &mut SmokeTest) {
    let key = smoke_test.run_output_command("ShowFirstWebhookSecretCommand", None).await.expect("a key");
    let dry = smoke_test.dry_run("LAPTOP-4711", &key).await.expect("a response");
    assert_eq!(dry["check"]["signals"][0]["outcome"], "isolate", "{dry}");
    let (status, response) = smoke_test.send_report("case-1", "LAPTOP-4711", &key).await.expect("a response");
    assert_eq!(status, 202, "{response}\n{}", logs(smoke_test, "WebhookFunction"));
    let laptop = parse_decision_id(&response).expect("a decision");
    let (status, _) = smoke_test.send_report("case-1", "LAPTOP-4711", &key).await.expect("a response");
    assert_eq!(status, 200, "the same again is one decision");
    let (status, _) =
        smoke_test.send_report("case-2", "LAPTOP-4711", "a guessed key").await.expect("a response");
    assert_eq!(status, 401);
    assert_eq!(smoke_test.send_report_without_event_id(&key).await.expect("a response"), 422);
    let (status, response) = smoke_test.send_report("case-3", "DC01", &key).await.expect("a response");
    assert_eq!(status, 202, "{response}");
    let server = parse_decision_id(&response).expect("a decision");
    let (status, response) = smoke_test.send_report("case-4", "CEO-1", &key).await.expect("a response");
    assert_eq!(status, 202, "{response}");
    let chief = parse_decision_id(&response).expect("a decision");

    let statuses = smoke_test.replay("MISSING-PC", &key).await.expect("responses");
    assert!(statuses[0] == 202 && statuses[1] >= 400, "{statuses:?}");

    let drained = smoke_test.drain_isolation_queue().await.expect("the worker works");
    // A delivery that was repeated before the worker handled it is another message.
    assert_eq!(
        (drained.handled, drained.failures.len()),
        (5, 0),
        "{drained:?}\n{}",
        logs(smoke_test, "WorkerFunction")
    );
    assert_eq!(smoke_test.state(&server.to_string()).await.expect("a decision"), "refused");
    assert_eq!(smoke_test.state(&chief.to_string()).await.expect("a decision"), "pending_approval");
    smoke_test.approve_by_link(&chief).await.expect("an approval");
    let drained = smoke_test.drain_isolation_queue().await.expect("the worker works");
    assert_eq!((drained.handled, drained.failures.len()), (1, 0), "{drained:?}");
    for id in [laptop.to_string(), chief.to_string()] {
        wait_for_state(smoke_test, &id, "released").await;
    }
    let changes = smoke_test.simulator.isolation_changes();
    let isolated = changes.iter().filter(|change| change.enabled && change.changed).count();
    let released = changes.iter().filter(|change| !change.enabled && change.changed).count();
    assert_eq!((isolated, released), (2, 2), "{changes:?}");
}

async fn isolates_for_a_finding(smoke_test: &SmokeTest) {
    smoke_test.send_guardduty_finding("6acdc15e4418414a868e8bbdf45b456b").await.expect("a finding");
    let deliveries = smoke_test.account.deliveries().await.expect("deliveries");
    let last = deliveries.last().expect("a delivery");
    assert_eq!((deliveries.len(), last.attempts, &last.error), (2, 1, &None), "{deliveries:?}");
    let drained = smoke_test.drain_isolation_queue().await.expect("the worker works");
    assert_eq!((drained.handled, drained.failures.len()), (1, 0), "{drained:?}");
    let id = parse_decision_id(&last.response).expect("a decision").to_string();
    wait_for_state(smoke_test, &id, "released").await;
}

async fn rotates(smoke_test: &SmokeTest) {
    let before = smoke_test.rotate().await.expect_err("nothing is staged").to_string();
    assert!(before.contains("createSecret"), "{before}");
    let next = smoke_test.stage_credential().await.expect("a credential");
    let steps = smoke_test.rotate().await.expect("a rotation");
    assert_eq!(steps, STEPS);
    let secret = smoke_test.stack.output("FirstCredentialSecret").expect("a secret");
    let value = smoke_test
        .account
        .moto()
        .secrets()
        .get_secret_value()
        .secret_id(secret)
        .send()
        .await
        .expect("a value");
    let value: Value = serde_json::from_str(value.secret_string().expect("text")).expect("JSON");
    assert_eq!(value["client_id"], json!(next.client_id));
    // A process with the old credential finds the new one.
    assert!(smoke_test.simulator.remove_credential(&smoke_test.credential.client_id));
    exports(smoke_test, FEED_AND_LOG_MESSAGES).await;
}

async fn audits_credentials(smoke_test: &SmokeTest, credentials: usize) {
    let fired = smoke_test
        .account
        .fire_schedule(smoke_test.schedule_for("RotationFunction").expect("a schedule"))
        .await;
    let fired = fired.expect("it fires");
    assert_eq!(fired.error, None, "{fired:?}\n{}", logs(smoke_test, "RotationFunction"));
    assert_eq!(fired.response["credentials"].as_array().map(Vec::len), Some(credentials), "{fired:?}");
}

/// A redeployment takes effect without loss: the webhook logs only errors, one dataset is
/// exported, and credentials are found by a tag, with any names.
async fn redeploys(smoke_test: &mut SmokeTest, known: &mut BTreeSet<String>) {
    let before = smoke_test.stack.clone();
    let key = smoke_test.run_output_command("ShowFirstWebhookSecretCommand", None).await.expect("a key");
    let first = isolates_for_a_report(smoke_test, "case-5", &key).await;
    assert!(logs(smoke_test, "WebhookFunction").contains(&first), "the webhook writes of it");

    let parameters = [("CredentialsTagValue", "harbour"), ("Datasets", "events"), ("LogLevel", "error")];
    smoke_test.redeploy(&parameters).await.expect("another deployment");
    for output in ["BucketName", "FirstCredentialSecret", "ExportFunction", "WebhookBaseUrl"] {
        assert_eq!(before.output(output).expect(output), smoke_test.stack.output(output).expect(output));
    }
    let other = CredentialConfig::new(CredentialKind::Partner, Role::SuperAdmin);
    smoke_test
        .store_credential_as(other, "sophos/credentials/other", Some("quay"))
        .await
        .expect("one that is not found");
    let own = CredentialConfig::for_tenant(TENANT, Role::SuperAdmin);
    let own =
        smoke_test.store_credential_as(own, "elsewhere/tenant", Some("harbour")).await.expect("one that is");

    exports(smoke_test, 3).await;
    let second = isolates_for_a_report(smoke_test, "case-6", &key).await;
    assert!(!logs(smoke_test, "WebhookFunction").contains(&second), "the webhook of the first deployment");
    assert_eq!(last_isolated_by(smoke_test), own.client_id, "the one that the tenant has for itself");
    smoke_test.stage_credential().await.expect("a credential");
    assert_eq!(smoke_test.rotate().await.expect("a rotation"), STEPS);
    audits_credentials(smoke_test, 2).await;
    let new = assert_permissions_used(smoke_test, known).await;
    let new: Vec<_> = new.iter().map(String::as_str).collect();
    let [note, rotate] = ["RotationRole: TagLastUse", "RotationRole: Rotate"];
    assert_eq!(new, ["ExportRole: ReadCredentials", rotate, note, "WorkerRole: ReadCredential"]);
}

/// Isolation reads its dedicated credential by its name, and no other one.
async fn isolates_with_a_dedicated_credential(smoke_test: &mut SmokeTest, known: &mut BTreeSet<String>) {
    let parameter = ("IsolationCredential", "elsewhere/isolation");
    smoke_test.redeploy(&[parameter]).await.expect("another deployment");
    let own = CredentialConfig::new(CredentialKind::Partner, Role::SuperAdmin);
    let own = smoke_test.store_credential_as(own, "elsewhere/isolation", None).await.expect("a credential");
    let key = smoke_test.run_output_command("ShowFirstWebhookSecretCommand", None).await.expect("a key");
    isolates_for_a_report(smoke_test, "case-7", &key).await;
    assert_eq!(last_isolated_by(smoke_test), own.client_id);
    assert_eq!(
        assert_permissions_used(smoke_test, known).await,
        BTreeSet::from(["WorkerRole: ReadCredential".to_owned()])
    );
}

fn last_isolated_by(smoke_test: &SmokeTest) -> String {
    let changes = smoke_test.simulator.isolation_changes();
    let last = changes.into_iter().rfind(|change| change.enabled && change.changed);
    last.expect("an isolation").requested_by
}

/// Sends a report, waits for the end of its decision, and returns its id.
async fn isolates_for_a_report(smoke_test: &mut SmokeTest, event: &str, key: &str) -> String {
    let (status, response) = smoke_test.send_report(event, "LAPTOP-4711", key).await.expect("a response");
    assert_eq!(status, 202, "{response}\n{}", logs(smoke_test, "WebhookFunction"));
    let id = parse_decision_id(&response).expect("a decision").to_string();
    let drained = smoke_test.drain_isolation_queue().await.expect("the worker works");
    assert_eq!((drained.handled, drained.failures.len()), (1, 0), "{drained:?}");
    wait_for_state(smoke_test, &id, "released").await;
    id
}

async fn wait_for_state(smoke_test: &SmokeTest, decision: &str, wanted: &str) {
    let state = smoke_test.wait_until_ended(decision).await.expect("it ends");
    assert_eq!(state, wanted, "{}", logs(smoke_test, "WorkerFunction"));
}

/// No role requested anything outside its permissions, and all permissions were needed.
/// Statements in `known` were checked before. Returns the checked statements.
async fn assert_permissions_used(smoke_test: &SmokeTest, known: &mut BTreeSet<String>) -> BTreeSet<String> {
    let access = smoke_test.account.access().await.expect("the access report");
    let (mut refused, mut unused, mut new) = (Vec::new(), Vec::new(), BTreeSet::new());
    for (name, role) in smoke_test.stack.resources_of_type("AWS::IAM::Role") {
        let of = access.role(&role.physical_id);
        assert!(!of.allowed.is_empty(), "{name} made no requests");
        println!("{name}: {} calls", of.allowed.iter().map(|access| access.count).sum::<u64>());
        refused.extend(of.denied.iter().map(|access| format!("{name}: {access}")));
        for right in of.permissions.iter().filter(|right| right.allows) {
            let line = format!("{name}: {right}");
            if !known.insert(line.clone()) {
                continue;
            }
            new.insert(format!("{name}: {}", right.statement));
            let mut excused = UNUSED_PERMISSIONS.iter().filter(|(role, ..)| role.is_empty() || *role == name);
            match excused.find(|(_, part, _)| line.contains(part)) {
                _ if right.used => {}
                Some((_, _, why)) => println!("  not used: {right}: {why}"),
                None => unused.push(line),
            }
        }
    }
    assert_eq!(refused, Vec::<String>::new(), "requests outside of the role");
    assert_eq!(unused, Vec::<String>::new(), "unused permissions");
    new
}

/// The emulator enforces policies: it denies other actions and reports them.
async fn denies_actions_outside_the_role(smoke_test: &SmokeTest) {
    let role = &smoke_test.stack.resource("ExportRole").expect("a role").physical_id;
    let sqs = smoke_test.account.sqs_for_role(role).await.expect("keys");
    for (output, allowed) in [("ExportQueueUrl", true), ("IsolationQueueUrl", false)] {
        let url = smoke_test.stack.output(output).expect("a queue");
        let sent = sqs.send_message().queue_url(url).message_group_id("x").message_deduplication_id("x");
        let sent = sent.message_body("{}").send().await;
        assert_eq!(sent.is_ok(), allowed, "{output}: {sent:?}");
    }
    let refused = smoke_test.account.access().await.expect("the access report").role(role).denied;
    let refused: Vec<_> = refused.iter().map(|access| access.action.as_str()).collect();
    assert_eq!(refused, ["sqs:SendMessage"]);
}

/// Deleting a stack keeps the retained resources.
async fn deletes_stack(smoke_test: &SmokeTest) {
    let bucket = smoke_test.stack.output("BucketName").expect("a bucket");
    smoke_test.account.delete_stack(STACK_NAME).await.expect("a deletion");
    assert!(smoke_test.account.stack(STACK_NAME).await.is_err(), "the stack is deleted");
    assert!(smoke_test.account.object(bucket, "policy/policy.toml").await.is_ok(), "the bucket stays");
}
