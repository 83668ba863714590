//! Tests of the stack, deployed with the SAM CLI, within its permissions.

use std::{collections::BTreeSet, path::PathBuf};

use end_to_end::{
    isolation::parse_decision_id,
    stack::{DeployPackages, DeployedStack, STACK_NAME, SmokeTest, TENANT},
};
use serde_json::{Value, json};
use sophos_simulator::{CredentialConfig, CredentialKind, Role};

/// The permissions that this run does not use: the role (or all), a part of the permission's
/// line, and the reason. Any other unused permission fails the test: remove it, or use it here.
const UNUSED_PERMISSIONS: [(&str, &str, &str); 4] = [
    ("ExportRole", "/_quarantine/", "for records that cannot be read, which `sophos-export` tests"),
    ("", "Log: logs:", "Lambda uses it, to keep what a function writes"),
    ("", "Trace: xray:", "Lambda's daemon uses it"),
    (
        "ExportRole",
        "DeleteUncommittedObjects: s3:DeleteObject",
        "for what a killed run has left, which `tests/export_crashes.rs` has",
    ),
];

/// The steps of a rotation.
const STEPS: [&str; 4] = ["createSecret", "setSecret", "testSecret", "finishSecret"];

/// The folder of the built functions.
fn programs() -> PathBuf {
    let program = std::env::current_exe().expect("a path");
    let folder = program.ancestors().skip(1).find(|folder| folder.join("alert-export").is_file());
    folder.expect("the functions are built; run `cargo build --workspace --bins`").to_owned()
}

fn logs(tour: &SmokeTest, function: &str) -> String {
    tour.account.logs(tour.stack.output(function).expect("a function")).join("\n")
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with an emulator of AWS: `cargo xtask test` runs it"]
async fn deployed_stack_works_within_its_permissions() {
    let Some(mut tour) = SmokeTest::start(&DeployPackages::Programs(programs())).await.expect("a stack")
    else {
        panic!("EMULATOR_PYTHON is not set")
    };
    assert_all_resources_created(&tour.stack);
    reports_missing_credential(&tour).await;

    retries_finding_without_policy(&tour).await;
    tour.store_credential().await.expect("a credential");
    tour.store_policy().await.expect("a policy");
    exports(&tour, 6).await;
    sends_unreadable_message_to_dlq(&tour).await;
    isolates(&mut tour).await;
    isolates_for_a_finding(&tour).await;
    rotates(&tour).await;
    audits_credentials(&tour, 1).await;
    let mut known = BTreeSet::new();
    assert_permissions_used(&tour, &mut known).await;
    redeploys(&mut tour, &mut known).await;
    isolates_with_a_dedicated_credential(&mut tour, &mut known).await;
    denies_actions_outside_the_role(&tour).await;
    deletes_stack(&tour).await;
}

/// The emulator implements all resources of the templates.
fn assert_all_resources_created(stack: &DeployedStack) {
    let names: Vec<_> =
        stack.resources.iter().filter(|(_, one)| !one.is_emulated).map(|(name, _)| name).collect();
    assert_eq!(names, Vec::<&String>::new());
    for kind in ["AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard", "AWS::Glue::Table", "AWS::KMS::Key"]
    {
        assert!(stack.resources_of_type(kind).count() > 0, "{kind}");
    }
}

/// Without a credential the export reports an error, and the stack stays deployed.
async fn reports_missing_credential(tour: &SmokeTest) {
    let schedule = tour.schedule_for("ExportFunction").expect("a schedule");
    let fired = tour.account.fire_schedule(schedule).await.expect("it fires");
    let told = format!("{fired:?}\n{}", logs(tour, "ExportFunction"));
    assert!(told.contains("credentials/first"), "{told}");
    // A process reads the credential again only after some seconds.
    tour.account.restart(tour.stack.output("ExportFunction").expect("a function")).await;
    // The rotation starts with its configuration, on a secret without a credential.
    let rotations = tour.account.rotations().await.expect("rotations");
    assert_eq!(rotations.len(), 1, "{rotations:?}");
    assert_eq!(rotations[0].steps, ["testSecret"]);
    assert_eq!(rotations[0].error, None);
}

/// EventBridge retries a finding three times without a policy, and the webhook keeps it.
async fn retries_finding_without_policy(tour: &SmokeTest) {
    tour.send_guardduty_finding("too-early").await.expect("a finding");
    let deliveries = tour.account.deliveries().await.expect("deliveries");
    assert_eq!((deliveries.len(), deliveries[0].attempts), (1, 3), "{deliveries:?}");
    assert!(deliveries[0].error.is_some(), "{deliveries:?}");
    let dead = tour.stack.output("FindingDeadLetterQueueUrl").expect("a queue");
    let dead = tour.account.moto().receive(dead).await.expect("they are there");
    assert!(dead.len() == 1 && dead[0].body().is_some_and(|body| body.contains("too-early")), "{dead:?}");
    // A process reads the policy again after a minute.
    tour.account.restart(tour.stack.output("WebhookFunction").expect("a function")).await;
}

async fn exports(tour: &SmokeTest, messages: usize) {
    let exported = tour.export().await.expect("an export");
    let told = || format!("{exported:?}\n{}", logs(tour, "ExportFunction"));
    assert_eq!(exported.plan.error, None, "{}", told());
    assert_eq!(exported.plan.answer["planned"], messages, "{}", told());
    let drained = &exported.drain;
    assert_eq!((drained.handled, drained.failures.len()), (messages, 0), "{}", told());
    assert_eq!(exported.defects, Vec::<String>::new());
    assert!(exported.committed.rows() > 1_000, "{}", exported.committed.rows());
}

/// An unreadable message moves to the dead-letter queue, and other messages continue.
async fn sends_unreadable_message_to_dlq(tour: &SmokeTest) {
    let sqs = tour.account.moto().sqs();
    let send = sqs.send_message().queue_url(tour.stack.output("ExportQueueUrl").expect("a queue"));
    let send = send.message_body("nonsense").message_group_id("unknown").message_deduplication_id("nonsense");
    send.send().await.expect("it is sent");
    let queue = tour.queue_arn("ExportQueueUrl").expect("a queue");
    let drained = tour.account.drain(&tour.stack, &queue).await.expect("it is worked off");
    assert_eq!((drained.handled, drained.failures.len()), (1, 0), "{drained:?}");
    let dead = tour.stack.output("ExportDeadLetterQueueUrl").expect("a queue");
    let dead = tour.account.moto().receive(dead).await.expect("it is there");
    assert_eq!(dead.iter().filter_map(|message| message.body()).collect::<Vec<_>>(), ["nonsense"]);
}

async fn isolates(tour: &mut SmokeTest) {
    let key = tour.run_output_command("ShowFirstWebhookSecretCommand", None).await.expect("a key");
    let dry = tour.dry_run("LAPTOP-4711", &key).await.expect("an answer");
    assert_eq!(dry["check"]["signals"][0]["outcome"], "isolate", "{dry}");
    let (status, answer) = tour.send_report("case-1", "LAPTOP-4711", &key).await.expect("an answer");
    assert_eq!(status, 202, "{answer}\n{}", logs(tour, "WebhookFunction"));
    let laptop = parse_decision_id(&answer).expect("a decision");
    let (status, _) = tour.send_report("case-1", "LAPTOP-4711", &key).await.expect("an answer");
    assert_eq!(status, 200, "the same again is one decision");
    let (status, _) =
        tour.send_report("case-2", "LAPTOP-4711", "a guessed key").await.expect("an answer");
    assert_eq!(status, 401);
    assert_eq!(tour.send_report_without_event_id(&key).await.expect("an answer"), 422);
    let (status, answer) = tour.send_report("case-3", "DC01", &key).await.expect("an answer");
    assert_eq!(status, 202, "{answer}");
    let server = parse_decision_id(&answer).expect("a decision");
    let (status, answer) = tour.send_report("case-4", "CEO-1", &key).await.expect("an answer");
    assert_eq!(status, 202, "{answer}");
    let chief = parse_decision_id(&answer).expect("a decision");

    let statuses = tour.replay("UNKNOWN", &key).await.expect("answers");
    assert!(statuses[0] == 202 && statuses[1] >= 400, "{statuses:?}");

    let drained = tour.drain_isolation_queue().await.expect("the worker works");
    // A delivery that was repeated before the worker handled it is another message.
    assert_eq!(
        (drained.handled, drained.failures.len()),
        (5, 0),
        "{drained:?}\n{}",
        logs(tour, "WorkerFunction")
    );
    assert_eq!(tour.state(&server.to_string()).await.expect("a decision"), "refused");
    assert_eq!(tour.state(&chief.to_string()).await.expect("a decision"), "pending_approval");
    tour.approve_by_link(&chief).await.expect("an approval");
    let drained = tour.drain_isolation_queue().await.expect("the worker works");
    assert_eq!((drained.handled, drained.failures.len()), (1, 0), "{drained:?}");
    for id in [laptop.to_string(), chief.to_string()] {
        wait_for_state(tour, &id, "released").await;
    }
    let changes = tour.simulator.isolation_changes();
    let isolated = changes.iter().filter(|change| change.enabled && change.changed).count();
    let released = changes.iter().filter(|change| !change.enabled && change.changed).count();
    assert_eq!((isolated, released), (2, 2), "{changes:?}");
}

async fn isolates_for_a_finding(tour: &SmokeTest) {
    tour.send_guardduty_finding("6acdc15e4418414a868e8bbdf45b456b").await.expect("a finding");
    let deliveries = tour.account.deliveries().await.expect("deliveries");
    let last = deliveries.last().expect("a delivery");
    assert_eq!((deliveries.len(), last.attempts, &last.error), (2, 1, &None), "{deliveries:?}");
    let drained = tour.drain_isolation_queue().await.expect("the worker works");
    assert_eq!((drained.handled, drained.failures.len()), (1, 0), "{drained:?}");
    let id = parse_decision_id(&last.answer).expect("a decision").to_string();
    wait_for_state(tour, &id, "released").await;
}

async fn rotates(tour: &SmokeTest) {
    let before = tour.rotate().await.expect_err("nothing is staged").to_string();
    assert!(before.contains("createSecret"), "{before}");
    let next = tour.stage_credential().await.expect("a credential");
    let steps = tour.rotate().await.expect("a rotation");
    assert_eq!(steps, STEPS);
    let secret = tour.stack.output("FirstCredentialSecret").expect("a secret");
    let value =
        tour.account.moto().secrets().get_secret_value().secret_id(secret).send().await.expect("a value");
    let value: Value = serde_json::from_str(value.secret_string().expect("text")).expect("JSON");
    assert_eq!(value["client_id"], json!(next.client_id));
    // A process with the old credential finds the new one.
    assert!(tour.simulator.remove_credential(&tour.credential.client_id));
    exports(tour, 6).await;
}

async fn audits_credentials(tour: &SmokeTest, credentials: usize) {
    let fired = tour.account.fire_schedule(tour.schedule_for("RotationFunction").expect("a schedule")).await;
    let fired = fired.expect("it fires");
    assert_eq!(fired.error, None, "{fired:?}\n{}", logs(tour, "RotationFunction"));
    assert_eq!(fired.answer["credentials"].as_array().map(Vec::len), Some(credentials), "{fired:?}");
}

/// A redeployment takes effect without loss: the webhook logs only errors, one dataset is
/// exported, and credentials are found by a tag, with any names.
async fn redeploys(tour: &mut SmokeTest, known: &mut BTreeSet<String>) {
    let before = tour.stack.clone();
    let key = tour.run_output_command("ShowFirstWebhookSecretCommand", None).await.expect("a key");
    let first = isolates_for_a_report(tour, "case-5", &key).await;
    assert!(logs(tour, "WebhookFunction").contains(&first), "the webhook writes of it");

    let parameters = [("CredentialsTagValue", "harbour"), ("Datasets", "events"), ("LogLevel", "error")];
    tour.redeploy(&parameters).await.expect("another deployment");
    for output in ["BucketName", "FirstCredentialSecret", "ExportFunction", "WebhookBaseUrl"] {
        assert_eq!(before.output(output).expect(output), tour.stack.output(output).expect(output));
    }
    let other = CredentialConfig::new(CredentialKind::Partner, Role::SuperAdmin);
    tour.store_credential_as(other, "sophos/credentials/other", Some("quay"))
        .await
        .expect("one that is not found");
    let own = CredentialConfig::for_tenant(TENANT, Role::SuperAdmin);
    let own = tour.store_credential_as(own, "elsewhere/tenant", Some("harbour")).await.expect("one that is");

    exports(tour, 3).await;
    let second = isolates_for_a_report(tour, "case-6", &key).await;
    assert!(!logs(tour, "WebhookFunction").contains(&second), "the webhook of the first deployment");
    assert_eq!(last_isolated_by(tour), own.client_id, "the one that the tenant has for itself");
    tour.stage_credential().await.expect("a credential");
    assert_eq!(tour.rotate().await.expect("a rotation"), STEPS);
    audits_credentials(tour, 2).await;
    let new = assert_permissions_used(tour, known).await;
    let new: Vec<_> = new.iter().map(String::as_str).collect();
    let [note, rotate] = ["RotationRole: TagLastUse", "RotationRole: Rotate"];
    assert_eq!(new, ["ExportRole: ReadCredentials", note, rotate, "WorkerRole: ReadCredential"]);
}

/// Isolation reads its dedicated credential by its name, and no other one.
async fn isolates_with_a_dedicated_credential(tour: &mut SmokeTest, known: &mut BTreeSet<String>) {
    let parameter = ("IsolationCredential", "elsewhere/isolation");
    tour.redeploy(&[parameter]).await.expect("another deployment");
    let own = CredentialConfig::new(CredentialKind::Partner, Role::SuperAdmin);
    let own = tour.store_credential_as(own, "elsewhere/isolation", None).await.expect("a credential");
    let key = tour.run_output_command("ShowFirstWebhookSecretCommand", None).await.expect("a key");
    isolates_for_a_report(tour, "case-7", &key).await;
    assert_eq!(last_isolated_by(tour), own.client_id);
    assert_eq!(
        assert_permissions_used(tour, known).await,
        BTreeSet::from(["WorkerRole: ReadCredential".to_owned()])
    );
}

fn last_isolated_by(tour: &SmokeTest) -> String {
    let changes = tour.simulator.isolation_changes();
    let last = changes.into_iter().rfind(|change| change.enabled && change.changed);
    last.expect("an isolation").requested_by
}

/// Sends a report, waits for the end of its decision, and returns its id.
async fn isolates_for_a_report(tour: &mut SmokeTest, event: &str, key: &str) -> String {
    let (status, answer) = tour.send_report(event, "LAPTOP-4711", key).await.expect("an answer");
    assert_eq!(status, 202, "{answer}\n{}", logs(tour, "WebhookFunction"));
    let id = parse_decision_id(&answer).expect("a decision").to_string();
    let drained = tour.drain_isolation_queue().await.expect("the worker works");
    assert_eq!((drained.handled, drained.failures.len()), (1, 0), "{drained:?}");
    wait_for_state(tour, &id, "released").await;
    id
}

async fn wait_for_state(tour: &SmokeTest, decision: &str, wanted: &str) {
    let state = tour.wait_until_ended(decision).await.expect("it ends");
    assert_eq!(state, wanted, "{}", logs(tour, "WorkerFunction"));
}

/// No role requested anything outside its permissions, and all permissions were needed.
/// Statements in `known` were checked before. Returns the checked statements.
async fn assert_permissions_used(tour: &SmokeTest, known: &mut BTreeSet<String>) -> BTreeSet<String> {
    let access = tour.account.access().await.expect("the access report");
    let (mut refused, mut unused, mut new) = (Vec::new(), Vec::new(), BTreeSet::new());
    for (name, role) in tour.stack.resources_of_type("AWS::IAM::Role") {
        let of = access.role(&role.physical_id);
        assert!(!of.allowed.is_empty(), "{name} was not at work");
        println!("{name}: {} calls", of.allowed.iter().map(|asked| asked.count).sum::<u64>());
        refused.extend(of.denied.iter().map(|asked| format!("{name}: {asked}")));
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
async fn denies_actions_outside_the_role(tour: &SmokeTest) {
    let role = &tour.stack.resource("ExportRole").expect("a role").physical_id;
    let sqs = tour.account.sqs_for_role(role).await.expect("keys");
    for (output, allowed) in [("ExportQueueUrl", true), ("IsolationQueueUrl", false)] {
        let url = tour.stack.output(output).expect("a queue");
        let sent = sqs.send_message().queue_url(url).message_group_id("x").message_deduplication_id("x");
        let sent = sent.message_body("{}").send().await;
        assert_eq!(sent.is_ok(), allowed, "{output}: {sent:?}");
    }
    let refused = tour.account.access().await.expect("the access report").role(role).denied;
    let refused: Vec<_> = refused.iter().map(|asked| asked.action.as_str()).collect();
    assert_eq!(refused, ["sqs:SendMessage"]);
}

/// Deleting a stack keeps the retained resources.
async fn deletes_stack(tour: &SmokeTest) {
    let bucket = tour.stack.output("BucketName").expect("a bucket");
    tour.account.delete_stack(STACK_NAME).await.expect("a deletion");
    assert!(tour.account.stack(STACK_NAME).await.is_err(), "the stack is deleted");
    assert!(tour.account.object(bucket, "policy/policy.toml").await.is_ok(), "the bucket stays");
}
