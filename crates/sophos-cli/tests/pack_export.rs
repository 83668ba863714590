//! `sophos export`: run, status and verify, also after a kill and Ctrl-C.

mod pack_support;

use std::{fs, path::PathBuf, time::Duration};

use pack_support::{Running, TestEnv, committed, signal, wait_until};
use serde_json::{Value, json};
use sophos_simulator::{
    Config, CredentialConfig, CredentialKind, DataConfig, FaultAction, FaultPlan, FaultRule, Owner, Role,
    TenantGroup, TenantState,
};

/// The simulator's clock differs from this machine's once a test advances it.
const SKEW: &str = "900000h";

async fn partner(tenants: usize, events_per_hour: f64) -> TestEnv {
    TestEnv::start(Config {
        tenants: vec![TenantGroup::new(Owner::Partner, tenants)],
        credentials: vec![CredentialConfig::new(CredentialKind::Partner, Role::ReadOnly)],
        data: DataConfig { events_per_hour, alerts_per_hour: 2.0, ..DataConfig::default() },
        ..Config::default()
    })
    .await
}

/// The arguments of a run into `out`.
fn run_args(env: &TestEnv) -> Vec<String> {
    let to = env.arg("out");
    ["export", "run", "--to", &to, "--max-clock-skew", SKEW].map(str::to_owned).to_vec()
}

fn refs(args: &[String]) -> Vec<&str> {
    args.iter().map(String::as_str).collect()
}

#[tokio::test]
async fn export_runs_shows_its_state_and_is_proved() {
    let env = partner(2, 30.0).await;
    let (out, args) = (env.path("out"), run_args(&env));
    let run = env.run(&refs(&args)).await.expect(0);
    assert_eq!(run.records().len(), 4, "two datasets of two tenants");
    assert!(run.records().iter().all(|stream| stream["outcome"] == "committed"), "{run:?}");
    assert!(run.stderr.contains("exported to"), "{}", run.stderr);
    committed::assert_equals_served(&env, &out);

    env.simulator.clock().advance(Duration::from_secs(30 * 3_600));
    let run = env.run(&refs(&args)).await.expect(0);
    assert!(run.stderr.contains("the feed had dropped"), "{}", run.stderr);
    committed::assert_equals_served(&env, &out);

    let at = env.arg("out");
    let status = env.run(&["export", "status", "--at", &at]).await.expect(0);
    for stream in status.records() {
        let (dataset, tenant) = (stream["dataset"].as_str().expect("a dataset"), stream["tenant"].as_str());
        let log = committed::log(&out, dataset, tenant.expect("a tenant"));
        let last = log.last().expect("a commit");
        assert_eq!(stream["commits"], log.len());
        assert_eq!(stream["last_commit"], last["committed_at"]);
        assert_eq!(stream["checkpoint"], last["checkpoint_after"]);
        assert_eq!((&stream["gap_count"], &stream["open_runs"]), (&json!(1), &json!(0)));
        assert_eq!(stream["rows"], log.iter().filter_map(|record| record["rows"].as_u64()).sum::<u64>());
    }

    let verified = env.run(&["export", "verify", "--at", &at, "--compare-rows"]).await.expect(0);
    for stream in verified.records() {
        assert_eq!(stream["objects"], stream["verified_objects"]);
        assert_eq!((&stream["findings"], &stream["gap_count"]), (&json!([]), &json!(1)));
    }
    assert!(verified.stderr.contains("no defect"), "{}", verified.stderr);
}

#[tokio::test]
async fn export_writes_one_tenant_and_dataset_on_demand() {
    let env = partner(2, 10.0).await;
    let tenant = env.simulator.tenants().remove(1);
    let mut args = run_args(&env);
    args.extend(["--tenant", &tenant.name, "--dataset", "alerts"].map(str::to_owned));
    let run = env.run(&refs(&args)).await.expect(0);
    assert_eq!((&run.record()["tenant"], &run.record()["dataset"]), (&json!(tenant.id), &json!("alerts")));
    let at = env.arg("out");
    let status = env.run(&["export", "status", "--at", &at, "--tenant", &tenant.id]).await.expect(0);
    assert_eq!(status.record()["commits"], 1);
    let other = env.simulator.tenants().remove(0).id;
    env.run(&["export", "status", "--at", &at, "--tenant", &other]).await.expect(5);
}

#[tokio::test]
async fn dry_run_shows_the_streams_and_writes_nothing() {
    let env = partner(2, 10.0).await;
    let mut args = run_args(&env);
    args.push("--dry-run".into());
    let plan = env.run(&refs(&args)).await.expect(0);
    assert_eq!(plan.records().len(), 4);
    assert!(plan.records().iter().all(|stream| stream["starts_at"] == "24 hours ago"), "{plan:?}");
    assert!(!env.path("out").exists());
}

/// Starts a run whose pages take a while, and waits for its first commit.
async fn start_slow_run(env: &TestEnv) -> Running {
    let slow = FaultRule::new("siem.events", FaultAction::Delay { milliseconds: 150 });
    env.simulator.set_faults(FaultPlan::new([slow]));
    let mut args = run_args(env);
    args.extend(["--rows-per-commit", "1000"].map(str::to_owned));
    let child = Running::start(env.command(&refs(&args)));
    let (out, tenant) = (env.path("out"), env.simulator.tenants().remove(0).id);
    wait_until("no commit", || !committed::log(&out, "events", &tenant).is_empty()).await;
    child
}

async fn finish_and_prove(env: &TestEnv) {
    env.simulator.set_faults(FaultPlan::default());
    env.run(&refs(&run_args(env))).await.expect(0);
    committed::assert_equals_served(env, &env.path("out"));
    let at = env.arg("out");
    let verified = env.run(&["export", "verify", "--at", &at, "--compare-rows"]).await.expect(0);
    assert!(verified.records().iter().all(|stream| stream["pending_count"] == 0), "{verified:?}");
    // Nothing that the service has is missing, but for the last two minutes.
    let (clock, tenant) = (env.simulator.clock().now_ms(), env.simulator.tenants().remove(0).id);
    let ids = committed::ids(&env.path("out"), "events", &tenant);
    let produced = env.simulator.produced("events", &tenant, clock - 23 * 3_600_000, clock - 121_000);
    assert!(!produced.is_empty() && produced.iter().all(|id| ids.contains(id)));
}

#[tokio::test]
async fn killed_run_leaves_no_gap_and_no_duplicate() {
    let env = partner(1, 400.0).await;
    let mut child = start_slow_run(&env).await;
    signal(child.child(), "KILL");
    let killed = env.wait(child).await;
    assert_eq!(killed.code, None, "it was killed before its end");
    finish_and_prove(&env).await;
}

#[tokio::test]
async fn interrupted_run_commits_before_it_ends() {
    let env = partner(1, 400.0).await;
    let mut child = start_slow_run(&env).await;
    signal(child.child(), "INT");
    let interrupted = env.wait(child).await.expect(130);
    assert!(interrupted.stderr.contains("the next run continues"), "{}", interrupted.stderr);
    let stream = interrupted.records().into_iter().find(|stream| stream["dataset"] == "events");
    let stream = stream.expect("the events");
    assert_eq!((&stream["outcome"], &stream["has_more"]), (&json!("committed"), &json!(true)));
    // All that was written is committed, or was rolled back.
    let at = env.arg("out");
    let verified = env.run(&["export", "verify", "--at", &at]).await.expect(0);
    assert!(verified.records().iter().all(|stream| stream["pending_count"] == 0), "{verified:?}");
    finish_and_prove(&env).await;
}

/// The path of a committed object.
fn object(env: &TestEnv) -> PathBuf {
    let tenant = env.simulator.tenants().remove(0).id;
    let log = committed::log(&env.path("out"), "events", &tenant);
    env.path("out").join(log[0]["objects"][0]["path"].as_str().expect("a path"))
}

fn findings(records: &[Value]) -> Vec<&Value> {
    records.iter().flat_map(|stream| stream["findings"].as_array().expect("findings")).collect()
}

#[tokio::test]
async fn verify_finds_a_tampered_and_a_stray_object() {
    let env = partner(1, 30.0).await;
    env.run(&refs(&run_args(&env))).await.expect(0);
    let (at, object) = (env.arg("out"), object(&env));
    let body = fs::read(&object).expect("an object");
    let mut tampered = body.clone();
    tampered[body.len() / 2] ^= 1;
    fs::write(&object, &tampered).expect("a write");
    let verified = env.run(&["export", "verify", "--at", &at]).await.expect(3);
    let records = verified.records();
    assert_eq!(findings(&records).len(), 1, "{verified:?}");
    assert_eq!(findings(&records)[0]["finding"], "hash_differs");
    assert!(verified.stderr.contains("restore it"), "{}", verified.stderr);

    fs::write(&object, &body).expect("a write");
    env.run(&["export", "verify", "--at", &at]).await.expect(0);
    let stray = object.with_file_name("stray.ndjson.gz");
    fs::write(&stray, &body).expect("a write");
    let verified = env.run(&["export", "verify", "--at", &at]).await.expect(3);
    let records = verified.records();
    assert_eq!(findings(&records)[0]["finding"], "object_uncommitted");

    fs::remove_file(&stray).expect("removed");
    fs::remove_file(&object).expect("removed");
    let verified = env.run(&["export", "verify", "--at", &at]).await.expect(3);
    let records = verified.records();
    assert_eq!(findings(&records)[0]["finding"], "object_missing");
}

#[tokio::test]
async fn export_writes_the_format_of_each_dataset() {
    let env = partner(1, 30.0).await;
    let mut args = run_args(&env);
    args.extend(["--format", "parquet,alerts=ndjson.gz"].map(str::to_owned));
    env.run(&refs(&args)).await.expect(0);
    committed::assert_equals_served(&env, &env.path("out"));
    let tenant = env.simulator.tenants().remove(0).id;
    for (dataset, extension) in [("events", ".parquet"), ("alerts", ".ndjson.gz")] {
        let log = committed::log(&env.path("out"), dataset, &tenant);
        let path = log[0]["objects"][0]["path"].as_str().expect("a path");
        assert!(path.ends_with(extension), "{path}");
    }
    let at = env.arg("out");
    let verified = env.run(&["export", "verify", "--at", &at, "--compare-rows"]).await.expect(0);
    assert!(verified.stderr.contains("no defect"), "{}", verified.stderr);

    // The damage of a row is found as that of a line is.
    let object = object(&env);
    let mut body = fs::read(&object).expect("an object");
    let middle = body.len() / 2;
    body[middle] ^= 1;
    fs::write(&object, &body).expect("a write");
    let verified = env.run(&["export", "verify", "--at", &at]).await.expect(3);
    assert_eq!(findings(&verified.records())[0]["finding"], "hash_differs");

    *args.last_mut().expect("the format") = "events=xml".to_owned();
    let ended = env.run(&refs(&args)).await.expect(2);
    assert!(ended.stderr.contains("unknown format \"xml\""), "{}", ended.stderr);
}

#[tokio::test]
async fn failed_tenant_is_a_partial_failure() {
    let env = partner(2, 10.0).await;
    let closed = env.simulator.tenants().remove(0);
    env.simulator.set_tenant_state(&closed.id, TenantState::Forbidden);
    let run = env.run(&refs(&run_args(&env))).await.expect(3);
    assert!(
        run.stderr.contains(&closed.id) && run.stderr.contains("2 of 4 streams failed"),
        "{}",
        run.stderr
    );
    let mut args = run_args(&env);
    args.extend(["--tenant", &closed.id].map(str::to_owned));
    let run = env.run(&refs(&args)).await;
    assert!(matches!(run.code, Some(5 | 6)), "{run:?}");
}

#[tokio::test]
async fn rejected_credential_and_wrong_places_have_their_codes() {
    let env = partner(1, 10.0).await;
    let missing = env.arg("missing");
    for command in ["status", "verify"] {
        let ended = env.run(&["export", command, "--at", &missing]).await.expect(5);
        assert!(ended.stderr.contains("missing folder"), "{}", ended.stderr);
    }
    assert!(!env.path("missing").exists(), "reading creates no folder");
    env.run(&["export", "run", "--to", "ftp://bucket"]).await.expect(2);
    env.run(&["export", "run"]).await.expect(2);
    env.simulator.rotate_secret(&env.credential.client_id);
    let run = env.run(&refs(&run_args(&env))).await.expect(4);
    assert!(run.stderr.contains("next:"), "{}", run.stderr);
}

#[tokio::test]
async fn export_lake_writes_each_row_once() {
    let env = partner(2, 30.0).await;
    let args = run_args(&env);
    let run = env.run(&refs(&args)).await.expect(0);
    let exported: u64 = run.records().iter().filter_map(|stream| stream["rows"].as_u64()).sum();
    let (from, to) = (env.arg("out"), env.arg("lake"));
    let lake = ["export", "lake", "--from", &from, "--to", &to];
    let written = env.run(&lake).await.expect(0).record();
    assert_eq!((&written["stored_rows"], &written["batches"]), (&json!(exported), &json!(1)), "{written}");
    assert_eq!((&written["unknown_types"], &written["invalid"]), (&json!({}), &json!(0)), "{written}");
    assert!(fs::read_dir(env.path("lake").join("ext/sophos-2004/region=local")).is_ok(), "{written}");
    assert_eq!(env.run(&lake).await.expect(0).record()["batches"], 0, "nothing is new");
    env.run(&["export", "lake", "--from", &from, "--to", &to, "--class", "6004"]).await.expect(2);
}

#[tokio::test]
async fn export_reads_the_ledger_of_isolation() {
    let env = partner(1, 1.0).await;
    let ledger = concat!(env!("CARGO_MANIFEST_DIR"), "/../sophos-isolation/tests/engine/stored_ledger");
    let to = env.arg("out");
    let args = ["export", "run", "--to", &to, "--dataset", "isolations", "--ledger", ledger];
    let run = env.run(&args).await.expect(0);
    let stream = run.record();
    assert_eq!((&stream["tenant"], &stream["dataset"]), (&json!("ledger"), &json!("isolations")));
    assert!(stream["rows"].as_u64().is_some_and(|rows| rows > 40), "{stream}");
    assert_eq!(env.run(&args).await.expect(0).record()["outcome"], "up_to_date");
    env.run(&["export", "verify", "--at", &to, "--compare-rows"]).await.expect(0);

    let run = env.run(&args[..6]).await.expect(2);
    assert!(run.stderr.contains("needs --ledger"), "{}", run.stderr);
}
