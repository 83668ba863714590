//! Actions and their effects.

use std::time::Duration;

use end_to_end::hosts::{
    TENANT,
    scenario::{FIRST_ID, Scenario, expected_failure},
};
use serde_json::{Value, json};
use sophos_simulator::{FaultAction, FaultRule, Simulator};

use super::{LAPTOP, READ_ONLY_CREDENTIAL, SERVER, UNKNOWN_ID, acme_scenario, with_credential};

const COMMENT: &str = "a test of the component: ü, \"quotes\", 中文";

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        acme_scenario("an isolation and its release take effect")
            .call(
                "isolation-actions.isolate",
                isolation_arguments(&[LAPTOP]),
                json!({"accepted-ids": [LAPTOP], "skipped-ids": []}),
            )
            .call("isolation.inspect", json!([TENANT, LAPTOP]), json!({"requested": true, "reported": false}))
            .call_fails(
                "isolation-actions.release",
                isolation_arguments(&[LAPTOP]),
                expected_failure("conflict").status(409),
            )
            .change_simulator(endpoints_report)
            .call(
                "isolation.inspect",
                json!([TENANT, LAPTOP]),
                json!({"requested": true, "reported": true, "comment": COMMENT}),
            )
            .call("endpoints.get", json!([TENANT, LAPTOP]), json!({"isolated": true}))
            .call_ok("endpoints.search", json!([TENANT, [{"tag": "isolated", "val": true}], {}]))
            .call(
                "isolation-actions.release",
                isolation_arguments(&[LAPTOP]),
                json!({"accepted-ids": [LAPTOP], "skipped-ids": []}),
            )
            .call("isolation.inspect", json!([TENANT, LAPTOP]), json!({"requested": false, "reported": true}))
            .change_simulator(endpoints_report)
            .call(
                "isolation.inspect",
                json!([TENANT, LAPTOP]),
                json!({"requested": false, "reported": false, "self-isolated": false}),
            ),
        acme_scenario("an offline endpoint does not change")
            .call_ok("isolation-actions.isolate", isolation_arguments(&[SERVER]))
            .change_simulator(endpoints_report)
            .call(
                "isolation.inspect",
                json!([TENANT, SERVER]),
                json!({"requested": true, "reported": false, "online": false, "isolated-at": null}),
            ),
        acme_scenario("ignored ids are reported as skipped")
            .call(
                "isolation-actions.isolate",
                isolation_arguments(&[LAPTOP, UNKNOWN_ID, SERVER]),
                json!({"accepted-ids": [LAPTOP, SERVER], "skipped-ids": [UNKNOWN_ID]}),
            )
            .call_fails(
                "isolation-actions.isolate",
                isolation_arguments(&[UNKNOWN_ID]),
                expected_failure("not-found").status(404),
            ),
        acme_scenario("an unrequested endpoint in the response is ignored")
            .with_fault(FaultRule::new("isolation.bulk", FaultAction::ExtraEndpoint { endpoint: None }))
            .call(
                "isolation-actions.isolate",
                isolation_arguments(&[LAPTOP]),
                json!({"accepted-ids": [LAPTOP], "skipped-ids": []}),
            ),
        acme_scenario("an empty comment is accepted")
            .call_ok("isolation-actions.isolate", json!([TENANT, [LAPTOP], ""]))
            .call("isolation.inspect", json!([TENANT, LAPTOP]), json!({"comment": null})),
        acme_scenario("a change without a response is not repeated")
            .with_fault(FaultRule::new("isolation.bulk", FaultAction::Disconnect))
            .call_fails(
                "isolation-actions.isolate",
                isolation_arguments(&[LAPTOP]),
                expected_failure("interrupted").transient().message_prefix("the connection broke"),
            )
            .call("isolation.inspect", json!([TENANT, LAPTOP]), json!({"requested": true}))
            .call("session.get-usage", json!([]), json!({"retries": 0})),
        acme_scenario("invalid arguments are not sent")
            .call_fails("isolation-actions.isolate", isolation_arguments(&[]), expected_failure("invalid"))
            .call_fails(
                "isolation-actions.isolate",
                isolation_arguments(&[LAPTOP; 51]),
                expected_failure("invalid"),
            )
            .call_fails(
                "isolation-actions.release",
                json!([TENANT, [LAPTOP], "x".repeat(401)]),
                expected_failure("invalid"),
            ),
        acme_scenario("a read-only credential changes nothing")
            .with_setup(with_credential(READ_ONLY_CREDENTIAL))
            .call_fails(
                "isolation-actions.isolate",
                isolation_arguments(&[LAPTOP]),
                expected_failure("forbidden").status(403),
            )
            .call("isolation.inspect", json!([TENANT, LAPTOP]), json!({"requested": false})),
        acme_scenario("an alert accepts only its allowed actions")
            .call_ok("alerts.search", json!([TENANT, [{"tag": "categories", "val": ["updating"]}], {}]))
            .call(
                "alert-actions.perform",
                json!([TENANT, FIRST_ID, "acknowledge", "seen"]),
                json!({"status": "requested", "requested-at": "2026-01-15T12:00:00.000Z"}),
            )
            .call_ok("alert-actions.perform", json!([TENANT, FIRST_ID, "acknowledge", null]))
            .call_fails(
                "alert-actions.perform",
                json!([TENANT, FIRST_ID, "cleanPua", null]),
                expected_failure("invalid").status(400),
            )
            .call_fails(
                "alert-actions.perform",
                json!([TENANT, FIRST_ID, "unheardOf", null]),
                expected_failure("invalid").status(400),
            )
            .call_fails(
                "alert-actions.perform",
                json!([TENANT, UNKNOWN_ID, "acknowledge", null]),
                expected_failure("not-found").status(404),
            ),
    ]
}

fn isolation_arguments(ids: &[&str]) -> Value {
    json!([TENANT, ids, COMMENT])
}

/// Advances the time, so that online endpoints report.
fn endpoints_report(simulator: &Simulator) {
    simulator.clock().advance(Duration::from_secs(120));
}
