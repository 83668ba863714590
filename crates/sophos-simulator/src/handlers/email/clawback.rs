//! Removal of delivered messages from mailboxes.

use serde_json::{Value, json};

use crate::call::Context;
use crate::engine::{Member, member};
use crate::handlers::email::messages::{self, DELIVERED, MESSAGES};
use crate::response::{ApiError, ApiResponse};

/// The simulated duration.
const CLAWBACK_MS: i64 = 60_000;
const MAX_RECIPIENTS: usize = 1_000;

const CLAWBACK: &[Member] = &[
    Member::text_up_to("reason", 255).required(),
    Member::list("recipients", &Member::text_up_to("address", 320), MAX_RECIPIENTS),
];

fn failure(recipient: &str) -> Value {
    json!({ "recipient": recipient, "error": "clawbackNotSupported" })
}

/// Starts the removal of a delivered message, for all recipients or some.
pub(super) fn start(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let body = member::accept(CLAWBACK, &context.call.json()?, false)?;
    let mut state = context.state();
    let message = messages::own(context, &mut state, DELIVERED)?;
    let delivered = messages::recipients(message, DELIVERED);
    let given = body["recipients"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let given: Vec<String> = given.map(str::to_owned).collect();
    let wanted = if given.is_empty() { delivered.clone() } else { given };
    let is_delivered = |who: &String| delivered.iter().any(|other| other.eq_ignore_ascii_case(who));
    let (accepted, refused): (Vec<String>, Vec<String>) = wanted.into_iter().partition(is_delivered);
    let end = context.central.clock.now_ms() + CLAWBACK_MS;
    for recipient in message["_recipients"].as_array_mut().into_iter().flatten() {
        let address = recipient["address"].as_str().unwrap_or_default();
        if accepted.iter().any(|who| who.eq_ignore_ascii_case(address)) {
            recipient["_finishMs"] = json!(end);
        }
    }
    let errors: Vec<Value> = refused.iter().map(|who| failure(who)).collect();
    message["_clawback"] = json!({ "recipients": accepted, "errors": errors, "endMs": end });
    message["reason"] = body["reason"].clone();
    let body = json!({ "id": message["id"], "recipients": accepted, "errors": errors });
    Ok(ApiResponse::json(context.success, &body))
}

/// The state of the last removal of a message.
pub(super) fn status(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    context.id()?;
    let id = context.params.first().copied().unwrap_or_default();
    let mut state = context.state();
    let found = state.find(context.central, &MESSAGES, id);
    let message = found.filter(|message| message["_clawback"].is_object());
    let message = message.ok_or_else(|| MESSAGES.not_found())?;
    let clawback = &message["_clawback"];
    let is_over = clawback["endMs"].as_i64().is_some_and(|end| context.central.clock.now_ms() >= end);
    let body = json!({
        "id": message["id"], "status": if is_over { "completed" } else { "processing" },
        "recipients": clawback["recipients"], "errors": clawback["errors"],
    });
    Ok(ApiResponse::json(200, &body))
}
