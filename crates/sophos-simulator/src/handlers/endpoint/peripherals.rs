//! The peripherals that endpoints reported.

use serde_json::{Value, json};

use crate::data::endpoint::EndpointIdentity;
use crate::engine::{Collection, Filter, Seed};
use crate::hash::uuid_text;
use crate::routes::Route;
use crate::time;

const TYPES: &[&str] = &[
    "bluetooth",
    "encryptedStorage",
    "floppyDrive",
    "infrared",
    "modem",
    "mtp",
    "opticalDrive",
    "removableStorage",
    "wireless",
];

static PERIPHERALS: Collection = Collection {
    filters: &[
        Filter::one_of("type", "type", TYPES),
        Filter::after("lastSeenAfter", "lastSeenAt"),
        Filter::before("lastSeenBefore", "lastSeenAt"),
    ],
    seed: seed_peripherals,
    ..Collection::new("peripherals", "peripheral")
};

pub(crate) static ROUTES: &[Route] = &[
    Route::list("peripherals.list", "/endpoint/v1/settings/peripheral-control/peripherals", &PERIPHERALS),
    Route::get(
        "peripherals.get",
        "/endpoint/v1/settings/peripheral-control/peripherals/:peripheralId",
        &PERIPHERALS,
    ),
];

const MODELS: &[(&str, &str, &str)] = &[
    ("removableStorage", "storage", "Example Flash Drive 64 GB"),
    ("wireless", "network", "Example Wireless Network Adapter"),
    ("bluetooth", "network", "Example Bluetooth Radio"),
    ("opticalDrive", "storage", "Example DVD Writer"),
    ("mtp", "media", "Example Phone"),
    ("encryptedStorage", "storage", "Example Secure Drive"),
];

/// A tenant without endpoints has no peripherals.
fn seed_peripherals(seed: &mut Seed<'_>) -> Vec<Value> {
    let Some(tenant) = seed.tenant.filter(|tenant| tenant.endpoint_count() > 0) else { return Vec::new() };
    let mut peripheral = |(number, (kind, category, model)): (u64, &(&str, &str, &str))| {
        let endpoint = EndpointIdentity::new(tenant, number % tenant.endpoint_count());
        let last = time::parse(&seed.past(60)).unwrap_or_default();
        let first = last - i64::try_from(seed.rng.below(300 * 86_400_000)).unwrap_or_default();
        let serial = seed.rng.hex(12).to_uppercase();
        json!({
            "type": kind, "category": category, "model": model,
            "modelId": format!("{kind}-{serial}"),
            "instanceId": format!("INS:{kind}-{serial}"),
            "lastEndpoint": { "id": uuid_text(endpoint.id), "hostname": endpoint.hostname },
            "lastEndpointHostname": endpoint.hostname,
            "lastUsedBy": format!("{}\\user{number}", endpoint.hostname),
            "lastActionTaken": seed.rng.pick(&["allowed", "blocked", "readOnly", "alertedOnly"]),
            "firstSeenAt": time::format_millis(first),
            "lastSeenAt": time::format_millis(last),
        })
    };
    (0..).zip(MODELS).map(&mut peripheral).collect()
}
