//! Looking at an estate: every field of every record, and where pages end.

use end_to_end::hosts::{
    TENANT,
    scenario::{FIRST, NEXT, Scenario},
};
use serde_json::{Value, json};

use super::{
    ACME, LAPTOP, LONE, OF_A_TENANT, OF_AN_ORGANIZATION, SERVER, an_hour_ago, in_acme, scenario,
    with_credential,
};

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        scenario("a partner's credential reaches its tenants, a hundred a page")
            .shows("session.whoami", json!([]), json!({"kind": "partner"}))
            .pages("tenants.reachable", json!([NEXT]), 2)
            .shows("tenants.open", json!([ACME]), json!({"id": ACME, "name": "Acme"}))
            .shows("session.usage-so-far", json!([]), json!({"calls": 4, "token-requests": 1, "retries": 0})),
        scenario("an organization's credential reaches its own")
            .given(with_credential(OF_AN_ORGANIZATION))
            .shows("session.whoami", json!([]), json!({"kind": "organization"}))
            .pages("tenants.reachable", json!([NEXT]), 1)
            .ok("tenants.open", json!([FIRST]))
            .pages("endpoints.search", json!([TENANT, [], {"after": NEXT}]), 1),
        scenario("a tenant's credential is at home in one")
            .given(with_credential(OF_A_TENANT))
            .shows("session.whoami", json!([]), json!({"kind": "tenant", "id": LONE}))
            .pages("tenants.reachable", json!([NEXT]), 1)
            .shows("tenants.home", json!([]), json!({"id": LONE, "name": null}))
            .pages("endpoints.search", json!([TENANT, [], {"after": NEXT}]), 1)
            .ok("tenants.open", json!([LONE])),
        scenario("a tenant that leads to no host is told apart from those that do")
            .where_it(|estate| estate.quirks.no_api_host = 0.5)
            .pages("tenants.reachable", json!([NEXT]), 2),
        in_acme("endpoints come page by page, and one by one")
            .pages("endpoints.search", json!([TENANT, [], {"after": NEXT, "size": 10}]), 3)
            .shows("endpoints.get", json!([TENANT, LAPTOP]), laptop())
            .shows("endpoints.get", json!([TENANT, SERVER]), json!({"kind": "server", "online": false}))
            .ok("isolation.inspect", json!([TENANT, LAPTOP])),
        views_of_endpoints(),
        filters_of_endpoints(),
        in_acme("alerts come page by page, and one by one")
            .pages("alerts.search", json!([TENANT, [], {"after": NEXT, "size": 13}]), 3)
            .ok("alerts.search", json!([TENANT, [], {"size": 2}]))
            .ok("alerts.get", json!([TENANT, FIRST])),
        filters_of_alerts(),
        in_acme("events are read from a place on, and from where a page ended")
            .ok("events.read", json!([TENANT, {"tag": "oldest"}, {"size": 200}]))
            .shows("events.read", json!([TENANT, {"tag": "after", "val": NEXT}, {}]), json!({"more": true}))
            .in_another_instance()
            .ok("tenants.open", json!([ACME]))
            .ok("events.read", json!([TENANT, {"tag": "after", "val": NEXT}, {"size": 1_000}]))
            .shows("events.read", json!([TENANT, an_hour_ago(), {"size": 1_000}]), json!({"more": false}))
            .shows(
                "events.read",
                json!([TENANT, {"tag": "after", "val": NEXT}, {}]),
                json!({"events": [], "more": false}),
            )
            .ok(
                "events.read",
                json!([TENANT, an_hour_ago(), {"exclude": ["Event::Endpoint::UpdateSuccess"]}]),
            ),
        in_acme("health is examined as a whole and in parts")
            .ok("account-health.examine", json!([TENANT, []]))
            .ok("account-health.examine", json!([TENANT, ["protection", "exclusions"]])),
    ]
}

/// What the estate says of it.
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

fn views_of_endpoints() -> Scenario {
    let listings = [
        json!({"view": "basic"}),
        json!({"view": "summary", "size": 7}),
        json!({"view": "full", "sort": "hostname:desc"}),
        json!({"fields": ["hostname", "health"], "size": 500}),
    ];
    listings.into_iter().fold(in_acme("as much of endpoints is sent as is wanted"), |scenario, listing| {
        scenario.ok("endpoints.search", json!([TENANT, [], listing]))
    })
}

fn filters_of_endpoints() -> Scenario {
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
    filters.into_iter().fold(in_acme("each filter of endpoints finds what it finds"), |scenario, filter| {
        scenario.ok("endpoints.search", json!([TENANT, filter, {}]))
    })
}

fn filters_of_alerts() -> Scenario {
    let of = |tag: &str, val: Value| json!([{"tag": tag, "val": val}]);
    let filters = [
        of("since", json!("2026-01-15T06:00:00.000Z")),
        of("before", json!("2026-01-15T06:00:00.000Z")),
        of("severities", json!(["high", "medium"])),
        of("categories", json!(["malware", "updating"])),
        of("products", json!(["server"])),
        of("ids", json!([FIRST])),
        of("group-key", json!("bm90aGluZw==")),
        json!([{"tag": "severities", "val": ["high"]}, {"tag": "categories", "val": ["malware"]}]),
    ];
    let begun = in_acme("each filter of alerts finds what it finds")
        .ok("alerts.search", json!([TENANT, [], {"sort": "raisedAt:asc", "fields": ["severity"]}]));
    filters.into_iter().fold(begun, |scenario, filter| {
        scenario.ok("alerts.search", json!([TENANT, [], {}])).ok("alerts.search", json!([TENANT, filter, {}]))
    })
}
