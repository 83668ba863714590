//! Runtime detection profiles of Linux, and their versions.

use serde_json::{Value, json};

use crate::call::{Context, invalid_parameter};
use crate::engine::{Collection, Filter, Member, Paging, Seed, member, verbs};
use crate::response::{ApiError, ApiResponse};
use crate::routes::Route;
use crate::time;

const RULE: &[Member] = &[Member::text_up_to("name", 255).required(), Member::boolean("enabled")];
const OPERATION: &[Member] = &[
    Member::one_of("behavior", &["add", "remove"]).required(),
    Member::list("list", &Member::text("value"), 1_000).required(),
];
const LIST: &[Member] = &[
    Member::text_up_to("name", 255).required(),
    Member::list("operations", &Member::object("operation", OPERATION), 100),
];
const SETTINGS: &[Member] =
    &[Member::list("rules", &Member::any("rule"), 1_000), Member::list("lists", &Member::any("list"), 1_000)];
const PROFILE: &[Member] = &[
    Member::text_up_to("name", 255),
    Member::text_up_to("profileDescription", 1_000),
    Member::uuid("profileId"),
    Member::text_up_to("contentVersion", 50).required(),
    Member::object("settings", SETTINGS).required(),
];

static PROFILES: Collection = Collection {
    filters: &[Filter::contains("searchTerm", "name")],
    has_times: false,
    detail: &["profileDescription", "contentVersion", "diff", "versions"],
    seed: seed_profiles,
    ..Collection::new("runtime_profiles", "profile")
};

static CONTENTS: Collection = Collection {
    paging: Paging::None,
    has_times: false,
    seed: |_| CONTENT_VERSIONS.iter().map(|version| json!({ "version": version })).collect(),
    ..Collection::new("runtime_contents", "content")
};

const CONTENT_VERSIONS: &[&str] = &["6.4.7", "6.4.8", "6.5.0"];
const PATH: &str = "/cloud-security/v1/profiles";

pub(crate) static ROUTES: &[Route] = &[
    Route::read("cloud_security.list", PATH, list),
    Route::write("cloud_security.create", "POST", PATH, create).with_success(201),
    Route::write("cloud_security.delete", "DELETE", PATH, delete),
    Route::list("cloud_security.contents", "/cloud-security/v1/profiles/default-contents", &CONTENTS),
    Route::read("cloud_security.get", "/cloud-security/v1/profiles/:profileId", get),
    Route::write("cloud_security.rename", "PUT", "/cloud-security/v1/profiles/:profileId", rename),
];

/// A time without a zone and without milliseconds, as these operations show it.
fn local(ms: i64) -> String {
    time::format_millis(ms)[..19].to_owned()
}

fn seed_profiles(seed: &mut Seed<'_>) -> Vec<Value> {
    let content = seed.id("runtime_contents", 1);
    let policy = seed.id("runtime_policies", 0);
    let mut profile = |name: &str, policies: Value| {
        let at = seed.past(300);
        let at = &at[..19];
        json!({
            "name": name, "profileDescription": format!("Settings for {name}."), "policies": policies,
            "defaultContentId": content, "contentVersion": "6.4.8", "version": 1, "diff": "", "createdAt": at,
            "versions": [{ "version": 1, "contentVersion": "6.4.8", "createdAt": at }],
        })
    };
    vec![
        profile("Build servers", json!([])),
        profile("Production", json!([{ "id": policy, "name": "Linux servers", "version": 1 }])),
    ]
}

fn list(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let records = context.state().records(context.central, &PROFILES).clone();
    // These pages always have their total.
    let mut query = context.call.query.0.clone();
    query.push(("pageTotal".to_owned(), "true".to_owned()));
    let call = context.call_with_query(query);
    Ok(ApiResponse::json(200, &verbs::list_records(&context.with_call(&call), &PROFILES, records)?))
}

/// The settings as YAML, as far as they differ from the content.
fn diff(settings: &Value) -> String {
    let items = |name: &str| settings[name].as_array().cloned().unwrap_or_default();
    let mut text = String::new();
    for rule in items("rules") {
        text.push_str(&format!("- rule: {}\n  enabled: {}\n", rule["name"], rule["enabled"]));
    }
    for list in items("lists") {
        for operation in list["operations"].as_array().into_iter().flatten() {
            let (name, behavior) = (&list["name"], operation["behavior"].as_str().unwrap_or_default());
            text.push_str(&format!("- list: {name}\n  {behavior}: {}\n", operation["list"]));
        }
    }
    text
}

/// Creates a profile, or a version of the one that `profileId` names.
fn create(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let body = member::accept(PROFILE, &context.call.json()?, false)?;
    for (name, members) in [("rules", RULE), ("lists", LIST)] {
        for item in body["settings"][name].as_array().into_iter().flatten() {
            // The published example has empty objects.
            if item.as_object().is_none_or(|item| !item.is_empty()) {
                member::accept(members, item, false)?;
            }
        }
    }
    let central = context.central;
    let mut state = context.state();
    let contents = state.records(central, &CONTENTS).clone();
    let content = contents.iter().find(|content| content["version"] == body["contentVersion"]);
    let content = content.ok_or_else(|| invalid_parameter("contentVersion"))?;
    let now = local(central.clock.now_ms());
    let version_of = |number: u64| {
        json!({ "version": number, "contentVersion": body["contentVersion"], "createdAt": now,
            "_diff": diff(&body["settings"]) })
    };
    if let Some(id) = body["profileId"].as_str() {
        let profile = state.find(central, &PROFILES, id).ok_or_else(|| PROFILES.not_found())?;
        let number = profile["version"].as_u64().unwrap_or_default() + 1;
        if let Some(versions) = profile["versions"].as_array_mut() {
            versions.push(version_of(number));
        }
        profile["version"] = json!(number);
        profile["defaultContentId"] = content["id"].clone();
        profile["contentVersion"] = body["contentVersion"].clone();
        profile["diff"] = json!(diff(&body["settings"]));
        if body["profileDescription"].is_string() {
            profile["profileDescription"] = body["profileDescription"].clone();
        }
        context.name_object(profile);
        return Ok(ApiResponse::json(context.success, &json!({ "id": profile["id"], "version": number })));
    }
    let name = body["name"].as_str().filter(|name| !name.trim().is_empty());
    let name = name.ok_or_else(|| invalid_parameter("name"))?;
    check_name(state.records(central, &PROFILES), name, "")?;
    let record = json!({
        "name": name, "profileDescription": body["profileDescription"], "policies": [],
        "defaultContentId": content["id"], "contentVersion": body["contentVersion"], "version": 1,
        "diff": diff(&body["settings"]), "createdAt": now, "versions": [version_of(1)],
    });
    let record = verbs::add(context, &mut state, &PROFILES, record)?;
    Ok(ApiResponse::json(context.success, &json!({ "id": record["id"], "version": 1 })))
}

fn check_name(profiles: &[Value], name: &str, own_id: &str) -> Result<(), ApiError> {
    let is_taken = |profile: &Value| {
        !PROFILES.has_id(profile, own_id)
            && profile["name"].as_str().is_some_and(|n| n.eq_ignore_ascii_case(name))
    };
    if profiles.iter().any(is_taken) {
        return Err(ApiError::bad_request("Profile name already in use."));
    }
    Ok(())
}

/// A profile, in its latest version or in the one of the parameter `version`.
fn get(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    context.id()?;
    let id = context.params.first().copied().unwrap_or_default();
    let mut state = context.state();
    let mut profile =
        state.find(context.central, &PROFILES, id).cloned().ok_or_else(|| PROFILES.not_found())?;
    if let Some(number) = context.call.query.number("version")? {
        let versions = profile["versions"].as_array().cloned().unwrap_or_default();
        let version = versions.iter().find(|version| version["version"] == number);
        let version = version.ok_or_else(|| ApiError::not_found("Can't find profile version."))?;
        profile["version"] = json!(number);
        profile["contentVersion"] = version["contentVersion"].clone();
        profile["diff"] = json!(version["_diff"].as_str().unwrap_or_default());
    }
    Ok(ApiResponse::json(200, &verbs::show(context, &PROFILES, profile)))
}

fn rename(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    context.id()?;
    let id = context.params.first().copied().unwrap_or_default();
    let name = context.call.query.get("name").filter(|name| name.chars().count() <= 255);
    let name = name.ok_or_else(|| invalid_parameter("name"))?;
    let mut state = context.state();
    state.find(context.central, &PROFILES, id).ok_or_else(|| PROFILES.not_found())?;
    check_name(state.records(context.central, &PROFILES), name, id)?;
    let profile = state.find(context.central, &PROFILES, id).ok_or_else(|| PROFILES.not_found())?;
    profile["name"] = json!(name);
    context.name_object(profile);
    Ok(ApiResponse::json(200, &verbs::show(context, &PROFILES, profile.clone())))
}

/// Deletes profiles; skips unknown ones and those of policies.
fn delete(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let ids = context.call.query.list("profileIds");
    if ids.is_empty() || ids.iter().any(|id| crate::hash::parse_uuid(id).is_none()) {
        return Err(invalid_parameter("profileIds"));
    }
    let mut state = context.state();
    let profiles = state.records(context.central, &PROFILES);
    let is_free = |profile: &Value| profile["policies"].as_array().is_none_or(Vec::is_empty);
    let mut skipped = Vec::new();
    for id in ids {
        match profiles.iter().position(|profile| PROFILES.has_id(profile, id) && is_free(profile)) {
            Some(at) => context.name_object(&profiles.remove(at)),
            None => skipped.push(id),
        }
    }
    Ok(ApiResponse::json(200, &json!({ "skippedProfiles": skipped })))
}
