//! The exported `alerts`.

use serde_json::Value;
use sophos_api::{
    ApiClient, Error, Paged,
    models::{AlertCategory, AlertSeverity, Product},
    operations::common::alerts::{GetAlert, ListAlerts, SearchAlerts},
};

use crate::{
    Component,
    bindings::{
        exports::sophos::central::{
            alerts::{Alert, Filter, Guest, Page, PageOptions, Subject},
            tenants::TenantBorrow,
        },
        sophos::central::types::Failure,
    },
    cursor::CursorScope,
    json::{RawOperation, id, into_value_and_text, string, strings},
    page, parse_words,
    session::run_call,
    tenants::Tenant,
};

impl Guest for Component {
    fn search(tenant: TenantBorrow<'_>, filters: Vec<Filter>, options: PageOptions) -> Result<Page, Failure> {
        let tenant: &Tenant = tenant.get();
        run_call(async |client| {
            let mut operation = SearchAlerts::new(ListAlerts::new());
            for filter in filters {
                apply_filter(&mut operation.filter, filter);
            }
            operation.filter.sort = options.sort.into_iter().collect();
            let scope = CursorScope::new('a', tenant.id(), &page::filters(&operation)?);
            operation.filter.page_from_key = page::page_key(scope, options.after.as_deref())?;
            operation.filter.page_size = options.size;
            operation.filter.fields = options.fields.unwrap_or_default();

            let response = tenant.with_client(client).send(&operation).await?;
            let next = operation.next_page(&response)?.and_then(|next| next.filter.page_from_key);
            let (alerts, malformed_items) =
                page::split_items(response.items, &response.malformed_items, parse_alert);
            Ok(Page { alerts, malformed_items, next: next.map(|key| scope.cursor(&key)) })
        })
    }

    fn get(tenant: TenantBorrow<'_>, id: String) -> Result<Alert, Failure> {
        let tenant: &Tenant = tenant.get();
        run_call(async |client| {
            let response = tenant.with_client(client).send(&RawOperation(GetAlert::new(id))).await?;
            let (alert, raw) = into_value_and_text(response)?;
            parse_alert(&alert, raw).map_err(Error::malformed)
        })
    }
}

fn apply_filter(to: &mut ListAlerts, filter: Filter) {
    match filter {
        Filter::Since(time) => to.from = Some(time.into()),
        Filter::Before(time) => to.to = Some(time.into()),
        Filter::Severities(list) => to.severity.extend(parse_words(&list, AlertSeverity::from)),
        Filter::Categories(list) => to.category.extend(parse_words(&list, AlertCategory::from)),
        Filter::Products(list) => to.product.extend(parse_words(&list, Product::from)),
        Filter::Ids(ids) => to.ids.extend(ids),
        Filter::GroupKey(key) => to.group_key = Some(key),
    }
}

fn parse_alert(from: &Value, raw: String) -> Result<Alert, &'static str> {
    Ok(Alert {
        id: id(from)?,
        severity: string(from, &["severity"]),
        category: string(from, &["category"]),
        product: string(from, &["product"]),
        kind: string(from, &["type"]),
        description: string(from, &["description"]),
        // Alerts of some tenants use `createdAt`.
        raised_at: string(from, &["raisedAt"]).or_else(|| string(from, &["createdAt"])),
        subject: from["managedAgent"].is_object().then(|| Subject {
            id: string(from, &["managedAgent", "id"]),
            kind: string(from, &["managedAgent", "type"]),
            name: string(from, &["managedAgent", "name"]),
        }),
        person: string(from, &["person", "name"]),
        allowed_actions: strings(from, &["allowedActions"]),
        group_key: string(from, &["groupKey"]),
        raw,
    })
}
