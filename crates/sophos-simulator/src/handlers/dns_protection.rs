//! Locations of DNS Protection.

use std::net::IpAddr;

use serde_json::{Value, json};

use crate::call::invalid_parameter;
use crate::engine::{Change, Collection, Member, Seed};
use crate::hash::{Rng, uuid_text};
use crate::response::ApiError;
use crate::routes::Route;

const MAX_LOCATIONS: usize = 50;
const MAX_ENTRIES: usize = 1_000;
const NAME: Member = Member::text_up_to("name", 255);
const ENTRY: Member = Member::text_up_to("entry", 255).required();

const LISTS: &[Member] =
    &[Member::list("ipList", &ENTRY, MAX_ENTRIES), Member::list("domainNames", &ENTRY, MAX_ENTRIES)];

static LOCATIONS: Collection = Collection {
    members: &[
        NAME.required(),
        Member::text_up_to("description", 1_000),
        // A creation sets lists; an update has `{"add": [], "remove": []}`.
        Member::any("ipList"),
        Member::any("ipAddresses"),
        Member::any("domainNames"),
        Member::boolean("dohEnabled"),
        Member::uuid("policyId"),
    ],
    unique: &["name"],
    conflict: "A location with this name already exists.",
    max: Some((MAX_LOCATIONS, 400, "Maximum number of locations reached.")),
    seed: seed_locations,
    on_create: complete,
    on_update: update,
    on_delete: |change| {
        if change.record["default"] == true {
            return Err(ApiError::bad_request("Can't delete the default location."));
        }
        Ok(())
    },
    ..Collection::new("dns_locations", "location")
};

const LOCATION: &str = "/dns-protection/v2/locations/:id";

pub(crate) static ROUTES: &[Route] = &[
    Route::list("dns_protection.list", "/dns-protection/v2/locations", &LOCATIONS),
    Route::create("dns_protection.create", "/dns-protection/v2/locations", &LOCATIONS),
    Route::get("dns_protection.get", LOCATION, &LOCATIONS),
    Route::update("dns_protection.update", LOCATION, &LOCATIONS),
    Route::delete("dns_protection.delete", LOCATION, &LOCATIONS),
];

fn seed_locations(seed: &mut Seed<'_>) -> Vec<Value> {
    let policy = seed.id("dns_policies", 0);
    let mut location = |number: usize, name: &str| {
        let at = seed.past(200);
        let mut location = json!({
            "name": name, "description": format!("The location {name}."), "default": number == 0,
            "ipList": [format!("203.0.113.{}", number + 1)],
            "domainNames": [format!("office{number}.example.com")],
            "dohEnabled": true, "policyId": policy, "createdAt": at, "updatedAt": at,
        });
        add_doh(&mut location, &mut seed.rng);
        location
    };
    // An update or deletion usually concerns the first one, so the default is the last.
    vec![location(1, "Lisbon"), location(2, "Lyon"), location(0, "Default")]
}

/// Adds the address for DNS over HTTPS.
fn add_doh(location: &mut Value, rng: &mut Rng) {
    let id = rng.hex(13);
    location["dohUrl"] = json!(format!("https://{id}.dns.example.com/dns-query"));
    location["dohSecureLocationId"] = json!(id);
}

fn complete(change: &mut Change<'_, '_>) -> Result<(), ApiError> {
    let mut rng = change.context.central.new_rng();
    for name in ["ipList", "domainNames"] {
        if change.record[name].is_null() {
            change.record[name] = json!([]);
        }
    }
    if let Some(members) = change.record.as_object_mut() {
        members.remove("ipAddresses");
        members.entry("dohEnabled").or_insert(json!(false));
        members.entry("policyId").or_insert(json!(uuid_text(rng.uuid())));
    }
    change.record["default"] = json!(false);
    add_doh(&mut change.record, &mut rng);
    check(change)
}

/// Applies the additions and removals of an update.
fn update(change: &mut Change<'_, '_>) -> Result<(), ApiError> {
    let before = change.before.clone().unwrap_or_default();
    let addresses = change.record.as_object_mut().and_then(|members| members.remove("ipAddresses"));
    let domains = change.record["domainNames"].take();
    change.record["ipList"] = changed(&before["ipList"], &addresses.unwrap_or_default(), "ipAddresses")?;
    change.record["domainNames"] = changed(&before["domainNames"], &domains, "domainNames")?;
    check(change)
}

fn changed(before: &Value, changes: &Value, name: &str) -> Result<Value, ApiError> {
    let mut list = before.as_array().cloned().unwrap_or_default();
    // Without changes, the member is absent or still the list of before.
    if !changes.is_object() {
        return if changes.is_null() || changes == before {
            Ok(json!(list))
        } else {
            Err(invalid_parameter(name))
        };
    }
    let entries = |verb: &str| match &changes[verb] {
        Value::Null => Ok(Vec::new()),
        Value::Array(entries) => Ok(entries.clone()),
        _ => Err(invalid_parameter(name)),
    };
    let removed = entries("remove")?;
    list.retain(|entry| !removed.contains(entry));
    for entry in entries("add")? {
        if !list.contains(&entry) {
            list.push(entry);
        }
    }
    Ok(json!(list))
}

/// 400 for an invalid entry, 409 for an IP address of another location.
fn check(change: &mut Change<'_, '_>) -> Result<(), ApiError> {
    crate::engine::member::accept(LISTS, &change.record, true)?;
    let addresses = change.record["ipList"].as_array().cloned().unwrap_or_default();
    if addresses.iter().any(|address| address.as_str().is_none_or(|text| text.parse::<IpAddr>().is_err())) {
        return Err(invalid_parameter("ipList"));
    }
    let id = change.record["id"].clone();
    let others = change.state.records(change.context.central, &LOCATIONS).iter();
    let mut others = others.filter(|other| other["id"] != id);
    let has_any = |other: &Value| {
        other["ipList"].as_array().is_some_and(|list| list.iter().any(|address| addresses.contains(address)))
    };
    if others.any(has_any) {
        return Err(ApiError::new(409, "conflict", "Another location has this IP address."));
    }
    Ok(())
}
