//! Listings of one tenant or of all.

use futures_util::{Stream, StreamExt, stream};

use crate::{
    connect::SelectedTenant,
    context::Context,
    exit::{Exit, Failure},
    json::Json,
    output::Records,
    verb::{Call, Fields, Target, items_of, next_page},
};

/// The tenants that are read at once. The rate limit of the credential is the bound.
const MAX_CONCURRENT_TENANTS: usize = 8;

/// A page of a tenant.
type TenantPage = (usize, Result<Json, Failure>);

/// Reads a listing into the output, page by page. `items` is the member of a page that
/// holds the records.
///
/// # Errors
/// [`Exit::Partial`] when some of several tenants failed.
pub(crate) async fn list(
    context: &Context,
    call: &'static dyn Call,
    items: &str,
    fields: Fields,
    targets: Vec<(String, Result<Target, Failure>)>,
    records: &mut Records,
) -> Result<(), Failure> {
    let progress = context.progress("reading", None);
    let all = targets.len() > 1 || context.globals.all_tenants;
    let names: Vec<_> = targets.iter().map(|(name, _)| name.clone()).collect();
    let mut failures = vec![None; names.len()];
    {
        let streams = targets
            .into_iter()
            .enumerate()
            .map(|(index, (_, target))| pages(index, call, fields.clone(), target).boxed_local());
        let mut pages = stream::iter(streams).flatten_unordered(MAX_CONCURRENT_TENANTS);
        while let Some((index, page)) = pages.next().await {
            match page {
                Ok(page) => {
                    let page = items_of(page, items);
                    progress.inc(page.len() as u64);
                    for item in page {
                        let item = if all { with_tenant(item, &names[index]) } else { item };
                        records.write_json(item)?;
                    }
                    records.flush_rows()?;
                }
                Err(failure) => {
                    if all {
                        progress.suspend(|| context.warn(&format!("{}: {failure}", names[index])));
                    }
                    failures[index] = Some(failure);
                }
            }
            if records.is_full() {
                break;
            }
        }
    }
    progress.finish_and_clear();
    let failed = failures.iter().flatten().count();
    match failures.into_iter().flatten().next() {
        None => Ok(()),
        Some(failure) if !all => Err(failure),
        Some(failure) if failed == names.len() => Err(failure),
        Some(_) => {
            context.note(&format!("{failed} of {} tenants failed", names.len()));
            Err(Failure::reported(Exit::Partial))
        }
    }
}

/// The targets of a tenant's operation.
pub(crate) fn tenant_targets(tenants: Vec<SelectedTenant>) -> Vec<(String, Result<Target, Failure>)> {
    tenants.into_iter().map(|tenant| (tenant.name, tenant.client.map(Target::Tenant))).collect()
}

fn pages(
    index: usize,
    call: &'static dyn Call,
    fields: Fields,
    target: Result<Target, Failure>,
) -> impl Stream<Item = TenantPage> {
    let target = match target {
        Ok(target) => target,
        Err(failure) => return stream::once(async move { (index, Err(failure)) }).left_stream(),
    };
    stream::unfold(Some(fields), move |fields| {
        let target = target.clone();
        async move {
            let fields = fields?;
            match call.send(target, fields.clone()).await {
                Ok(page) => {
                    let next = next_page(&fields, &page);
                    Some(((index, Ok(page)), next))
                }
                Err(error) => Some(((index, Err(error.into())), None)),
            }
        }
    })
    .right_stream()
}

/// Puts the tenant's name before the other members.
fn with_tenant(item: Json, name: &str) -> Json {
    match item {
        Json::Object(mut members) => {
            members.insert(0, ("tenantName".to_owned(), Json::from(name)));
            Json::Object(members)
        }
        other => other,
    }
}
