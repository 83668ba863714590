//! `sophos fusion detections`.

use clap::{Subcommand, builder::PossibleValuesParser};
use sophos_api::{
    ApiClient,
    fusion::detections::{
        CountDetectionsByTenant, GetDetections, MAX_DETECTIONS, ResolutionStatus, SearchDetections,
        UpdateDetectionResolution,
    },
};

use crate::{
    context::Context,
    exit::{Exit, Failure},
    fusion::{
        CHANGE_HELP,
        change::{change, send_changes},
        list::list,
        moved_tenant, parse,
    },
    verb::write_one,
};

const COLUMNS: [&str; 5] =
    ["title=/metadata/title", "severity=/metadata/severity", "status", "cases=/investigation_ids", "id"];

/// The resolutions, as the service names them.
const RESOLUTIONS: [&str; 9] = [
    "OPEN",
    "TRUE_POSITIVE_BENIGN",
    "TRUE_POSITIVE_MALICIOUS",
    "FALSE_POSITIVE",
    "NOT_ACTIONABLE",
    "OTHER",
    "SUPPRESSED",
    "AUTO_CLOSE",
    "DISMISSED",
];

#[derive(Debug, Subcommand)]
pub(super) enum DetectionCommand {
    /// Searches detections
    #[command(
        after_help = "Example:\n  sophos fusion detections list 'from alert EARLIEST=-7d' --all-tenants"
    )]
    List {
        /// A query, such as 'from alert severity >= 0.6 EARLIEST=-1d'
        query: String,
    },
    /// Shows a detection
    Get {
        /// The id of the detection
        #[arg(value_name = "DETECTION")]
        id: String,
    },
    /// Counts detections, with a partner's credential those of all tenants
    Counts {
        /// A query, such as 'from alert severity >= 0.6 EARLIEST=-1d'
        query: String,
    },
    /// Sets the resolution of detections
    #[command(after_help = CHANGE_HELP)]
    Update {
        /// The ids of the detections
        #[arg(required = true, value_name = "DETECTION")]
        ids: Vec<String>,
        /// The resolution
        #[arg(long, value_parser = PossibleValuesParser::new(RESOLUTIONS), ignore_case = true)]
        status: String,
        /// The reason
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
}

/// Runs a command.
///
/// # Errors
/// When the tenant has not moved, or a request fails.
pub(super) async fn run(command: DetectionCommand, context: &Context) -> Result<(), Failure> {
    match command {
        DetectionCommand::List { query } => {
            let mut operation = SearchDetections::new(query);
            if let Some(limit) = context.globals.limit.and_then(|limit| u32::try_from(limit).ok()) {
                operation = operation.limit(limit.clamp(1, MAX_DETECTIONS));
            }
            list(context, &operation, &COLUMNS, "detection").await
        }
        DetectionCommand::Get { id } => {
            let tenant = moved_tenant(context).await?;
            let page = tenant.send(&GetDetections::new([id.as_str()])).await?;
            let detection = page.alerts.list.first().ok_or_else(|| {
                Failure::new(Exit::NotFound, format!("unknown detection \"{id}\": expected an id"))
                    .hint("run `sophos fusion detections list 'from alert EARLIEST=-7d'`")
            })?;
            write_one(context, parse(detection.json())?)
        }
        DetectionCommand::Counts { query } => count(context, &CountDetectionsByTenant::new(query)).await,
        DetectionCommand::Update { ids, status, reason } => {
            let status = status.to_ascii_uppercase();
            let mut operation = UpdateDetectionResolution::new(&ids, ResolutionStatus::from(status.as_str()));
            operation.reason = reason;
            let tenant = moved_tenant(context).await?;
            let change = change(&format!("set the resolution {status} for"), "detection", ids);
            send_changes(context, &tenant, &change, &[operation]).await
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolutions_are_known_to_the_client() {
        let is_known = |name: &&str| !format!("{:?}", ResolutionStatus::from(*name)).starts_with('_');
        assert!(RESOLUTIONS.iter().all(is_known) && !is_known(&"x"));
    }
}
