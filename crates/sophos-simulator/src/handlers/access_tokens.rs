//! Access tokens of a tenant, for Sophos Linux Sensor.

use serde_json::{Value, json};

use crate::engine::{Change, Collection, Member, Seed};
use crate::hash::uuid_text;
use crate::response::ApiError;
use crate::routes::Route;
use crate::time;

static TOKENS: Collection = Collection {
    members: &[
        Member::text_up_to("label", 255).required(),
        Member::one_of("type", &["sls", "sophosLinuxSensor"]).required().fixed(),
        Member::time("expiresAt"),
    ],
    has_times: false,
    may_delete_unknown: true,
    seed: seed_tokens,
    on_create: complete,
    on_update: check_expiry,
    ..Collection::new("access_tokens", "access token")
};

pub(crate) static ROUTES: &[Route] = &[
    Route::list("access_tokens.list", "/accounts/v1/access-tokens", &TOKENS).global(),
    Route::create("access_tokens.create", "/accounts/v1/access-tokens", &TOKENS).global(),
    Route::update("access_tokens.update", "/accounts/v1/access-tokens/:tokenId", &TOKENS).global(),
    Route::delete("access_tokens.delete", "/accounts/v1/access-tokens/:tokenId", &TOKENS).global(),
];

const URL: &str = "https://sensor.example.com/updates";

fn seed_tokens(seed: &mut Seed<'_>) -> Vec<Value> {
    let (user, token, at) = (seed.uuid(), seed.rng.hex(64), seed.past(30));
    let person = seed.person(0);
    vec![json!({
        "label": "Build servers", "type": "sophosLinuxSensor", "token": token, "url": URL,
        "createdAt": at, "expiresAt": "2099-12-31T00:00:00.000Z",
        "createdBy": { "id": user, "type": "user", "name": person.name },
    })]
}

fn check_expiry(change: &mut Change<'_, '_>) -> Result<(), ApiError> {
    let expires = change.record["expiresAt"].as_str().and_then(time::parse_lenient);
    if expires.is_some_and(|at| at <= change.context.central.clock.now_ms()) {
        return Err(crate::call::invalid_parameter("expiresAt"));
    }
    Ok(())
}

fn complete(change: &mut Change<'_, '_>) -> Result<(), ApiError> {
    check_expiry(change)?;
    let who = change.context.credential()?;
    let now = change.context.central.clock.now_ms();
    if change.record["expiresAt"].is_null() {
        change.record["expiresAt"] = json!(time::format_millis(now + 365 * 86_400_000));
    }
    change.record["createdAt"] = json!(time::format_millis(now));
    change.record["token"] = json!(change.context.central.new_rng().hex(64));
    change.record["url"] = json!(URL);
    change.record["createdBy"] = json!({
        "id": who.client_id, "type": "service", "name": "API credential",
        "accountType": who.kind.as_str(), "accountId": uuid_text(who.principal_id),
    });
    Ok(())
}
