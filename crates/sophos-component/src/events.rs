//! The exported `events`.

use serde_json::{Value, json};
use sophos_api::{ApiClient, Error, operations::siem::events::ListSiemEvents};

use crate::{
    Component,
    bindings::{
        exports::sophos::central::{
            events::{Event, Guest, Page, PageOptions, StartPosition},
            tenants::TenantBorrow,
        },
        sophos::central::types::Failure,
    },
    cursor::CursorScope,
    json::{id, string},
    page,
    session::run_call,
    tenants::Tenant,
};

impl Guest for Component {
    fn list(tenant: TenantBorrow<'_>, start: StartPosition, options: PageOptions) -> Result<Page, Failure> {
        let tenant: &Tenant = tenant.get();
        run_call(async |client| {
            let scope = CursorScope::new('f', tenant.id(), &json!({}));
            let (cursor, from_date) = match start {
                StartPosition::Oldest => (None, None),
                StartPosition::Since(second) => {
                    let second = i64::try_from(second).map_err(|_| {
                        Error::invalid("invalid `since`: expected seconds since the Unix epoch")
                    })?;
                    (None, Some(second))
                }
                StartPosition::After(cursor) => (page::page_key(scope, Some(&cursor))?, None),
            };
            let exclude_types = options.exclude.unwrap_or_default();
            let mut operation = ListSiemEvents::new().exclude_types(exclude_types);
            (operation.limit, operation.cursor, operation.from_date) = (options.size, cursor, from_date);
            let response = tenant.with_client(client).send(&operation).await?;
            let next = response.next_cursor.as_deref().filter(|cursor| !cursor.is_empty());
            let (next, has_more) = (next.map(|cursor| scope.cursor(cursor)), response.has_more);
            let (events, malformed_items) =
                page::split_items(response.items, &response.malformed_items, parse_event);
            Ok(Page { events, malformed_items, has_more, next })
        })
    }
}

fn parse_event(from: &Value, raw: String) -> Result<Event, &'static str> {
    Ok(Event {
        id: id(from)?,
        kind: string(from, &["type"]),
        group: string(from, &["group"]),
        severity: string(from, &["severity"]),
        description: string(from, &["name"]),
        occurred_at: string(from, &["when"]),
        created_at: string(from, &["created_at"]),
        endpoint_id: string(from, &["endpoint_id"]),
        endpoint_kind: string(from, &["endpoint_type"]),
        hostname: string(from, &["location"]),
        user: string(from, &["source"]),
        ip: string(from, &["source_info", "ip"]),
        threat: string(from, &["threat"]),
        raw,
    })
}
