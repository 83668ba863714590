//! Alerts that the conditions of their source do not select.

use serde_json::json;
use sophos_isolation::policy::Policy;

use super::{RequestExt, TENANT, TestEnv, current_value, decision_ids, post};

fn grafana_env() -> TestEnv {
    let text = format!(
        "version = 1\n[sources.grafana]\ntool = \"generic\"\npreset = \"grafana\"\ntenants = [\"{TENANT}\"]\n\
         verify = {{ scheme = \"bearer\", secret = \"office\" }}"
    );
    TestEnv { policy: Policy::parse(&text).expect("a policy"), ..TestEnv::new() }
}

#[tokio::test]
async fn decision_records_which_condition_was_not_met() {
    let env = grafana_env();
    let send = async |status: &str| {
        let alert = json!({"status": status, "fingerprint": "f1", "startsAt": "2026-03-04T05:06:07Z",
            "labels": {"instance": "graf-01:9100", "severity": "critical"}});
        let request = post("/hooks/grafana", json!({"alerts": [alert]}).to_string());
        env.send(&request.with_header("authorization", format!("Bearer {}", current_value("office")))).await
    };
    let resolved = send("resolved").await;
    assert_eq!(resolved.status, 202);
    assert!(env.queued().is_empty());
    let last = env.received_signal(&decision_ids(&resolved)[0]).to_string();
    assert!(last.contains("\"not_selected\""), "{last}");
    assert!(
        last.contains("the value at \\\"/alerts/0/status\\\" does not meet when[0] of the source"),
        "{last}"
    );

    // The same alert acts once it fires.
    let firing = send("firing").await;
    assert_eq!((firing.status, env.queued().len()), (202, 1));
    assert_ne!(decision_ids(&firing), decision_ids(&resolved));
}
