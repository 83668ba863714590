//! Tests of the export of the ledger by the built function: in one invocation, and by a queue.

use end_to_end::{
    CommittedExport, TestEnv, package_dir,
    pipeline_env::{PipelineEnv, partner_config},
    queue::EventSource,
};
use local_lambda::InvocationOutcome;
use serde_json::json;
use sophos_isolation::Ledger;
use sophos_simulator::CredentialKind;
use sophos_store::Store;

/// A ledger with every kind of entry.
fn ledger() -> String {
    let folder = package_dir().join("../crates/sophos-isolation/tests/engine/stored_ledger");
    folder.into_os_string().into_string().expect("a path in UTF-8")
}

/// The number of transitions in the ledger.
async fn transitions() -> u64 {
    let ledger = Ledger::new(Store::open(&ledger()).expect("a ledger"));
    let mut transitions = 0;
    for id in ledger.decision_ids().await.expect("a listing") {
        let decision = ledger.load_decision(&id).await.expect("a store").expect("a decision");
        transitions += decision.entries().len() as u64;
    }
    transitions
}

#[tokio::test(flavor = "multi_thread")]
async fn plan_has_one_message_for_the_ledger_of_all_tenants() {
    let estate = PipelineEnv::start(partner_config(2, 10), CredentialKind::Partner).await.expect("an estate");
    let function =
        || estate.function().env("EXPORT_DATASETS", "events,isolations").env("EXPORT_LEDGER", ledger());
    let mut planner = function().start().await.expect("the planner starts");
    let source = EventSource::new(&estate.queue, function(), 2, 10).await.expect("a worker starts");
    for plan in ["first", "second"] {
        let report = estate.plan(&mut planner, plan).await.expect("a plan");
        assert_eq!((&report["planned"], &report["tenants"]), (&json!(3), &json!(2)), "{report}");
        let drained = source.drain().await;
        assert_eq!(drained.failures, Vec::<String>::new(), "{}", source.pool().logs().join("\n"));
    }
    let committed = CommittedExport::load(&estate.export_dir()).expect("an export");
    assert_eq!(committed.defects(), []);
    assert_eq!(committed.rows_of("isolations"), transitions().await);
    assert_eq!(committed.log("isolations", "ledger").len(), 1, "the second run commits nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn event_exports_the_ledger_only_if_it_is_configured() {
    let env = TestEnv::start(partner_config(1, 10), CredentialKind::Partner).await.expect("a simulator");
    let folder = tempfile::tempdir().expect("a folder");
    let function = || env.export_function(&folder.path().to_string_lossy());
    let event = json!({ "datasets": ["isolations"] });
    let mut without = function().start().await.expect("the function starts");
    let outcome = without.invoke(&event).await;
    assert_eq!(outcome.error_kind(), Some("ConfigurationError"), "{outcome:?}");

    let mut with = function().env("EXPORT_LEDGER", ledger()).start().await.expect("the function starts");
    let InvocationOutcome::Ok(report) = with.invoke(&event).await else { panic!("a report") };
    assert_eq!(report["rows"], transitions().await, "{report}");
    let tenant = &env.simulator.tenants()[0].id;
    let of_tenant = json!({ "tenant_id": tenant, "datasets": ["events", "isolations"] });
    let InvocationOutcome::Ok(report) = with.invoke(&of_tenant).await else { panic!("a report") };
    let streams = report["streams"].as_array().expect("streams");
    assert!(streams.len() == 1 && streams[0]["dataset"] == "events", "{report}");
}
