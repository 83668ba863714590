//! Changing an estate, and watching what becomes of it.

use std::time::Duration;

use end_to_end::hosts::{
    TENANT,
    scenario::{FIRST, Scenario, told},
};
use serde_json::{Value, json};
use sophos_simulator::{FaultAction, FaultRule, Simulator};

use super::{LAPTOP, NOTHING, SERVER, THAT_ONLY_READS, in_acme, with_credential};

const WHY: &str = "a test of the component: ü, \"quotes\", 中文";

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        in_acme("an isolation takes effect, and its release does")
            .shows("containment.isolate", asked(&[LAPTOP]), json!({"ids": [LAPTOP], "passed-over": []}))
            .shows(
                "isolation.inspect",
                json!([TENANT, LAPTOP]),
                json!({"requested": true, "reported": false}),
            )
            .fails("containment.release", asked(&[LAPTOP]), told("conflict").status(409))
            .meanwhile(endpoints_report)
            .shows(
                "isolation.inspect",
                json!([TENANT, LAPTOP]),
                json!({"requested": true, "reported": true, "comment": WHY}),
            )
            .shows("endpoints.get", json!([TENANT, LAPTOP]), json!({"isolated": true}))
            .ok("endpoints.search", json!([TENANT, [{"tag": "isolated", "val": true}], {}]))
            .shows("containment.release", asked(&[LAPTOP]), json!({"ids": [LAPTOP], "passed-over": []}))
            .shows(
                "isolation.inspect",
                json!([TENANT, LAPTOP]),
                json!({"requested": false, "reported": true}),
            )
            .meanwhile(endpoints_report)
            .shows(
                "isolation.inspect",
                json!([TENANT, LAPTOP]),
                json!({"requested": false, "reported": false, "self-isolated": false}),
            ),
        in_acme("an endpoint that is offline stays as it is")
            .ok("containment.isolate", asked(&[SERVER]))
            .meanwhile(endpoints_report)
            .shows(
                "isolation.inspect",
                json!([TENANT, SERVER]),
                json!({"requested": true, "reported": false, "online": false, "isolated-at": null}),
            ),
        in_acme("what the service passes over is told")
            .shows(
                "containment.isolate",
                asked(&[LAPTOP, NOTHING, SERVER]),
                json!({"ids": [LAPTOP, SERVER], "passed-over": [NOTHING]}),
            )
            .fails("containment.isolate", asked(&[NOTHING]), told("not-found").status(404)),
        in_acme("an endpoint that nobody asked about says nothing")
            .fault(FaultRule::new("isolation.bulk", FaultAction::ForeignId { endpoint: None }))
            .shows("containment.isolate", asked(&[LAPTOP]), json!({"ids": [LAPTOP], "passed-over": []})),
        in_acme("a comment may be left out").ok("containment.isolate", json!([TENANT, [LAPTOP], ""])).shows(
            "isolation.inspect",
            json!([TENANT, LAPTOP]),
            json!({"comment": null}),
        ),
        in_acme("a change of which no answer came is not asked for again")
            .fault(FaultRule::new("isolation.bulk", FaultAction::Cut))
            .fails(
                "containment.isolate",
                asked(&[LAPTOP]),
                told("interrupted").transient().up_to("the connection broke"),
            )
            .shows("isolation.inspect", json!([TENANT, LAPTOP]), json!({"requested": true}))
            .shows("session.usage-so-far", json!([]), json!({"retries": 0})),
        in_acme("what could only be refused is not sent")
            .fails("containment.isolate", asked(&[]), told("invalid"))
            .fails("containment.isolate", asked(&[LAPTOP; 51]), told("invalid"))
            .fails("containment.release", json!([TENANT, [LAPTOP], "x".repeat(401)]), told("invalid")),
        in_acme("a credential that only reads changes nothing")
            .given(with_credential(THAT_ONLY_READS))
            .fails("containment.isolate", asked(&[LAPTOP]), told("forbidden").status(403))
            .shows("isolation.inspect", json!([TENANT, LAPTOP]), json!({"requested": false})),
        in_acme("an alert is acknowledged, by what it allows")
            .ok("alerts.search", json!([TENANT, [{"tag": "categories", "val": ["updating"]}], {}]))
            .shows(
                "alert-actions.act",
                json!([TENANT, FIRST, "acknowledge", "seen"]),
                json!({"status": "requested", "requested-at": "2026-01-15T12:00:00.000Z"}),
            )
            .ok("alert-actions.act", json!([TENANT, FIRST, "acknowledge", null]))
            .fails("alert-actions.act", json!([TENANT, FIRST, "cleanPua", null]), told("invalid").status(400))
            .fails(
                "alert-actions.act",
                json!([TENANT, FIRST, "unheardOf", null]),
                told("invalid").status(400),
            )
            .fails(
                "alert-actions.act",
                json!([TENANT, NOTHING, "acknowledge", null]),
                told("not-found").status(404),
            ),
    ]
}

fn asked(ids: &[&str]) -> Value {
    json!([TENANT, ids, WHY])
}

/// Endpoints that are online report within a minute.
fn endpoints_report(simulator: &Simulator) {
    simulator.clock().advance(Duration::from_secs(120));
}
