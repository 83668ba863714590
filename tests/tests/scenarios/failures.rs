//! Failures and their reports.

use end_to_end::{
    ClosedPort,
    hosts::{
        SessionPlan, TENANT, client_grant,
        scenario::{ExpectedFailure, NEXT_CURSOR, Scenario, expected_failure},
    },
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

/// Returns a scenario with one attempt at listing endpoints.
fn single_attempt(name: &'static str, fault: FaultAction, failure: ExpectedFailure) -> Scenario {
    scenario(name)
        .with_fault(FaultRule::new("endpoints.list", fault))
        .call_ok("session.set-limits", no_retry_limits())
        .call_ok("tenants.open", json!([ACME]))
        .call_fails("endpoints.search", endpoints(), failure)
}

fn stale_token() -> Value {
    json!({"tag": "token", "val": {"value": "stale", "expires-in": null}})
}

fn credentials() -> Vec<Scenario> {
    let refused = || expected_failure("credential-rejected");
    vec![
        acme_scenario("an expired token is replaced")
            .with_fault(FaultRule::new("endpoints.list", FaultAction::RevokeTokens).times(1))
            .call_pages("endpoints.search", json!([TENANT, [], {"after": NEXT_CURSOR}]), 1)
            .call("session.get-usage", json!([]), json!({"token-requests": 2, "retries": 0})),
        scenario("a rejected token without a replacement")
            .with_setup(|_, plan| plan.initial_grant = stale_token())
            .call_fails("session.whoami", json!([]), refused().status(401)),
        scenario("a rejected token that the host returns again")
            .with_setup(|_, plan| {
                (plan.initial_grant, plan.grant_after_refusal) = (stale_token(), stale_token())
            })
            .call_fails("session.whoami", json!([]), refused().status(401)),
        scenario("a credential in place of a rejected token")
            .with_setup(|_, plan| {
                plan.grant_after_refusal = std::mem::replace(&mut plan.initial_grant, stale_token())
            })
            .call_ok("session.whoami", json!([]))
            .call_pages("tenants.list", json!([NEXT_CURSOR]), 2),
        scenario("a token without remaining lifetime")
            .with_setup(|_, plan| {
                plan.initial_grant = json!({"tag": "token", "val": {"value": "old", "expires-in": 0}})
            })
            .call_fails("session.whoami", json!([]), refused()),
        scenario("a wrong secret")
            .with_setup(|_, plan| plan.initial_grant["val"]["secret"] = json!("wr0ng"))
            .call_fails("session.whoami", json!([]), refused().status(401)),
        scenario("an expired credential")
            .with_setup(|simulator, _| {
                assert!(simulator.expire_credential(&simulator.credentials()[0].client_id))
            })
            .call_fails("tenants.list", json!([null]), refused().status(401)),
        scenario("a replacement credential of another owner")
            .with_setup(|simulator, plan| {
                plan.grant_after_refusal = client_grant(&simulator.credentials()[ORGANIZATION_CREDENTIAL])
            })
            .call_ok("tenants.open", json!([ACME]))
            .change_simulator(|simulator| {
                simulator.revoke_tokens();
                assert!(simulator.expire_credential(&simulator.credentials()[0].client_id));
            })
            .call_fails("endpoints.search", endpoints(), refused()),
        scenario("an identity service that echoes the secret")
            .with_fault(FaultRule::new("token", FaultAction::Echo { status: 401 }))
            .call_fails(
                "session.whoami",
                json!([]),
                expected_failure("credential-rejected")
                    .status(401)
                    .message_suffix("&client_secret=[redacted]"),
            ),
        scenario("a host-managed grant without Authorization")
            .with_setup(|_, plan| plan.initial_grant = json!({"tag": "host-managed"}))
            .call_fails("session.whoami", json!([]), expected_failure("unauthorized").status(401)),
        scenario("no credential").with_setup(|_, plan| plan.initial_grant = Value::Null).call_fails(
            "session.whoami",
            json!([]),
            expected_failure("no-credential").message_suffix("the plan has no grant when one is needed"),
        ),
    ]
}

fn tenants() -> Vec<Scenario> {
    vec![
        acme_scenario("a tenant that does not permit management")
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
        acme_scenario("a tenant that moved to another region")
            .change_simulator(|simulator| {
                let other = if simulator.tenants()[0].region == "eu01" { "us01" } else { "eu01" };
                assert!(simulator.move_tenant(ACME, other));
            })
            .call_fails("endpoints.search", endpoints(), expected_failure("unauthorized").status(401))
            .call_ok("tenants.open", json!([ACME]))
            .call_ok("endpoints.search", endpoints()),
        scenario("an unknown tenant")
            .call_fails("tenants.open", json!([UNKNOWN_ID]), expected_failure("not-found").status(404))
            .call_fails("tenants.open", json!([""]), expected_failure("invalid")),
        scenario("a tenant credential for another tenant")
            .with_setup(with_credential(TENANT_CREDENTIAL))
            .call_fails("tenants.open", json!([ACME]), expected_failure("wrong-credential-type"))
            .call_ok("tenants.open", json!([LONE])),
        scenario("a partner credential has no own tenant")
            .call_fails("tenants.own", json!([]), expected_failure("wrong-credential-type"))
            .call_fails("tenants.open", json!([LONE]), expected_failure("not-found").status(404)),
        scenario("an organization credential has no own tenant")
            .with_setup(with_credential(ORGANIZATION_CREDENTIAL))
            .call_fails("tenants.own", json!([]), expected_failure("wrong-credential-type")),
        scenario("a service that names an untrusted host")
            .with_config(|config| config.host_name = "localhost".to_owned())
            .with_setup(|_, plan| {
                plan.service = plan.service.clone().map(|url| url.replace("localhost", "127.0.0.1"));
            })
            .call_fails("tenants.open", json!([ACME]), expected_failure("untrusted-host")),
    ]
}

fn requests() -> Vec<Scenario> {
    vec![
        acme_scenario("an unknown endpoint or alert")
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
        acme_scenario("arguments that the service rejects")
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
        acme_scenario("invalid arguments that are not sent")
            .call_fails("endpoints.get", json!([TENANT, ".."]), expected_failure("invalid"))
            .call_fails(
                "events.list",
                json!([TENANT, {"tag": "oldest"}, {"size": 199}]),
                expected_failure("invalid"),
            ),
        cursors(),
        scenario("zero limits and late limits")
            .call_fails(
                "session.set-limits",
                json!([{"call-timeout-ms": 20_000, "request-timeout-ms": 5_000, "max-attempts": 0}]),
                expected_failure("invalid"),
            )
            .call_ok("session.set-limits", no_retry_limits())
            .call_ok("session.whoami", json!([]))
            .call_fails("session.set-limits", no_retry_limits(), expected_failure("invalid")),
        unreachable_service(),
        scenario("the host blocks the destination")
            .restricted_hosts_only()
            .with_setup(|_, plan: &mut SessionPlan| plan.allow = Vec::new())
            .call_fails(
                "session.whoami",
                json!([]),
                expected_failure("blocked").message_prefix("the request was blocked"),
            ),
    ]
}

/// A cursor is valid only for its own listing. The native client has no cursors, only
/// operations.
fn cursors() -> Scenario {
    let invalid = |arguments: Value| (arguments, expected_failure("invalid"));
    let wrong = [
        (
            "endpoints.search",
            invalid(json!([TENANT, [{"tag": "health", "val": ["bad"]}], {"after": NEXT_CURSOR}])),
        ),
        ("endpoints.search", invalid(json!([TENANT, [], {"after": NEXT_CURSOR, "sort": "hostname:asc"}]))),
        ("alerts.search", invalid(json!([TENANT, [], {"after": NEXT_CURSOR}]))),
        ("events.list", invalid(json!([TENANT, {"tag": "after", "val": NEXT_CURSOR}, {}]))),
        ("tenants.list", invalid(json!([NEXT_CURSOR]))),
    ];
    let scenario = acme_scenario("a cursor of another listing").components_only();
    wrong.into_iter().fold(scenario, |scenario, (function, (arguments, failure))| {
        scenario
            .call_ok("endpoints.search", json!([TENANT, [], {"size": 3}]))
            .call_fails(function, arguments, failure)
    })
}

/// The scenario holds the port: a simulator of another scenario must not get it.
fn unreachable_service() -> Scenario {
    let port = ClosedPort::bind().expect("a port");
    scenario("no listener at the address")
        .with_setup(move |_, plan| plan.service = [port.url(), port.url()])
        .call_ok("session.set-limits", no_retry_limits())
        .call_fails(
            "session.whoami",
            json!([]),
            expected_failure("unreachable").transient().message_prefix("no connection"),
        )
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
            "the service fails with Retry-After",
            FaultAction::Status { status: 503, retry_after: Some(RetryAfter::Seconds(9)) },
            expected_failure("unavailable").status(503).transient().wait(9_000),
        ),
        single_attempt(
            "a gateway responds with HTML",
            FaultAction::Html { status: 502 },
            expected_failure("unavailable").status(502).transient(),
        ),
        single_attempt(
            "a response that echoes the request and its token",
            FaultAction::Echo { status: 403 },
            expected_failure("forbidden")
                .status(403)
                .message_suffix("; requestId Bearer [redacted]; correlationId Bearer [redacted]"),
        ),
        single_attempt("a conflict", status(409), expected_failure("conflict").status(409)),
        single_attempt("an unknown status", status(418), expected_failure("invalid").status(418)),
        single_attempt(
            "a response that is not JSON",
            FaultAction::Malformed,
            expected_failure("malformed").status(200).transient(),
        ),
        single_attempt(
            "a truncated response",
            FaultAction::Truncate,
            expected_failure("interrupted").transient().message_prefix("the connection broke"),
        ),
        single_attempt(
            "no response",
            FaultAction::Disconnect,
            expected_failure("interrupted").transient().message_prefix("the connection broke"),
        ),
        acme_scenario("safe requests are retried")
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
            "too many requests, with a date",
            FaultAction::throttle(Some(RetryAfter::HttpDate(30))),
            throttled().status(429).wait(30_000),
        ),
        single_attempt(
            "too many requests, without Retry-After",
            FaultAction::throttle(None),
            throttled().status(429),
        ),
        acme_scenario("too many requests, beyond the maximum wait")
            .with_fault(FaultRule::new("endpoints.list", throttle(121)))
            .call_fails("endpoints.search", endpoints(), throttled().status(429).wait(121_000)),
        acme_scenario("too many requests, beyond the call timeout")
            .with_fault(FaultRule::new("endpoints.list", throttle(70)))
            .call_fails("endpoints.search", endpoints(), throttled().wait(70_000)),
        acme_scenario("too many requests, once")
            .with_fault(FaultRule::new("endpoints.list", throttle(1)).times(1))
            .call_ok("endpoints.search", endpoints())
            .call("session.get-usage", json!([]), json!({"retries": 1, "throttled": 1})),
        acme_scenario("the service fails beyond the call timeout")
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
