//! What goes wrong, and how it is told.

use std::net::TcpListener;

use end_to_end::hosts::{
    SessionPlan, TENANT, client_grant,
    scenario::{ExpectedFailure, NEXT_CURSOR, Scenario, expected_failure},
};
use serde_json::{Value, json};
use sophos_simulator::{FaultAction, FaultRule, RetryAfter, TenantState};

use super::{
    ACME, LONE, ORGANIZATION_CREDENTIAL, TENANT_CREDENTIAL, UNKNOWN_ID, acme_scenario, no_retry_limits,
    scenario, with_credential,
};

pub(super) fn scenarios() -> Vec<Scenario> {
    [credentials(), tenants(), requests(), responses(), deadlines()].into_iter().flatten().collect()
}

fn endpoints() -> Value {
    json!([TENANT, [], {}])
}

/// One attempt at listing endpoints, which comes to this.
fn single_attempt(name: &'static str, fault: FaultAction, told: ExpectedFailure) -> Scenario {
    scenario(name)
        .with_fault(FaultRule::new("endpoints.list", fault))
        .call_ok("session.set-limits", no_retry_limits())
        .call_ok("tenants.open", json!([ACME]))
        .call_fails("endpoints.search", endpoints(), told)
}

fn stale_token() -> Value {
    json!({"tag": "token", "val": {"value": "stale", "expires-in": null}})
}

fn credentials() -> Vec<Scenario> {
    let refused = || expected_failure("credential-rejected");
    vec![
        acme_scenario("a token that expires is replaced")
            .with_fault(FaultRule::new("endpoints.list", FaultAction::RevokeTokens).times(1))
            .call_pages("endpoints.search", json!([TENANT, [], {"after": NEXT_CURSOR}]), 1)
            .call("session.get-usage", json!([]), json!({"token-requests": 2, "retries": 0})),
        scenario("a token that the service refuses, and no other")
            .with_setup(|_, plan| plan.initial_grant = stale_token())
            .call_fails("session.whoami", json!([]), refused().status(401)),
        scenario("a token that is given again after it was refused")
            .with_setup(|_, plan| {
                (plan.initial_grant, plan.grant_after_refusal) = (stale_token(), stale_token())
            })
            .call_fails("session.whoami", json!([]), refused().status(401)),
        scenario("a credential in place of a token that was refused")
            .with_setup(|_, plan| {
                plan.grant_after_refusal = std::mem::replace(&mut plan.initial_grant, stale_token())
            })
            .call_ok("session.whoami", json!([]))
            .call_pages("tenants.list", json!([NEXT_CURSOR]), 2),
        scenario("a token that has no time left")
            .with_setup(|_, plan| {
                plan.initial_grant = json!({"tag": "token", "val": {"value": "old", "expires-in": 0}})
            })
            .call_fails("session.whoami", json!([]), refused()),
        scenario("a wrong secret")
            .with_setup(|_, plan| plan.initial_grant["val"]["secret"] = json!("wr0ng"))
            .call_fails("session.whoami", json!([]), refused().status(401)),
        scenario("a credential that has expired")
            .with_setup(|simulator, _| {
                assert!(simulator.expire_credential(&simulator.credentials()[0].client_id))
            })
            .call_fails("tenants.list", json!([null]), refused().status(401)),
        scenario("a credential that belongs to somebody else than the one before")
            .with_setup(|simulator, plan| {
                plan.grant_after_refusal = client_grant(&simulator.credentials()[ORGANIZATION_CREDENTIAL])
            })
            .call_ok("tenants.open", json!([ACME]))
            .change_simulator(|simulator| {
                simulator.revoke_tokens();
                assert!(simulator.expire_credential(&simulator.credentials()[0].client_id));
            })
            .call_fails("endpoints.search", endpoints(), refused()),
        scenario("an identity service that repeats the secret")
            .with_fault(FaultRule::new("token", FaultAction::Echo { status: 401 }))
            .call_fails(
                "session.whoami",
                json!([]),
                expected_failure("credential-rejected")
                    .status(401)
                    .message_suffix("&client_secret=[redacted]"),
            ),
        scenario("no authorisation on the way")
            .with_setup(|_, plan| plan.initial_grant = json!({"tag": "host-managed"}))
            .call_fails("session.whoami", json!([]), expected_failure("unauthorized").status(401)),
        scenario("no credential at all").with_setup(|_, plan| plan.initial_grant = Value::Null).call_fails(
            "session.whoami",
            json!([]),
            expected_failure("no-credential").message_suffix("the plan has no grant when one is needed"),
        ),
    ]
}

fn tenants() -> Vec<Scenario> {
    vec![
        acme_scenario("a tenant that does not let this account manage it")
            .change_simulator(|simulator| assert!(simulator.set_tenant_state(ACME, TenantState::Forbidden)))
            .call_fails("endpoints.search", endpoints(), expected_failure("forbidden").status(403))
            .call_fails(
                "isolation-actions.isolate",
                json!([TENANT, [UNKNOWN_ID], "why"]),
                expected_failure("forbidden").status(403),
            ),
        acme_scenario("a tenant without a licence for alerts")
            .change_simulator(|simulator| {
                assert!(simulator.set_tenant_state(ACME, TenantState::AlertsDenied))
            })
            .call_fails("alerts.search", endpoints(), expected_failure("forbidden").status(403))
            .call_fails(
                "events.list",
                json!([TENANT, {"tag": "oldest"}, {}]),
                expected_failure("forbidden").status(403),
            )
            .call_ok("endpoints.search", endpoints()),
        acme_scenario("a tenant that has moved to another region")
            .change_simulator(|simulator| {
                let other = if simulator.tenants()[0].region == "eu01" { "us01" } else { "eu01" };
                assert!(simulator.move_tenant(ACME, other));
            })
            .call_fails("endpoints.search", endpoints(), expected_failure("unauthorized").status(401))
            .call_ok("tenants.open", json!([ACME]))
            .call_ok("endpoints.search", endpoints()),
        scenario("a tenant that is not there")
            .call_fails("tenants.open", json!([UNKNOWN_ID]), expected_failure("not-found").status(404))
            .call_fails("tenants.open", json!([""]), expected_failure("invalid")),
        scenario("a tenant's credential for another tenant")
            .with_setup(with_credential(TENANT_CREDENTIAL))
            .call_fails("tenants.open", json!([ACME]), expected_failure("wrong-credential-type"))
            .call_ok("tenants.open", json!([LONE])),
        scenario("a credential without a tenant of its own")
            .call_fails("tenants.own", json!([]), expected_failure("wrong-credential-type"))
            .call_fails("tenants.open", json!([LONE]), expected_failure("not-found").status(404)),
        scenario("an organization's credential without a tenant of its own")
            .with_setup(with_credential(ORGANIZATION_CREDENTIAL))
            .call_fails("tenants.own", json!([]), expected_failure("wrong-credential-type")),
        scenario("a service that names a host that nobody vouched for")
            .with_config(|estate| estate.host_name = "localhost".to_owned())
            .with_setup(|_, plan| {
                plan.service = plan.service.clone().map(|url| url.replace("localhost", "127.0.0.1"));
            })
            .call_fails("tenants.open", json!([ACME]), expected_failure("untrusted-host")),
    ]
}

fn requests() -> Vec<Scenario> {
    vec![
        acme_scenario("an endpoint or an alert that is not there")
            .call_fails(
                "endpoints.get",
                json!([TENANT, UNKNOWN_ID]),
                expected_failure("not-found").status(404),
            )
            .call_fails(
                "isolation.inspect",
                json!([TENANT, UNKNOWN_ID]),
                expected_failure("not-found").status(404),
            )
            .call_fails("alerts.get", json!([TENANT, UNKNOWN_ID]), expected_failure("not-found").status(404)),
        acme_scenario("what the service does not take")
            .call_fails(
                "events.list",
                json!([TENANT, {"tag": "since", "val": 1_768_300_000}, {}]),
                expected_failure("invalid").status(400),
            )
            .call_fails("endpoints.get", json!([TENANT, "no id"]), expected_failure("invalid").status(400))
            .call_fails(
                "account-health.run-checks",
                json!([TENANT, ["unheardOf"]]),
                expected_failure("invalid").status(400),
            ),
        acme_scenario("what is not sent because it could only be refused")
            .call_fails("endpoints.get", json!([TENANT, ".."]), expected_failure("invalid"))
            .call_fails(
                "events.list",
                json!([TENANT, {"tag": "oldest"}, {"size": 199}]),
                expected_failure("invalid"),
            ),
        cursors(),
        scenario("limits that let nothing through, or come too late")
            .call_fails(
                "session.set-limits",
                json!([{"call-timeout-ms": 20_000, "request-timeout-ms": 5_000, "max-attempts": 0}]),
                expected_failure("invalid"),
            )
            .call_ok("session.set-limits", no_retry_limits())
            .call_ok("session.whoami", json!([]))
            .call_fails("session.set-limits", no_retry_limits(), expected_failure("invalid")),
        scenario("nobody listens there")
            .with_setup(|_, plan| plan.service = [unreachable_address(), unreachable_address()])
            .call_ok("session.set-limits", no_retry_limits())
            .call_fails(
                "session.whoami",
                json!([]),
                expected_failure("unreachable").transient().message_prefix("no connection"),
            ),
        scenario("the host does not let a request out")
            .restricted_hosts_only()
            .with_setup(|_, plan: &mut SessionPlan| plan.allow = Vec::new())
            .call_fails(
                "session.whoami",
                json!([]),
                expected_failure("blocked").message_prefix("the request was blocked"),
            ),
    ]
}

/// A cursor is good for the listing that it came from. What else it might be is
/// for components to find out: the native client has an operation in its place.
fn cursors() -> Scenario {
    let of = |arguments: Value| (arguments, expected_failure("invalid"));
    let wrong = [
        (
            "endpoints.search",
            of(json!([TENANT, [{"tag": "health", "val": ["bad"]}], {"after": NEXT_CURSOR}])),
        ),
        ("endpoints.search", of(json!([TENANT, [], {"after": NEXT_CURSOR, "sort": "hostname:asc"}]))),
        ("alerts.search", of(json!([TENANT, [], {"after": NEXT_CURSOR}]))),
        ("events.list", of(json!([TENANT, {"tag": "after", "val": NEXT_CURSOR}, {}]))),
        ("tenants.list", of(json!([NEXT_CURSOR]))),
    ];
    let begun = acme_scenario("a cursor of another listing").components_only();
    wrong.into_iter().fold(begun, |scenario, (function, (arguments, told))| {
        scenario
            .call_ok("endpoints.search", json!([TENANT, [], {"size": 3}]))
            .call_fails(function, arguments, told)
    })
}

/// An address where a listener has just gone.
fn unreachable_address() -> String {
    let gone = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    format!("http://{}", gone.expect("a port"))
}

fn responses() -> Vec<Scenario> {
    let status = FaultAction::status;
    vec![
        single_attempt(
            "the service fails",
            status(503),
            expected_failure("unavailable").status(503).transient(),
        ),
        single_attempt(
            "the service fails, and says until when",
            FaultAction::Status { status: 503, retry_after: Some(RetryAfter::Seconds(9)) },
            expected_failure("unavailable").status(503).transient().wait(9_000),
        ),
        single_attempt(
            "a gateway answers in the service's place",
            FaultAction::Html { status: 502 },
            expected_failure("unavailable").status(502).transient(),
        ),
        single_attempt(
            "an answer that repeats the request and its token",
            FaultAction::Echo { status: 403 },
            expected_failure("forbidden")
                .status(403)
                .message_suffix("; requestId Bearer [redacted]; correlationId Bearer [redacted]"),
        ),
        single_attempt("a conflict", status(409), expected_failure("conflict").status(409)),
        single_attempt(
            "a status that nobody has heard of",
            status(418),
            expected_failure("invalid").status(418),
        ),
        single_attempt(
            "an answer that is no JSON",
            FaultAction::Malformed,
            expected_failure("malformed").status(200).transient(),
        ),
        single_attempt(
            "half an answer",
            FaultAction::Truncate,
            expected_failure("interrupted").transient().message_prefix("the connection broke"),
        ),
        single_attempt(
            "no answer",
            FaultAction::Disconnect,
            expected_failure("interrupted").transient().message_prefix("the connection broke"),
        ),
        acme_scenario("what is safe to repeat is repeated")
            .with_fault(FaultRule::new("endpoints.list", FaultAction::Truncate).times(1))
            .call_ok("endpoints.search", endpoints())
            .call("session.get-usage", json!([]), json!({"retries": 1, "throttled": 0})),
    ]
}

fn deadlines() -> Vec<Scenario> {
    let throttle = |wait: u64| FaultAction::throttle(Some(RetryAfter::Seconds(wait)));
    let throttled = || expected_failure("throttled").transient();
    vec![
        single_attempt("too many requests", throttle(7), throttled().status(429).wait(7_000)),
        single_attempt(
            "too many requests, until a date",
            FaultAction::throttle(Some(RetryAfter::HttpDate(30))),
            throttled().status(429).wait(30_000),
        ),
        single_attempt(
            "too many requests, no word until when",
            FaultAction::throttle(None),
            throttled().status(429),
        ),
        acme_scenario("too many requests, for longer than anybody waits")
            .with_fault(FaultRule::new("endpoints.list", throttle(121)))
            .call_fails("endpoints.search", endpoints(), throttled().status(429).wait(121_000)),
        acme_scenario("too many requests, for longer than the call may take")
            .with_fault(FaultRule::new("endpoints.list", throttle(70)))
            .call_fails("endpoints.search", endpoints(), throttled().wait(70_000)),
        acme_scenario("too many requests for a moment")
            .with_fault(FaultRule::new("endpoints.list", throttle(1)).times(1))
            .call_ok("endpoints.search", endpoints())
            .call("session.get-usage", json!([]), json!({"retries": 1, "throttled": 1})),
        acme_scenario("a service that fails for longer than the call may take")
            .with_fault(FaultRule::new(
                "endpoints.list",
                FaultAction::Status { status: 503, retry_after: Some(RetryAfter::Seconds(70)) },
            ))
            .call_fails("endpoints.search", endpoints(), expected_failure("deadline-exceeded").transient()),
        scenario("a request that hangs")
            .with_fault(FaultRule::new("endpoints.list", FaultAction::Delay { milliseconds: 60_000 }))
            .call_ok(
                "session.set-limits",
                json!([{"call-timeout-ms": 20_000, "request-timeout-ms": 500, "max-attempts": 1}]),
            )
            .call_ok("tenants.open", json!([ACME]))
            .call_fails(
                "endpoints.search",
                endpoints(),
                expected_failure("interrupted").transient().message_prefix("no response in time"),
            ),
    ]
}
