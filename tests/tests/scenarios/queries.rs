//! Queries: every field of every record, and the ends of pages.

use end_to_end::hosts::{
    TENANT,
    scenario::{FIRST_ID, NEXT_CURSOR, Scenario},
};
use serde_json::{Value, json};

use super::{
    ACME, LAPTOP, LONE, ORGANIZATION_CREDENTIAL, SERVER, TENANT_CREDENTIAL, acme_scenario, an_hour_ago,
    scenario, with_credential,
};

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        scenario("a partner credential lists its tenants, 100 per page")
            .call("session.whoami", json!([]), json!({"kind": "partner"}))
            .call_pages("tenants.list", json!([NEXT_CURSOR]), 2)
            .call("tenants.open", json!([ACME]), json!({"id": ACME, "name": "Acme"}))
            .call(
                "session.get-usage",
                json!([]),
                json!({"api-requests": 4, "token-requests": 1, "retries": 0}),
            ),
        scenario("an organization credential lists its tenants")
            .with_setup(with_credential(ORGANIZATION_CREDENTIAL))
            .call("session.whoami", json!([]), json!({"kind": "organization"}))
            .call_pages("tenants.list", json!([NEXT_CURSOR]), 1)
            .call_ok("tenants.open", json!([FIRST_ID]))
            .call_pages("endpoints.search", json!([TENANT, [], {"after": NEXT_CURSOR}]), 1),
        scenario("a tenant credential lists its own tenant")
            .with_setup(with_credential(TENANT_CREDENTIAL))
            .call("session.whoami", json!([]), json!({"kind": "tenant", "id": LONE}))
            .call_pages("tenants.list", json!([NEXT_CURSOR]), 1)
            .call("tenants.own", json!([]), json!({"id": LONE, "name": null}))
            .call_pages("endpoints.search", json!([TENANT, [], {"after": NEXT_CURSOR}]), 1)
            .call_ok("tenants.open", json!([LONE])),
        scenario("a tenant without an API host is a malformed item")
            .with_config(|config| config.quirks.no_api_host = 0.5)
            .call_pages("tenants.list", json!([NEXT_CURSOR]), 2),
        acme_scenario("endpoints: pages and single records")
            .call_pages("endpoints.search", json!([TENANT, [], {"after": NEXT_CURSOR, "size": 10}]), 3)
            .call("endpoints.get", json!([TENANT, LAPTOP]), laptop())
            .call("endpoints.get", json!([TENANT, SERVER]), json!({"kind": "server", "online": false}))
            .call_ok("isolation.inspect", json!([TENANT, LAPTOP])),
        endpoint_views(),
        endpoint_filters(),
        acme_scenario("alerts: pages and single records")
            .call_pages("alerts.search", json!([TENANT, [], {"after": NEXT_CURSOR, "size": 13}]), 3)
            .call_ok("alerts.search", json!([TENANT, [], {"size": 2}]))
            .call_ok("alerts.get", json!([TENANT, FIRST_ID])),
        alert_filters(),
        acme_scenario("events: from a start position and from a cursor")
            .call_ok("events.list", json!([TENANT, {"tag": "oldest"}, {"size": 200}]))
            .call(
                "events.list",
                json!([TENANT, {"tag": "after", "val": NEXT_CURSOR}, {}]),
                json!({"has-more": true}),
            )
            .new_session()
            .call_ok("tenants.open", json!([ACME]))
            .call_ok("events.list", json!([TENANT, {"tag": "after", "val": NEXT_CURSOR}, {"size": 1_000}]))
            .call("events.list", json!([TENANT, an_hour_ago(), {"size": 1_000}]), json!({"has-more": false}))
            .call(
                "events.list",
                json!([TENANT, {"tag": "after", "val": NEXT_CURSOR}, {}]),
                json!({"events": [], "has-more": false}),
            )
            .call_ok(
                "events.list",
                json!([TENANT, an_hour_ago(), {"exclude": ["Event::Endpoint::UpdateSuccess"]}]),
            ),
        acme_scenario("account health: all checks and some checks")
            .call_ok("account-health.run-checks", json!([TENANT, []]))
            .call_ok("account-health.run-checks", json!([TENANT, ["protection", "exclusions"]])),
    ]
}

/// Returns the expected record of [`LAPTOP`].
fn laptop() -> Value {
    json!({
        "id": LAPTOP,
        "hostname": "ACME-LAPTOP-7",
        "kind": "computer",
        "ipv4-addresses": ["10.1.2.3", "192.0.2.7"],
        "mac-addresses": ["00:00:5E:00:53:af"],
        "group": "Web",
        "tags": [{"key": "env", "value": "prod"}, {"key": "owner", "value": "web"}],
        "cloud": {"provider": "aws", "id": "i-0abcdef1234567890"},
        "cloned": true,
        "online": true,
        "isolated": false,
    })
}

fn endpoint_views() -> Scenario {
    let listings = [
        json!({"view": "basic"}),
        json!({"view": "summary", "size": 7}),
        json!({"view": "full", "sort": "hostname:desc"}),
        json!({"fields": ["hostname", "health"], "size": 500}),
    ];
    listings
        .into_iter()
        .fold(acme_scenario("endpoints: views, sizes, sort orders and fields"), |scenario, listing| {
            scenario.call_ok("endpoints.search", json!([TENANT, [], listing]))
        })
}

fn endpoint_filters() -> Scenario {
    let of = |tag: &str, val: Value| json!([{"tag": tag, "val": val}]);
    let filters = [
        of("ids", json!([LAPTOP, SERVER])),
        of("kinds", json!(["server"])),
        of("health", json!(["bad", "suspicious"])),
        of("online", json!(false)),
        of("isolated", json!(true)),
        of("isolated", json!(false)),
        of("tamper-protected", json!(true)),
        of("tamper-protection-supported", json!(true)),
        of("lockdown", json!(["unlocked", "unavailable"])),
        of("encryption", json!(["notEncrypted"])),
        of("hostname-contains", json!("LAPTOP")),
        of("serial-number-contains", json!("A")),
        of("person-contains", json!("a")),
        of("text", json!("ACME")),
        of("ip-addresses", json!(["10.1.2.3"])),
        of("mac-addresses", json!(["00-00-5E-00-53-AF"])),
        of("cloud", json!(["aws:i-0abcdef1234567890"])),
        of("seen-before", json!("2026-01-15T12:00:00Z")),
        of("seen-after", json!("-P30D")),
        of("agent-updated-before", json!("2026-01-10T00:00:00Z")),
        of("agent-updated-after", json!("-P10D")),
        of("os-updated-before", json!("2026-01-01T00:00:00Z")),
        of("os-updated-after", json!("-P20D")),
        json!([{"tag": "kinds", "val": ["computer"]}, {"tag": "hostname-contains", "val": "ACME"}]),
    ];
    filters.into_iter().fold(acme_scenario("endpoints: every filter"), |scenario, filter| {
        scenario.call_ok("endpoints.search", json!([TENANT, filter, {}]))
    })
}

fn alert_filters() -> Scenario {
    let of = |tag: &str, val: Value| json!([{"tag": tag, "val": val}]);
    let filters = [
        of("since", json!("2026-01-15T06:00:00.000Z")),
        of("before", json!("2026-01-15T06:00:00.000Z")),
        of("severities", json!(["high", "medium"])),
        of("categories", json!(["malware", "updating"])),
        of("products", json!(["server"])),
        of("ids", json!([FIRST_ID])),
        of("group-key", json!("bm90aGluZw==")),
        json!([{"tag": "severities", "val": ["high"]}, {"tag": "categories", "val": ["malware"]}]),
    ];
    let scenario = acme_scenario("alerts: every filter")
        .call_ok("alerts.search", json!([TENANT, [], {"sort": "raisedAt:asc", "fields": ["severity"]}]));
    filters.into_iter().fold(scenario, |scenario, filter| {
        scenario
            .call_ok("alerts.search", json!([TENANT, [], {}]))
            .call_ok("alerts.search", json!([TENANT, filter, {}]))
    })
}
