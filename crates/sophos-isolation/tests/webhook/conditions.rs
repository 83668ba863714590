//! What becomes of an alert that the conditions of its source do not select.

use serde_json::json;
use sophos_isolation::policy::Policy;

use super::{Dress, TENANT, World, current, ids, post};

fn grafana() -> World {
    let text = format!(
        "version = 1\n[sources.grafana]\ntool = \"generic\"\npreset = \"grafana\"\ntenants = [\"{TENANT}\"]\n\
         verify = {{ scheme = \"bearer\", secret = \"office\" }}"
    );
    World { policy: Policy::parse(&text).expect("a policy"), ..World::new() }
}

#[tokio::test]
async fn webhook_records_why_a_condition_refuses() {
    let world = grafana();
    let send = async |status: &str| {
        let alert = json!({"status": status, "fingerprint": "f1", "startsAt": "2026-03-04T05:06:07Z",
            "labels": {"instance": "graf-01:9100", "severity": "critical"}});
        let request = post("/hooks/grafana", json!({"alerts": [alert]}).to_string());
        world.send(&request.with("authorization", format!("Bearer {}", current("office")))).await
    };
    let resolved = send("resolved").await;
    assert_eq!(resolved.status, 202);
    assert!(world.queued().is_empty());
    let last = world.received(&ids(&resolved)[0]).to_string();
    assert!(last.contains("\"not_selected\""), "{last}");
    assert!(last.contains("\\\"/alerts/0/status\\\" is not what when[0] of the source requires"), "{last}");

    // The same alert acts once it fires.
    let firing = send("firing").await;
    assert_eq!((firing.status, world.queued().len()), (202, 1));
    assert_ne!(ids(&firing), ids(&resolved));
}
