//! Listings by key, by page number and by cursor.

mod support;

use std::sync::Arc;

use futures_executor::block_on;
use futures_util::{Stream, StreamExt, stream::Next};
use proptest::prelude::*;
use serde_json::{Value, json};
use sophos_api::{
    ApiClient, ErrorKind, Paged, TenantClient,
    operations::{
        endpoint::endpoints::ListEndpoints,
        partner::tenants::ListPartnerTenants,
        siem::{alerts::ListSiemAlerts, events::ListSiemEvents},
    },
};
use support::{ScriptedResponse, ScriptedTransport, client, tenant};

fn items(ids: &[&str]) -> Vec<Value> {
    ids.iter().map(|id| json!({ "id": id })).collect()
}

fn keyed(ids: &[&str], next: Option<&str>) -> ScriptedResponse {
    ScriptedResponse::json(
        json!({"items": items(ids), "pages": {"nextKey": next, "size": 50, "maxSize": 500}}),
    )
}

fn numbered(ids: &[&str], pages: Value) -> ScriptedResponse {
    ScriptedResponse::json(json!({"items": items(ids), "pages": pages}))
}

fn cursor(ids: &[&str], has_more: bool, next: Option<&str>) -> ScriptedResponse {
    ScriptedResponse::json(json!({"items": items(ids), "has_more": has_more, "next_cursor": next}))
}

/// All ids of a listing, page by page.
fn collect_ids<C: ApiClient, O: Paged>(caller: &C, first: O) -> Vec<String> {
    let mut pages = caller.pages(first);
    let mut ids = Vec::new();
    while let Some(page) = block_on(pages.next()) {
        for item in O::items(page.expect("a page")) {
            ids.push(item.parse_as::<Id>().expect("an id").id);
        }
    }
    assert!(pages.position().is_none());
    ids
}

#[derive(serde::Deserialize)]
struct Id {
    id: String,
}

/// The value of this query parameter in each request to the API.
fn sent_query_values(script: &ScriptedTransport, name: &str) -> Vec<Option<String>> {
    script.api_requests().iter().map(|sent| sent.query(name).map(str::to_owned)).collect()
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn numbered_listing_ends_at_the_total() {
    let script = ScriptedTransport::with_responses([
        numbered(&["a", "b"], json!({"current": 1, "size": 2, "total": 2, "items": 3})),
        numbered(&["c"], json!({"current": 2, "size": 2, "total": 2, "items": 3})),
    ]);
    assert_eq!(collect_ids(&client(&script), ListPartnerTenants::all()), ["a", "b", "c"]);
    assert_eq!(sent_query_values(&script, "page"), [None, some("2")]);
    assert_eq!(
        sent_query_values(&script, "pageSize"),
        [some("100"), some("100")],
        "the rest of the question stays"
    );
}

#[test]
fn numbered_listing_continues_after_an_empty_page() {
    let script = ScriptedTransport::with_responses([
        numbered(&["a"], json!({"current": 1, "total": 3})),
        numbered(&[], json!({"current": 2, "total": 3})),
        numbered(&["b"], json!({"current": 3, "total": 3})),
    ]);
    assert_eq!(collect_ids(&client(&script), ListPartnerTenants::all()), ["a", "b"]);
}

#[test]
fn numbered_listing_without_total_ends_at_an_empty_page() {
    // The size does not tell the last page: it is the requested one or the number of items.
    let script = ScriptedTransport::with_responses([
        numbered(&["a"], json!({"current": 1, "size": 50, "maxSize": 100})),
        numbered(&["b"], json!({"current": 2, "size": 1, "maxSize": 100})),
        numbered(&[], json!({"current": 3, "size": 50, "maxSize": 100})),
    ]);
    let first = ListPartnerTenants::new().page_size(50);
    assert_eq!(collect_ids(&client(&script), first), ["a", "b"]);
    assert_eq!(sent_query_values(&script, "page"), [None, some("2"), some("3")]);
}

#[test]
fn numbered_listing_ends_at_a_page_beyond_the_end() {
    for (page, total) in [(2, json!(1)), (9, json!(1)), (2, Value::Null), (1, json!(0))] {
        let script = ScriptedTransport::with_responses([numbered(
            &[],
            json!({"current": page, "total": total, "size": 50}),
        )]);
        let first = ListPartnerTenants::new().page(page);
        assert!(collect_ids(&client(&script), first).is_empty(), "{page} {total}");
        assert_eq!(script.api_requests().len(), 1);
    }
}

#[test]
fn keyed_listing_continues_after_empty_pages() {
    let script = ScriptedTransport::with_responses([
        keyed(&[], Some("k1")),
        keyed(&["a"], Some("k2")),
        keyed(&[], Some("k3")),
        keyed(&[], Some("k/4+=")),
        keyed(&["b"], None),
    ]);
    assert_eq!(collect_ids(&tenant(&client(&script)), ListEndpoints::default()), ["a", "b"]);
    let keys = sent_query_values(&script, "pageFromKey");
    assert_eq!(keys, [None, some("k1"), some("k2"), some("k3"), some("k%2F4%2B%3D")]);
}

#[test]
fn keyed_listing_ends_at_an_empty_next_key() {
    let script = ScriptedTransport::with_responses([keyed(&["a"], Some(""))]);
    assert_eq!(collect_ids(&tenant(&client(&script)), ListEndpoints::default()), ["a"]);
}

#[test]
fn listing_fails_when_the_next_page_is_the_same() {
    let script = ScriptedTransport::with_responses([keyed(&["a"], Some("k1")), keyed(&["b"], Some("k1"))]);
    let tenant = tenant(&client(&script));
    let mut pages = tenant.pages(ListEndpoints::default());
    block_on(pages.next()).expect("a page").expect("the first");
    let error = block_on(pages.next()).expect("a page").expect_err("the same key");
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Malformed, false));

    let first = ListSiemEvents::new().cursor("c");
    for answer in [cursor(&["a"], true, Some("c")), cursor(&["a"], true, None)] {
        let script = ScriptedTransport::with_responses([answer]);
        let tenant = support::tenant(&client(&script));
        let error = block_on(tenant.pages(first.clone()).next()).expect("a page").expect_err("nowhere");
        assert_eq!(error.kind(), ErrorKind::Malformed);
    }
}

#[test]
fn siem_listing_ends_when_has_more_is_false() {
    let alerts = ListSiemAlerts::new().from_date(1_700_000_000).limit(1_000);
    let events = ListSiemEvents::new().from_date(1_700_000_000).limit(1_000).exclude_types(["x"]);
    for of_events in [false, true] {
        let script = ScriptedTransport::with_responses([
            cursor(&["a"], true, Some("c1")),
            cursor(&["b"], false, Some("c2")),
        ]);
        let tenant = tenant(&client(&script));
        let ids = if of_events {
            collect_ids(&tenant, events.clone())
        } else {
            collect_ids(&tenant, alerts.clone())
        };
        assert_eq!(ids, ["a", "b"]);
        assert_eq!(sent_query_values(&script, "cursor"), [None, some("c1")]);
        assert_eq!(
            sent_query_values(&script, "from_date"),
            [some("1700000000"), None],
            "a cursor replaces the start"
        );
        assert_eq!(sent_query_values(&script, "limit"), [some("1000"), some("1000")]);
        let excluded = of_events.then(|| some("x")).flatten();
        assert_eq!(sent_query_values(&script, "exclude_types"), [excluded.clone(), excluded]);
    }
}

#[test]
fn pages_retries_a_failed_page_on_the_next_call() {
    let script = ScriptedTransport::with_responses([
        keyed(&["a"], Some("k1")),
        ScriptedResponse::status(403),
        keyed(&["b"], None),
    ]);
    let tenant = tenant(&client(&script));
    let mut pages = tenant.pages(ListEndpoints::default());
    assert_eq!(block_on(pages.next()).expect("a page").expect("the first").items.len(), 1);
    assert_eq!(block_on(pages.next()).expect("a page").expect_err("rejected").kind(), ErrorKind::Forbidden);
    assert_eq!(pages.position().and_then(|next| next.page_from_key.as_deref()), Some("k1"));
    assert_eq!(block_on(pages.next()).expect("a page").expect("the second").items.len(), 1);
    assert!(block_on(pages.next()).is_none());
    assert!(block_on(pages.next()).is_none());
    assert_eq!(sent_query_values(&script, "pageFromKey"), [None, some("k1"), some("k1")]);
}

#[test]
fn page_stream_ends_after_the_error_of_a_page() {
    let script = ScriptedTransport::with_responses([
        keyed(&["a"], Some("k1")),
        ScriptedResponse::status(403),
        keyed(&["b"], None),
    ]);
    let mut pages = tenant(&client(&script)).pages(ListEndpoints::new());
    let taken: Vec<_> = block_on((&mut pages).map(|page| page.map(|page| page.items.len())).collect());
    assert_eq!(taken.iter().map(|page| page.as_ref().ok().copied()).collect::<Vec<_>>(), [Some(1), None]);
    assert_eq!(script.api_requests().len(), 2, "the error ends the stream");
    // The listing can continue from there nevertheless.
    assert_eq!(block_on(pages.next()).expect("a page").expect("the second").items.len(), 1);
    assert!(block_on(pages.next()).is_none());
}

#[test]
fn pages_and_items_own_their_client() {
    fn assert_owned<S: Stream + Send + Unpin + 'static>(listing: S) -> Vec<S::Item> {
        block_on(listing.collect())
    }
    let script = ScriptedTransport::with_responses([keyed(&["a"], None), keyed(&["a"], None)]);
    let (pages, items) = {
        let tenant = tenant(&client(&script));
        (tenant.pages(ListEndpoints::new()), tenant.items(ListEndpoints::new()))
    };
    assert_eq!((assert_owned(pages).len(), assert_owned(items).len()), (1, 1));
}

#[test]
fn pages_continues_the_request_of_a_dropped_call() {
    use futures_util::FutureExt;
    let script = ScriptedTransport::with_responses([keyed(&["a"], None).with_yields(1)]);
    let mut pages = tenant(&client(&script)).pages(ListEndpoints::new());
    assert!(pages.next().now_or_never().is_none(), "the response takes a while");
    assert_eq!(block_on(pages.next()).expect("a page").expect("the first").items.len(), 1);
    assert_eq!(script.api_requests().len(), 1);
}

#[test]
fn items_end_with_the_error_of_a_failed_page() {
    let script =
        ScriptedTransport::with_responses([keyed(&["a", "b"], Some("k1")), ScriptedResponse::status(403)]);
    let tenant = tenant(&client(&script));
    let taken: Vec<_> = block_on(tenant.items(ListEndpoints::default()).collect());
    let shown: Vec<_> = taken.iter().map(|item| item.as_ref().map(|item| item.id.as_str())).collect();
    assert_eq!((shown.len(), shown[0].ok(), shown[1].ok()), (3, Some("a"), Some("b")));
    assert_eq!(shown[2].expect_err("rejected").kind(), ErrorKind::Forbidden);

    // After the end, each poll returns none.
    let script = ScriptedTransport::with_responses([ScriptedResponse::status(403)]);
    let tenant = support::tenant(&client(&script));
    let mut items = tenant.items(ListEndpoints::default());
    assert!(block_on(items.next()).expect("an item").is_err());
    assert!(block_on(items.next()).is_none() && block_on(items.next()).is_none());
    assert_eq!(script.api_requests().len(), 1);
}

#[test]
fn items_yield_an_error_for_a_malformed_item() {
    let page = json!({"items": [{"id": "a"}, "b", {"id": "c"}], "pages": {"nextKey": "k"}});
    let script = ScriptedTransport::with_responses([ScriptedResponse::json(page), keyed(&["d"], None)]);
    let tenant = tenant(&client(&script));
    let taken: Vec<_> = block_on(tenant.items(ListEndpoints::default()).collect());
    let ids: Vec<_> = taken.iter().map(|item| item.as_ref().ok().map(|item| item.id.as_str())).collect();
    assert_eq!(ids, [Some("a"), None, Some("c"), Some("d")]);
}

/// The next item, which a single poll must return.
fn poll_ready<S: Stream + Unpin>(next: Next<'_, S>) -> Option<S::Item> {
    use futures_util::FutureExt;
    next.now_or_never().expect("an item is ready")
}

#[test]
fn items_prefetch_exactly_one_page() {
    let script = ScriptedTransport::with_responses([
        keyed(&["a", "b", "c"], Some("k1")),
        keyed(&["d", "e"], Some("k2")),
        keyed(&["f"], None),
    ]);
    let tenant: TenantClient<Arc<ScriptedTransport>> = tenant(&client(&script));
    let mut items = tenant.items(ListEndpoints::default());
    assert!(script.sent().is_empty(), "nothing is requested before the first poll");
    let mut take = |expected: &str, pages_requested: usize, at_once: bool| {
        let next = items.next();
        let item = if at_once { poll_ready(next) } else { block_on(next) };
        assert_eq!(item.expect("an item").expect("a readable one").id, expected);
        assert_eq!(script.api_requests().len(), pages_requested, "after {expected}");
    };
    take("a", 2, false);
    take("b", 2, true);
    take("c", 2, true);
    take("d", 3, true);
    take("e", 3, true);
    take("f", 3, true);
    assert!(poll_ready(items.next()).is_none());
}

/// The responses of a listing of these pages, in each of the three styles.
fn page_responses(pages: &[Vec<String>], style: &str) -> Vec<ScriptedResponse> {
    let last = pages.len() - 1;
    let page = |(index, ids): (usize, &Vec<String>)| {
        let ids: Vec<_> = ids.iter().map(String::as_str).collect();
        let next = format!("k{index}");
        match style {
            "keyed" => keyed(&ids, (index < last).then_some(next.as_str())),
            "cursor" => cursor(&ids, index < last, Some(&next)),
            "numbered" => numbered(&ids, json!({"current": index + 1, "total": pages.len()})),
            other => panic!("{other}"),
        }
    };
    pages.iter().enumerate().map(page).collect()
}

fn collect_by_pages_and_items<O: Paged + Default + 'static>(
    pages: &[Vec<String>],
    style: &str,
    through_tenant: bool,
) -> [Vec<String>; 2] {
    fn items<C: ApiClient, O: Paged + Default + 'static>(caller: &C) -> Vec<String> {
        let taken: Vec<_> = block_on(caller.items(O::default()).collect());
        let id = |json: &str| serde_json::from_str::<Id>(json).expect("an id").id;
        taken.into_iter().map(|item| id(item.expect("an item").raw())).collect()
    }
    let scripts = [
        ScriptedTransport::with_responses(page_responses(pages, style)),
        ScriptedTransport::with_responses(page_responses(pages, style)),
    ];
    let clients = scripts.each_ref().map(client);
    let ids = if through_tenant {
        [collect_ids(&tenant(&clients[0]), O::default()), items::<_, O>(&tenant(&clients[1]))]
    } else {
        [collect_ids(&clients[0], O::default()), items::<_, O>(&clients[1])]
    };
    assert!(scripts.iter().all(|script| script.remaining() == 0), "every page is requested once");
    ids
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// A listing returns each item once, in order, for any sizes of the pages.
    #[test]
    fn listing_is_complete_for_any_page_split(sizes in prop::collection::vec(0_usize..4, 1..9)) {
        let mut ids = (0..).map(|number: u32| number.to_string());
        let pages: Vec<Vec<String>> = sizes.iter().map(|size| ids.by_ref().take(*size).collect()).collect();
        let whole: Vec<String> = pages.concat();
        for ids in [
            collect_by_pages_and_items::<ListEndpoints>(&pages, "keyed", true),
            collect_by_pages_and_items::<ListSiemEvents>(&pages, "cursor", true),
            collect_by_pages_and_items::<ListPartnerTenants>(&pages, "numbered", false),
        ] {
            prop_assert_eq!(&ids, &[whole.clone(), whole.clone()]);
        }
    }

    /// The same without a total, where only an empty page is the end.
    #[test]
    fn listing_without_total_is_complete_for_any_page_split(sizes in prop::collection::vec(1_usize..4, 0..9)) {
        let mut ids = (0..).map(|number: u32| number.to_string());
        let mut pages: Vec<Vec<String>> = sizes.iter().map(|size| ids.by_ref().take(*size).collect()).collect();
        let whole = pages.concat();
        pages.push(Vec::new());
        let script = ScriptedTransport::with_responses(pages.iter().map(|page| {
            numbered(&page.iter().map(String::as_str).collect::<Vec<_>>(), json!({"size": 50}))
        }));
        prop_assert_eq!(collect_ids(&client(&script), ListPartnerTenants::default()), whole);
        prop_assert_eq!(script.remaining(), 0);
    }
}
