//! Properties of every message.

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use sophos_isolation::{
    adapters::{Adapter, Alert, MAX_ALERTS_PER_MESSAGE, Message, Tool},
    signal::clean,
};

use super::fixtures::messages;

static MESSAGES: LazyLock<Vec<(Tool, Vec<u8>)>> = LazyLock::new(messages);

/// Machine ids of other products, and addresses of peers.
const FOREIGN: &str = "4a7b0c1d-foreign-id";
const REMOTE: &str = "198.51.100.77";

fn parse(tool: Tool, body: &[u8]) -> Option<Vec<Alert>> {
    let message = Message { body, idempotency_key: Some("key") };
    let first = Adapter::new(tool).parse_message(&message);
    assert_eq!(first, Adapter::new(tool).parse_message(&message), "the same body gives the same alerts");
    let alerts = first.ok()?;
    check(tool, &alerts);
    Some(alerts)
}

fn check(tool: Tool, alerts: &[Alert]) {
    assert!((1..=MAX_ALERTS_PER_MESSAGE).contains(&alerts.len()));
    for (index, alert) in alerts.iter().enumerate() {
        assert!(alerts[..index].iter().all(|other| other.event_id != alert.event_id));
        let (signal, host) = (&alert.signal, &alert.signal.host);
        let lists = [&host.mac_addresses, &host.hostnames, &host.netbios_names, &host.ip_addresses];
        assert!(lists.iter().all(|facts| facts.len() <= 16));
        let single = [&host.endpoint_id, &host.ec2_instance_id, &signal.tenant, &signal.account];
        let facts: Vec<_> = lists.into_iter().flatten().chain(single.into_iter().flatten()).collect();
        let texts = [Some(&signal.title), signal.reason.as_ref(), signal.observed_at.as_ref()];
        for text in facts.iter().copied().chain(texts.into_iter().flatten()) {
            assert_eq!(*text, clean(text));
        }
        assert!(facts.iter().all(|fact| !fact.is_empty()));
        assert!(host.endpoint_id.is_none() || tool == Tool::Generic);
        assert!(alert.refusal.is_some() || !host.is_empty());
        assert!(has_no_short_form(&host.hostnames), "{:?}", host.hostnames);
        assert!(host.netbios_names.is_empty() || host.hostnames.is_empty());
    }
}

/// Whether no name is the first label of another in the list.
fn has_no_short_form(names: &[String]) -> bool {
    let is_short_of = |name: &String, other: &String| {
        other.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('.'))
    };
    names.iter().all(|name| !names.iter().any(|other| is_short_of(name, other)))
}

/// Generates JSON of members that the adapters look for.
pub(super) fn any_json() -> impl Strategy<Value = Value> {
    let name = prop::sample::select(vec![
        "detail",
        "findings",
        "Findings",
        "id",
        "Id",
        "event",
        "data",
        "events",
        "uuid",
        "resource",
        "resourceType",
        "instanceDetails",
        "alerts",
        "records",
        "value",
        "evidence",
        "hostStates",
        "object",
        "properties",
        "entities",
        "kind",
        "result",
        "sid",
        "host.name",
        "host",
        "name",
        "ip",
        "kibana.alert.uuid",
        "agent",
        "rule",
        "description",
        "threatInfo",
        "activityuuid",
        "target",
        "event_id",
        "action",
        "ttl",
        "severity",
        "_source",
        "hits",
        "source",
        "subscriptionId",
        "activityType",
        "assets",
        "sequence",
        "resources",
        "uid",
        "netBiosName",
        "Entities",
        "dnsDomain",
        "hostName",
        "category",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        prop::sample::select(vec![
            "Host",
            "Instance",
            "isolate",
            "4h",
            "i-1",
            "AdvancedHunting-AlertEvidence",
            "Agent ID 0"
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..6).prop_map(|members| {
                members
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect::<Map<_, _>>()
                    .into()
            }),
        ]
    })
}

/// Removes or replaces the values at the given positions.
fn change_value(value: &mut Value, path: &[u8], put: Option<Value>) {
    let Some((step, rest)) = path.split_first() else { return put.into_iter().for_each(|put| *value = put) };
    match value {
        Value::Object(members) if !members.is_empty() => {
            let name = members.keys().nth(usize::from(*step) % members.len()).expect("a member").clone();
            if rest.is_empty() && put.is_none() {
                members.remove(&name);
            } else if let Some(member) = members.get_mut(&name) {
                change_value(member, rest, put);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            let index = usize::from(*step) % items.len();
            if rest.is_empty() && put.is_none() {
                items.remove(index);
            } else {
                change_value(&mut items[index], rest, put);
            }
        }
        value => put.into_iter().for_each(|put| *value = put),
    }
}

/// Inserts foreign ids and addresses where no adapter may use them.
fn inject_foreign_identifiers(value: &mut Value) {
    let Value::Object(members) = value else {
        if let Value::Array(items) = value {
            items.iter_mut().for_each(inject_foreign_identifiers);
        }
        return;
    };
    for (name, member) in members.iter_mut() {
        let name = name.to_ascii_lowercase().replace('_', "");
        match name.as_str() {
            "agentidstring" | "aid" | "sensorid" | "deviceid" | "machineid" | "mdedeviceid" | "agentid"
            | "agentuuid" => {
                *member = json!(FOREIGN);
            }
            "publicip" | "ipaddressv4" | "ipaddress" | "ip" | "publicipaddress" | "externalip" => {
                *member = json!(REMOTE)
            }
            _ => inject_foreign_identifiers(member),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn adapters_never_panic_on_any_bytes(body in prop::collection::vec(any::<u8>(), 0..200)) {
        for tool in Tool::ALL {
            parse(tool, &body);
        }
    }

    #[test]
    fn adapters_never_panic_on_any_json(value in any_json()) {
        for tool in Tool::ALL {
            parse(tool, value.to_string().as_bytes());
        }
    }

}

proptest! {
    // Each case parses all recorded messages.
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    #[ignore = "needs recorded material beside the checkout: `cargo xtask test` runs it where that is"]
    fn adapters_never_panic_on_changed_messages(
        changes in prop::collection::vec((prop::collection::vec(any::<u8>(), 1..6), prop::option::of(any_json())), 1..6),
        all_tools in any::<bool>(),
    ) {
        for (tool, body) in &*MESSAGES {
            let mut value: Value = serde_json::from_slice(body).expect("JSON");
            for (path, put) in &changes {
                change_value(&mut value, path, put.clone());
            }
            let body = value.to_string();
            for other in Tool::ALL {
                if all_tools || *tool == other {
                    parse(other, body.as_bytes());
                }
            }
        }
    }

    #[test]
    #[ignore = "needs recorded material beside the checkout: `cargo xtask test` runs it where that is"]
    fn adapters_never_panic_on_truncated_messages(part in 0.0..1.0_f64) {
        for (tool, body) in &*MESSAGES {
            let end = (body.len() as f64 * part) as usize;
            parse(*tool, &body[..end]);
        }
    }
}

#[test]
#[ignore = "needs recorded material beside the checkout: `cargo xtask test` runs it where that is"]
fn adapters_ignore_foreign_ids_and_remote_addresses() {
    let mut tainted = 0;
    for (tool, body) in &*MESSAGES {
        let mut value: Value = serde_json::from_slice(body).expect("JSON");
        inject_foreign_identifiers(&mut value);
        let text = value.to_string();
        tainted += usize::from(text.contains(FOREIGN)) + usize::from(text.contains(REMOTE));
        for alert in parse(*tool, text.as_bytes()).unwrap_or_default() {
            let host = serde_json::to_string(&alert.signal.host).expect("a host");
            assert!(!host.contains(FOREIGN) && !host.contains(REMOTE), "{tool}: {host}");
        }
    }
    assert!(tainted > 20);
}
