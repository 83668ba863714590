//! The feed of events.

use serde_json::{Value, json};
use sophos_api::{Caller, Error, operations::siem::ListSiemEvents};

use crate::{
    Component,
    bindings::{
        exports::sophos::central::{
            events::{Event, Guest, Listing as Asked, Page, Place},
            tenants::TenantBorrow,
        },
        sophos::central::types::Failure,
    },
    cursor::Listing,
    json::{id, text},
    page,
    session::call,
    tenants::Tenant,
};

impl Guest for Component {
    fn read(tenant: TenantBorrow<'_>, place: Place, listing: Asked) -> Result<Page, Failure> {
        let tenant: &Tenant = tenant.get();
        call(async |client| {
            let feed = Listing::new('f', tenant.id(), &json!({}));
            let (cursor, from_date) = match place {
                Place::Oldest => (None, None),
                Place::Since(second) => {
                    let second =
                        i64::try_from(second).map_err(|_| Error::invalid("there is no such second"))?;
                    (None, Some(second))
                }
                Place::After(cursor) => (page::key(feed, Some(&cursor))?, None),
            };
            let exclude_types = listing.exclude.unwrap_or_default();
            let operation = ListSiemEvents { limit: listing.size, cursor, from_date, exclude_types };
            let answer = tenant.through(client).send(&operation).await?;
            let next = answer.next_cursor.as_deref().filter(|cursor| !cursor.is_empty());
            let (next, more) = (next.map(|cursor| feed.cursor(cursor)), answer.has_more);
            let (events, unreadable) = page::read(answer.items, &answer.unreadable, read);
            Ok(Page { events, unreadable, more, next })
        })
    }
}

fn read(from: &Value, raw: String) -> Result<Event, &'static str> {
    Ok(Event {
        id: id(from)?,
        kind: text(from, &["type"]),
        group: text(from, &["group"]),
        severity: text(from, &["severity"]),
        description: text(from, &["name"]),
        happened_at: text(from, &["when"]),
        created_at: text(from, &["created_at"]),
        endpoint_id: text(from, &["endpoint_id"]),
        endpoint_kind: text(from, &["endpoint_type"]),
        hostname: text(from, &["location"]),
        user: text(from, &["source"]),
        ip: text(from, &["source_info", "ip"]),
        threat: text(from, &["threat"]),
        raw,
    })
}
