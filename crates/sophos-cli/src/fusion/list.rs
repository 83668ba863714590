//! Listings of Sophos Fusion, of one tenant or of all.

use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use sophos_api::{ApiClient, Paged, Platform};

use crate::{
    connect::{CliTenant, SelectedTenant},
    context::Context,
    exit::Failure,
    fusion::{parse, require_moved},
    json::Json,
    verb::{plural, write_pages},
};

/// Reads a listing of the selected tenants into the output.
///
/// # Errors
/// When a tenant has not moved, or a request fails.
pub(super) async fn list<O: Paged>(
    context: &Context,
    operation: &O,
    columns: &[&str],
    object: &str,
) -> Result<(), Failure> {
    let tenants = context.session().await?.selected_tenants(context).await?;
    list_of(context, tenants, operation, columns, object).await
}

/// Reads a listing of these tenants into the output.
///
/// # Errors
/// As for [`list`].
pub(super) async fn list_of<O: Paged>(
    context: &Context,
    tenants: Vec<SelectedTenant>,
    operation: &O,
    columns: &[&str],
    object: &str,
) -> Result<(), Failure> {
    let all = context.globals.all_tenants;
    let tenants = tenants.into_iter().enumerate().map(|(index, tenant)| {
        let pages = pages(context, tenant.client, operation.clone());
        (tenant.name, pages.map(move |page| (index, page)).boxed_local())
    });
    let (names, streams): (Vec<_>, Vec<_>) = tenants.unzip();
    let mut with_tenant = Vec::new();
    if all {
        with_tenant.push("tenant=tenantName");
    }
    with_tenant.extend_from_slice(columns);
    let mut records = context.records(&with_tenant);
    let result = write_pages(context, &names, streams, &mut records).await;
    let count = records.finish()?;
    if context.is_table() {
        context.note(&format!("{count} {}", plural(object, count)));
    }
    result
}

/// The records of a tenant, page by page. Of all tenants, one that has not moved has none.
fn pages<O: Paged>(
    context: &Context,
    tenant: Result<CliTenant, Failure>,
    operation: O,
) -> impl Stream<Item = Result<Vec<Json>, Failure>> {
    stream::once(async move {
        let tenant = tenant?;
        if context.globals.all_tenants && tenant.platform().await? != Platform::Fusion {
            return Ok::<_, Failure>(stream::empty().left_stream());
        }
        require_moved(context, &tenant).await?;
        let pages = tenant.pages(operation).map_err(Failure::from);
        let records = |page| async { O::items(page).iter().map(|item| parse(item.json())).collect() };
        Ok(pages.and_then(records).right_stream())
    })
    .try_flatten()
}
