//! What a run removes of others: what they left, and nothing else.

mod support;

use serde_json::json;
use sophos_export::{Dataset, StreamReport};
use support::{Answer, HOUR, MINUTE, NOW_MS, TENANT, TestEnv, event};

const RUN: &str = "0000019abc-00000000000000aa";
const OTHER: &str = "22222222-cc4a-4a9f-bb9c-632c936dfb9f";

/// A path of an object that the dead run wrote for record 1.
fn left(root: &str) -> String {
    format!("{root}/tenant_id={TENANT}/day=2026-11-23/000000000001-{RUN}-0000.ndjson.gz")
}

/// An environment with an object at each of these paths and an intent that names
/// them all, after a run.
async fn after_a_run(run: &str, objects: &[String]) -> (TestEnv, StreamReport) {
    let env = TestEnv::new();
    for object in objects {
        env.store.write(object, b"left".to_vec()).await.expect("a write");
    }
    let intent = json!({ "sequence": 1, "run": run, "objects": objects }).to_string();
    let path = format!("_log/events/{TENANT}/000000000001.{RUN}.intent");
    env.store.write(&path, intent.into_bytes()).await.expect("a write");
    let report = env.events([Answer::page(&[event("a", NOW_MS - HOUR)], false, None)]).await;
    (env, report)
}

#[tokio::test]
async fn a_run_removes_what_a_dead_run_left() {
    let objects = [left("events"), left("_quarantine/events")];
    let (env, report) = after_a_run(RUN, &objects).await;
    assert_eq!(report.swept, 2);
    let names = env.names().await;
    assert!(objects.iter().all(|object| !names.contains(object)), "{names:?}");
    assert!(names.iter().all(|name| !name.ends_with(".intent")), "{names:?}");
}

#[tokio::test]
async fn a_forged_intent_removes_nothing() {
    for forged in [
        left("alerts"),
        left("events").replace(TENANT, OTHER),
        left("events").replace(RUN, "0000019abc-00000000000000bb"),
        left("events").replace("/000000000001-", "/000000000002-"),
        left("events").replace("day=2026-11-23/", ""),
        left("events").replace("day=2026-11-23/", "day=2026-11-23/more/"),
        left("events").replace("day=2026-11-23", "day=today"),
        format!("{}/x", left("events")),
        format!("_log/events/{TENANT}/_from"),
        format!("_log/events/{OTHER}/000000000001.json"),
        "_plan/partner.json".to_owned(),
        "policy/current.toml".to_owned(),
    ] {
        let (env, report) = after_a_run(RUN, &[left("events"), forged.clone()]).await;
        assert_eq!(report.swept, 0, "{forged}");
        assert!(env.names().await.contains(&forged), "{forged}");
        assert_eq!(report.rows, 1, "the run itself is not disturbed");
    }
}

#[tokio::test]
async fn a_forged_intent_removes_no_committed_object() {
    let env = TestEnv::new();
    env.events([Answer::page(&[event("a", NOW_MS - HOUR)], false, None)]).await;
    let record = env.last(Dataset::Events).await;
    let object = record.objects[0].path.clone();
    for run in [record.run.as_str(), RUN] {
        let intent = json!({ "sequence": 1, "run": run, "objects": [object] }).to_string();
        let path = format!("_log/events/{TENANT}/000000000001.{run}.intent");
        env.store.write(&path, intent.into_bytes()).await.expect("a write");
    }
    env.service.advance(5 * MINUTE);
    let report = env.events([Answer::page(&[event("b", NOW_MS)], false, None)]).await;
    assert_eq!((report.rows, report.swept), (1, 0));
    assert!(env.names().await.contains(&object));
    assert_eq!(env.ids().await, ["a", "b"]);
}

#[tokio::test]
async fn an_intent_under_another_name_removes_nothing() {
    let run = "0000019abc-00000000000000cc";
    let object = left("events").replace(RUN, run);
    let (env, report) = after_a_run(run, std::slice::from_ref(&object)).await;
    assert_eq!(report.swept, 0);
    assert!(env.names().await.contains(&object));
}
