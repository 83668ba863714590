//! Searches of quarantined messages, their content, deletion and release.

use serde_json::{Value, json};

use crate::call::{Context, invalid_parameter};
use crate::engine::filter::scalar_text;
use crate::engine::{Member, Paging, member, verbs};
use crate::handlers::email::messages::{self, DELIVERED, MESSAGES, Quarantine};
use crate::response::{ApiError, ApiResponse};

const MAX_ITEMS: usize = 100;
const TEXT: Member = Member::text_up_to("text", 320);

const FILTER: &[Member] = &[
    Member::uuid("id"),
    Member::text("fromContains"),
    Member::text("toContains"),
    Member::text("subjectContains"),
    Member::text("attachmentNameContains"),
    Member::integer("sizeInMBGreaterThan", 0, 10_000),
    Member::integer("sizeInMBLowerThan", 0, 10_000),
    Member::text("direction"),
    Member::text("productType"),
    Member::list("reason", &TEXT, MAX_ITEMS),
    Member::boolean("hasAnyAttachment"),
];
const SEARCH: &[Member] = &[
    Member::time("beginDate").required(),
    Member::time("endDate").required(),
    Member::list("fields", &TEXT, MAX_ITEMS),
    Member::text("pageFromKey"),
    Member::integer("page", 1, i64::MAX),
    Member::integer("pageSize", 1, i64::MAX),
    Member::list("sort", &TEXT, MAX_ITEMS),
    Member::object("filter", FILTER),
];
const ITEM: &[Member] = &[
    Member::uuid("id").required(),
    Member::list("forRecipients", &TEXT, MAX_ITEMS),
    Member::list("stripAttachments", &TEXT, MAX_ITEMS),
];
const ITEMS: &[Member] = &[
    Member::list("items", &Member::object("item", ITEM), MAX_ITEMS).required(),
    Member::boolean("blockSender"),
    Member::boolean("allowSender"),
    Member::boolean("enforceSenderAuthentication"),
    Member::boolean("submitMessageToLabs"),
];

/// The body of a search as the parameters of a list.
fn parameters(body: &Value) -> Vec<(String, String)> {
    let mut parameters = vec![("pageTotal".to_owned(), "true".to_owned())];
    let mut add = |name: &str, value: &Value| parameters.push((name.to_owned(), scalar_text(value)));
    let none = serde_json::Map::new();
    let filter = body["filter"].as_object().unwrap_or(&none);
    for (name, value) in body.as_object().unwrap_or(&none).iter().chain(filter) {
        match value {
            Value::Object(_) | Value::Null => {}
            Value::Array(values) if name == "sort" => {
                for value in values.iter().filter_map(Value::as_str) {
                    let (member, direction) = value.split_once(':').unwrap_or((value, "asc"));
                    add(name, &json!(format!("{member}:{}", direction.to_lowercase())));
                }
            }
            Value::Array(values) => values.iter().for_each(|value| add(name, value)),
            value => add(name, value),
        }
    }
    if body["sort"].is_null() {
        add("sort", &json!("quarantinedAt:desc"));
    }
    if body["fields"].as_array().is_some_and(|fields| !fields.is_empty()) {
        // These members are always present.
        for name in ["id", "direction", "forRecipient"] {
            add("fields", &json!(name));
        }
    }
    parameters
}

/// The quarantined messages that match the body.
pub(super) fn search(context: &Context<'_>, of: &Quarantine) -> Result<ApiResponse, ApiError> {
    let body = member::accept(SEARCH, &context.call.json()?, false)?;
    let at = |name: &str| body[name].as_str().and_then(crate::time::parse_lenient);
    if at("beginDate") > at("endDate") {
        return Err(invalid_parameter("endDate"));
    }
    let entries = messages::entries(context, &mut context.state(), of);
    let call = context.call_with_query(parameters(&body));
    Ok(ApiResponse::json(200, &verbs::list_records(&context.with_call(&call), of.entries, entries)?))
}

/// Moves or deletes the selected messages. Unknown ones do not stop the others.
fn apply(context: &Context<'_>, of: &Quarantine, place: Option<&str>) -> Result<ApiResponse, ApiError> {
    let body = member::accept(ITEMS, &context.call.json()?, false)?;
    let selected = body["items"].as_array().filter(|items| !items.is_empty());
    let selected = selected.ok_or_else(|| invalid_parameter("items"))?;
    let mut state = context.state();
    let (mut items, mut errors) = (Vec::new(), Vec::new());
    for item in selected {
        let id = item["id"].as_str().unwrap_or_default();
        let given: Vec<&str> =
            item["forRecipients"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let Some(message) = messages::find(context, &mut state, id, of.place) else {
            let failed = if given.is_empty() { vec![""] } else { given };
            errors
                .extend(failed.iter().map(|who| json!({ "id": id, "recipient": who, "error": "notFound" })));
            continue;
        };
        let present = messages::recipients(message, of.place);
        let wanted: Vec<String> = if given.is_empty() {
            present.clone()
        } else {
            given.iter().map(|who| (*who).to_owned()).collect()
        };
        for who in wanted {
            if present.iter().any(|other| other.eq_ignore_ascii_case(&who)) {
                messages::move_to(message, &who, place);
                items.push(json!({ "id": id, "recipient": who }));
            } else {
                errors.push(json!({ "id": id, "recipient": who, "error": "notFound" }));
            }
        }
        for name in item["stripAttachments"].as_array().into_iter().flatten() {
            for attachment in message["_attachments"].as_array_mut().into_iter().flatten() {
                if attachment["name"] == *name {
                    attachment["stripped"] = json!(true);
                }
            }
        }
    }
    let messages = state.records(context.central, &MESSAGES);
    messages.retain(|message| message["_recipients"].as_array().is_some_and(|all| !all.is_empty()));
    Ok(ApiResponse::json(context.success, &json!({ "items": items, "errors": errors })))
}

pub(super) fn delete(context: &Context<'_>, of: &Quarantine) -> Result<ApiResponse, ApiError> {
    apply(context, of, None)
}

/// Delivers messages; a clawback can remove them from the mailboxes again.
pub(super) fn release(context: &Context<'_>, of: &Quarantine) -> Result<ApiResponse, ApiError> {
    apply(context, of, Some(DELIVERED))
}

fn link(message: &Value) -> String {
    format!("https://mail.example.net/{}", message["o365MessageId"].as_str().unwrap_or_default())
}

/// The text of a message.
pub(super) fn preview(context: &Context<'_>, of: &Quarantine) -> Result<ApiResponse, ApiError> {
    let mut state = context.state();
    let message = messages::own(context, &mut state, of.place)?;
    let (id, subject) = (scalar_text(&message["id"]), scalar_text(&message["subject"]));
    let link = link(message);
    let body = json!({
        "headers": [
            format!("X-Sophos-Email-ID: {id}"), format!("Subject: {subject}"),
            format!("Message-ID: {}", scalar_text(&message["mimeMessageId"])),
        ],
        "htmlBody": format!("<p>{subject}</p><a href=\"{link}\">Open</a>"),
        "textBody": format!("{subject}\n{link}\n"),
        "date": message["sentAt"],
    });
    Ok(ApiResponse::json(200, &body))
}

/// A page of texts or objects, with its total.
pub(super) fn page(context: &Context<'_>, items: Vec<Value>) -> Result<ApiResponse, ApiError> {
    let mut query = context.call.query.0.clone();
    query.push(("pageTotal".to_owned(), "true".to_owned()));
    let call = context.call_with_query(query);
    let body = Paging::NUMBERED.body(&context.with_call(&call), items, scalar_text)?;
    Ok(ApiResponse::json(200, &body))
}

/// The URLs in a message.
pub(super) fn urls(context: &Context<'_>, of: &Quarantine) -> Result<ApiResponse, ApiError> {
    let link = link(messages::own(context, &mut context.state(), of.place)?);
    page(context, vec![json!(link)])
}
