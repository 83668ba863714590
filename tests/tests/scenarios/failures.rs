//! What goes wrong, and how it is told.

use std::net::TcpListener;

use end_to_end::hosts::{
    Plan, TENANT, client,
    scenario::{NEXT, Scenario, Told, told},
};
use serde_json::{Value, json};
use sophos_simulator::{FaultAction, FaultRule, RetryAfter, TenantState};

use super::{ACME, LONE, NOTHING, OF_A_TENANT, OF_AN_ORGANIZATION, in_acme, once, scenario, with_credential};

pub(super) fn scenarios() -> Vec<Scenario> {
    [credentials(), tenants(), requests(), answers(), times()].into_iter().flatten().collect()
}

fn endpoints() -> Value {
    json!([TENANT, [], {}])
}

/// One attempt at listing endpoints, which comes to this.
fn one_attempt(name: &'static str, fault: FaultAction, told: Told) -> Scenario {
    scenario(name)
        .fault(FaultRule::new("endpoints.list", fault))
        .ok("session.limit", once())
        .ok("tenants.open", json!([ACME]))
        .fails("endpoints.search", endpoints(), told)
}

fn stale() -> Value {
    json!({"tag": "token", "val": {"value": "stale", "expires-in": null}})
}

fn credentials() -> Vec<Scenario> {
    let refused = || told("credential-refused");
    vec![
        in_acme("a token that expires is replaced")
            .fault(FaultRule::new("endpoints.list", FaultAction::TokenDies).times(1))
            .pages("endpoints.search", json!([TENANT, [], {"after": NEXT}]), 1)
            .shows("session.usage-so-far", json!([]), json!({"token-requests": 2, "retries": 0})),
        scenario("a token that the service refuses, and no other")
            .given(|_, plan| plan.needed = stale())
            .fails("session.whoami", json!([]), refused().status(401)),
        scenario("a token that is given again after it was refused")
            .given(|_, plan| (plan.needed, plan.refused) = (stale(), stale()))
            .fails("session.whoami", json!([]), refused().status(401)),
        scenario("a credential in place of a token that was refused")
            .given(|_, plan| plan.refused = std::mem::replace(&mut plan.needed, stale()))
            .ok("session.whoami", json!([]))
            .pages("tenants.reachable", json!([NEXT]), 2),
        scenario("a token that has no time left")
            .given(|_, plan| plan.needed = json!({"tag": "token", "val": {"value": "old", "expires-in": 0}}))
            .fails("session.whoami", json!([]), refused()),
        scenario("a wrong secret").given(|_, plan| plan.needed["val"]["secret"] = json!("wr0ng")).fails(
            "session.whoami",
            json!([]),
            refused().status(401),
        ),
        scenario("a credential that has expired")
            .given(|simulator, _| assert!(simulator.expire_credential(&simulator.credentials()[0].client_id)))
            .fails("tenants.reachable", json!([null]), refused().status(401)),
        scenario("a credential that belongs to somebody else than the one before")
            .given(|simulator, plan| plan.refused = client(&simulator.credentials()[OF_AN_ORGANIZATION]))
            .ok("tenants.open", json!([ACME]))
            .meanwhile(|simulator| {
                simulator.revoke_tokens();
                assert!(simulator.expire_credential(&simulator.credentials()[0].client_id));
            })
            .fails("endpoints.search", endpoints(), refused()),
        scenario("an identity service that repeats the secret")
            .fault(FaultRule::new("token", FaultAction::Echo { status: 401 }))
            .fails(
                "session.whoami",
                json!([]),
                told("credential-refused").status(401).because("&client_secret=[redacted]"),
            ),
        scenario("no authorisation on the way")
            .given(|_, plan| plan.needed = json!({"tag": "ambient"}))
            .fails("session.whoami", json!([]), told("unauthorized").status(401)),
        scenario("no credential at all").given(|_, plan| plan.needed = Value::Null).fails(
            "session.whoami",
            json!([]),
            told("no-credential").because("the plan has no grant when one is needed"),
        ),
    ]
}

fn tenants() -> Vec<Scenario> {
    vec![
        in_acme("a tenant that does not let this account manage it")
            .meanwhile(|simulator| assert!(simulator.set_tenant_state(ACME, TenantState::Forbidden)))
            .fails("endpoints.search", endpoints(), told("forbidden").status(403))
            .fails("containment.isolate", json!([TENANT, [NOTHING], "why"]), told("forbidden").status(403)),
        in_acme("a tenant without a licence for alerts")
            .meanwhile(|simulator| assert!(simulator.set_tenant_state(ACME, TenantState::AlertsDenied)))
            .fails("alerts.search", endpoints(), told("forbidden").status(403))
            .fails("events.read", json!([TENANT, {"tag": "oldest"}, {}]), told("forbidden").status(403))
            .ok("endpoints.search", endpoints()),
        in_acme("a tenant that has moved to another region")
            .meanwhile(|simulator| {
                let other = if simulator.tenants()[0].region == "eu01" { "us01" } else { "eu01" };
                assert!(simulator.move_tenant(ACME, other));
            })
            .fails("endpoints.search", endpoints(), told("unauthorized").status(401))
            .ok("tenants.open", json!([ACME]))
            .ok("endpoints.search", endpoints()),
        scenario("a tenant that is not there")
            .fails("tenants.open", json!([NOTHING]), told("not-found").status(404))
            .fails("tenants.open", json!([""]), told("invalid")),
        scenario("a tenant's credential for another tenant")
            .given(with_credential(OF_A_TENANT))
            .fails("tenants.open", json!([ACME]), told("wrong-credential"))
            .ok("tenants.open", json!([LONE])),
        scenario("a credential without a tenant of its own")
            .fails("tenants.home", json!([]), told("wrong-credential"))
            .fails("tenants.open", json!([LONE]), told("not-found").status(404)),
        scenario("an organization's credential without a tenant of its own")
            .given(with_credential(OF_AN_ORGANIZATION))
            .fails("tenants.home", json!([]), told("wrong-credential")),
        scenario("a service that names a host that nobody vouched for")
            .where_it(|estate| estate.host_name = "localhost".to_owned())
            .given(|_, plan| {
                plan.service = plan.service.clone().map(|url| url.replace("localhost", "127.0.0.1"));
            })
            .fails("tenants.open", json!([ACME]), told("untrusted-host")),
    ]
}

fn requests() -> Vec<Scenario> {
    vec![
        in_acme("an endpoint or an alert that is not there")
            .fails("endpoints.get", json!([TENANT, NOTHING]), told("not-found").status(404))
            .fails("isolation.inspect", json!([TENANT, NOTHING]), told("not-found").status(404))
            .fails("alerts.get", json!([TENANT, NOTHING]), told("not-found").status(404)),
        in_acme("what the service does not take")
            .fails(
                "events.read",
                json!([TENANT, {"tag": "since", "val": 1_768_300_000}, {}]),
                told("invalid").status(400),
            )
            .fails("endpoints.get", json!([TENANT, "no id"]), told("invalid").status(400))
            .fails("account-health.examine", json!([TENANT, ["unheardOf"]]), told("invalid").status(400)),
        in_acme("what is not sent because it could only be refused")
            .fails("endpoints.get", json!([TENANT, ".."]), told("invalid"))
            .fails("events.read", json!([TENANT, {"tag": "oldest"}, {"size": 199}]), told("invalid")),
        cursors(),
        scenario("limits that let nothing through, or come too late")
            .fails(
                "session.limit",
                json!([{"call-ms": 20_000, "request-ms": 5_000, "attempts": 0}]),
                told("invalid"),
            )
            .ok("session.limit", once())
            .ok("session.whoami", json!([]))
            .fails("session.limit", once(), told("invalid")),
        scenario("nobody listens there")
            .given(|_, plan| plan.service = [nowhere(), nowhere()])
            .ok("session.limit", once())
            .fails("session.whoami", json!([]), told("unreachable").transient().up_to("no connection")),
        scenario("the host does not let a request out")
            .where_the_host_decides()
            .given(|_, plan: &mut Plan| plan.allow = Vec::new())
            .fails("session.whoami", json!([]), told("blocked").up_to("the request was not let out")),
    ]
}

/// A cursor is good for the listing that it came from. What else it might be is
/// for components to find out: the native client has an operation in its place.
fn cursors() -> Scenario {
    let of = |arguments: Value| (arguments, told("invalid"));
    let wrong = [
        ("endpoints.search", of(json!([TENANT, [{"tag": "health", "val": ["bad"]}], {"after": NEXT}]))),
        ("endpoints.search", of(json!([TENANT, [], {"after": NEXT, "sort": "hostname:asc"}]))),
        ("alerts.search", of(json!([TENANT, [], {"after": NEXT}]))),
        ("events.read", of(json!([TENANT, {"tag": "after", "val": NEXT}, {}]))),
        ("tenants.reachable", of(json!([NEXT]))),
    ];
    let begun = in_acme("a cursor of another listing").in_components_only();
    wrong.into_iter().fold(begun, |scenario, (function, (arguments, told))| {
        scenario.ok("endpoints.search", json!([TENANT, [], {"size": 3}])).fails(function, arguments, told)
    })
}

/// An address where a listener has just gone.
fn nowhere() -> String {
    let gone = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    format!("http://{}", gone.expect("a port"))
}

fn answers() -> Vec<Scenario> {
    let status = FaultAction::status;
    vec![
        one_attempt("the service fails", status(503), told("unavailable").status(503).transient()),
        one_attempt(
            "the service fails, and says until when",
            FaultAction::Status { status: 503, retry_after: Some(RetryAfter::Seconds(9)) },
            told("unavailable").status(503).transient().wait(9_000),
        ),
        one_attempt(
            "a gateway answers in the service's place",
            FaultAction::Html { status: 502 },
            told("unavailable").status(502).transient(),
        ),
        one_attempt(
            "an answer that repeats the request and its token",
            FaultAction::Echo { status: 403 },
            told("forbidden")
                .status(403)
                .because("; requestId Bearer [redacted]; correlationId Bearer [redacted]"),
        ),
        one_attempt("a conflict", status(409), told("conflict").status(409)),
        one_attempt("a status that nobody has heard of", status(418), told("invalid").status(418)),
        one_attempt(
            "an answer that is no JSON",
            FaultAction::Malformed,
            told("malformed").status(200).transient(),
        ),
        one_attempt(
            "half an answer",
            FaultAction::Truncate,
            told("interrupted").transient().up_to("the connection broke"),
        ),
        one_attempt(
            "no answer",
            FaultAction::Cut,
            told("interrupted").transient().up_to("the connection broke"),
        ),
        in_acme("what is safe to repeat is repeated")
            .fault(FaultRule::new("endpoints.list", FaultAction::Truncate).times(1))
            .ok("endpoints.search", endpoints())
            .shows("session.usage-so-far", json!([]), json!({"retries": 1, "throttled": 0})),
    ]
}

fn times() -> Vec<Scenario> {
    let throttle = |wait: u64| FaultAction::throttle(Some(RetryAfter::Seconds(wait)));
    let throttled = || told("throttled").transient();
    vec![
        one_attempt("too many requests", throttle(7), throttled().status(429).wait(7_000)),
        one_attempt(
            "too many requests, until a date",
            FaultAction::throttle(Some(RetryAfter::HttpDate(30))),
            throttled().status(429).wait(30_000),
        ),
        one_attempt(
            "too many requests, no word until when",
            FaultAction::throttle(None),
            throttled().status(429),
        ),
        in_acme("too many requests, for longer than anybody waits")
            .fault(FaultRule::new("endpoints.list", throttle(121)))
            .fails("endpoints.search", endpoints(), throttled().status(429).wait(121_000)),
        in_acme("too many requests, for longer than the call may take")
            .fault(FaultRule::new("endpoints.list", throttle(70)))
            .fails("endpoints.search", endpoints(), throttled().wait(70_000)),
        in_acme("too many requests for a moment")
            .fault(FaultRule::new("endpoints.list", throttle(1)).times(1))
            .ok("endpoints.search", endpoints())
            .shows("session.usage-so-far", json!([]), json!({"retries": 1, "throttled": 1})),
        in_acme("a service that fails for longer than the call may take")
            .fault(FaultRule::new(
                "endpoints.list",
                FaultAction::Status { status: 503, retry_after: Some(RetryAfter::Seconds(70)) },
            ))
            .fails("endpoints.search", endpoints(), told("out-of-time").transient()),
        scenario("a request that hangs")
            .fault(FaultRule::new("endpoints.list", FaultAction::Slow { milliseconds: 60_000 }))
            .ok("session.limit", json!([{"call-ms": 20_000, "request-ms": 500, "attempts": 1}]))
            .ok("tenants.open", json!([ACME]))
            .fails(
                "endpoints.search",
                endpoints(),
                told("interrupted").transient().up_to("no answer in time"),
            ),
    ]
}
