//! Listings of one tenant or of all.

use futures_util::{
    Stream, StreamExt,
    stream::{self, LocalBoxStream},
};
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

/// The records of a page, with the index of the tenant.
pub(crate) type TenantPage = (usize, Result<Vec<Json>, Failure>);

/// Reads a listing into the output, page by page. `items` is the member of a page that
/// holds the records.
///
/// # Errors
/// As for [`write_pages`].
pub(crate) async fn list(
    context: &Context,
    request: &DescribedRequest,
    items: &str,
    targets: Vec<(String, Result<Target, Failure>)>,
    records: &mut Records,
) -> Result<(), Failure> {
    let tenants = targets.into_iter().enumerate().map(|(index, (name, target))| {
        let pages =
            pages(request.clone(), target).map(move |page| (index, page.map(|page| items_of(page, items))));
        (name, pages.boxed_local())
    });
    let (names, streams): (Vec<_>, Vec<_>) = tenants.unzip();
    write_pages(context, &names, streams, records).await
}

/// Writes the records of tenants, several tenants at once.
///
/// # Errors
/// [`Exit::Partial`] when some of several tenants failed.
pub(crate) async fn write_pages(
    context: &Context,
    names: &[String],
    streams: Vec<LocalBoxStream<'_, TenantPage>>,
    records: &mut Records,
) -> Result<(), Failure> {
    let progress = context.progress("reading", None);
    let all = names.len() > 1 || context.globals.all_tenants;
    let mut failures = vec![None; names.len()];
    {
        let mut pages = stream::iter(streams).flatten_unordered(MAX_CONCURRENT_TENANTS);
        while let Some((index, page)) = pages.next().await {
            match page {
                Ok(page) => {
                    progress.inc(page.len() as u64);
                    if context.is_on_terminal() && !page.is_empty() {
                        // The records show the progress, and a bar would be in their lines.
                        progress.finish_and_clear();
                    }
                    for item in page {
                        let item = if all { item.with_first("tenantName", &names[index]) } else { item };
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

/// The pages of a listing.
fn pages(
    request: DescribedRequest,
    target: Result<Target, Failure>,
) -> impl Stream<Item = Result<Json, Failure>> {
    let target = match target {
        Ok(target) => target,
        Err(failure) => return stream::once(async move { Err(failure) }).left_stream(),
    };
    stream::unfold(Some(Ok(request)), move |next| {
        let target = target.clone();
        async move {
            match read_page(&target, next?).await {
                Ok((page, next)) => Some((Ok(page), next.transpose())),
                Err(error) => Some((Err(error.into()), None)),
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
