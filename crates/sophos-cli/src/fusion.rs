//! `sophos fusion`: cases and detections of tenants that have moved to Sophos Fusion.

use clap::{Arg, ArgMatches, Command};
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use sophos_api::{
    ApiClient, Paged, Platform,
    fusion::{
        cases::{GetCase, ListCases},
        detections::{CountDetectionsByTenant, MAX_DETECTIONS, SearchDetections},
    },
};

use crate::{
    connect::CliTenant,
    context::Context,
    exit::Failure,
    json::Json,
    verb::{plural, write_one, write_pages},
};

const CASE_COLUMNS: [&str; 7] = [
    "title",
    "severity",
    "status=/primaryStatus/title",
    "type=/type/title",
    "created=/createdAt",
    "short-id=/shortId",
    "id",
];

const DETECTION_COLUMNS: [&str; 5] =
    ["title=/metadata/title", "severity=/metadata/severity", "status", "cases=/investigation_ids", "id"];

/// Builds the command.
pub(crate) fn command() -> Command {
    let query = || Arg::new("query").value_name("QUERY");
    Command::new("fusion")
        .about("Cases and detections of tenants that have moved to Sophos Fusion")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("cases")
                .about("Lists cases, the newest first")
                .arg(query().help("A query, such as 'severity >= 8 and closedAt is null'"))
                .after_help("Examples:\n  sophos fusion cases --tenant Globex\n  sophos fusion cases \"shortId = 'CSE00001'\""),
        )
        .subcommand(
            Command::new("case")
                .about("Shows a case")
                .arg(Arg::new("id").value_name("ID").required(true).help("The case's id, a UUID")),
        )
        .subcommand(
            Command::new("detections")
                .about("Searches detections")
                .arg(query().required(true).help("A query, such as 'from alert severity >= 0.6 EARLIEST=-1d'"))
                .after_help("Example:\n  sophos fusion detections 'from alert EARLIEST=-7d' --all-tenants"),
        )
        .subcommand(
            Command::new("counts")
                .about("Counts detections, with a partner's credential those of all tenants")
                .arg(query().required(true).help("A query, such as 'from alert severity >= 0.6 EARLIEST=-1d'")),
        )
}

/// Runs the command.
///
/// # Errors
/// When the tenant has not moved, or a request fails.
pub(crate) async fn run(matches: &ArgMatches, context: &Context) -> Result<(), Failure> {
    let text = |matches: &ArgMatches, name| matches.get_one::<String>(name).cloned();
    match matches.subcommand() {
        Some(("cases", matches)) => {
            let mut operation = ListCases::new();
            if let Some(query) = text(matches, "query") {
                operation = operation.query(query);
            }
            list(context, &operation, &CASE_COLUMNS, "case").await
        }
        Some(("case", matches)) => {
            let tenant = context.session().await?.selected_tenant(context).await?;
            require_moved(&tenant).await?;
            let case = tenant.send(&GetCase::new(text(matches, "id").unwrap_or_default())).await?;
            write_one(context, parse(case.raw())?)
        }
        Some(("detections", matches)) => {
            let mut operation = SearchDetections::new(text(matches, "query").unwrap_or_default());
            if let Some(limit) = context.globals.limit.and_then(|limit| u32::try_from(limit).ok()) {
                operation = operation.limit(limit.clamp(1, MAX_DETECTIONS));
            }
            list(context, &operation, &DETECTION_COLUMNS, "detection").await
        }
        Some(("counts", matches)) => {
            let operation = CountDetectionsByTenant::new(text(matches, "query").unwrap_or_default());
            count(context, &operation).await
        }
        _ => Err(Failure::usage("missing command: see `sophos fusion --help`")),
    }
}

async fn list<O: Paged>(
    context: &Context,
    operation: &O,
    columns: &[&str],
    object: &str,
) -> Result<(), Failure> {
    let all = context.globals.all_tenants;
    let tenants = context.session().await?.selected_tenants(context).await?;
    let tenants = tenants.into_iter().enumerate().map(|(index, tenant)| {
        let pages = pages(tenant.client, operation.clone(), all);
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
    tenant: Result<CliTenant, Failure>,
    operation: O,
    all: bool,
) -> impl Stream<Item = Result<Vec<Json>, Failure>> {
    stream::once(async move {
        let tenant = tenant?;
        if all && tenant.platform().await? != Platform::Fusion {
            return Ok::<_, Failure>(stream::empty().left_stream());
        }
        require_moved(&tenant).await?;
        let pages = tenant.pages(operation).map_err(Failure::from);
        let records = |page| async { O::items(page).iter().map(|item| parse(item.json())).collect() };
        Ok(pages.and_then(records).right_stream())
    })
    .try_flatten()
}

async fn count(context: &Context, operation: &CountDetectionsByTenant) -> Result<(), Failure> {
    let session = context.session().await?;
    let counts = if context.globals.tenant.is_some() {
        session.selected_tenant(context).await?.send(operation).await?
    } else {
        session.client.send(operation).await?
    };
    let mut records = context.records(&["tenant=/tenant/id", "count"]);
    for count in counts.items.unwrap_or_default() {
        records.write(&count)?;
    }
    records.finish()?;
    Ok(())
}

/// Rejects a tenant that has not moved: its cases and detections are elsewhere.
async fn require_moved(tenant: &CliTenant) -> Result<(), Failure> {
    if tenant.platform().await? == Platform::Fusion {
        return Ok(());
    }
    Err(Failure::usage(format!("the tenant {} has not moved to Sophos Fusion", tenant.id()))
        .hint("use `sophos cases` and `sophos detections`"))
}

fn parse(json: &str) -> Result<Json, Failure> {
    serde_json::from_str(json).map_err(|error| Failure::other(format!("reading a record failed: {error}")))
}
