//! Helpers that need several requests.

mod support;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_executor::block_on;
use futures_util::StreamExt;
use serde_json::{Value, json};
use sophos_api::{
    ApiClient, ErrorKind, act_on_alerts, find_endpoint, find_endpoints,
    models::AlertActionKind,
    operations::{live_discover::query_run_results, xdr_query::query_runs},
};
use support::{ScriptedResponse, ScriptedTransport, client, tenant};

fn endpoints(hosts: &[(&str, &str)]) -> Value {
    let items: Vec<_> = hosts.iter().map(|(id, hostname)| json!({"id": id, "hostname": hostname})).collect();
    json!({"items": items, "pages": {"size": 50, "maxSize": 500}})
}

fn find(hosts: &[(&str, &str)], hostname: &str) -> Result<String, sophos_api::Error> {
    let script = ScriptedTransport::with_responses([ScriptedResponse::json(endpoints(hosts))]);
    block_on(find_endpoint(&tenant(&client(&script)), hostname)).map(|endpoint| endpoint.into_inner().id)
}

#[test]
fn find_endpoint_compares_the_whole_name() {
    let hosts = [("1", "LAPTOP-47110"), ("2", "Laptop-4711"), ("3", "xLAPTOP-4711")];
    assert_eq!(find(&hosts, "LAPTOP-4711").expect("the endpoint"), "2");
    assert_eq!(find(&hosts, "LAPTOP-47").expect_err("no such name").kind(), ErrorKind::NotFound);
}

#[test]
fn find_endpoint_lists_the_candidates_of_an_ambiguous_name() {
    let hosts = [("one", "SRV"), ("two", "srv"), ("three", "other")];

    let error = find(&hosts, "srv").expect_err("two endpoints");

    assert_eq!(error.kind(), ErrorKind::Ambiguous);
    assert!(error.to_string().contains("2 endpoints have the host name \"srv\": one, two"), "{error}");
}

#[test]
fn find_endpoints_reads_all_pages() {
    let mut first = endpoints(&[("1", "SRV")]);
    first["pages"]["nextKey"] = json!("key-2");
    let pages = [ScriptedResponse::json(first), ScriptedResponse::json(endpoints(&[("2", "SRV")]))];
    let script = ScriptedTransport::with_responses(pages);

    let found = block_on(find_endpoints(&tenant(&client(&script)), "srv")).expect("endpoints");

    assert_eq!(found.iter().map(|endpoint| endpoint.id.as_str()).collect::<Vec<_>>(), ["1", "2"]);
    let sent = script.api_requests();
    assert_eq!(sent[0].query("hostnameContains"), Some("srv"));
    assert_eq!(sent[1].query("pageFromKey"), Some("key-2"));
}

#[test]
fn empty_host_name_is_rejected_before_the_request() {
    let script = ScriptedTransport::with_responses([]);
    let error = block_on(find_endpoint(&tenant(&client(&script)), " ")).expect_err("empty");
    assert!(error.is_invalid());
    assert!(script.sent().is_empty());
}

#[test]
fn alert_actions_have_a_result_each_in_their_order() {
    let script = ScriptedTransport::with_router(|sent| {
        let id = sent.path().strip_prefix("/common/v1/alerts/")?.strip_suffix("/actions")?.to_owned();
        Some(match id.as_str() {
            "alert-3" => ScriptedResponse::status(400),
            _ => ScriptedResponse::json(json!({"id": "a", "alertId": id, "status": "requested"})),
        })
    });
    let tenant = tenant(&client(&script));
    let ids: Vec<_> = (1..=5).map(|number| format!("alert-{number}")).collect();

    let action = AlertActionKind::Acknowledge;
    let results = block_on(act_on_alerts(&tenant, ids.clone(), action, Some("handled"), 2));

    assert_eq!(results.iter().map(|(id, _)| id.clone()).collect::<Vec<_>>(), ids);
    for (id, result) in results {
        match result {
            Ok(action) => assert_eq!(action.alert_id.as_deref(), Some(id.as_str())),
            Err(error) => assert!(id == "alert-3" && error.is_invalid(), "{id}: {error}"),
        }
    }
    assert!(script.api_requests().iter().all(|sent| sent.body.contains("handled")));
}

#[test]
fn bulk_requests_stay_within_the_bound() {
    for (bound, expected) in [(0, 1), (1, 1), (3, 3), (100, 6)] {
        let active = Arc::new(AtomicUsize::new(0));
        let most = Arc::new(AtomicUsize::new(0));
        let transport = Counting { active: active.clone(), most: most.clone() };
        let client = sophos_api::Client::builder(transport, sophos_api::Auth::HostManaged)
            .rate_limit(sophos_api::RateLimit::unlimited())
            .build();
        let record = support::tenant_record(json!({"id": "t", "dataRegion": "eu01"}));
        let tenant = client.for_tenant(&record).expect("a tenant");

        let ids = (0..6).map(|number| number.to_string());
        let results = block_on(act_on_alerts(&tenant, ids, AlertActionKind::Acknowledge, None, bound));

        assert_eq!(results.len(), 6);
        assert!(results.iter().all(|(_, result)| result.is_ok()));
        assert_eq!(most.load(Ordering::Relaxed), expected, "bound {bound}");
    }
}

/// A transport that counts concurrent requests.
#[derive(Debug)]
struct Counting {
    active: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl sophos_api::Transport for Counting {
    async fn send(
        &self,
        _: http::Request<Vec<u8>>,
        _: Duration,
    ) -> Result<http::Response<bytes::Bytes>, sophos_api::TransportError> {
        let active = self.active.fetch_add(1, Ordering::Relaxed) + 1;
        self.most.fetch_max(active, Ordering::Relaxed);
        for _ in 0..5 {
            support::script::YieldOnce::default().await;
        }
        self.active.fetch_sub(1, Ordering::Relaxed);
        Ok(http::Response::new(bytes::Bytes::from_static(br#"{"id":"1"}"#)))
    }

    fn now(&self) -> Duration {
        Duration::from_secs(1)
    }

    async fn sleep(&self, _: Duration) {}
}

#[test]
fn query_results_are_read_page_by_page() {
    let page = |row: u32, next: Option<&str>| {
        ScriptedResponse::json(json!({
            "items": [{"pid": row}], "metadata": {"columns": [{"name": "pid", "type": "integer"}]},
            "pages": {"size": 1, "maxSize": 1000, "nextKey": next},
        }))
    };
    let pages = || [page(1, Some("AAAABw==")), page(2, None)];

    let script = ScriptedTransport::with_responses(pages().into_iter().chain(pages()));
    let tenant = tenant(&client(&script));
    let xdr = tenant.items(query_runs::GetQueryRunResults::new("run-1"));
    let rows: Vec<_> = block_on(xdr.map(|row| row.expect("a row")["pid"].clone()).collect());
    assert_eq!(rows, [json!(1), json!(2)]);
    let live = tenant.items(query_run_results::GetQueryRunResults::new("run-1"));
    let rows: Vec<_> = block_on(live.map(|row| row.expect("a row")["pid"].clone()).collect());
    assert_eq!(rows, [json!(1), json!(2)]);

    let sent = script.api_requests();
    assert_eq!(sent[1].query("pageFromKey"), Some("AAAABw%3D%3D"));
    let first: query_runs::QueryResults = support::parse_response::<query_runs::GetQueryRunResults>(
        200,
        r#"{"items":[],"metadata":{"columns":[{"name":"pid","type":"integer"}]}}"#,
    )
    .expect("a page");
    assert_eq!(first.metadata.columns.expect("columns")[0].name.as_deref(), Some("pid"));
}
