//! The evidence of cases.

use clap::Args;
use sophos_api::{
    ApiClient, Operation,
    fusion::cases::{AddEvidenceToCase, GetCaseEvidence, RemoveEvidenceFromCase},
};

use crate::{
    context::Context,
    exit::Failure,
    fusion::{
        cases::CaseArg,
        change::{change, send_changes},
        moved_tenant, parse,
    },
    json::Json,
};

/// The lists of a case's evidence, each with the name of one piece.
const LISTS: [(&str, &str); 4] = [
    ("detectionsEvidence", "detection"),
    ("eventsEvidence", "event"),
    ("assetsEvidence", "asset"),
    ("searchQueriesEvidence", "search query"),
];

const COLUMNS: [&str; 4] =
    ["kind", "attached=/createdAt", "genesis=/isGenesis", "id=/detectionId|/eventId|/assetId|/searchQueryId"];

/// The evidence that is attached to a case.
#[derive(Debug, Clone, Args)]
pub(super) struct NewEvidence {
    /// The ids of detections
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    detection_ids: Vec<String>,
    /// A query of detections, such as 'from alert severity >= 0.6 EARLIEST=-1d'
    #[arg(long, value_name = "QUERY")]
    detections_query: Option<String>,
    /// The ids of events
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    event_ids: Vec<String>,
    /// The ids of hosts, whose assets are attached
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    host_ids: Vec<String>,
    /// The ids of saved queries
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    search_queries: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct AddEvidenceArgs {
    /// The case, by id or short id, such as CSE00001
    case: CaseArg,
    #[command(flatten)]
    evidence: NewEvidence,
}

#[derive(Debug, Args)]
pub(super) struct RemoveEvidenceArgs {
    /// The case, by id or short id, such as CSE00001
    case: CaseArg,
    /// The ids of detections
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    detection_ids: Vec<String>,
    /// The ids of events
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    event_ids: Vec<String>,
    /// The ids of assets
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    asset_ids: Vec<String>,
    /// The ids of saved queries
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    search_queries: Vec<String>,
}

/// Lists the evidence of a case, each piece as a record.
///
/// # Errors
/// When the case does not exist, or a request fails.
pub(super) async fn list(case: CaseArg, context: &Context) -> Result<(), Failure> {
    let tenant = moved_tenant(context).await?;
    let evidence = tenant.send(&GetCaseEvidence::new(case.resolve(&tenant).await?.id)).await?;
    let evidence = parse(evidence.raw())?;
    let mut records = context.records(&COLUMNS);
    for (list, kind) in LISTS {
        let Some(Json::Array(pieces)) = evidence.get(list) else { continue };
        for piece in pieces {
            records.write_json(piece.clone().with_first("kind", kind))?;
        }
    }
    records.finish()?;
    Ok(())
}

/// Adds evidence to a case.
///
/// # Errors
/// Without evidence or consent, or when the request fails.
pub(super) async fn add(args: AddEvidenceArgs, context: &Context) -> Result<(), Failure> {
    let mut operation = AddEvidenceToCase::new(String::new());
    operation.detection_ids = args.evidence.detection_ids;
    operation.detections_search_query = args.evidence.detections_query;
    operation.event_ids = args.evidence.event_ids;
    operation.host_ids = args.evidence.host_ids;
    operation.search_queries = args.evidence.search_queries;
    operation.validate()?;
    let tenant = moved_tenant(context).await?;
    let case = args.case.resolve(&tenant).await?;
    operation.case_id = case.id;
    send_changes(context, &tenant, &change("add evidence to", "case", vec![case.name]), &[operation]).await
}

/// Removes evidence from a case.
///
/// # Errors
/// As for [`add`].
pub(super) async fn remove(args: RemoveEvidenceArgs, context: &Context) -> Result<(), Failure> {
    let mut operation = RemoveEvidenceFromCase::new(String::new());
    operation.detection_ids = args.detection_ids;
    operation.event_ids = args.event_ids;
    operation.asset_ids = args.asset_ids;
    operation.search_queries = args.search_queries;
    operation.validate()?;
    let tenant = moved_tenant(context).await?;
    let case = args.case.resolve(&tenant).await?;
    operation.case_id = case.id;
    send_changes(context, &tenant, &change("remove evidence from", "case", vec![case.name]), &[operation])
        .await
}
