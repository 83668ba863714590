//! Allowed and blocked items: programs exempt from detection, and programs always blocked.

use serde_json::{Value, json};

use crate::call::invalid_parameter;
use crate::engine::{Change, Collection, Member, Seed};
use crate::handlers::directory::USERS;
use crate::response::ApiError;
use crate::routes::Route;

const TYPES: &[&str] = &["path", "posixPath", "sha256", "certificateSigner"];
const MAX_ITEMS: usize = 1_000;

const PROPERTIES: &[Member] = &[
    Member::text_up_to("fileName", 260),
    Member::text_up_to("path", 1_000),
    Member::text_up_to("sha256", 64),
    Member::text_up_to("certificateSigner", 1_000),
];

const MEMBERS: &[Member] = &[
    Member::one_of("type", TYPES).required().fixed(),
    Member::object("properties", PROPERTIES).required().fixed(),
    Member::text_up_to("comment", 1_000),
    Member::uuid("originPersonId").fixed(),
    Member::uuid("originEndpointId").fixed(),
];

static ALLOWED: Collection = Collection {
    members: MEMBERS,
    conflict: "The item is already allowed.",
    max: Some((MAX_ITEMS, 400, "The maximum number of allowed items is reached.")),
    may_delete_unknown: true,
    seed: |seed| seed_items(seed, &["certificateSigner", "path", "sha256"]),
    on_create: |change| complete(change, &ALLOWED),
    ..Collection::new("allowed_items", "allowed item")
};

static BLOCKED: Collection = Collection {
    members: MEMBERS,
    conflict: "The item is already blocked.",
    max: Some((MAX_ITEMS, 400, "The maximum number of blocked items is reached.")),
    may_delete_unknown: true,
    seed: |seed| seed_items(seed, &["sha256", "sha256"]),
    on_create: |change| complete(change, &BLOCKED),
    ..Collection::new("blocked_items", "blocked item")
};

pub(crate) static ROUTES: &[Route] = &[
    Route::list("allowed_items.list", "/endpoint/v1/settings/allowed-items", &ALLOWED),
    Route::create("allowed_items.create", "/endpoint/v1/settings/allowed-items", &ALLOWED),
    Route::get("allowed_items.get", "/endpoint/v1/settings/allowed-items/:allowedItemId", &ALLOWED),
    Route::update("allowed_items.update", "/endpoint/v1/settings/allowed-items/:allowedItemId", &ALLOWED),
    Route::delete("allowed_items.delete", "/endpoint/v1/settings/allowed-items/:allowedItemId", &ALLOWED),
    Route::list("blocked_items.list", "/endpoint/v1/settings/blocked-items", &BLOCKED),
    Route::create("blocked_items.create", "/endpoint/v1/settings/blocked-items", &BLOCKED),
    Route::get("blocked_items.get", "/endpoint/v1/settings/blocked-items/:blockedItemId", &BLOCKED),
    Route::delete("blocked_items.delete", "/endpoint/v1/settings/blocked-items/:blockedItemId", &BLOCKED),
];

fn seed_items(seed: &mut Seed<'_>, types: &[&str]) -> Vec<Value> {
    let endpoints = seed.endpoint_ids(types.len() as u64);
    let item = |(number, kind): (usize, &&str)| {
        let (at, creator, digest) = (seed.past(200), seed.uuid(), seed.rng.hex(64));
        let person = seed.person(number);
        let mut item = json!({
            "type": kind,
            "properties": {
                "fileName": format!("tool{number}.exe"),
                "path": format!("C:\\Program Files\\Tools\\tool{number}.exe"),
                "sha256": digest,
                "certificateSigner": "Example Software Ltd",
            },
            "comment": "Reviewed by the security team.",
            "createdAt": at, "updatedAt": at,
            "createdBy": { "id": creator, "name": seed.person(0).name },
            "originPerson": { "id": seed.id("users", number as u64), "name": person.name },
        });
        if let Some(id) = endpoints.get(number) {
            item["originEndpoint"] = json!({ "id": id });
        }
        item
    };
    types.iter().enumerate().map(item).collect()
}

/// The property that identifies an item of a type.
fn key_property(kind: &Value) -> &str {
    match kind.as_str().unwrap_or_default() {
        "posixPath" => "path",
        kind => kind,
    }
}

fn key(item: &Value) -> String {
    item["properties"][key_property(&item["type"])].as_str().unwrap_or_default().to_lowercase()
}

fn complete(change: &mut Change<'_, '_>, of: &'static Collection) -> Result<(), ApiError> {
    let item = &change.record;
    let new = key(item);
    let is_digest = new.len() == 64 && new.bytes().all(|byte| byte.is_ascii_hexdigit());
    if new.is_empty() || (item["type"] == "sha256" && !is_digest) {
        return Err(invalid_parameter(key_property(&item["type"])));
    }
    let central = change.context.central;
    let is_same = |other: &Value| other["type"] == item["type"] && key(other) == new;
    if change.state.records(central, of).iter().any(is_same) {
        return Err(ApiError::new(409, "conflict", of.conflict));
    }
    let who = change.context.credential()?;
    change.record["createdBy"] = json!({ "id": who.client_id, "name": "API credential" });
    let [person, endpoint] = ["originPersonId", "originEndpointId"].map(|name| change.record[name].take());
    if let Some(id) = person.as_str() {
        let mut origin = json!({ "id": id });
        if let Some(user) = change.state.find(central, &USERS, id) {
            origin["name"] = user["name"].clone();
        }
        change.record["originPerson"] = origin;
    }
    if endpoint.is_string() {
        change.record["originEndpoint"] = json!({ "id": endpoint });
    }
    if let Some(members) = change.record.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    Ok(())
}
