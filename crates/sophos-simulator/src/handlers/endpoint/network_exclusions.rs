//! Exclusions from isolation and from Intrusion Prevention, by ports and addresses.

use serde_json::{Value, json};

use crate::call::invalid_parameter;
use crate::engine::collection::IdKind;
use crate::engine::{Change, Collection, Member, Seed};
use crate::response::ApiError;
use crate::routes::Route;

const PORT: Member = Member::integer("port", 1, 65_535);
const ADDRESS: Member = Member::text_up_to("address", 255);

const MEMBERS: &[Member] = &[
    Member::one_of("direction", &["inbound", "outbound", "both"]).required(),
    Member::list("localPorts", &PORT, 100),
    Member::list("remotePorts", &PORT, 100),
    Member::list("remoteAddresses", &ADDRESS, 100),
    Member::text_up_to("comment", 1_000),
];

static ISOLATION: Collection = Collection {
    members: MEMBERS,
    has_times: false,
    may_delete_unknown: true,
    seed: |seed| seed_exclusions(seed, "isolation"),
    on_create: |change| {
        change.record["type"] = json!("isolation");
        check(change)
    },
    on_update: check,
    ..Collection::new("isolation_exclusions", "exclusion")
};

static INTRUSION_PREVENTION: Collection = Collection {
    id_kind: IdKind::Text,
    members: MEMBERS,
    has_times: false,
    may_delete_unknown: true,
    seed: |seed| seed_exclusions(seed, "intrusionPrevention"),
    on_create: |change| {
        change.record["type"] = json!("intrusionPrevention");
        // These ids are digests.
        change.record["id"] = json!(change.context.central.new_rng().hex(64));
        check(change)
    },
    on_update: check,
    ..Collection::new("intrusion_prevention_exclusions", "exclusion")
};

const ISOLATIONS: &str = "/endpoint/v1/settings/exclusions/isolation";
const ISOLATION_ONE: &str = "/endpoint/v1/settings/exclusions/isolation/:exclusionId";
const INTRUSIONS: &str = "/endpoint/v1/settings/exclusions/intrusion-prevention";
const INTRUSION_ONE: &str = "/endpoint/v1/settings/exclusions/intrusion-prevention/:exclusionId";

pub(crate) static ROUTES: &[Route] = &[
    Route::list("isolation_exclusions.list", ISOLATIONS, &ISOLATION),
    Route::create("isolation_exclusions.create", ISOLATIONS, &ISOLATION),
    Route::get("isolation_exclusions.get", ISOLATION_ONE, &ISOLATION),
    Route::update("isolation_exclusions.update", ISOLATION_ONE, &ISOLATION),
    Route::delete("isolation_exclusions.delete", ISOLATION_ONE, &ISOLATION),
    Route::list("intrusion_prevention_exclusions.list", INTRUSIONS, &INTRUSION_PREVENTION),
    Route::create("intrusion_prevention_exclusions.create", INTRUSIONS, &INTRUSION_PREVENTION),
    Route::get("intrusion_prevention_exclusions.get", INTRUSION_ONE, &INTRUSION_PREVENTION),
    Route::update("intrusion_prevention_exclusions.update", INTRUSION_ONE, &INTRUSION_PREVENTION),
    Route::delete("intrusion_prevention_exclusions.delete", INTRUSION_ONE, &INTRUSION_PREVENTION),
];

fn seed_exclusions(seed: &mut Seed<'_>, kind: &str) -> Vec<Value> {
    let exclusion = |direction: &str, port: u16, address: &str| {
        json!({
            "type": kind, "direction": direction, "localPorts": [port], "remotePorts": [port],
            "remoteAddresses": [address], "comment": "Management network",
        })
    };
    let mut all = vec![exclusion("both", 3_389, "192.0.2.10"), exclusion("outbound", 443, "192.0.2.20")];
    if kind == "intrusionPrevention" {
        for item in &mut all {
            item["id"] = json!(seed.rng.hex(64));
        }
    }
    all
}

/// Requires a port or an address.
fn check(change: &mut Change<'_, '_>) -> Result<(), ApiError> {
    let is_empty = |name: &&str| change.record[*name].as_array().is_none_or(Vec::is_empty);
    if ["localPorts", "remotePorts", "remoteAddresses"].iter().all(is_empty) {
        return Err(invalid_parameter("remoteAddresses"));
    }
    Ok(())
}
