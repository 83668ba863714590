//! Listings of one tenant or of all.

use futures_util::{Stream, StreamExt, stream};
use sophos_api::{Error, catalog::DescribedRequest};

use crate::{
    connect::SelectedTenant,
    context::Context,
    exit::{Exit, Failure},
    json::Json,
    output::Records,
    verb::{Target, items_of, next_page},
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
    request: &DescribedRequest,
    items: &str,
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
            .map(|(index, (_, target))| pages(index, request.clone(), target).boxed_local());
        let mut pages = stream::iter(streams).flatten_unordered(MAX_CONCURRENT_TENANTS);
        while let Some((index, page)) = pages.next().await {
            match page {
                Ok(page) => {
                    let page = items_of(page, items);
                    progress.inc(page.len() as u64);
                    if context.is_on_terminal() && !page.is_empty() {
                        // The records show the progress, and a bar would be in their lines.
                        progress.finish_and_clear();
                    }
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
    request: DescribedRequest,
    target: Result<Target, Failure>,
) -> impl Stream<Item = TenantPage> {
    let target = match target {
        Ok(target) => target,
        Err(failure) => return stream::once(async move { (index, Err(failure)) }).left_stream(),
    };
    stream::unfold(Some(Ok(request)), move |next| {
        let target = target.clone();
        async move {
            match read_page(&target, next?).await {
                Ok((page, next)) => Some(((index, Ok(page)), next.transpose())),
                Err(error) => Some(((index, Err(error.into())), None)),
            }
        }
    })
    .right_stream()
}

/// The request for the next page, or the failure to find it.
type NextPage = Result<Option<DescribedRequest>, Error>;

/// A page, and the request for the next. The records of a page that names itself as the
/// next one are still shown.
async fn read_page(
    target: &Target,
    request: Result<DescribedRequest, Error>,
) -> Result<(Json, NextPage), Error> {
    let request = request?;
    let page = target.send(&request).await?;
    let next = next_page(&request, &page);
    Ok((page, next))
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
