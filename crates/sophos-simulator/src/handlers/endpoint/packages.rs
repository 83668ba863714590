//! Software packages, comments on them, and their assignment to endpoints.

use serde_json::{Value, json};

use super::parse_ids;
use crate::call::{Context, invalid_parameter};
use crate::engine::collection::IdKind;
use crate::engine::{AccountState, Collection, Filter, Member, Paging, Seed, member, verbs};
use crate::response::{ApiError, ApiResponse};
use crate::routes::Route;

/// The token, and id, of a special package that a tenant can add.
const SPECIAL_TOKEN: &str = "5bec1a10-0000-4000-8000-000000000001";
const PLATFORMS: &[&str] = &["windows", "linux", "macOS"];
const ENDPOINT_TYPES: &[&str] = &["computer", "server"];

/// A package with `_added: false` does not exist for the tenant yet. `_comment` is its comment.
static STATIC: Collection = Collection {
    paging: Paging::None,
    filters: &[
        Filter::one_of("endpointType", "endpointType", ENDPOINT_TYPES),
        Filter::one_of("platform", "platform", PLATFORMS),
        Filter::one_of("type", "type", &["fixed", "lts", "special"]),
        Filter::after("expiresFrom", "expiresAt"),
        Filter::before("expiresTo", "expiresAt"),
        Filter::after("releasedFrom", "releasedAt"),
        Filter::before("releasedTo", "releasedAt"),
    ],
    has_times: false,
    seed: seed_static,
    ..Collection::new("static_packages", "static package")
};

static RECOMMENDED: Collection = Collection {
    id_kind: IdKind::Text,
    paging: Paging::None,
    has_times: false,
    seed: seed_recommended,
    ..Collection::new("recommended_packages", "recommended package")
};

const COMMENT: &[Member] = &[Member::text_up_to("comment", 1_000).required()];
const COMMENTS: &str = "/endpoint/v1/software/comments/:staticPackageId";
const PACKAGE: &str = "/endpoint/v1/software/packages/static/:staticPackageId";
const ADD: &str = "/endpoint/v1/software/packages/static/:staticPackageId/add";

pub(crate) static ROUTES: &[Route] = &[
    Route::list("packages.recommended", "/endpoint/v1/software/packages/recommended", &RECOMMENDED),
    Route::read("packages.list", "/endpoint/v1/software/packages/static", list),
    Route::read("packages.get", PACKAGE, get),
    Route::write("packages.add", "POST", ADD, add).with_success(201),
    Route::read("package_comments.list", "/endpoint/v1/software/comments", list_comments),
    Route::read("package_comments.get", COMMENTS, get_comment),
    Route::write("package_comments.update", "PUT", COMMENTS, set_comment),
    Route::write("package_comments.delete", "DELETE", COMMENTS, delete_comment),
    Route::write("packages.assign", "PATCH", "/endpoint/v1/settings/device-software", assign),
];

fn package(name: &str, kind: &str, platform: &str, server: bool) -> Value {
    json!({
        "name": name, "type": kind, "platform": platform,
        "endpointType": ENDPOINT_TYPES[usize::from(server)],
        "releasedAt": "2025-10-07", "expiresAt": "2026-10-07",
        "modules": [{ "name": "coreAgent", "version": "2025.2.1.40" }],
        "packageNotesUrl": "https://docs.example.com/package-notes",
        "visible": true,
    })
}

fn seed_static(_: &mut Seed<'_>) -> Vec<Value> {
    let mut all = vec![
        package("FTS 2025.2.1.40", "fixed", "windows", false),
        package("FTS 2025.2.1.40 Server", "fixed", "windows", true),
        package("LTS 2025.1.0.12", "lts", "windows", true),
        package("FTS 2025.4", "fixed", "linux", true),
        package("Special 2025.2.3.7", "special", "windows", false),
    ];
    all[0]["_comment"] = json!("For the finance department");
    all[4]["_added"] = json!(false);
    all[4]["id"] = json!(SPECIAL_TOKEN);
    all
}

fn seed_recommended(_: &mut Seed<'_>) -> Vec<Value> {
    let all = [
        ("recommended-win", "windows", false),
        ("recommended-winserv", "windows", true),
        ("recommended-mac", "macOS", false),
        ("recommended-linux", "linux", true),
    ];
    let package = |(id, platform, server): (&str, &str, bool)| {
        json!({
            "id": id, "platform": platform, "endpointType": ENDPOINT_TYPES[usize::from(server)],
            "modules": [{ "name": "coreAgent", "version": "2025.3.0.51" }],
        })
    };
    all.into_iter().map(package).collect()
}

fn is_added(package: &Value) -> bool {
    package["_added"] != false
}

/// The package in the path.
fn find<'s>(context: &Context<'_>, state: &'s mut AccountState) -> Result<&'s mut Value, ApiError> {
    context.id()?;
    let id = context.params.first().copied().unwrap_or_default();
    let found = state.find(context.central, &STATIC, id);
    found.filter(|package| is_added(package)).ok_or_else(|| STATIC.not_found())
}

fn list(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let mut packages = context.state().records(context.central, &STATIC).clone();
    packages.retain(is_added);
    Ok(ApiResponse::json(200, &verbs::list_records(context, &STATIC, packages)?))
}

fn get(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let package = find(context, &mut context.state())?.clone();
    Ok(ApiResponse::json(200, &verbs::show(context, &STATIC, package)))
}

fn add(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let token = context.params.first().copied().unwrap_or_default();
    let mut state = context.state();
    let package = state.find(context.central, &STATIC, token).filter(|package| package["type"] == "special");
    let package = package.ok_or_else(|| STATIC.not_found())?;
    if is_added(package) {
        return Err(ApiError::new(409, "conflict", "The package was already added."));
    }
    package["_added"] = json!(true);
    let package = package.clone();
    context.name_object(&package);
    Ok(ApiResponse::json(context.success, &verbs::show(context, &STATIC, package)))
}

fn comment_of(context: &Context<'_>, package: &Value) -> Value {
    json!({
        "id": package["id"],
        "comment": package["_comment"],
        "package": verbs::show(context, &STATIC, package.clone()),
    })
}

fn list_comments(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let packages = context.state().records(context.central, &STATIC).clone();
    let commented = packages.iter().filter(|package| package["_comment"].is_string());
    let items: Vec<Value> = commented.map(|package| comment_of(context, package)).collect();
    Ok(ApiResponse::json(200, &json!({ "items": items })))
}

fn get_comment(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let package = find(context, &mut context.state())?.clone();
    if package["_comment"].is_null() {
        return Err(ApiError::not_found("Can't find comment."));
    }
    Ok(ApiResponse::json(200, &comment_of(context, &package)))
}

fn set_comment(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let mut state = context.state();
    let package = find(context, &mut state)?;
    package["_comment"] = member::accept(COMMENT, &context.call.json()?, false)?["comment"].take();
    context.name_object(package);
    Ok(ApiResponse::json(200, &comment_of(context, package)))
}

fn delete_comment(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let mut state = context.state();
    let package = find(context, &mut state)?;
    let deleted = package["_comment"].take().is_string();
    context.name_object(package);
    Ok(ApiResponse::json(200, &json!({ "deleted": deleted })))
}

/// Assigns a static package, or with `All` or its own id the recommended one, to endpoints.
fn assign(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let body = context.call.json()?;
    let tenant = context.tenant()?;
    let mut changes: Vec<(u64, Option<String>)> = Vec::new();
    for kind in ENDPOINT_TYPES {
        let assignment = &body[*kind];
        if assignment.is_null() {
            continue;
        }
        let id = assignment["protectionAssignedId"].as_str().unwrap_or_default();
        let mut state = context.state();
        let package = state.find(context.central, &STATIC, id).filter(|package| is_added(package)).cloned();
        let is_recommended = id == "All" || state.find(context.central, &RECOMMENDED, id).is_some();
        drop(state);
        let name = package.filter(|package| package["endpointType"] == *kind);
        let name = name.and_then(|package| Some(package["name"].as_str()?.to_owned()));
        if name.is_none() && !is_recommended {
            return Err(invalid_parameter("protectionAssignedId"));
        }
        for id in parse_ids(assignment, "ids")? {
            let index = context.central.find_endpoint(tenant, id);
            let index = index.ok_or_else(|| ApiError::not_found("Endpoint not found"))?;
            if context.central.endpoint(tenant, index).endpoint.identity.endpoint_type() != *kind {
                return Err(invalid_parameter("ids"));
            }
            changes.push((index, name.clone()));
        }
    }
    if changes.is_empty() {
        return Err(invalid_parameter("computer"));
    }
    for (index, name) in changes {
        let key = (tenant.number, index);
        context.central.endpoint_states.change(key, |changes| changes.package = name);
    }
    Ok(ApiResponse::json(200, &json!({})))
}
