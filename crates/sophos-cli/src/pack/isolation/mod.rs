//! `sophos isolation`: the isolation of endpoints on alerts of other tools.

mod check;
mod decisions;
mod engine;
mod policy_file;
mod scratch_ledger;
mod sender_secrets;
mod serve;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{ArgMatches, Args, Command, FromArgMatches, Subcommand, ValueHint};
use sophos_isolation::{DecisionId, EngineError, LedgerStoreError, policy::PolicyError};

use super::values::parse_duration;
use crate::{context::Context, exit::Failure};

/// The name of the command.
pub(super) const NAME: &str = "isolation";

#[derive(Debug, Subcommand)]
enum IsolationCommand {
    /// Shows what an alert would do, and why; changes nothing
    Check(CheckArgs),
    /// Receives alerts on this machine, and isolates endpoints as the policy allows
    ///
    /// Webhook and worker run in this process, with a folder as the ledger. Send alerts to
    /// http://ADDRESS/hooks/SOURCE. Ctrl-C ends it after the current decisions.
    Serve(ServeArgs),
    /// Lists and answers the decisions of a ledger
    #[command(subcommand)]
    Decisions(DecisionsCommand),
}

#[derive(Debug, Args)]
struct CheckArgs {
    /// The policy
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    policy: PathBuf,

    /// The source in the policy that the alert comes from
    #[arg(long, value_name = "NAME")]
    source: String,

    /// The alert, as the tool sends it; - for standard input
    #[arg(value_name = "PAYLOAD", value_hint = ValueHint::FilePath)]
    payload: PathBuf,

    /// The ledger, for earlier decisions and used budgets: a folder, or s3://bucket/prefix
    #[arg(long, value_name = "LOCATION", value_hint = ValueHint::DirPath)]
    ledger: Option<String>,

    /// The Idempotency-Key header of the request
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,

    /// Evaluates the policy alone, without a request to Sophos Central
    #[arg(long)]
    offline: bool,
}

#[derive(Debug, Args)]
struct ServeArgs {
    /// The policy; a changed file takes effect at once
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    policy: PathBuf,

    /// The ledger: a folder, or s3://bucket/prefix
    #[arg(long, value_name = "LOCATION", value_hint = ValueHint::DirPath)]
    ledger: String,

    /// The secrets of the senders, a TOML file that only its owner may read
    /// [default: the variables SECRET_…]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    secrets: Option<PathBuf>,

    /// The address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,

    /// The interval in which open decisions are followed up
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, default_value = "10s")]
    follow_up: Duration,
}

#[derive(Debug, Subcommand)]
enum DecisionsCommand {
    /// Lists decisions, the latest first
    List(ListArgs),
    /// Shows a decision with all its transitions
    Show(ShowArgs),
    /// Approves a decision that awaits approval
    Approve(AnswerArgs),
    /// Declines a decision that awaits approval
    Decline(AnswerArgs),
    /// Releases the endpoint of a decision
    Release(AnswerArgs),
}

#[derive(Debug, Args)]
struct LedgerArgs {
    /// The ledger: a folder, or s3://bucket/prefix
    #[arg(long, value_name = "LOCATION", value_hint = ValueHint::DirPath)]
    ledger: String,
}

#[derive(Debug, Args)]
struct ListArgs {
    #[command(flatten)]
    ledger: LedgerArgs,

    /// Only decisions that have not ended
    #[arg(long)]
    open: bool,

    /// Only decisions in this state, such as pending_approval
    #[arg(long, value_name = "STATE")]
    state: Option<String>,

    /// Only decisions of this source
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
}

#[derive(Debug, Args)]
struct ShowArgs {
    #[command(flatten)]
    ledger: LedgerArgs,

    /// The decision's id
    #[arg(value_name = "ID", value_parser = parse_decision)]
    id: DecisionId,
}

#[derive(Debug, Args)]
struct AnswerArgs {
    #[command(flatten)]
    ledger: LedgerArgs,

    /// The decision's id
    #[arg(value_name = "ID", value_parser = parse_decision)]
    id: DecisionId,

    /// The name in the ledger [default: the name of this user]
    #[arg(long, value_name = "NAME")]
    by: Option<String>,

    /// The policy: carries the answer out at once. Without it the worker of the ledger
    /// does, at its next follow-up
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    policy: Option<PathBuf>,
}

fn parse_decision(id: &str) -> Result<DecisionId, String> {
    id.parse().map_err(|_| "expected the id of a decision, such as iso-0123456789abcdef01234567".to_owned())
}

/// The command.
pub(super) fn command() -> Command {
    let command = Command::new(NAME)
        .about("Isolate endpoints on alerts of other tools, within a policy")
        .subcommand_required(true)
        .arg_required_else_help(true);
    IsolationCommand::augment_subcommands(command)
}

/// Runs the command.
///
/// # Errors
/// When it fails.
pub(super) async fn run(matches: &ArgMatches, context: &Context) -> Result<(), Failure> {
    let command =
        IsolationCommand::from_arg_matches(matches).map_err(|error| Failure::usage(error.to_string()))?;
    match command {
        IsolationCommand::Check(args) => check::run(&args, context).await,
        IsolationCommand::Serve(args) => Box::pin(serve::run(&args, context)).await,
        IsolationCommand::Decisions(command) => match command {
            DecisionsCommand::List(args) => decisions::list(&args, context).await,
            DecisionsCommand::Show(args) => decisions::show(&args, context).await,
            DecisionsCommand::Approve(args) => decisions::approve(&args, context).await,
            DecisionsCommand::Decline(args) => decisions::decline(&args, context).await,
            DecisionsCommand::Release(args) => decisions::release(&args, context).await,
        },
    }
}

impl From<PolicyError> for Failure {
    fn from(error: PolicyError) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<LedgerStoreError> for Failure {
    fn from(error: LedgerStoreError) -> Self {
        Self::other(error.to_string()).hint("check --ledger and the permissions on it")
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Store(error) => error.into(),
            EngineError::Service(error) => error.into(),
            error => Self::other(error.to_string()),
        }
    }
}
