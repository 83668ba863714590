//! Attestations: questions to users about their activity.

use serde_json::{Value, json};

use crate::call::{Context, invalid_parameter};
use crate::engine::{Change, Collection, Member};
use crate::handlers::directory::USERS;
use crate::hash::mix_text;
use crate::response::ApiError;
use crate::routes::Route;
use crate::time;

const MIN_TIMEOUT_SECONDS: i64 = 1;
const MAX_TIMEOUT_SECONDS: i64 = 86_400;
const DEFAULT_TIMEOUT_SECONDS: i64 = 300;
/// The simulated time that a user needs to respond.
const RESPONSE_MS: i64 = 60_000;
const MAX_OPTIONS: usize = 10;

const TEXT: &[Member] = &[Member::text_up_to("text", 1_000).required(), Member::object("translations", &[])];
const OPTION: &[Member] =
    &[Member::text_up_to("key", 100).required(), Member::object("value", TEXT).required()];

static ATTESTATIONS: Collection = Collection {
    members: &[
        Member::uuid("userId").required(),
        Member::object("title", TEXT).required(),
        Member::object("question", TEXT).required(),
        Member::list("options", &Member::object("option", OPTION), MAX_OPTIONS).required(),
        Member::integer("timeoutInSeconds", MIN_TIMEOUT_SECONDS, MAX_TIMEOUT_SECONDS),
    ],
    has_times: false,
    has_tenant: true,
    on_create: complete,
    view: show_response,
    ..Collection::new("attestations", "attestation")
};

pub(crate) static ROUTES: &[Route] = &[
    Route::create("attestations.create", "/user-activity-verification/v1/attestations", &ATTESTATIONS),
    Route::get(
        "attestations.get",
        "/user-activity-verification/v1/attestations/:attestationId",
        &ATTESTATIONS,
    ),
];

fn complete(change: &mut Change<'_, '_>) -> Result<(), ApiError> {
    let central = change.context.central;
    let user = change.record["userId"].as_str().unwrap_or_default();
    change.state.find(central, &USERS, user).ok_or_else(|| USERS.not_found())?;
    let options = change.record["options"].as_array().cloned().unwrap_or_default();
    let is_repeated =
        (1..options.len()).any(|at| options[..at].iter().any(|option| option["key"] == options[at]["key"]));
    if options.is_empty() || is_repeated {
        return Err(invalid_parameter("options"));
    }
    let timeout = change.record.as_object_mut().and_then(|members| members.remove("timeoutInSeconds"));
    let seconds = timeout.and_then(|value| value.as_i64()).unwrap_or(DEFAULT_TIMEOUT_SECONDS);
    let now = central.clock.now_ms();
    change.record["status"] = json!("pending");
    change.record["expiresAt"] = json!(time::format_millis(now + seconds * 1_000));
    change.record["_respondsMs"] = json!(now + RESPONSE_MS);
    Ok(())
}

/// The user selects an option after a minute, if the attestation has not expired before.
fn show_response(context: &Context<'_>, record: &mut Value) {
    let now = context.central.clock.now_ms();
    let expires = record["expiresAt"].as_str().and_then(time::parse).unwrap_or_default();
    let responds = record["_respondsMs"].as_i64().unwrap_or_default();
    if responds < expires && now >= responds {
        let options = record["options"].as_array().map_or(&[][..], Vec::as_slice);
        let id = record["id"].as_str().unwrap_or_default();
        let choice = mix_text(context.central.config.seed, id) % (options.len().max(1) as u64);
        let option = usize::try_from(choice).ok().and_then(|choice| options.get(choice));
        let key = option.map(|option| option["key"].clone()).unwrap_or_default();
        record["status"] = json!("completed");
        record["selectedOption"] = key;
    } else if now >= expires {
        record["status"] = json!("expired");
    }
}
