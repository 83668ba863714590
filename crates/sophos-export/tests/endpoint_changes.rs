//! The changes between two snapshots of the endpoints.

mod support;

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use sophos_export::{Dataset, FailureKind, StreamId, StreamOutcome, StreamReport, StreamVerification};
use support::{DAY, HOUR, NOW_MS, ScriptedResponse, TENANT, TestEnv, endpoint, format_time};

/// Takes a snapshot, and derives the changes. Advances the clock by a day.
async fn take(env: &TestEnv, endpoints: &[Value]) -> StreamReport {
    let report = env.snapshot(endpoints, 500).await;
    assert_eq!(report.outcome, StreamOutcome::Committed, "{report:?}");
    let changes = derive(env).await;
    env.service.advance(DAY);
    changes
}

/// Derives the changes, without any request.
async fn derive(env: &TestEnv) -> StreamReport {
    env.service.take_requests();
    let report = env.run(Dataset::EndpointChanges).await;
    assert_eq!(env.service.take_requests(), []);
    report
}

/// The records of the changes, in the order of the log.
async fn changes(env: &TestEnv) -> Vec<Value> {
    let rows = env.rows(Dataset::EndpointChanges).await;
    rows.iter().map(|row| parse(row["record"].as_str().expect("text"))).collect()
}

fn parse(json: &str) -> Value {
    serde_json::from_str(json).expect("JSON")
}

/// The number of an endpoint.
fn id(number: u32) -> Value {
    endpoint(number)["id"].clone()
}

async fn assert_verified(env: &TestEnv) {
    let stream = StreamId::new(Dataset::EndpointChanges, TENANT).expect("a tenant");
    let verified = StreamVerification::run(&env.store, &stream, true, |_| {}).await;
    assert_eq!(verified.expect("a verification").findings, []);
}

#[tokio::test]
async fn changes_are_added_removed_and_changed() {
    let env = TestEnv::new();
    assert_eq!(derive(&env).await.outcome, StreamOutcome::UpToDate, "without a snapshot");
    let report = take(&env, &[endpoint(1), endpoint(2), endpoint(3)]).await;
    assert_eq!((report.outcome, report.commits), (StreamOutcome::UpToDate, 0), "one snapshot");
    let mut changed = endpoint(2);
    changed["health"]["overall"] = json!("bad");
    changed["health"]["a/b~"] = json!(null);
    changed.as_object_mut().expect("an object").remove("hostname");
    changed["lastSeenAt"] = json!(format_time(NOW_MS + HOUR));
    let mut seen = endpoint(3);
    seen["lastSeenAt"] = json!(format_time(NOW_MS + HOUR));
    let report = take(&env, &[endpoint(4), seen, changed]).await;
    assert_eq!((report.outcome, report.rows), (StreamOutcome::Committed, 3), "{report:?}");

    let pair = |change: &str, number: u32| {
        json!({
            "change": change, "id": id(number), "beforeAt": format_time(NOW_MS),
            "afterAt": format_time(NOW_MS + DAY), "beforeSequence": 1, "afterSequence": 2,
        })
    };
    let (mut added, mut removed, mut changed) = (pair("added", 4), pair("removed", 1), pair("changed", 2));
    added["after"] = endpoint(4);
    removed["before"] = endpoint(1);
    changed["members"] = json!([
        { "pointer": "/health/a~1b~0", "after": null },
        { "pointer": "/health/overall", "before": "good", "after": "bad" },
        { "pointer": "/hostname", "before": "LAPTOP-2" },
    ]);
    let mut found = changes(&env).await;
    found.sort_by_key(|record| record["change"].to_string());
    assert_eq!(found, [added, changed, removed]);
    let row = &env.rows(Dataset::EndpointChanges).await[0];
    assert_eq!((&row["time"], &row["revision"]), (&json!(format_time(NOW_MS + DAY)), &json!(1)));
    assert_eq!((&row["dataset"], &row["id"]), (&json!("endpoint_changes"), &id(4)));
    assert_verified(&env).await;
    assert_eq!(derive(&env).await.outcome, StreamOutcome::UpToDate);
}

#[tokio::test]
async fn delayed_run_compares_each_pair_in_order() {
    let env = TestEnv::new();
    for count in [3, 4] {
        env.snapshot(&(1..=count).map(endpoint).collect::<Vec<_>>(), 500).await;
        env.service.advance(DAY);
    }
    // The first run begins with the last two.
    assert_eq!(derive(&env).await.rows, 1);
    for count in [6, 5, 9] {
        env.snapshot(&(1..=count).map(endpoint).collect::<Vec<_>>(), 500).await;
        env.service.advance(DAY);
    }
    let report = derive(&env).await;
    assert_eq!((report.commits, report.rows, report.has_more), (3, 2 + 1 + 4, false), "{report:?}");
    let log = env.log(Dataset::EndpointChanges).await;
    let cursors: Vec<_> = log.iter().filter_map(|record| record.checkpoint_after.cursor.clone()).collect();
    assert_eq!(cursors, ["2", "3", "4", "5"]);
    assert_verified(&env).await;
}

#[tokio::test]
async fn killed_run_yields_each_pair_once() {
    let before: Vec<_> = (1..=6).map(endpoint).collect();
    let mut after: Vec<_> = (3..=8).map(endpoint).collect();
    after[0]["hostname"] = json!("SERVER");
    let mut kills = 0;
    for number in 1..200 {
        let mut reached = false;
        for is_after in [false, true] {
            let env = TestEnv::with_settings(|settings| settings.max_buffered_bytes = 1);
            for endpoints in [&before, &after, &before] {
                env.snapshot(endpoints, 500).await;
                env.service.advance(DAY);
            }
            let log = format!("_log/endpoint_changes/{TENANT}");
            if !env.trap.kill(number, is_after, env.run(Dataset::EndpointChanges)).await {
                continue;
            }
            (reached, kills) = (true, kills + 1);
            assert_eq!(derive(&env).await.error, None);
            assert_eq!(env.rows(Dataset::EndpointChanges).await.len(), 5, "{number} {is_after}");
            let names = env.store.list_names(&log, "").await.expect("a listing");
            assert_eq!(names, ["000000000001.json"], "{number} {is_after}");
            assert_verified(&env).await;
        }
        if !reached {
            break;
        }
    }
    assert!(kills > 20, "{kills}");
}

#[tokio::test]
async fn missing_objects_are_a_gap() {
    let env = TestEnv::new();
    take(&env, &[endpoint(1)]).await;
    take(&env, &[endpoint(2)]).await;
    env.snapshot(&[endpoint(3)], 500).await;
    env.service.advance(DAY);
    let lost = env.last_record(Dataset::Endpoints).await.objects[0].path.clone();
    env.store.delete(&lost).await.expect("deleted");
    env.snapshot(&[endpoint(4)], 500).await;
    let report = derive(&env).await;
    assert_eq!((report.commits, report.rows, report.gaps.len()), (2, 0, 2), "{report:?}");
    assert_eq!(report.gap_seconds(), 2.0 * 86_400.0);
    env.service.advance(DAY);
    assert_eq!(take(&env, &[endpoint(5)]).await.rows, 2, "it continues");
    assert_verified(&env).await;
}

#[tokio::test]
async fn altered_object_fails_the_stream() {
    let env = TestEnv::new();
    take(&env, &[endpoint(1)]).await;
    let object = env.last_record(Dataset::Endpoints).await.objects[0].path.clone();
    env.snapshot(&[endpoint(2)], 500).await;
    env.store.write(&object, b"other".to_vec()).await.expect("a write");
    let report = derive(&env).await;
    assert_eq!(report.error_kind, Some(FailureKind::InvalidObject), "{report:?}");
    assert!(report.error.is_some_and(|error| error.contains(&object) && error.contains("SHA-256")));
    assert!(env.log(Dataset::EndpointChanges).await.is_empty());
}

#[tokio::test]
async fn unreadable_snapshot_page_derives_nothing() {
    let env = TestEnv::new();
    take(&env, &[endpoint(1)]).await;
    env.service.route(|_| ScriptedResponse::bytes("{\"items\":"));
    assert_eq!(env.run(Dataset::Endpoints).await.outcome, StreamOutcome::Failed);
    assert_eq!(derive(&env).await.outcome, StreamOutcome::UpToDate);
}

/// Applies changes to the endpoints before.
fn apply(mut endpoints: BTreeMap<String, Value>, changes: &[Value]) -> BTreeMap<String, Value> {
    for change in changes {
        let id = change["id"].as_str().expect("an id").to_owned();
        match change["change"].as_str().expect("a kind") {
            "added" => assert_eq!(endpoints.insert(id, change["after"].clone()), None),
            "removed" => assert_eq!(endpoints.remove(&id), Some(change["before"].clone())),
            "changed" => {
                let endpoint = endpoints.get_mut(&id).expect("an endpoint");
                for member in change["members"].as_array().expect("members") {
                    apply_member(endpoint, member);
                }
            }
            other => panic!("{other}"),
        }
    }
    endpoints
}

fn apply_member(endpoint: &mut Value, member: &Value) {
    let pointer = member["pointer"].as_str().expect("a pointer");
    let (parent, name) = pointer.rsplit_once('/').expect("a member");
    let name = name.replace("~1", "/").replace("~0", "~");
    let parent = endpoint.pointer_mut(parent).and_then(Value::as_object_mut).expect("an object");
    assert_eq!(parent.get(&name), member.get("before"), "{pointer}");
    match member.get("after") {
        Some(after) => parent.insert(name, after.clone()),
        None => parent.remove(&name),
    };
}

fn without_contact(mut endpoints: BTreeMap<String, Value>) -> BTreeMap<String, Value> {
    for endpoint in endpoints.values_mut() {
        endpoint.as_object_mut().expect("an object").remove("lastSeenAt");
    }
    endpoints
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0_i64..3).prop_map(Value::from),
        "[ab/~\"]{0,2}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[ab/~]{0,2}", inner, 0..3)
                .prop_map(|members| members.into_iter().collect()),
        ]
    })
}

fn endpoints() -> impl Strategy<Value = BTreeMap<u32, Map<String, Value>>> {
    let member = prop_oneof!["[ab/~]{1,2}", Just("lastSeenAt".to_owned())];
    let members = prop::collection::btree_map(member, value(), 0..4);
    prop::collection::btree_map(0_u32..8, members.prop_map(|members| members.into_iter().collect()), 0..8)
}

/// The endpoints by id, each with its id.
fn by_id(endpoints: &BTreeMap<u32, Map<String, Value>>) -> BTreeMap<String, Value> {
    let with_id = |(number, members): (&u32, &Map<String, Value>)| {
        let id = id(*number);
        let mut members = members.clone();
        members.insert("id".into(), id.clone());
        (id.as_str().expect("an id").to_owned(), Value::Object(members))
    };
    endpoints.iter().map(with_id).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Any sets, in any order, with batches of one record and of all.
    #[test]
    fn changes_of_any_two_sets_lead_from_one_to_the_other(
        before in endpoints(),
        after in endpoints(),
        is_reversed in any::<bool>(),
        small in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let env = TestEnv::with_settings(|settings| if small { settings.max_buffered_bytes = 1 });
            let (before, after) = (by_id(&before), by_id(&after));
            let mut order: Vec<_> = after.values().cloned().collect();
            if is_reversed {
                order.reverse();
            }
            take(&env, &before.values().cloned().collect::<Vec<_>>()).await;
            take(&env, &order).await;
            let changes = changes(&env).await;
            assert!(changes.iter().all(|change| change["members"] != json!([])), "{changes:?}");
            let removed = changes.iter().filter(|change| change["change"] == "removed").count();
            assert_eq!(removed, before.keys().filter(|id| !after.contains_key(*id)).count());
            assert_eq!(without_contact(apply(before, &changes)), without_contact(after));
        });
    }
}
