//! Groups of firewalls, and their synchronization.

use serde_json::{Value, json};

use crate::call::Context;
use crate::central::Central;
use crate::engine::{AccountState, Change, Collection, Member, Paging, Seed, verbs};
use crate::handlers::firewall::firewalls::{FIREWALLS, units_of};
use crate::response::{ApiError, ApiResponse};
use crate::time;

const ID: Member = Member::uuid("id").required();
const MAX_FIREWALLS: usize = 1_000;
/// The number of firewalls that a group shows.
const PREVIEW: usize = 5;
/// The simulated time until a firewall has the configuration of its group.
const SYNC_MS: i64 = 120_000;
/// The simulated duration of a configuration import, and of its preparation.
const IMPORT_MS: i64 = 300_000;
const PREPARE_MS: i64 = 60_000;

pub(super) static GROUPS: Collection = Collection {
    paging: Paging::Numbered { default: 100, max: 100 },
    members: &[
        Member::text_up_to("name", 255).required(),
        Member::uuid("configImportSourceFirewallId").fixed(),
        Member::uuid("parentGroupId").fixed(),
        Member::list("assignFirewalls", &ID, MAX_FIREWALLS),
        Member::list("unassignFirewalls", &ID, MAX_FIREWALLS),
    ],
    has_tenant: true,
    unique: &["name"],
    conflict: "Group name already in use.",
    searched: &["name", "_search.parentId"],
    seed: seed_groups,
    on_create: create,
    on_update: assign,
    on_delete: |change| {
        let id = change.record["id"].clone();
        for firewall in change.state.records(change.context.central, &FIREWALLS) {
            if firewall["group"]["id"] == id {
                leave(firewall);
            }
        }
        for group in change.state.records(change.context.central, &GROUPS) {
            if group["parentGroup"]["id"] == id {
                group["parentGroup"].take();
            }
        }
        Ok(())
    },
    view: show,
    ..Collection::new("firewall_groups", "group")
};

static SYNC_STATUSES: Collection = Collection {
    id_member: "firewall.id",
    paging: Paging::Numbered { default: 100, max: 1_000 },
    ..Collection::new("firewall_sync_statuses", "firewall")
};

/// Name, number of the parent group.
const SEEDED: &[(&str, Option<u64>)] =
    &[("Headquarters", None), ("Branches", None), ("Remote sites", Some(1))];

/// The name of a generated group.
pub(super) fn seeded_name(number: u64) -> &'static str {
    usize::try_from(number).ok().and_then(|number| SEEDED.get(number)).map_or("", |(name, _)| *name)
}

fn seed_groups(seed: &mut Seed<'_>) -> Vec<Value> {
    let account = seed.tenant.map(|tenant| tenant.id_text.clone());
    let by = json!({
        "id": seed.id("users", 0), "type": "user", "name": seed.person(0).name,
        "accountType": "tenant", "accountId": account,
    });
    let mut groups = Vec::new();
    for ((name, parent), number) in SEEDED.iter().zip(0..) {
        let ids = units_of(number).map(|unit| json!({ "id": seed.id("firewalls", unit) }));
        let ids: Vec<Value> = ids.collect();
        let at = seed.past(300);
        let mut group = json!({
            "name": name, "tenant": seed.tenant_ref(), "lockedByManagingAccount": false,
            "firewalls": { "total": ids.len(), "itemsCount": ids.len(), "items": ids },
            "createdBy": by, "createdAt": at, "updatedBy": by, "updatedAt": at,
        });
        if let Some(parent) = parent {
            group["parentGroup"] = json!({ "id": seed.id("firewall_groups", *parent) });
        }
        groups.push(group);
    }
    groups
}

fn leave(firewall: &mut Value) {
    if let Some(members) = firewall.as_object_mut() {
        members.remove("group");
        members.remove("_syncedMs");
    }
}

fn show(context: &Context<'_>, group: &mut Value) {
    group["_search"] = json!({ "parentId": group["parentGroup"]["id"] });
    verbs::null_where_absent(group, &["parentGroup", "configImport", "updatedBy"]);
    if let Some(start) = group["_importMs"].as_i64() {
        let elapsed = context.central.clock.now_ms() - start;
        let (status, percent) = match elapsed {
            ..PREPARE_MS => ("initializing", 0),
            PREPARE_MS..IMPORT_MS => ("processing", elapsed * 100 / IMPORT_MS),
            _ => ("success", 100),
        };
        group["configImport"]["status"] = json!(status);
        group["configImport"]["percentComplete"] = json!(percent);
    }
}

/// Sets the firewalls of all groups, from those firewalls that `remain`. `pending` is a group
/// that is not stored yet.
pub(super) fn refresh(
    central: &Central,
    state: &mut AccountState,
    pending: Option<&mut Value>,
    remain: impl Fn(&Value) -> bool,
) {
    let firewalls = state.records(central, &FIREWALLS).clone();
    for group in state.records(central, &GROUPS).iter_mut().chain(pending) {
        let mine = firewalls.iter().filter(|one| one["group"]["id"] == group["id"] && remain(one));
        let ids: Vec<Value> = mine.map(|firewall| json!({ "id": firewall["id"] })).collect();
        let shown = &ids[..ids.len().min(PREVIEW)];
        group["firewalls"] = json!({ "total": ids.len(), "itemsCount": shown.len(), "items": shown });
    }
}

fn create(change: &mut Change<'_, '_>) -> Result<(), ApiError> {
    let central = change.context.central;
    let take =
        |record: &mut Value, name: &str| record.as_object_mut().and_then(|members| members.remove(name));
    let parent = take(&mut change.record, "parentGroupId");
    let source = take(&mut change.record, "configImportSourceFirewallId");
    if let Some(id) = parent {
        let found = change.state.find(central, &GROUPS, id.as_str().unwrap_or_default());
        change.record["parentGroup"] = json!({ "id": found.ok_or_else(|| GROUPS.not_found())?["id"] });
    }
    if let Some(id) = source {
        let found = change.state.find(central, &FIREWALLS, id.as_str().unwrap_or_default());
        let id = found.ok_or_else(|| FIREWALLS.not_found())?["id"].clone();
        change.record["configImport"] = json!({ "sourceFirewall": { "id": id }, "errors": [] });
        change.record["_importMs"] = json!(central.clock.now_ms());
    }
    change.record["lockedByManagingAccount"] = json!(false);
    change.record["createdBy"] = change.context.actor();
    assign(change)
}

/// Moves firewalls into the group and out of it, after a check that all exist.
fn assign(change: &mut Change<'_, '_>) -> Result<(), ApiError> {
    let central = change.context.central;
    let mut lists = Vec::new();
    for name in ["assignFirewalls", "unassignFirewalls"] {
        let list = change.record.as_object_mut().and_then(|members| members.remove(name));
        let list = list.and_then(|list| list.as_array().cloned()).unwrap_or_default();
        let ids: Vec<String> = list.iter().filter_map(|id| id.as_str().map(str::to_owned)).collect();
        for id in &ids {
            change.state.find(central, &FIREWALLS, id).ok_or_else(|| FIREWALLS.not_found())?;
        }
        lists.push(ids);
    }
    let group = json!({ "id": change.record["id"], "name": change.record["name"] });
    let now = central.clock.now_ms();
    for firewall in change.state.records(central, &FIREWALLS) {
        let is_in = |ids: &[String]| ids.iter().any(|id| FIREWALLS.has_id(firewall, id));
        let is_mine = firewall["group"]["id"] == group["id"];
        if is_in(&lists[0]) {
            if !is_mine {
                firewall["_syncedMs"] = json!(now + SYNC_MS);
            }
            firewall["group"] = group.clone();
        } else if is_mine && is_in(&lists[1]) {
            leave(firewall);
        } else if is_mine {
            firewall["group"] = group.clone();
        }
    }
    if change.before.is_some() {
        change.record["updatedBy"] = change.context.actor();
    }
    refresh(central, change.state, Some(&mut change.record), |_| true);
    Ok(())
}

/// The groups of the top level, or all with `recurseSubgroups`.
pub(super) fn list(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let query = &context.call.query;
    let is_nested = query.boolean("recurseSubgroups")?.unwrap_or(false);
    // A search for a parent finds its direct children.
    let is_by_parent = query.get("search").is_some() && query.list("searchFields").contains(&"parentId");
    let mut groups = context.state().records(context.central, &GROUPS).clone();
    groups.retain(|group| is_nested || is_by_parent || group["parentGroup"].is_null());
    Ok(ApiResponse::json(200, &verbs::list_records(context, &GROUPS, groups)?))
}

/// The synchronization status of each firewall of a group.
pub(super) fn sync_status(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    context.id()?;
    let central = context.central;
    let id = context.params.first().copied().unwrap_or_default();
    let mut state = context.state();
    let group = state.find(central, &GROUPS, id).ok_or_else(|| GROUPS.not_found())?.clone();
    let now = central.clock.now_ms();
    let mut statuses = Vec::new();
    for firewall in state.records(central, &FIREWALLS) {
        if firewall["group"]["id"] != group["id"] {
            continue;
        }
        let synced = firewall["_syncedMs"].as_i64();
        let is_synced = firewall["status"]["connected"] == true && synced.is_none_or(|end| now >= end);
        let at = synced.map(|end| json!(time::format_millis(end.min(now))));
        statuses.push(json!({
            "firewall": { "id": firewall["id"] },
            "status": if is_synced { "inSync" } else { "pending" },
            "lastUpdatedAt": at.unwrap_or_else(|| firewall["updatedAt"].clone()),
        }));
    }
    Ok(ApiResponse::json(200, &verbs::list_records(context, &SYNC_STATUSES, statuses)?))
}
