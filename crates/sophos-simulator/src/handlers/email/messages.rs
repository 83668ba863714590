//! Messages: in quarantine, delivered, or in post-delivery quarantine, for each recipient.

use serde_json::{Value, json};

use crate::call::Context;
use crate::engine::{AccountState, Collection, Filter, Paging, Seed, job};
use crate::response::ApiError;
use crate::time;

/// The messages of a tenant. Their hidden member `_recipients` has `{address, place, quarantinedAt}`
/// for each recipient.
pub(super) static MESSAGES: Collection =
    Collection { has_times: false, seed: seed_messages, ..Collection::new("email_messages", "message") };

/// The place of messages without quarantine.
pub(super) const DELIVERED: &str = "delivered";

/// A quarantine.
#[derive(Debug)]
pub(super) struct Quarantine {
    /// The place of its messages.
    pub(super) place: &'static str,
    /// Its messages, one for each recipient, as a search shows them.
    pub(super) entries: &'static Collection,
    /// The members that an entry does not have.
    pub(super) hidden: &'static [&'static str],
}

const FILTERS: &[Filter] = &[
    Filter::after("beginDate", "quarantinedAt"),
    Filter::before("endDate", "quarantinedAt"),
    Filter::equals("id", "id"),
    Filter::contains("fromContains", "_from"),
    Filter::contains("toContains", "_to"),
    Filter::contains("subjectContains", "subject"),
    Filter::contains("attachmentNameContains", "attachments.items.name"),
    Filter::above("sizeInMBGreaterThan", "_sizeInMB"),
    Filter::below("sizeInMBLowerThan", "_sizeInMB"),
    Filter::one_of("direction", "direction", &["inbound", "outbound"]),
    Filter::one_of("productType", "productType", &["gateway", "mailflow"]),
    Filter::equals("reason", "reason"),
    Filter::boolean("hasAnyAttachment", "_hasAttachment"),
];

static QUARANTINE_ENTRIES: Collection = Collection {
    id_member: "_key",
    paging: Paging::Keyed { default: 50, max: 100 },
    filters: FILTERS,
    ..Collection::new("quarantine_entries", "message")
};
static POST_DELIVERY_ENTRIES: Collection =
    Collection { id_member: "_key", filters: FILTERS, ..Collection::new("post_delivery_entries", "message") };

pub(super) static QUARANTINE: Quarantine =
    Quarantine { place: "quarantine", entries: &QUARANTINE_ENTRIES, hidden: &["o365MessageId"] };
pub(super) static POST_DELIVERY: Quarantine = Quarantine {
    place: "postDelivery",
    entries: &POST_DELIVERY_ENTRIES,
    hidden: &["direction", "envelopeRecipients", "from", "receivedAt", "reasonDetail"],
};

const REASONS: &[&str] = &["malware", "spam", "impersonation", "phishing", "bulk"];
const SUBJECTS: &[&str] =
    &["Invoice 4711", "You won", "Please call me", "Your account is locked", "Weekly offers"];

fn address(email: &str, name: &str) -> Value {
    let (local, domain) = email.split_once('@').unwrap_or((email, ""));
    json!({ "localAddress": local, "domainAddress": domain, "name": name })
}

fn seed_messages(seed: &mut Seed<'_>) -> Vec<Value> {
    let message = |number: usize| {
        let kind = number % REASONS.len();
        let sent = seed.central.start_ms - 3_600_000 - i64::try_from(number).unwrap_or_default() * 7_200_000;
        let at = |seconds: i64| time::format_millis(sent + seconds * 1_000);
        let is_post = number % 4 == 3;
        let place = if is_post { POST_DELIVERY.place } else { QUARANTINE.place };
        // Every third message has two recipients.
        let people =
            (number..=number + usize::from(number.is_multiple_of(3))).map(|who| seed.person(who % 12));
        let people: Vec<_> = people.collect();
        let to: Vec<Value> = people.iter().map(|person| address(&person.email, &person.name)).collect();
        let entry = |email: &str| json!({ "address": email, "place": place, "quarantinedAt": at(60) });
        let recipients: Vec<Value> = people.iter().map(|person| entry(&person.email)).collect();
        let sender = format!("sender{number}@mail.example.net");
        let mut attachments = Vec::new();
        if number.is_multiple_of(2) {
            attachments.push(json!({
                "name": format!("invoice-{number}.docx"), "sizeInBytes": 48_213, "fileType": "document",
                "stripped": false,
            }));
            attachments.push(json!({
                "name": "logo.png", "sizeInBytes": 9_120, "fileType": "image", "stripped": false,
            }));
        }
        json!({
            "direction": if number % 5 == 4 { "outbound" } else { "inbound" },
            "reason": REASONS[kind], "reasonDetail": format!("Detected as {}.", REASONS[kind]),
            "mimeMessageId": format!("<{}@mail.example.net>", seed.rng.hex(16)),
            "o365MessageId": seed.rng.hex(24),
            "envelopeSender": address(&sender, ""), "envelopeRecipients": to,
            "from": address(&sender, "Sender"), "to": to, "cc": [],
            "subject": SUBJECTS[kind], "sizeInBytes": 20_000 + 700_000 * (number % 4),
            "clientIp": format!("192.0.2.{}", number + 1),
            "sentAt": at(0), "receivedAt": at(30), "productType": if is_post { "mailflow" } else { "gateway" },
            "_attachments": attachments, "_recipients": recipients,
        })
    };
    (0..16).map(message).collect()
}

/// Moves recipients whose clawback is over to post-delivery quarantine.
fn settle(message: &mut Value, now_ms: i64) {
    for recipient in message["_recipients"].as_array_mut().into_iter().flatten() {
        let end = recipient["_finishMs"].as_i64();
        if let Some(end) = end.filter(|_| job::is_finished(recipient, now_ms)) {
            recipient["place"] = json!(POST_DELIVERY.place);
            recipient["quarantinedAt"] = json!(time::format_millis(end));
            recipient["_finishMs"].take();
        }
    }
}

/// The recipients whose message is at this place.
pub(super) fn recipients(message: &Value, place: &str) -> Vec<String> {
    let all = message["_recipients"].as_array().into_iter().flatten();
    let here = all.filter(|recipient| recipient["place"] == place);
    here.filter_map(|recipient| recipient["address"].as_str().map(str::to_owned)).collect()
}

/// The message with this id, if it is at this place for a recipient.
pub(super) fn find<'s>(
    context: &Context<'_>,
    state: &'s mut AccountState,
    id: &str,
    place: &str,
) -> Option<&'s mut Value> {
    let message = state.find(context.central, &MESSAGES, id)?;
    settle(message, context.central.clock.now_ms());
    (!recipients(message, place).is_empty()).then_some(message)
}

/// The message in the path, if it is at this place for a recipient.
pub(super) fn own<'s>(
    context: &Context<'_>,
    state: &'s mut AccountState,
    place: &str,
) -> Result<&'s mut Value, ApiError> {
    context.id()?;
    let id = context.params.first().copied().unwrap_or_default();
    find(context, state, id, place).ok_or_else(|| MESSAGES.not_found())
}

/// Moves the message of a recipient to a place; `None` deletes it.
pub(super) fn move_to(message: &mut Value, address: &str, place: Option<&str>) {
    let Some(all) = message["_recipients"].as_array_mut() else { return };
    let is_it = |recipient: &Value| {
        recipient["address"].as_str().is_some_and(|text| text.eq_ignore_ascii_case(address))
    };
    match place {
        None => all.retain(|recipient| !is_it(recipient)),
        Some(place) => {
            for recipient in all.iter_mut().filter(|recipient| is_it(recipient)) {
                recipient["place"] = json!(place);
            }
        }
    }
}

/// The messages of a quarantine, one entry for each recipient.
pub(super) fn entries(context: &Context<'_>, state: &mut AccountState, of: &Quarantine) -> Vec<Value> {
    let now = context.central.clock.now_ms();
    let mut entries = Vec::new();
    for message in state.records(context.central, &MESSAGES) {
        settle(message, now);
        for recipient in message["_recipients"].as_array().into_iter().flatten() {
            if recipient["place"] == of.place {
                entries.push(entry(message, recipient, of));
            }
        }
    }
    entries
}

fn entry(message: &Value, recipient: &Value, of: &Quarantine) -> Value {
    let mut entry = message.clone();
    let attachments = message["_attachments"].as_array().map_or(&[][..], Vec::as_slice);
    let text = |address: &Value| {
        let part = |name: &str| address[name].as_str().unwrap_or_default().to_owned();
        format!("{} {}@{}", part("name"), part("localAddress"), part("domainAddress"))
    };
    let to: Vec<String> = message["to"].as_array().into_iter().flatten().map(text).collect();
    entry["_from"] = json!(text(&message["from"]));
    entry["_to"] = json!(to);
    entry["_sizeInMB"] = json!(message["sizeInBytes"].as_f64().unwrap_or_default() / 1_048_576.0);
    entry["_hasAttachment"] = json!(!attachments.is_empty());
    entry["_key"] = json!(format!(
        "{}/{}",
        message["id"].as_str().unwrap_or_default(),
        recipient["address"].as_str().unwrap_or_default()
    ));
    entry["forRecipient"] = recipient["address"].clone();
    entry["quarantinedAt"] = recipient["quarantinedAt"].clone();
    entry["attachments"] =
        json!({ "total": attachments.len(), "size": attachments.len(), "items": attachments });
    if let Some(members) = entry.as_object_mut() {
        members.retain(|name, _| !of.hidden.contains(&name.as_str()));
    }
    entry
}
