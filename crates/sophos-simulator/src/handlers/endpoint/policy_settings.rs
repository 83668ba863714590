//! The settings of policies, and their descriptions.

use serde_json::{Value, json};

use super::policies::{apply_settings, check_unlocked, find, touch};
use super::policy_catalogue::{self as catalogue, Setting, TYPE_NAMES, TYPES};
use crate::call::{Context, invalid_parameter};
use crate::response::{ApiError, ApiResponse};
use crate::routes::Route;

const SETTINGS: &str = "/endpoint/v1/policies/:policyId/settings";
const SETTING: &str = "/endpoint/v1/policies/:policyId/settings/:settingKey";
const RESET: &str = "/endpoint/v1/policies/:policyId/settings/reset";
const RESET_ONE: &str = "/endpoint/v1/policies/:policyId/settings/:settingKey/reset";
const BASE_SETTINGS: &str = "/endpoint/v1/policies/:policyType/base/settings";
const BASE_SETTING: &str = "/endpoint/v1/policies/:policyType/base/settings/:settingKey";
const BASE_RESET: &str = "/endpoint/v1/policies/:policyType/base/settings/reset";
const BASE_RESET_ONE: &str = "/endpoint/v1/policies/:policyType/base/settings/:settingKey/reset";

pub(crate) static ROUTES: &[Route] = &[
    Route::read("policies.settings_metadata", "/endpoint/v1/policies/settings", metadata),
    Route::read("policies.settings", SETTINGS, |context| get(context, false)),
    Route::write("policies.update_settings", "PATCH", SETTINGS, |context| update(context, false)),
    Route::write("policies.reset_settings", "POST", RESET, |context| reset(context, false)),
    Route::read("policies.setting", SETTING, |context| get_one(context, false)),
    Route::write("policies.reset_setting", "POST", RESET_ONE, |context| reset_one(context, false)),
    Route::read("base_policies.settings", BASE_SETTINGS, |context| get(context, true)),
    Route::write("base_policies.update_settings", "PATCH", BASE_SETTINGS, |context| update(context, true)),
    Route::write("base_policies.reset_settings", "POST", BASE_RESET, |context| reset(context, true)),
    Route::read("base_policies.setting", BASE_SETTING, |context| get_one(context, true)),
    Route::write("base_policies.update_setting", "PATCH", BASE_SETTING, update_one),
    Route::write("base_policies.reset_setting", "POST", BASE_RESET_ONE, |context| reset_one(context, true)),
];

fn metadata(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let wanted = context.call.query.list("policyType");
    if wanted.iter().any(|kind| !TYPE_NAMES.contains(kind)) {
        return Err(invalid_parameter("policyType"));
    }
    let types = TYPES.iter().filter(|(kind, _, _)| wanted.is_empty() || wanted.contains(kind));
    let describe = |(kind, _, settings): &(&str, &str, &[Setting])| {
        let items: Vec<Value> = settings.iter().map(Setting::metadata).collect();
        json!({ "type": kind, "items": items })
    };
    let items: Vec<Value> = types.map(describe).collect();
    Ok(ApiResponse::json(200, &json!({ "version": "1.0.0", "schemas": {}, "items": items })))
}

/// Changes an unlocked policy and returns it.
fn change(
    context: &Context<'_>,
    is_base: bool,
    change: impl FnOnce(&mut Value) -> Result<(), ApiError>,
) -> Result<Value, ApiError> {
    let mut state = context.state();
    let policy = find(context, &mut state, is_base)?;
    check_unlocked(policy)?;
    let mut changed = policy.clone();
    change(&mut changed)?;
    touch(context, &mut changed)?;
    *policy = changed.clone();
    Ok(changed)
}

/// The setting of the policy with the key in the path.
fn setting(context: &Context<'_>, policy: &Value) -> Result<&'static Setting, ApiError> {
    let key = context.params.get(1).copied().unwrap_or_default();
    let found = catalogue::find(policy["type"].as_str().unwrap_or_default(), key);
    found.ok_or_else(|| ApiError::not_found("Can't find setting."))
}

fn get(context: &Context<'_>, is_base: bool) -> Result<ApiResponse, ApiError> {
    let mut state = context.state();
    Ok(ApiResponse::json(200, &find(context, &mut state, is_base)?["settings"]))
}

fn get_one(context: &Context<'_>, is_base: bool) -> Result<ApiResponse, ApiError> {
    let mut state = context.state();
    let policy = find(context, &mut state, is_base)?;
    Ok(ApiResponse::json(200, &policy["settings"][setting(context, policy)?.key]))
}

fn update(context: &Context<'_>, is_base: bool) -> Result<ApiResponse, ApiError> {
    let body = context.call.json()?;
    let policy = change(context, is_base, |policy| apply_settings(policy, &body))?;
    Ok(ApiResponse::json(200, &policy["settings"]))
}

/// The body is `{"value": …}`, or `{"<key>": {"value": …}}`.
fn update_one(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let body = context.call.json()?;
    let policy = change(context, true, |policy| {
        let setting = setting(context, policy)?;
        let given = body.get(setting.key).unwrap_or(&body);
        apply_settings(policy, &json!({ setting.key: given }))
    })?;
    Ok(ApiResponse::json(200, &policy["settings"][setting(context, &policy)?.key]))
}

fn reset(context: &Context<'_>, is_base: bool) -> Result<ApiResponse, ApiError> {
    let policy = change(context, is_base, |policy| {
        policy["settings"] = catalogue::defaults(policy["type"].as_str().unwrap_or_default());
        Ok(())
    })?;
    Ok(ApiResponse::json(200, &policy["settings"]))
}

fn reset_one(context: &Context<'_>, is_base: bool) -> Result<ApiResponse, ApiError> {
    let policy = change(context, is_base, |policy| {
        let setting = setting(context, policy)?;
        policy["settings"][setting.key] = setting.default_value();
        Ok(())
    })?;
    Ok(ApiResponse::json(200, &policy["settings"][setting(context, &policy)?.key]))
}
