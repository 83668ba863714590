//! Tests of the SIEM feeds.

mod common;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use common::*;
use serde_json::json;
use sophos_simulator::{Dataset, Simulator};

#[tokio::test]
async fn paging_the_feed_returns_all_records() {
    let sim = Simulator::start(one_tenant(500.0, 60.0, 10)).await.unwrap();
    let client = Client::partner(&sim).await;
    let at = TenantClient::new(&sim, &client, 0);
    for (feed, dataset) in [("events", Dataset::Events), ("alerts", Dataset::Alerts)] {
        let truth = sim.produced(dataset, &at.tenant, START_MS - DAY_MS, START_MS + 1);
        assert!(truth.len() > 1_000, "{}", truth.len());
        for limit in [200, 333, 1_000] {
            let (walked, _) = at.collect_ids(feed, limit, None).await;
            assert_eq!(walked, truth);
        }
        assert_eq!(sim.served(dataset, &at.tenant), truth);
        assert_eq!(sim.served(feed, &at.tenant), truth);
    }
    assert_eq!(sim.served_totals().total[&Dataset::Alerts], sim.served("alerts", &at.tenant).len() as u64);
    assert!(sim.served("common_alerts", &at.tenant).is_empty());
    assert!(sim.served("nothing", &at.tenant).is_empty());

    // The next request continues where the last one ended.
    let (_, cursor) = at.collect_ids("events", 1_000, None).await;
    let (nothing, same) = at.collect_ids("events", 200, Some(cursor.clone())).await;
    assert_eq!((nothing.len(), &same), (0, &cursor));
    sim.clock().advance(Duration::from_secs(1_800));
    let (new, _) = at.collect_ids("events", 200, Some(cursor)).await;
    let now = sim.clock().now_ms();
    assert_eq!(new, sim.produced("events", &at.tenant, START_MS + 1, now + 1));
}

#[tokio::test]
async fn feed_parameters_are_validated() {
    let sim = Simulator::start(one_tenant(3_600.0, 1.0, 10)).await.unwrap();
    let client = Client::partner(&sim).await;
    let at = TenantClient::new(&sim, &client, 0);
    let get = async |query: String| at.get(&format!("/siem/v1/events?{query}")).await;
    for bad in ["limit=199", "limit=1001", "limit=x", "cursor=rubbish", "from_date=soon"] {
        assert_eq!(get(bad.to_owned()).await.status, 400, "{bad}");
    }
    let page = get(String::new()).await.json();
    assert_eq!(page["items"].as_array().unwrap().len(), 200);
    assert_eq!(page["has_more"], true);

    let now = START_MS / 1_000;
    assert_eq!(get(format!("from_date={}", now - 86_401)).await.status, 400);
    assert_eq!(get(format!("from_date={}", now - 86_400)).await.status, 200);
    let recent = get(format!("from_date={}&limit=1000", now - 600)).await.json();
    assert_eq!(ids(&recent), sim.produced("events", &at.tenant, START_MS - 600_000, START_MS + 1));
    // A cursor overrides a date, even an invalid one.
    let cursor = text(&page["next_cursor"]);
    let both = get(format!("from_date=5&cursor={cursor}")).await.json();
    assert_eq!(ids(&both), ids(&get(format!("cursor={cursor}")).await.json()));

    let types = |page: &serde_json::Value| -> BTreeSet<String> {
        page["items"].as_array().unwrap().iter().map(|i| text(&i["type"])).collect()
    };
    let page = get("limit=1000".to_owned()).await.json();
    let all = types(&page);
    assert!(all.len() > 10);
    let (one, two) = (all.first().unwrap(), all.last().unwrap());
    let rest = get(format!("limit=1000&exclude_types={one},{two}")).await.json();
    assert_eq!(rest["items"].as_array().unwrap().len(), 1_000);
    assert!(!types(&rest).contains(one) && !types(&rest).contains(two));
}

#[tokio::test]
async fn cursor_older_than_24_hours_skips_events_silently() {
    let sim = Simulator::start(one_tenant(120.0, 1.0, 3)).await.unwrap();
    let client = Client::partner(&sim).await;
    let at = TenantClient::new(&sim, &client, 0);
    let (_, cursor) = at.collect_ids("events", 1_000, None).await;
    sim.clock().advance(Duration::from_secs(30 * 3_600));
    let client = Client::partner(&sim).await;
    let at = TenantClient::new(&sim, &client, 0);
    let now = sim.clock().now_ms();
    let (walked, _) = at.collect_ids("events", 1_000, Some(cursor)).await;
    assert_eq!(walked, sim.produced("events", &at.tenant, now - DAY_MS, now + 1));
    assert!(sim.produced("events", &at.tenant, START_MS + 1, now - DAY_MS).len() > 500);
}

#[tokio::test]
async fn feed_contains_late_and_repeated_records() {
    let mut config = one_tenant(3_600.0, 1.0, 5);
    config.data.late_share = 0.05;
    config.data.repeat_share = 0.03;
    let sim = Simulator::start(config).await.unwrap();
    let client = Client::partner(&sim).await;
    let at = TenantClient::new(&sim, &client, 0);
    let (_, mut cursor) = at.collect_ids("events", 1_000, None).await;
    let mut polled = Vec::new();
    for _ in 0..20 {
        sim.clock().advance(Duration::from_secs(60));
        let (ids, next) = at.collect_ids("events", 200, Some(cursor)).await;
        polled.extend(ids);
        cursor = next;
    }
    let distinct: HashSet<&String> = polled.iter().collect();
    assert!(polled.len() > distinct.len() + 10, "some came twice");
    let now = sim.clock().now_ms();
    let truth = sim.produced("events", &at.tenant, START_MS + 1, now + 1);
    let missed = truth.iter().filter(|id| !distinct.contains(id)).count();
    assert!(missed > 10, "a plain reader misses the late ones: {missed}");

    // A reader that starts again later receives everything.
    sim.clock().advance(Duration::from_secs(120));
    let from = START_MS / 1_000;
    let mut again = HashMap::new();
    let mut cursor = String::new();
    loop {
        let page = at.get_ok(&format!("/siem/v1/events?limit=1000&from_date={from}{cursor}")).await;
        for item in page["items"].as_array().unwrap() {
            let first = again.entry(text(&item["id"])).or_insert_with(|| item.clone());
            assert_eq!(first, item, "a repeat is the same record");
        }
        if page["has_more"] == false {
            break;
        }
        cursor = format!("&cursor={}", text(&page["next_cursor"]));
    }
    assert!(truth.iter().all(|id| again.contains_key(id)));
}

#[tokio::test]
async fn feed_pages_through_a_million_events() {
    let mut config = one_tenant(1_000_000.0 / 23.0, 1.0, 50);
    config.tenants[0].history_hours = Some(23.0);
    config.tenants[0].events_total = Some(1_000_000);
    let sim = Simulator::start(config).await.unwrap();
    let client = Client::partner(&sim).await;
    let at = TenantClient::new(&sim, &client, 0);
    sim.clock().advance(Duration::from_secs(1_800));
    assert_eq!(sim.produced("events", &at.tenant, 0, i64::MAX).len(), 1_000_000);
    let first = at.get_ok("/siem/v1/events?limit=1000").await;
    let last = at.get_ok(&format!("/siem/v1/events?limit=1000&from_date={}", START_MS / 1_000 - 30)).await;
    assert_eq!(first["has_more"], true);
    assert_eq!(last["has_more"], false);
}

#[tokio::test]
async fn feeds_show_what_real_records_look_like() {
    let mut config = one_tenant(3_600.0, 3_600.0, 20);
    config.data.wrong_clock_share = 0.2;
    let sim = Simulator::start(config).await.unwrap();
    let client = Client::partner(&sim).await;
    let at = TenantClient::new(&sim, &client, 0);
    let events = at.get_ok("/siem/v1/events?limit=1000").await;
    let alerts = at.get_ok("/siem/v1/alerts?limit=1000").await;
    let items = events["items"].as_array().unwrap();
    let off = items.iter().filter(|e| text(&e["when"])[..13] != text(&e["created_at"])[..13]).count();
    assert!(off > 50, "some hosts are wrong by hours: {off}");
    assert!(items.iter().any(|e| e["core_remedy_items"]["totalItems"].is_number()));
    assert!(items.iter().any(|e| e.get("core_remedy_items").is_some_and(|r| r.is_null())));
    assert!(items.iter().any(|e| !text(&e["name"]).is_ascii() || text(&e["name"]).contains('"')));
    assert!(items.iter().all(|e| e["origin"].is_null() && e["source_info"]["ip"].is_string()));
    let data = &alerts["items"][0]["data"];
    assert!(data["created_at"].is_i64() && data["endpoint_id"].is_string());
}

#[tokio::test]
#[ignore = "needs recorded material beside the checkout: `cargo xtask test` runs it where that is"]
async fn feeds_have_the_recorded_members() {
    let sim = Simulator::start(one_tenant(3_600.0, 3_600.0, 20)).await.unwrap();
    let client = Client::partner(&sim).await;
    let at = TenantClient::new(&sim, &client, 0);
    let events = at.get_ok("/siem/v1/events?limit=1000").await;
    let alerts = at.get_ok("/siem/v1/alerts?limit=1000").await;
    let items = events["items"].as_array().unwrap();
    let page = recorded("fixtures/siem-integration/events_page.json");
    for record in page["items"].as_array().unwrap() {
        for name in record.as_object().unwrap().keys() {
            assert!(items.iter().all(|e| e.get(name).is_some()), "event without {name}");
        }
    }
    for name in ["has_more", "next_cursor", "items"] {
        assert!(page.get(name).is_some() && events.get(name).is_some());
    }
    let lines = recorded("fixtures/siem-integration/client_output_lines_2019.json");
    let line = lines.as_array().unwrap().iter().find(|l| l["datastream"] == "alert").unwrap();
    let threats = alerts["items"].as_array().unwrap().iter().filter(|a| !a["threat"].is_null());
    for alert in threats {
        for name in line["data"].as_object().unwrap().keys() {
            assert!(alert["data"].get(name).is_some() || name == "detection_identity_name", "{name}");
        }
        for name in ["threat_cleanable", "event_service_event_id", "description", "customer_id"] {
            assert!(alert.get(name).is_some(), "{name}");
        }
    }
    assert_eq!(json!(items.len()), json!(1_000));
}
