//! Profiles of web filtering, and the site lists that they refer to.

use std::net::IpAddr;

use serde_json::{Value, json};

use crate::call::{Context, invalid_parameter};
use crate::engine::collection::Parent;
use crate::engine::filter::values_at;
use crate::engine::{Change, Collection, Filter, Member, Seed, member, verbs};
use crate::hash::uuid_text;
use crate::response::{ApiError, ApiResponse};
use crate::routes::Route;
use crate::time;

const ACTION: Member = Member::one_of("action", &["allow", "block", "warn"]).required();
const CATEGORY: &[Member] = &[Member::text_up_to("name", 255).required(), ACTION];
const SITE_LIST: &[Member] = &[Member::uuid("id").required(), ACTION, Member::integer("priority", 0, 1_000)];
const CONSUMER: &[Member] = &[
    Member::one_of("type", &["computerWebControlPolicy", "serverWebControlPolicy"]).required(),
    Member::uuid("id").required(),
];
const NAME: Member = Member::text_up_to("name", 255).required();
const DESCRIPTION: Member = Member::text_up_to("description", 1_000);
const SITE: Member = Member::text_up_to("site", 2_048).required();

static PROFILES: Collection = Collection {
    members: &[
        NAME,
        DESCRIPTION,
        Member::boolean("filterByCategory"),
        Member::text_up_to("preset", 255),
        Member::list("categoryGroupActions", &Member::object("action", CATEGORY), 100),
        Member::list("categoryActions", &Member::object("action", CATEGORY), 500),
        Member::boolean("filterBySiteList"),
        Member::list("siteListActions", &Member::object("action", SITE_LIST), 100),
        Member::list("consumers", &Member::object("consumer", CONSUMER), 1_000),
    ],
    unique: &["name"],
    conflict: "Profile name already in use.",
    searched: &["name", "description"],
    seed: seed_profiles,
    on_create: check_profile,
    on_update: check_profile,
    on_delete: |change| {
        if change.record["consumers"].as_array().is_some_and(|list| !list.is_empty()) {
            return Err(ApiError::new(409, "conflict", "The profile is in use."));
        }
        let gone = json!({ "id": change.record["id"] });
        update_users_of_lists(change, gone);
        Ok(())
    },
    ..Collection::new("web_profiles", "profile")
};

static SITE_LISTS: Collection = Collection {
    members: &[NAME, DESCRIPTION, Member::list("sites", &SITE, MAX_SITES).required()],
    unique: &["name"],
    conflict: "Site list name already in use.",
    searched: &["name", "_sites.site"],
    detail: &["sites"],
    seed: seed_site_lists,
    on_create: set_sites,
    on_update: set_sites,
    on_delete: |change| {
        if change.record["usedBy"].as_array().is_some_and(|list| !list.is_empty()) {
            return Err(ApiError::new(409, "conflict", "The site list is in use."));
        }
        Ok(())
    },
    view: |_, list| {
        let sites: Vec<Value> = values_at(list, "_sites.site").into_iter().cloned().collect();
        list["numberOfSites"] = json!(sites.len());
        list["sites"] = json!(sites);
    },
    ..Collection::new("web_site_lists", "site list")
};

static SITES: Collection = Collection {
    parent: Some(Parent { collection: &SITE_LISTS, member: "_sites" }),
    members: &[SITE],
    has_times: false,
    max: Some((MAX_SITES, 400, "Maximum number of sites reached.")),
    unique: &["site"],
    conflict: "The list has this site.",
    filters: &[Filter::equals("siteType", "siteType")],
    searched: &["site"],
    on_create: |change| {
        let site = change.record["site"].as_str().unwrap_or_default();
        change.record["siteType"] = json!(site_type(site).ok_or_else(|| invalid_parameter("site"))?);
        change.record["createdAt"] = json!(time::format_millis(change.context.central.clock.now_ms()));
        Ok(())
    },
    ..Collection::new("web_sites", "site")
};

const MAX_SITES: usize = 1_000;
const PROFILE: &str = "/web-filters/v1/profiles/:profileId";
const LIST: &str = "/web-filters/v1/site-lists/:siteListId";
const LIST_SITES: &str = "/web-filters/v1/site-lists/:siteListId/sites";

pub(crate) static ROUTES: &[Route] = &[
    Route::list("web_filters.profiles.list", "/web-filters/v1/profiles", &PROFILES),
    Route::create("web_filters.profiles.create", "/web-filters/v1/profiles", &PROFILES),
    Route::read("web_filters.profiles.metadata", "/web-filters/v1/profiles/metadata", metadata),
    Route::get("web_filters.profiles.get", PROFILE, &PROFILES),
    Route::replace("web_filters.profiles.replace", PROFILE, &PROFILES),
    Route::delete("web_filters.profiles.delete", PROFILE, &PROFILES),
    Route::write(
        "web_filters.profiles.clone",
        "POST",
        "/web-filters/v1/profiles/:profileId/clone",
        |context| clone(context, &PROFILES),
    )
    .with_success(201),
    Route::list("web_filters.site_lists.list", "/web-filters/v1/site-lists", &SITE_LISTS),
    Route::create("web_filters.site_lists.create", "/web-filters/v1/site-lists", &SITE_LISTS),
    Route::get("web_filters.site_lists.get", LIST, &SITE_LISTS),
    Route::replace("web_filters.site_lists.replace", LIST, &SITE_LISTS),
    Route::delete("web_filters.site_lists.delete", LIST, &SITE_LISTS),
    Route::write(
        "web_filters.site_lists.clone",
        "POST",
        "/web-filters/v1/site-lists/:siteListId/clone",
        |context| clone(context, &SITE_LISTS),
    )
    .with_success(201),
    Route::list("web_filters.sites.list", LIST_SITES, &SITES),
    Route::create("web_filters.sites.create", LIST_SITES, &SITES),
    Route::delete("web_filters.sites.delete", "/web-filters/v1/site-lists/:siteListId/sites/:siteId", &SITES),
];

fn seed_profiles(seed: &mut Seed<'_>) -> Vec<Value> {
    let mut profile = |name: &str, action: &str, consumers: Value| {
        let at = seed.past(200);
        json!({
            "name": name, "description": format!("The profile {name}."), "filterByCategory": true,
            "preset": "custom", "categoryGroupActions": [{ "name": "productivity", "action": action }],
            "categoryActions": [{ "name": "gambling", "action": "block" }],
            "filterBySiteList": true,
            "siteListActions": [{ "id": seed.id("web_site_lists", 1), "action": action, "priority": 1 }],
            "consumers": consumers, "createdAt": at, "updatedAt": at,
        })
    };
    let policy =
        json!([{ "type": "computerWebControlPolicy", "id": "5a4d7f0e-6f5b-4c43-9a44-9f0d3f0f5d11" }]);
    vec![profile("Guests", "warn", json!([])), profile("Employees", "block", policy)]
}

fn seed_site_lists(seed: &mut Seed<'_>) -> Vec<Value> {
    let at = seed.past(200);
    let names = ["Guests", "Employees"].iter().enumerate();
    let users =
        names.map(|(number, name)| json!({ "id": seed.id("web_profiles", number as u64), "name": name }));
    let users: Vec<Value> = users.collect();
    let mut list = |name: &str, sites: &[&str], used_by: Value| {
        let site = |site: &&str| json!({ "id": seed.uuid(), "site": site, "siteType": site_type(site), "createdAt": at });
        let sites: Vec<Value> = sites.iter().map(site).collect();
        json!({ "name": name, "_sites": sites, "usedBy": used_by, "createdAt": at, "updatedAt": at })
    };
    vec![
        list("Suppliers", &["supplier.example.com", "192.0.2.0/24"], json!([])),
        list("Games", &["games.example.com", "https://play.example.com/start"], json!(users)),
    ]
}

fn site_type(site: &str) -> Option<&'static str> {
    if site.is_empty() || site.contains(char::is_whitespace) {
        return None;
    }
    let (address, prefix) =
        site.split_once('/').map_or((site, None), |(address, prefix)| (address, Some(prefix)));
    match (address.parse::<IpAddr>(), prefix) {
        (Ok(_), None) => Some("ipAddress"),
        (Ok(_), Some(prefix)) => prefix.parse::<u8>().ok().map(|_| "cidr"),
        (Err(_), None) => site.contains('.').then_some("domain"),
        (Err(_), Some(_)) => Some("url"),
    }
}

/// Turns the texts of a request into sites.
fn set_sites(change: &mut Change<'_, '_>) -> Result<(), ApiError> {
    let now = time::format_millis(change.context.central.clock.now_ms());
    let before = change.before.as_ref().map(|list| list["_sites"].clone()).unwrap_or_default();
    let before = before.as_array().cloned().unwrap_or_default();
    let texts = change.record["sites"].take();
    let mut sites: Vec<Value> = Vec::new();
    for text in texts.as_array().into_iter().flatten().filter_map(Value::as_str) {
        let kind = site_type(text).ok_or_else(|| invalid_parameter("sites"))?;
        if sites.iter().any(|site| site["site"] == text) {
            continue;
        }
        let id = || uuid_text(change.context.central.new_rng().uuid());
        let known = before.iter().find(|site| site["site"] == text).cloned();
        sites.push(
            known.unwrap_or_else(|| json!({ "id": id(), "site": text, "siteType": kind, "createdAt": now })),
        );
    }
    change.record["_sites"] = json!(sites);
    if change.record["usedBy"].is_null() {
        change.record["usedBy"] = json!([]);
    }
    Ok(())
}

/// 400 for an unknown site list; fills omitted members.
fn check_profile(change: &mut Change<'_, '_>) -> Result<(), ApiError> {
    let central = change.context.central;
    let ids: Vec<Value> = values_at(&change.record, "siteListActions.id").into_iter().cloned().collect();
    for id in ids {
        let found = change.state.find(central, &SITE_LISTS, id.as_str().unwrap_or_default());
        found.ok_or_else(|| invalid_parameter("siteListActions"))?;
    }
    for name in ["categoryGroupActions", "categoryActions", "siteListActions", "consumers"] {
        if change.record[name].is_null() {
            change.record[name] = json!([]);
        }
    }
    for name in ["filterByCategory", "filterBySiteList"] {
        if change.record[name].is_null() {
            change.record[name] = json!(false);
        }
    }
    let profile = change.record.clone();
    update_users_of_lists(change, profile);
    Ok(())
}

/// Sets `usedBy` of all site lists; `current` is the changed profile, or its id after a deletion.
fn update_users_of_lists(change: &mut Change<'_, '_>, current: Value) {
    let central = change.context.central;
    let mut profiles = change.state.records(central, &PROFILES).clone();
    profiles.retain(|profile| profile["id"] != current["id"]);
    profiles.push(current);
    for list in change.state.records(central, &SITE_LISTS) {
        let users = profiles.iter().filter(|one| values_at(one, "siteListActions.id").contains(&&list["id"]));
        let users: Vec<Value> = users.map(|one| json!({ "id": one["id"], "name": one["name"] })).collect();
        list["usedBy"] = json!(users);
    }
}

/// Copies a record under another name. No policy or profile uses the copy.
fn clone(context: &Context<'_>, collection: &'static Collection) -> Result<ApiResponse, ApiError> {
    context.id()?;
    let body = member::accept(&[NAME], &context.call.json()?, false)?;
    let id = context.params.first().copied().unwrap_or_default();
    let mut state = context.state();
    let found = state.find(context.central, collection, id).cloned();
    let mut copy = found.ok_or_else(|| collection.not_found())?;
    (collection.view)(context, &mut copy);
    copy["name"] = body["name"].clone();
    if let Some(members) = copy.as_object_mut() {
        ["id", "consumers", "usedBy", "_sites"].iter().for_each(|name| drop(members.remove(*name)));
    }
    let copy = verbs::add(context, &mut state, collection, copy)?;
    Ok(ApiResponse::json(context.success, &verbs::show(context, collection, copy)))
}

/// The categories in the language of the request. A request without a language is refused.
fn metadata(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    if context.call.header("accept-language").is_none_or(str::is_empty) {
        return Err(ApiError::bad_request("Missing header Accept-Language"));
    }
    let named = |names: &[&str]| -> Vec<Value> {
        names.iter().map(|name| json!({ "name": name, "displayName": name })).collect()
    };
    let body = json!({
        "presets": named(&["keepItClean", "gentleGuidance", "conserveBandwidth", "businessOnly", "custom"]),
        "categoryGroups": [
            { "name": "productivity", "displayName": "Productivity", "categories": named(&["games", "gambling"]) },
            { "name": "social", "displayName": "Social", "categories": named(&["blogs", "socialNetworks"]) },
        ],
    });
    Ok(ApiResponse::json(200, &body))
}
