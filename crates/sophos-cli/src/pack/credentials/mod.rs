//! `sophos credentials`: the stored credentials of the functions.

mod check;
mod list;
mod location;
mod stage;

use clap::{ArgMatches, Args, Command, FromArgMatches, Subcommand};
use jiff::civil::Date;
use sophos_secrets::Purpose;

use self::location::LocationArgs;
use crate::{context::Context, exit::Failure};

/// The name of the command.
pub(super) const NAME: &str = "credentials";

#[derive(Debug, Subcommand)]
enum CredentialsCommand {
    /// Lists stored credentials: owner, role, expiry, staged versions, problems
    List(ListArgs),
    /// Tests each stored credential against Sophos Central; changes nothing
    Check(CheckArgs),
    /// Stages a new credential in its secret, for the next rotation
    ///
    /// The client secret is read from standard input or a hidden prompt. It is never an
    /// argument, and never printed.
    Stage(StageArgs),
}

#[derive(Debug, Args)]
struct ListArgs {
    #[command(flatten)]
    location: LocationArgs,

    /// The days without use after which a credential counts as unused
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = clap::value_parser!(i64).range(1..))]
    unused_days: i64,
}

#[derive(Debug, Args)]
struct CheckArgs {
    #[command(flatten)]
    location: LocationArgs,

    /// The credential, by its name in the location [default: all]
    #[arg(value_name = "NAME")]
    names: Vec<String>,
}

#[derive(Debug, Args)]
struct StageArgs {
    /// The secret in Secrets Manager, by name or ARN
    #[arg(value_name = "SECRET")]
    secret: String,

    /// The client id of the new credential. Without it standard input is the whole
    /// credential as JSON
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,

    /// The role: read_only, forensics, management or super_admin [default: the current
    /// credential's]
    #[arg(long, value_name = "ROLE", value_parser = ["read_only", "forensics", "management", "super_admin"], hide_possible_values = true)]
    role: Option<String>,

    /// The purposes [default: the current credential's]
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    used_for: Vec<Purpose>,

    /// The day of its creation in the console [default: today]
    #[arg(long, value_name = "DATE")]
    created_at: Option<Date>,

    /// The day of its expiry [default: 36 months after its creation]
    #[arg(long, value_name = "DATE")]
    expires_at: Option<Date>,

    /// Stores the credential without a test against Sophos Central
    #[arg(long)]
    no_test: bool,
}

/// The command.
pub(super) fn command() -> Command {
    let command = Command::new(NAME)
        .about("List, test and stage the stored credentials of the functions")
        .subcommand_required(true)
        .arg_required_else_help(true);
    CredentialsCommand::augment_subcommands(command)
}

/// Runs the command.
///
/// # Errors
/// When it fails.
pub(super) async fn run(matches: &ArgMatches, context: &Context) -> Result<(), Failure> {
    let command =
        CredentialsCommand::from_arg_matches(matches).map_err(|error| Failure::usage(error.to_string()))?;
    match command {
        CredentialsCommand::List(args) => list::run(&args, context).await,
        CredentialsCommand::Check(args) => check::run(&args, context).await,
        CredentialsCommand::Stage(args) => stage::run(&args, context).await,
    }
}
