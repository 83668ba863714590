//! Pages above the limit of the transport: the run requests smaller pages, and records
//! that exceed the limit alone are a gap.

mod support;

use serde_json::{Value, json};
use sophos_api::ErrorKind;
use sophos_export::{Dataset, FailureKind, Gap, StreamOutcome};
use support::{HOUR, MINUTE, NOW_MS, Request, SECOND, ScriptedResponse, TestEnv, event};

const TOO_LARGE: FailureKind = FailureKind::Service(ErrorKind::TooLarge);

/// A feed of records with their creation times and lengths in bytes. A cursor is the
/// number of the next record.
#[derive(Clone)]
struct Feed(Vec<(i64, usize)>);

impl Feed {
    fn respond(&self, request: &Request, max_bytes: usize) -> ScriptedResponse {
        let from_ms = request.from_date.map_or(i64::MIN, |seconds| seconds * SECOND);
        let by_time = self.0.iter().position(|(at, _)| *at >= from_ms).unwrap_or(self.0.len());
        let first = request.cursor.as_deref().map_or(by_time, |cursor| cursor.parse().expect("a number"));
        let end = (first + request.limit.expect("a limit") as usize).min(self.0.len());
        let records = &self.0[first..end];
        if records.iter().map(|(_, bytes)| bytes).sum::<usize>() > max_bytes {
            return ScriptedResponse::too_large();
        }
        let items: Vec<Value> =
            records.iter().zip(first..).map(|((at, _), number)| event(&number.to_string(), *at)).collect();
        ScriptedResponse::page(&items, end < self.0.len(), Some(&end.to_string()))
    }
}

fn limits(requests: &[Request]) -> Vec<u32> {
    requests.iter().filter_map(|request| request.limit).collect()
}

#[tokio::test]
async fn a_page_that_is_too_large_is_read_in_smaller_ones() {
    let feed = Feed((0..1_000).map(|number| (NOW_MS - HOUR + number, 1)).collect());
    for (dataset, max_bytes, expected) in [
        (Dataset::Events, 400, vec![1_000, 500, 250, 250, 250, 250]),
        (Dataset::Alerts, 249, vec![1_000, 500, 250, 200, 200, 200, 200, 200]),
    ] {
        let env = TestEnv::with_settings(|settings| settings.rows_per_commit = 450);
        let feed = feed.clone();
        env.service.route(move |request| feed.respond(request, max_bytes));
        let report = env.run(dataset).await;
        assert_eq!((report.outcome, report.rows), (StreamOutcome::Committed, 1_000), "{report:?}");
        assert!(report.commits > 1, "the limit holds from commit to commit: {report:?}");
        assert_eq!(report.gaps, []);
        assert_eq!(limits(&env.service.take_requests()), expected, "{dataset}");
    }
}

#[tokio::test]
async fn what_fits_into_no_page_is_a_small_gap() {
    // Ten minutes of large records between small ones, one a second.
    let start = NOW_MS - HOUR;
    let large = 1_000..1_600;
    let records =
        (0..3_000).map(|number| (start + number * SECOND, if large.contains(&number) { 1_000 } else { 1 }));
    let feed = Feed(records.collect());
    let env = TestEnv::new();
    env.service.route(move |request| feed.respond(request, 2_000));
    let report = env.run(Dataset::Events).await;
    assert_eq!((report.outcome, report.error_kind), (StreamOutcome::Failed, Some(TOO_LARGE)), "{report:?}");
    assert!(report.error.as_deref().is_some_and(|error| error.contains("raise the limit")), "{report:?}");
    let rows = env.rows(Dataset::Events).await.len();
    assert_eq!(report.rows as usize, rows);
    let [gap] = report.gaps[..] else { panic!("{report:?}") };
    // One large record fits into a page.
    assert_eq!(gap.to_ms, start + 1_599 * SECOND);
    assert!(gap.from_ms >= start + 800 * SECOND, "{gap:?}");
    let lost = gap.seconds() as usize - 1;
    assert_eq!(rows + lost, 3_000, "{report:?}");
    assert_eq!(env.last_record(Dataset::Events).await.gaps, [gap]);

    env.service.advance(5 * MINUTE);
    let report = env.run(Dataset::Events).await;
    assert_eq!(
        (report.outcome, report.gaps.len()),
        (StreamOutcome::UpToDate, 0),
        "the stream goes on: {report:?}"
    );
}

#[tokio::test]
async fn a_feed_that_begins_too_large_is_read_after_that() {
    let records = (0..600).map(|number| (NOW_MS - HOUR + number * SECOND, 1_000 * usize::from(number < 200)));
    let feed = Feed(records.collect());
    let env = TestEnv::new();
    env.service.route(move |request| feed.respond(request, 1_000));
    let report = env.run(Dataset::Events).await;
    assert_eq!((report.rows, report.error_kind), (401, Some(TOO_LARGE)), "{report:?}");
    let to_ms = NOW_MS - HOUR + 199 * SECOND;
    assert_eq!(report.gaps, [Gap { from_ms: NOW_MS - 24 * HOUR + SECOND, to_ms }]);
}

#[tokio::test]
async fn nothing_is_skipped_when_no_page_fits() {
    let env = TestEnv::new();
    env.service.route(|_| ScriptedResponse::too_large());
    let report = env.run(Dataset::Events).await;
    assert_eq!((report.outcome, report.error_kind), (StreamOutcome::Failed, Some(TOO_LARGE)), "{report:?}");
    assert_eq!((report.commits, report.gaps.len()), (0, 0), "{report:?}");
    assert_eq!(limits(&env.service.take_requests()), [1_000, 500, 250, 200, 200]);
    assert!(env.object_names().await.is_empty());
}

/// Fills a gap from the Common API, whose responses have at most `max` alerts.
async fn backfill(max: u32) -> (TestEnv, sophos_export::StreamReport) {
    let env = TestEnv::new();
    env.service.route(move |request| match request.path.as_str() {
        "/siem/v1/alerts" => ScriptedResponse::page(&[], false, Some("end")),
        _ if request.limit > Some(max) => ScriptedResponse::too_large(),
        _ => ScriptedResponse::bytes(
            json!({ "items": [{"id": "c"}], "pages": { "maxSize": 1_000 } }).to_string(),
        ),
    });
    env.run(Dataset::Alerts).await;
    env.service.advance(30 * HOUR);
    env.service.take_requests();
    let report = env.run(Dataset::Alerts).await;
    (env, report)
}

#[tokio::test]
async fn a_gap_is_filled_in_pages_that_fit() {
    let (env, report) = backfill(30).await;
    assert_eq!((report.outcome, report.backfilled), (StreamOutcome::Committed, 1), "{report:?}");
    assert_eq!(limits(&env.service.take_requests()[1..]), [100, 50, 25]);
}

#[tokio::test]
async fn a_gap_with_a_giant_alert_is_given_up() {
    let (env, report) = backfill(0).await;
    assert_eq!((report.outcome, report.error_kind), (StreamOutcome::Failed, Some(TOO_LARGE)), "{report:?}");
    assert_eq!(limits(&env.service.take_requests()[1..]), [100, 50, 25, 12, 6, 3, 1]);
    assert_eq!(env.last_record(Dataset::Alerts).await.pending_backfills, []);
    let report = env.run(Dataset::Alerts).await;
    assert_eq!(report.outcome, StreamOutcome::UpToDate, "the stream goes on: {report:?}");
}
