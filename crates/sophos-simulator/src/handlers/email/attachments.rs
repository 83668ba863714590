//! Attachments of quarantined messages.

use serde_json::{Value, json};

use crate::call::{Context, invalid_parameter};
use crate::engine::{Member, member};
use crate::handlers::email::messages::{self, QUARANTINE, Quarantine};
use crate::handlers::email::quarantine;
use crate::response::{ApiError, ApiResponse};

pub(super) const MAX_ATTACHMENTS: usize = 100;
const NAMES: &[Member] = &[
    Member::list("attachments", &Member::text_up_to("name", 255), MAX_ATTACHMENTS).required(),
    Member::list("forRecipients", &Member::text_up_to("address", 320), MAX_ATTACHMENTS),
];

/// The attachments of a message.
pub(super) fn list(context: &Context<'_>, of: &Quarantine) -> Result<ApiResponse, ApiError> {
    let attachments = messages::own(context, &mut context.state(), of.place)?["_attachments"].clone();
    let mut items = attachments.as_array().cloned().unwrap_or_default();
    if of.place != QUARANTINE.place {
        for attachment in &mut items {
            *attachment = json!({ "name": attachment["name"], "sizeInBytes": attachment["sizeInBytes"] });
        }
    }
    quarantine::page(context, items)
}

/// Strips attachments from a message, or restores them.
pub(super) fn strip(context: &Context<'_>, is_stripped: bool) -> Result<ApiResponse, ApiError> {
    let body = member::accept(NAMES, &context.call.json()?, false)?;
    let texts = |name: &str| -> Vec<String> {
        body[name]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|text| text.as_str().map(str::to_owned))
            .collect()
    };
    let names = texts("attachments");
    if names.is_empty() {
        return Err(invalid_parameter("attachments"));
    }
    let mut state = context.state();
    let message = messages::own(context, &mut state, QUARANTINE.place)?;
    let present = messages::recipients(message, QUARANTINE.place);
    let given = texts("forRecipients");
    let wanted = if given.is_empty() { present.clone() } else { given };
    let (mut items, mut errors) = (Vec::new(), Vec::new());
    for name in names {
        let attachments = message["_attachments"].as_array_mut();
        let attachment = attachments.into_iter().flatten().find(|one| one["name"] == name);
        // A second strip of the same attachment fails, as does a restoration of one in place.
        let mut attachment = attachment.filter(|one| one["stripped"] != is_stripped);
        for who in &wanted {
            let is_present = present.iter().any(|other| other.eq_ignore_ascii_case(who));
            let pair = json!({ "attachment": name, "recipient": who });
            match attachment.as_mut().filter(|_| is_present) {
                Some(attachment) => {
                    attachment["stripped"] = json!(is_stripped);
                    items.push(pair);
                }
                None => errors.push(pair),
            }
        }
    }
    Ok(ApiResponse::json(context.success, &json!({ "items": items, "errors": errors })))
}

/// The names in the body, and the attachments of the message in the path.
pub(super) fn selected(
    context: &Context<'_>,
    of: &Quarantine,
) -> Result<(Vec<String>, Vec<Value>), ApiError> {
    let body = member::accept(NAMES, &context.call.json()?, false)?;
    let names = body["attachments"].as_array().into_iter().flatten();
    let names: Vec<String> = names.filter_map(|name| name.as_str().map(str::to_owned)).collect();
    if names.is_empty() {
        return Err(invalid_parameter("attachments"));
    }
    let attachments = messages::own(context, &mut context.state(), of.place)?["_attachments"].clone();
    Ok((names, attachments.as_array().cloned().unwrap_or_default()))
}
