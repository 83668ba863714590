//! Web Control: TLS decryption, with the websites that it exempts.

use serde_json::{Value, json};

use super::web_control::categories;
use crate::call::{Context, invalid_parameter};
use crate::engine::{Collection, Member, Paging, member};
use crate::response::{ApiError, ApiResponse};
use crate::routes::Route;

const MAX_WEBSITES: usize = 250;

const CATEGORY: &[Member] =
    &[Member::integer("id", 1, 57).required(), Member::boolean("decryptionEnabled").required()];

const CHANGES: &[Member] =
    &[Member::boolean("enabled"), Member::list("categories", &Member::object("category", CATEGORY), 57)];

const WEBSITE: Member = Member::object(
    "website",
    &[Member::text_up_to("value", 2_048).required(), Member::text_up_to("comment", 300)],
);

const WEBSITE_CHANGES: &[Member] =
    &[Member::list("add", &WEBSITE, 1_000), Member::list("remove", &WEBSITE, 1_000)];

static SETTINGS: Collection = Collection {
    seed: |_| {
        let mut all = categories();
        for category in &mut all {
            category["decryptionEnabled"] = json!(category["id"] != 14 && category["id"] != 20);
        }
        let website = json!({ "value": "bank.example.com", "comment": "Certificate pinning" });
        vec![json!({ "enabled": true, "categories": all, "_websites": [website] })]
    },
    ..Collection::singleton("tls_decryption", "TLS decryption settings")
};

const PATH: &str = "/endpoint/v1/settings/web-control/tls-decryption";
const WEBSITES: &str = "/endpoint/v1/settings/web-control/tls-decryption/excluded-websites";

pub(crate) static ROUTES: &[Route] = &[
    Route::read("tls_decryption.get", PATH, |context| with_settings(context, |_| Ok(()))),
    Route::write("tls_decryption.update", "PATCH", PATH, update),
    Route::read("tls_decryption.websites", WEBSITES, list_websites),
    Route::write("tls_decryption.change_websites", "PATCH", WEBSITES, change_websites),
    Route::write("tls_decryption.delete_websites", "DELETE", WEBSITES, delete_websites),
];

/// Applies a change to the settings, and shows them.
fn with_settings(
    context: &Context<'_>,
    change: impl FnOnce(&mut Value) -> Result<(), ApiError>,
) -> Result<ApiResponse, ApiError> {
    let mut state = context.state();
    let settings = &mut state.records(context.central, &SETTINGS)[0];
    change(settings)?;
    let websites = settings["_websites"].as_array().map_or(0, Vec::len);
    let body = json!({
        "enabled": settings["enabled"],
        "categories": settings["categories"],
        "excludedWebsites": { "itemsCount": websites, "total": websites, "items": settings["_websites"] },
    });
    Ok(ApiResponse::json(200, &body))
}

fn update(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let changes = member::accept(CHANGES, &context.call.json()?, false)?;
    with_settings(context, |settings| {
        if changes["enabled"].is_boolean() {
            settings["enabled"] = changes["enabled"].clone();
        }
        for change in changes["categories"].as_array().into_iter().flatten() {
            let known = settings["categories"].as_array_mut().into_iter().flatten();
            for category in known.filter(|category| category["id"] == change["id"]) {
                category["decryptionEnabled"] = change["decryptionEnabled"].clone();
            }
        }
        Ok(())
    })
}

fn websites(context: &Context<'_>) -> Vec<Value> {
    let mut state = context.state();
    let settings = &state.records(context.central, &SETTINGS)[0];
    settings["_websites"].as_array().cloned().unwrap_or_default()
}

fn store(context: &Context<'_>, websites: Vec<Value>) {
    context.state().records(context.central, &SETTINGS)[0]["_websites"] = Value::Array(websites);
}

fn list_websites(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let body = Paging::NUMBERED.body(context, websites(context), |_| String::new())?;
    Ok(ApiResponse::json(200, &body))
}

/// A website that is already exempt gets the new comment.
fn change_websites(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let changes = member::accept(WEBSITE_CHANGES, &context.call.json()?, false)?;
    let listed = |name: &str| changes[name].as_array().cloned().unwrap_or_default();
    let (add, remove) = (listed("add"), listed("remove"));
    if add.is_empty() && remove.is_empty() {
        return Err(invalid_parameter("add"));
    }
    let mut current = websites(context);
    let contains = |all: &[Value], one: &Value| all.iter().any(|other| other["value"] == one["value"]);
    let removed: Vec<Value> = current.iter().filter(|one| contains(&remove, one)).cloned().collect();
    current.retain(|one| !contains(&remove, one) && !contains(&add, one));
    current.extend(add.iter().cloned());
    if current.len() > MAX_WEBSITES {
        let message = format!("More than {MAX_WEBSITES} websites.");
        return Err(ApiError::new(422, "unprocessableEntity", &message));
    }
    store(context, current);
    Ok(ApiResponse::json(200, &json!({ "added": add, "removed": removed })))
}

fn delete_websites(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    store(context, Vec::new());
    Ok(ApiResponse::json(200, &json!({ "deleted": true })))
}
