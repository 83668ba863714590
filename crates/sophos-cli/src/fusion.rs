//! `sophos fusion`: cases and detections of tenants that have moved to Sophos Fusion.

mod case_comments;
mod case_evidence;
mod case_fields;
mod cases;
mod change;
mod detections;
mod list;
mod reference_data;

use clap::{ArgMatches, Command, FromArgMatches, Subcommand};
use sophos_api::{BaseUrl, Platform};

use crate::{
    connect::{CliTenant, hosts},
    context::Context,
    exit::{Exit, Failure},
    fusion::{cases::CaseCommand, detections::DetectionCommand},
    json::Json,
};

/// The end of the help of a command that changes something.
const CHANGE_HELP: &str = "It says what it will do and asks; --yes agrees, --dry-run shows the request.";

#[derive(Debug, Subcommand)]
enum FusionCommand {
    /// Cases, their comments and their evidence
    #[command(subcommand, arg_required_else_help = true)]
    Cases(Box<CaseCommand>),
    /// Detections and their resolution
    #[command(subcommand, arg_required_else_help = true)]
    Detections(DetectionCommand),
}

/// Builds the command.
pub(crate) fn command() -> Command {
    let command = Command::new("fusion")
        .about("Cases and detections of tenants that have moved to Sophos Fusion")
        .subcommand_required(true)
        .arg_required_else_help(true);
    FusionCommand::augment_subcommands(command)
}

/// Runs the command.
///
/// # Errors
/// When the tenant has not moved, or a request fails.
pub(crate) async fn run(matches: &ArgMatches, context: &Context) -> Result<(), Failure> {
    let command =
        FusionCommand::from_arg_matches(matches).map_err(|error| Failure::usage(error.to_string()))?;
    let result = match command {
        FusionCommand::Cases(command) => cases::run(*command, context).await,
        FusionCommand::Detections(command) => detections::run(command, context).await,
    };
    result.map_err(|failure| with_next_step(failure, matches))
}

/// Adds the next step to a failure without one.
fn with_next_step(failure: Failure, matches: &ArgMatches) -> Failure {
    let noun = matches.subcommand();
    let verb = noun.and_then(|(_, matches)| matches.subcommand_name());
    match (noun, verb) {
        _ if failure.hint.is_some() || failure.message.is_empty() => failure,
        (Some((noun, _)), Some(verb)) if failure.exit == Exit::Usage => {
            failure.hint(format!("run `sophos fusion {noun} {verb} --help`"))
        }
        (Some((noun, _)), _) if failure.exit == Exit::NotFound => {
            failure.hint(format!("run `sophos fusion {noun} list`"))
        }
        _ => failure,
    }
}

/// The command in place of a refused operation, by the name of the operation that
/// [replaces](sophos_api::Error::replacement) it.
pub(crate) fn replacement_command(operation: &str) -> &'static str {
    match operation.trim_start_matches("fusion::") {
        "cases::ListCases" => "sophos fusion cases list",
        "cases::GetCase" => "sophos fusion cases get",
        "cases::CreateCase" => "sophos fusion cases create",
        "cases::UpdateCase" => "sophos fusion cases update",
        "cases::GetCaseEvidence" => "sophos fusion cases evidence",
        "detections::GetDetections" => "sophos fusion detections get",
        "detections::SearchDetections" | "detections::PollDetections" => "sophos fusion detections list",
        "detections::AggregateDetectionsBySeverity" => "sophos fusion detections counts",
        _ => "sophos fusion --help",
    }
}

/// The chosen tenant, which has moved.
///
/// # Errors
/// As for [`require_moved`], and when no tenant is chosen.
async fn moved_tenant(context: &Context) -> Result<CliTenant, Failure> {
    let tenant = context.session().await?.selected_tenant(context).await?;
    require_moved(context, &tenant).await?;
    Ok(tenant)
}

/// The host of Sophos Fusion.
///
/// # Errors
/// When the profile has none.
async fn fusion_host(context: &Context) -> Result<BaseUrl, Failure> {
    let hosts = hosts(&context.session().await?.profile)?;
    hosts.fusion().cloned().ok_or_else(|| {
        Failure::usage("missing host of Sophos Fusion")
            .hint("set `fusion_url` in the profile, or SOPHOS_FUSION_URL")
    })
}

/// Rejects a tenant that has not moved: its cases and detections are elsewhere.
async fn require_moved(context: &Context, tenant: &CliTenant) -> Result<(), Failure> {
    fusion_host(context).await?;
    if tenant.platform().await? == Platform::Fusion {
        return Ok(());
    }
    Err(Failure::usage(format!("the tenant {} has not moved to Sophos Fusion", tenant.id()))
        .hint("use `sophos cases` and `sophos detections`"))
}

fn parse(json: &str) -> Result<Json, Failure> {
    serde_json::from_str(json).map_err(|error| Failure::other(format!("reading a record failed: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replacement_commands_exist() {
        let mut count = 0;
        for operation in sophos_api::catalog::operations() {
            let Some(replacement) = operation.route().fusion_replacement else { continue };
            let path = replacement_command(replacement);
            let words = path.split(' ').skip(2).map(str::to_owned);
            let command =
                words.clone().try_fold(command(), |command, word| command.find_subcommand(word).cloned());
            assert!(words.count() == 2 && command.is_some(), "{replacement}: {path}");
            count += 1;
        }
        assert!(count >= 15, "{count} operations");
    }
}
