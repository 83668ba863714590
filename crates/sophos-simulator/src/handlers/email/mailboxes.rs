//! Mailboxes, with their aliases, delegates and owners.

use serde_json::{Value, json};

use crate::call::{Context, invalid_parameter};
use crate::engine::filter::values_at;
use crate::engine::{AccountState, Change, Collection, Filter, Member, Paging, Seed, member, verbs};
use crate::response::{ApiError, ApiResponse};
use crate::time;

const MAX_BULK: usize = 1_000;
const USER: &str = "user";
const LIST: &str = "distributionList";
const TYPES: &[&str] = &[USER, LIST, "publicFolder"];
/// The simulated time until a request for the bulk sender privilege is approved.
const APPROVAL_MS: i64 = 3_600_000;
const ADDRESS_TAKEN: &str = "Mailbox or alias already exists with email address.";
const SYNCED: &str = "Directory synced mailbox.";

const NEW: &[Member] = &[
    Member::one_of("type", TYPES).required().fixed(),
    Member::text_up_to("email", 320).required().fixed(),
    Member::text_up_to("name", 256).required(),
];

pub(super) static MAILBOXES: Collection = Collection {
    members: NEW,
    paging: Paging::KEYED,
    has_times: false,
    may_delete_unknown: true,
    filters: &[
        Filter::equals("name", "name"),
        Filter::starts_with("nameStartsWith", "name"),
        Filter::equals("email", "email"),
        Filter::starts_with("emailStartsWith", "email"),
        Filter::after("createdAfter", "createdAt"),
        Filter::before("createdBefore", "createdAt"),
        Filter::one_of("type", "type", TYPES),
        Filter::equals("bulkSenderPrivilegeStatus", "bulkSenderPrivilege.bulkSenderPrivilegeStatus"),
        Filter::boolean("blocked", "blocked"),
        Filter::equals("distributionListOwnedBy", "_owners"),
        Filter::equals("alias", "aliases"),
        Filter::starts_with("aliasesStartWith", "aliases"),
        Filter::equals("delegate", "delegates"),
    ],
    detail: &["bulkSenderPrivilege", "distributionListOwners", "aliases", "delegates", "policies"],
    seed: seed_mailboxes,
    on_create: complete,
    on_update: |change| check_own(&change.record),
    on_delete: |change| check_own(&change.record),
    view: |context, mailbox| {
        let end = mailbox["_approvedMs"].as_i64();
        if end.is_some_and(|end| context.central.clock.now_ms() >= end) {
            mailbox["bulkSenderPrivilege"]["bulkSenderPrivilegeStatus"] = json!("approved");
        }
    },
    ..Collection::new("mailboxes", "mailbox")
};

/// Members of all mailboxes, unless a directory sets them.
fn defaults() -> Value {
    json!({
        "blocked": false, "bulkSenderPrivilege": { "bulkSenderPrivilegeStatus": "notRequested" },
        "distributionListOwners": [], "aliases": [], "delegates": [],
        "policies": {
            "emailSecurity": ["Base Policy"], "dataControl": ["Base Policy"], "secureMessage": ["Base Policy"],
        },
    })
}

/// The users have mailboxes; the last ones are synchronized from a directory, as the users are.
fn seed_mailboxes(seed: &mut Seed<'_>) -> Vec<Value> {
    let mailbox = |number: usize| {
        let (person, at) = (seed.person(number), seed.past(400));
        let mut mailbox = defaults();
        mailbox["type"] = json!(USER);
        mailbox["name"] = json!(person.name);
        mailbox["email"] = json!(person.email);
        mailbox["createdAt"] = json!(at);
        mailbox["_synced"] = json!(number >= 8);
        mailbox["blocked"] = json!(number == 5);
        if number == 1 {
            mailbox["aliases"] = json!(["orders@example.com"]);
            mailbox["delegates"] = json!([seed.person(2).email]);
        }
        mailbox
    };
    let mut all: Vec<Value> = (0..12).map(mailbox).collect();
    let owner = seed.person(0);
    let mut list = defaults();
    list["type"] = json!(LIST);
    list["name"] = json!("Announcements");
    list["email"] = json!("announcements@example.com");
    list["createdAt"] = json!(seed.past(400));
    list["distributionListOwners"] = json!([owner.email]);
    list["_owners"] = json!([owner.email, owner.name]);
    all.push(list);
    all
}

fn check_own(mailbox: &Value) -> Result<(), ApiError> {
    if mailbox["_synced"] == true { Err(ApiError::new(409, "conflict", SYNCED)) } else { Ok(()) }
}

fn is_address(text: &str) -> bool {
    text.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && domain.contains('.') && !text.contains(char::is_whitespace)
    })
}

/// The mailbox with this address or alias.
fn owner_of<'m>(mailboxes: &'m [Value], address: &str) -> Option<&'m Value> {
    let is_it = |value: &&Value| value.as_str().is_some_and(|text| text.eq_ignore_ascii_case(address));
    mailboxes.iter().find(|one| is_it(&&one["email"]) || values_at(one, "aliases").iter().any(is_it))
}

fn complete(change: &mut Change<'_, '_>) -> Result<(), ApiError> {
    let central = change.context.central;
    let email = change.record["email"].as_str().unwrap_or_default().to_owned();
    if !is_address(&email) {
        return Err(invalid_parameter("email"));
    }
    if owner_of(change.state.records(central, &MAILBOXES), &email).is_some() {
        return Err(ApiError::new(409, "conflict", ADDRESS_TAKEN));
    }
    verbs::merge(&mut change.record, defaults());
    change.record["createdAt"] = json!(time::format_millis(central.clock.now_ms()));
    Ok(())
}

/// A list of addresses of a mailbox.
#[derive(Debug)]
pub(super) struct AddressList {
    member: &'static str,
    /// Whether the addresses are new ones, not those of mailboxes.
    is_alias: bool,
    /// The only type of mailboxes that has the list.
    of: Option<&'static str>,
    /// Whether the list of a synchronized mailbox is fixed.
    is_synced: bool,
}

pub(super) static ALIASES: AddressList =
    AddressList { member: "aliases", is_alias: true, of: None, is_synced: true };
pub(super) static DELEGATES: AddressList =
    AddressList { member: "delegates", is_alias: false, of: None, is_synced: true };
pub(super) static OWNERS: AddressList =
    AddressList { member: "distributionListOwners", is_alias: false, of: Some(LIST), is_synced: false };

const CHANGES: &[Member] = &[
    Member::list("add", &Member::text_up_to("address", 320), MAX_BULK),
    Member::list("remove", &Member::text_up_to("address", 320), MAX_BULK),
];

/// The mailbox in the path.
fn own<'s>(context: &Context<'_>, state: &'s mut AccountState) -> Result<&'s mut Value, ApiError> {
    context.id()?;
    let id = context.params.first().copied().unwrap_or_default();
    let mailbox = state.find(context.central, &MAILBOXES, id).ok_or_else(|| MAILBOXES.not_found())?;
    context.name_object(mailbox);
    Ok(mailbox)
}

/// The cause that prevents the addition of an address to a mailbox.
fn obstacle(
    mailboxes: &[Value],
    own: &Value,
    list: &AddressList,
    address: &str,
) -> Option<(&'static str, &'static str)> {
    let owner = owner_of(mailboxes, address);
    if !is_address(address) {
        Some(("badRequest", "Invalid email address."))
    } else if list.of.is_some_and(|kind| own["type"] != kind) {
        Some(("badRequest", "Not a distribution list."))
    } else if list.is_alias {
        owner.map(|_| ("conflict", ADDRESS_TAKEN))
    } else if owner.is_none() {
        Some(("notFound", "Mailbox not found."))
    } else {
        None
    }
}

/// Adds addresses to a list of a mailbox, and removes some. Invalid ones do not stop the others.
pub(super) fn change(context: &Context<'_>, list: &AddressList) -> Result<ApiResponse, ApiError> {
    let body = member::accept(CHANGES, &context.call.json()?, false)?;
    let mut state = context.state();
    let mailbox = own(context, &mut state)?.clone();
    if list.is_synced {
        check_own(&mailbox)?;
    }
    let mailboxes = state.records(context.central, &MAILBOXES).clone();
    let given = |verb: &str| -> Vec<String> {
        body[verb]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|text| text.as_str().map(str::to_owned))
            .collect()
    };
    let mut current: Vec<String> =
        values_at(&mailbox, list.member).iter().filter_map(|text| text.as_str().map(str::to_owned)).collect();
    let same = |address: &str| {
        let address = address.to_owned();
        move |other: &String| other.eq_ignore_ascii_case(&address)
    };
    let failure = |address: &str, (error, message): (&str, &str)| json!({ "error": error, "message": format!("{message} {address}") });
    let (mut added, mut removed, mut not_added, mut not_removed) = (vec![], vec![], vec![], vec![]);
    for address in given("remove") {
        match current.iter().position(same(&address)) {
            Some(at) => removed.push(current.remove(at)),
            None => not_removed.push(failure(&address, ("notFound", "Address not found."))),
        }
    }
    for address in given("add") {
        let is_listed = current.iter().any(same(&address));
        let taken =
            obstacle(&mailboxes, &mailbox, list, &address).filter(|_| !removed.iter().any(same(&address)));
        match taken.or(is_listed.then_some(("conflict", ADDRESS_TAKEN))) {
            None => {
                current.push(address.clone());
                added.push(address);
            }
            Some(cause) => not_added.push(failure(&address, cause)),
        }
    }
    let names =
        current.iter().filter_map(|address| owner_of(&mailboxes, address)).map(|one| one["name"].clone());
    let owners: Vec<Value> = current.iter().map(|address| json!(address)).chain(names).collect();
    let stored = own(context, &mut state)?;
    stored[list.member] = json!(current);
    if list.of.is_some() {
        stored["_owners"] = json!(owners);
    }
    let mut body = json!({ "added": added, "removed": removed });
    if !not_added.is_empty() || !not_removed.is_empty() {
        body["errors"] = json!({ "failedToAdd": not_added, "failedToRemove": not_removed });
    }
    Ok(ApiResponse::json(context.success, &body))
}

const PRIVILEGE: &[Member] = &[
    Member::integer("count", 1, 1_000_000_000).required(),
    Member::one_of("period", &["hourly", "daily", "weekly", "monthly"]).required(),
    Member::text_up_to("purpose", 1_000).required(),
];

/// Requests the privilege to send bulk messages; it is approved later.
pub(super) fn request_privilege(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    member::accept(PRIVILEGE, &context.call.json()?, false)?;
    let approved = context.central.clock.now_ms() + APPROVAL_MS;
    let mut state = context.state();
    let mailbox = own(context, &mut state)?;
    mailbox["bulkSenderPrivilege"]["bulkSenderPrivilegeStatus"] = json!("pending");
    mailbox["_approvedMs"] = json!(approved);
    Ok(ApiResponse::json(context.success, &json!({ "accepted": true })))
}

fn bulk_items(context: &Context<'_>) -> Result<Vec<Value>, ApiError> {
    let body = context.call.json()?;
    let items = body["items"].as_array().filter(|items| (1..=MAX_BULK).contains(&items.len()));
    items.cloned().ok_or_else(|| invalid_parameter("items"))
}

fn cause(error: &ApiError) -> Value {
    json!({ "error": error.error, "message": error.message })
}

/// Adds mailboxes. Invalid ones do not stop the others.
pub(super) fn create_many(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let mut state = context.state();
    let (mut items, mut errors) = (Vec::new(), Vec::new());
    for item in bulk_items(context)? {
        let made = member::accept(NEW, &item, false)
            .and_then(|record| verbs::add(context, &mut state, &MAILBOXES, record));
        match made {
            Ok(mailbox) => items.push(mailbox),
            Err(error) => {
                let mut failure = cause(&error);
                failure["email"] = item["email"].clone();
                errors.push(failure);
            }
        }
    }
    let shown = |mut mailbox: Value| {
        if let Some(members) = mailbox.as_object_mut() {
            members.retain(|name, _| !MAILBOXES.detail.contains(&name.as_str()));
        }
        verbs::hide(&mut mailbox);
        mailbox
    };
    let items: Vec<Value> = items.into_iter().map(shown).collect();
    Ok(ApiResponse::json(context.success, &json!({ "items": items, "errors": errors })))
}

/// Deletes mailboxes. Unknown and synchronized ones are listed as errors.
pub(super) fn delete_many(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let mut state = context.state();
    let (mut items, mut errors) = (Vec::new(), Vec::new());
    let mailboxes = state.records(context.central, &MAILBOXES);
    for item in bulk_items(context)? {
        let id = item["id"].as_str().unwrap_or_default();
        let at = mailboxes.iter().position(|mailbox| MAILBOXES.has_id(mailbox, id));
        let error = match at.map(|at| (at, check_own(&mailboxes[at]))) {
            Some((at, Ok(()))) => {
                context.name_object(&mailboxes.remove(at));
                items.push(json!({ "id": id }));
                continue;
            }
            Some((_, Err(_))) => SYNCED,
            None => "Mailbox not found.",
        };
        errors.push(json!({ "id": item["id"], "error": error }));
    }
    Ok(ApiResponse::json(context.success, &json!({ "items": items, "errors": errors })))
}
