//! Alerts.

use serde_json::Value;
use sophos_api::{
    Caller, Error, Paged,
    models::{AlertCategory, AlertSeverity, Product},
    operations::alerts::{GetAlert, ListAlerts, SearchAlerts},
};

use crate::{
    Component,
    bindings::{
        exports::sophos::central::{
            alerts::{Alert, Filter, Guest, Listing as Asked, Page, Subject},
            tenants::TenantBorrow,
        },
        sophos::central::types::Failure,
    },
    cursor::Listing,
    json::{Unread, id, parts, text, texts},
    page,
    session::call,
    tenants::Tenant,
    words,
};

impl Guest for Component {
    fn search(tenant: TenantBorrow<'_>, filters: Vec<Filter>, listing: Asked) -> Result<Page, Failure> {
        let tenant: &Tenant = tenant.get();
        call(async |client| {
            let mut operation = SearchAlerts::default();
            for filter in filters {
                apply(&mut operation.filter, filter);
            }
            operation.filter.sort = listing.sort.into_iter().collect();
            let place = Listing::new('a', tenant.id(), &page::filters(&operation)?);
            operation.filter.page_from_key = page::key(place, listing.after.as_deref())?;
            operation.filter.page_size = listing.size;
            operation.filter.fields = listing.fields.unwrap_or_default();

            let answer = tenant.through(client).send(&operation).await?;
            let next = operation.next(&answer)?.and_then(|next| next.filter.page_from_key);
            let (alerts, unreadable) = page::read(answer.items, &answer.unreadable, read);
            Ok(Page { alerts, unreadable, next: next.map(|key| place.cursor(&key)) })
        })
    }

    fn get(tenant: TenantBorrow<'_>, id: String) -> Result<Alert, Failure> {
        let tenant: &Tenant = tenant.get();
        call(async |client| {
            let answer = tenant.through(client).send(&Unread(GetAlert { alert_id: id })).await?;
            let (alert, raw) = parts(answer)?;
            read(&alert, raw).map_err(Error::malformed)
        })
    }
}

fn apply(to: &mut ListAlerts, filter: Filter) {
    match filter {
        Filter::Since(time) => to.from = Some(time),
        Filter::Before(time) => to.to = Some(time),
        Filter::Severities(list) => to.severity.extend(words(&list, AlertSeverity::from)),
        Filter::Categories(list) => to.category.extend(words(&list, AlertCategory::from)),
        Filter::Products(list) => to.product.extend(words(&list, Product::from)),
        Filter::Ids(ids) => to.ids.extend(ids),
        Filter::GroupKey(key) => to.group_key = Some(key),
    }
}

fn read(from: &Value, raw: String) -> Result<Alert, &'static str> {
    Ok(Alert {
        id: id(from)?,
        severity: text(from, &["severity"]),
        category: text(from, &["category"]),
        product: text(from, &["product"]),
        kind: text(from, &["type"]),
        description: text(from, &["description"]),
        // Some tenants' alerts have it under the other name.
        raised_at: text(from, &["raisedAt"]).or_else(|| text(from, &["createdAt"])),
        subject: from["managedAgent"].is_object().then(|| Subject {
            id: text(from, &["managedAgent", "id"]),
            kind: text(from, &["managedAgent", "type"]),
            name: text(from, &["managedAgent", "name"]),
        }),
        person: text(from, &["person", "name"]),
        allowed_actions: texts(from, &["allowedActions"]),
        group_key: text(from, &["groupKey"]),
        raw,
    })
}
