//! The export of a ledger of isolation: each transition is a row, once.

mod support;

use proptest::prelude::*;
use serde_json::{Value, json};
use sophos_export::{Dataset, LedgerExporter, Store, StreamId, StreamOutcome};
use sophos_isolation::{Claim, DecisionId, IsolationOrigin, Ledger, ReleaseReason, Transition};
use support::{DAY, HOUR, LedgerEnv, MINUTE, NOW_MS, TENANT, pending, released, row_id, target};

#[tokio::test]
async fn each_transition_is_exported_once_though_days_apart() {
    let env = LedgerEnv::new();
    let id = env.receive("a").await;
    let report = env.run().await;
    assert_eq!((report.outcome, report.rows), (StreamOutcome::Committed, 1));
    assert_eq!((report.tenant.as_str(), report.dataset), ("ledger", Dataset::Isolations));
    for _ in 0..3 {
        env.advance(2 * DAY);
        env.append(&id, pending()).await;
        env.receive(&format!("another, at {:?}", env.now())).await;
        assert_eq!(env.run().await.rows, 2);
    }
    env.append(&id, released()).await;
    env.advance(DAY);
    assert_eq!(env.run().await.rows, 1);
    assert_eq!(env.row_ids().await, env.expected_ids().await);
    env.verify().await;
}

#[tokio::test]
async fn row_has_the_entry_with_its_alert_and_endpoint() {
    let env = LedgerEnv::new();
    let id = env.receive("a").await;
    env.append(&id, pending()).await;
    env.run().await;
    env.advance(HOUR);
    env.append(&id, Transition::Approved { by: "anna".to_owned() }).await;
    env.run().await;
    let rows = env.rows().await;
    let [first, _, row] = &rows[..] else { panic!("three rows") };
    assert_eq!(
        (&first["tenant"], &row["tenant"], &row["source"], &row["revision"]),
        (&json!("ledger"), &json!(TENANT), &json!("isolation/ledger"), &json!(0))
    );
    assert_eq!((&row["time"], &row["created_at"]), (&json!("2026-11-23T11:00:00.000Z"), &row["time"]));
    let mut record: Value = serde_json::from_str(row["record"].as_str().expect("a record")).expect("JSON");
    let entry = record.as_object_mut().expect("an object").remove("entry").expect("an entry");
    let path = format!("decisions/{id}/0003.json");
    let stored = env.ledger.store().read(&path).await.expect("a store").expect("an entry");
    assert_eq!(entry, serde_json::from_slice::<Value>(&stored).expect("JSON"));
    assert_eq!(
        record,
        json!({
            "decision": id, "sequence": 3, "at": "2026-11-23T11:00:00.000Z", "transition": "approved",
            "action": "isolate", "alert_source": "edr", "tool": "generic", "title": "malware", "tenant_id": TENANT,
            "endpoint_id": target().endpoint, "requested_by": "anna",
        })
    );
}

/// A sender repeats an event after the decision has ended and is forgotten.
#[tokio::test]
async fn repeated_event_makes_no_row_again() {
    let env = LedgerEnv::new();
    let id = env.receive("a").await;
    env.append(&id, released()).await;
    env.run().await;
    for _ in 0..4 {
        env.advance(HOUR / 2);
        assert_eq!(env.receive("a").await, id);
        env.receive(&format!("another, at {:?}", env.now())).await;
        env.run().await;
    }
    assert!(
        env.log().await.pop().expect("a commit").tracked_decisions.iter().all(|one| one.id != id.as_str())
    );
    env.receive("a").await;
    assert_eq!(env.run().await.rows, 0);
    assert_eq!(env.row_ids().await, env.expected_ids().await);
}

#[tokio::test]
async fn late_arrival_is_exported() {
    let env = LedgerEnv::new();
    env.receive("a").await;
    env.run().await;
    env.receive_at("late", env.now() - std::time::Duration::from_secs(59 * 60)).await;
    env.advance(15 * MINUTE);
    assert_eq!(env.run().await.rows, 1);
    assert_eq!(env.row_ids().await, env.expected_ids().await);
}

#[tokio::test]
async fn arrival_without_a_signal_is_exported_with_it() {
    let env = LedgerEnv::new();
    env.receive("a").await;
    let id = DecisionId::from_event_id("edr", "b");
    // The webhook has recorded the arrival, and is about to record the signal.
    let arrival = format!("arrivals/{:015}-{id}", NOW_MS);
    env.ledger.store().create(&arrival, Vec::new()).await.expect("a store");
    assert_eq!(env.run().await.rows, 1);
    env.receive("b").await;
    assert_eq!(env.run().await.rows, 1);
    assert_eq!(env.row_ids().await, env.expected_ids().await);
}

/// A transition is final for the export if and only if it is for the ledger.
#[tokio::test]
async fn decision_is_forgotten_once_it_has_ended() {
    let text = || "a reason".to_owned();
    let claim = Claim {
        target: target(),
        policy_digest: text(),
        lease_until: 0,
        comment_tag: text(),
        release_after_seconds: None,
        permits: Vec::new(),
        origin: None,
    };
    let other = || DecisionId::from_event_id("edr", "other");
    let transitions = [
        Transition::Refused { code: text(), detail: text(), target: None },
        Transition::DryRun { target: target(), requires_approval: false, release_after_seconds: None },
        pending(),
        Transition::Approved { by: text() },
        Transition::Declined { by: text() },
        Transition::Expired,
        Transition::Claimed(Box::new(claim)),
        Transition::Deferred { detail: text(), retry_at: 0, target: None },
        Transition::Requested { origin: IsolationOrigin::Requested, comment_tag: None },
        Transition::AlreadyIsolated { target: target(), comment: text() },
        Transition::Isolated { effective_at: None },
        Transition::Overdue { detail: text() },
        Transition::ReleasePending { reason: ReleaseReason::Scheduled, by: None },
        Transition::ReleaseRequested,
        released(),
        Transition::Transferred { to: other() },
        Transition::Superseded { detail: text() },
        Transition::Delegated { to: vec![other()], target: target() },
        Transition::Merged { into: other(), target: target() },
        Transition::Failed { detail: text() },
    ];
    let env = LedgerEnv::new();
    for (number, transition) in transitions.into_iter().enumerate() {
        let id = env.receive(&number.to_string()).await;
        env.append(&id, transition).await;
    }
    env.run().await;
    let tracked = env.log().await.pop().expect("a commit").tracked_decisions;
    assert_eq!(tracked.len(), 20);
    for one in tracked {
        let id = one.id.parse().expect("an id");
        let decision = env.ledger.load_decision(&id).await.expect("a store").expect("a decision");
        assert_eq!(one.ended, decision.state().is_final(), "{:?}", decision.entries().last());
    }
}

#[tokio::test]
async fn signal_that_calls_for_nothing_is_final() {
    let env = LedgerEnv::new();
    let id = DecisionId::from_event_id("edr", "a");
    let reason = sophos_isolation::RefusalReason { code: "sample".into(), detail: "a test".into() };
    let signal = sophos_isolation::ReceivedSignal { not_actionable: Some(reason), ..support::signal() };
    env.ledger.create_decision(&id, &signal, env.now()).await.expect("a decision");
    env.run().await;
    assert!(env.log().await.pop().expect("a commit").tracked_decisions[0].ended);
}

#[tokio::test]
async fn invalid_entry_goes_to_quarantine_alone() {
    let env = LedgerEnv::new();
    let id = env.receive("a").await;
    env.append(&id, pending()).await;
    env.ledger.store().create(&format!("decisions/{id}/0003.json"), b"{".to_vec()).await.expect("a store");
    let report = env.run().await;
    assert_eq!((report.rows, report.quarantined, report.outcome), (2, 1, StreamOutcome::Committed));
    let next = json!({ "decision": id, "sequence": 4, "at_ms": NOW_MS, "transition": "isolated" });
    let path = format!("decisions/{id}/0004.json");
    env.ledger.store().create(&path, next.to_string().into_bytes()).await.expect("a store");
    assert_eq!(env.run().await.rows, 1);
    assert_eq!(env.row_ids().await, [1, 2, 4].map(|sequence| row_id(&id, sequence)));
    env.verify().await;
}

#[tokio::test]
async fn idle_run_commits_nothing_for_an_hour() {
    let env = LedgerEnv::new();
    assert_eq!(env.run().await.commits, 1, "a ledger without a decision");
    env.receive("a").await;
    env.run().await;
    let report = env.run().await;
    assert_eq!((report.outcome, report.commits), (StreamOutcome::UpToDate, 0));
    env.advance(HOUR);
    assert_eq!(env.run().await.commits, 1, "the watermark advances");
    assert_eq!(env.run().await.freshness_seconds, Some(0.0));
}

/// More arrivals than one listing has, and many commits.
#[tokio::test]
async fn run_continues_after_its_deadline() {
    let env = LedgerEnv::with_settings(|settings| settings.rows_per_commit = 400);
    for number in 0..1_200 {
        env.advance(MINUTE);
        env.receive(&number.to_string()).await;
    }
    let report = env.run_for_ticks(700).await;
    assert!(report.has_more && report.rows > 0 && report.rows < 1_200, "{report:?}");
    let report = env.run().await;
    assert!(!report.has_more && report.commits > 0, "{report:?}");
    assert_eq!(env.row_ids().await, env.expected_ids().await);
    env.verify().await;
}

#[tokio::test]
async fn run_does_not_change_the_ledger() {
    let env = LedgerEnv::new();
    env.receive("a").await;
    let before = env.ledger_objects().await;
    env.run().await;
    assert_eq!(env.ledger_objects().await, before);
}

/// The process dies at each operation of both stores, before and after its effect.
#[tokio::test]
async fn crash_at_any_operation_neither_loses_nor_repeats() {
    for is_after in [false, true] {
        for operation in 1.. {
            let env = LedgerEnv::new();
            let first = env.receive("a").await;
            env.append(&first, pending()).await;
            env.run().await;
            env.append(&first, Transition::Approved { by: "anna".to_owned() }).await;
            let second = env.receive("b").await;
            env.append(&second, released()).await;
            let killed = env.trap.kill(operation, is_after, env.run()).await;
            env.append(&first, released()).await;
            env.advance(HOUR);
            let report = env.run().await;
            assert_eq!(report.error, None);
            assert_eq!(
                env.row_ids().await,
                env.expected_ids().await,
                "operation {operation}, after: {is_after}"
            );
            env.verify().await;
            if !killed {
                assert!(operation > 12, "each operation was a crash: {operation}");
                break;
            }
        }
    }
}

#[tokio::test]
async fn concurrent_runs_export_each_row_once() {
    let env = LedgerEnv::new();
    for number in 0..20 {
        let id = env.receive(&number.to_string()).await;
        env.append(&id, pending()).await;
    }
    futures_util::future::join_all((0..4).map(|_| env.run())).await;
    env.run().await;
    assert_eq!(env.row_ids().await, env.expected_ids().await);
    env.verify().await;
}

/// The ledger that is checked in with its crate: every kind of entry.
#[tokio::test]
async fn stored_ledger_is_exported_as_a_whole() {
    let location = concat!(env!("CARGO_MANIFEST_DIR"), "/../sophos-isolation/tests/engine/stored_ledger");
    let ledger = Store::open(location).expect("a ledger");
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(&folder.path().to_string_lossy()).expect("a store");
    let exporter = LedgerExporter::new(ledger.clone(), store.clone(), Default::default());
    let report = exporter.run(|| std::time::Duration::from_millis(NOW_MS as u64), None).await;
    let ledger = Ledger::new(ledger);
    let mut expected = 0;
    for id in ledger.decision_ids().await.expect("a listing") {
        let decision = ledger.load_decision(&id).await.expect("a store").expect("a decision");
        expected += decision.entries().len() as u64;
    }
    assert!(expected > 40);
    assert_eq!((report.rows, report.quarantined, report.error), (expected, 0, None));
    assert!(sophos_export::list_streams(&store).await.expect("a listing").contains(&StreamId::of_ledger()));
}

#[derive(Debug, Clone)]
enum Step {
    Receive(u8),
    Append(u8, bool),
    Advance(i64),
    Run,
    Kill(usize, bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0_u8..6).prop_map(Step::Receive),
        (0_u8..6, prop::bool::weighted(0.3)).prop_map(|(event, ends)| Step::Append(event, ends)),
        (0..3 * HOUR).prop_map(Step::Advance),
        Just(Step::Run),
        (1_usize..30, any::<bool>()).prop_map(|(operation, is_after)| Step::Kill(operation, is_after)),
    ]
}

async fn play(steps: Vec<Step>) {
    let env = LedgerEnv::new();
    for step in steps {
        match step {
            Step::Receive(event) => drop(env.receive(&event.to_string()).await),
            Step::Append(event, ends) => {
                let id = DecisionId::from_event_id("edr", &event.to_string());
                let decision = env.ledger.load_decision(&id).await.expect("a store");
                if decision.is_some_and(|decision| !decision.state().is_final()) {
                    env.append(&id, if ends { released() } else { pending() }).await;
                }
            }
            Step::Advance(by_ms) => env.advance(by_ms),
            Step::Run => drop(env.run().await),
            Step::Kill(operation, is_after) => _ = env.trap.kill(operation, is_after, env.run()).await,
        }
    }
    env.run().await;
    assert_eq!(env.row_ids().await, env.expected_ids().await);
    env.verify().await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn each_transition_is_exported_once_across_killed_runs(steps in prop::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(play(steps));
    }
}
