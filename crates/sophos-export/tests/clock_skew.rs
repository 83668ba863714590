//! Clocks that are wrong: an endpoint's and the service's.

mod support;

use std::{fs, sync::Mutex};

use serde_json::json;
use sophos_export::{Dataset, StreamOutcome};
use support::{DAY, HOUR, MINUTE, NOW_MS, SECOND, ScriptedResponse, TestEnv, event, format_time};

/// The partition's day of one event with these times.
async fn partition_of(env: &TestEnv, when: &serde_json::Value, created_at: &serde_json::Value) -> String {
    let item = json!({ "id": "a", "when": when, "created_at": created_at });
    let report = env.run_events([ScriptedResponse::page(&[item], false, Some("end"))]).await;
    assert_eq!((report.outcome, report.rows), (StreamOutcome::Committed, 1));
    let object = &env.last_record(Dataset::Events).await.objects[0];
    let day = object.path.split_once("/day=").expect("a partition").1;
    day[..day.find('/').expect("a folder")].to_owned()
}

#[tokio::test]
async fn row_partition_follows_the_ingestion_time() {
    let at = |ms: i64| json!(format_time(ms));
    let taken_in = at(NOW_MS - HOUR);
    for (when, created_at, day) in [
        (at(NOW_MS - HOUR), taken_in.clone(), "2026-11-23"),
        (at(NOW_MS - 2 * DAY), taken_in.clone(), "2026-11-21"),
        (at(NOW_MS - 8 * DAY), taken_in.clone(), "2026-11-23"),
        (at(NOW_MS + 3 * DAY), taken_in.clone(), "2026-11-23"),
        (json!("1970-01-01T00:00:00Z"), taken_in.clone(), "2026-11-23"),
        (json!("9998-12-31T00:00:00Z"), taken_in.clone(), "2026-11-23"),
        (json!("9998-12-31T00:00:00Z"), json!("9998-12-31T00:00:00Z"), "2026-11-23"),
        (json!(null), json!("1970-01-01T00:00:00Z"), "2026-11-23"),
        (json!(null), at(NOW_MS - 20 * DAY), "2026-11-03"),
        (json!(0), json!(0), "2026-11-23"),
        (at(NOW_MS - 2 * DAY), json!(null), "2026-11-21"),
    ] {
        let env = TestEnv::new();
        assert_eq!(partition_of(&env, &when, &created_at).await, day, "{when} {created_at}");
        let rows = env.rows(Dataset::Events).await;
        if when.is_string() {
            let kept = rows[0]["time"].as_str().expect("a time");
            assert_eq!(kept[..10], when.as_str().expect("a time")[..10], "both times stay in the row");
        }
    }
}

#[tokio::test]
async fn row_partition_follows_max_event_skew() {
    let env =
        TestEnv::with_settings(|settings| settings.max_event_skew = std::time::Duration::from_secs(3_600));
    let (when, created_at) = (json!(format_time(NOW_MS - 20 * HOUR)), json!(format_time(NOW_MS - HOUR)));
    assert_eq!(partition_of(&env, &when, &created_at).await, "2026-11-23");
}

#[tokio::test]
async fn checkpoint_ignores_a_response_with_a_wrong_date() {
    for offset in [DAY, -DAY, 10 * MINUTE, 400 * DAY] {
        let env = TestEnv::new();
        let page = |id, at| ScriptedResponse::page(&[event(id, at)], false, Some("end"));
        let report = env.run_events([page("a", NOW_MS - HOUR).with_date_offset(offset)]).await;
        assert_eq!(report.gaps, []);
        let place = env.last_record(Dataset::Events).await.checkpoint_after;
        assert_eq!(place.high_watermark_ms, NOW_MS, "{offset}: {place:?}");
        env.service.advance(5 * MINUTE);
        let report = env.run_events([page("b", NOW_MS + MINUTE)]).await;
        assert_eq!((report.rows, report.gaps.len()), (1, 0), "{offset}: {report:?}");
        let from_date = env.service.take_requests().pop().and_then(|request| request.from_date);
        assert_eq!(from_date, Some((NOW_MS - 10 * MINUTE) / SECOND), "{offset}");
    }
}

#[tokio::test]
async fn run_warns_of_a_response_with_a_wrong_date() {
    let log = tempfile::NamedTempFile::new().expect("a file");
    let writer = Mutex::new(log.reopen().expect("a file"));
    let subscriber = tracing_subscriber::fmt().with_writer(writer).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    for (offset, warnings) in [(0, 0), (DAY, 1)] {
        let page = ScriptedResponse::page(&[event("a", NOW_MS - HOUR)], false, Some("end"));
        TestEnv::new().run_events([page.with_date_offset(offset)]).await;
        let written = fs::read_to_string(log.path()).expect("a log");
        let count = written.matches("event=\"service_clock_rejected\"").count();
        assert_eq!(count, warnings, "{offset}: {written}");
    }
}
