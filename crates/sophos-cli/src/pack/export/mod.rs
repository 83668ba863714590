//! `sophos export`: alerts and events into a folder or a bucket.

mod lake;
mod outcome;
mod progress;
mod run;
mod send;
mod status;
mod verify;

use std::{path::PathBuf, time::Duration};

use clap::{ArgMatches, Args, Command, FromArgMatches, Subcommand, ValueHint};
use sophos_export::{Dataset, FormatSelection, StreamId};
use sophos_lake::Class;

use self::send::{Destination, Facility, RowFormat, parse_hostname};
use super::values::parse_duration;
use crate::{
    context::Context,
    exit::{Exit, Failure},
};

/// The name of the command.
pub(super) const NAME: &str = "export";

#[derive(Debug, Subcommand)]
enum ExportCommand {
    /// Exports new alerts and events into a folder or a bucket
    ///
    /// The first run reads the last 24 hours. Each later run continues where the last one
    /// committed, also after a crash. Ctrl-C commits what was read, and ends.
    Run(RunArgs),
    /// Shows the state of each exported stream
    Status(StatusArgs),
    /// Proves every committed object by size, hash and rows
    ///
    /// Exits with 3 if an object or a log record is missing, changed or uncommitted.
    Verify(VerifyArgs),
    /// Writes new rows of an export as OCSF into Parquet objects
    ///
    /// Each row is written once. A later run continues where the last one ended, also
    /// after a crash.
    Lake(LakeArgs),
    /// Sends new rows of an export to a receiver of syslog
    ///
    /// It sends committed rows, of each stream in the order of its log, as messages by
    /// RFC 5424. A later run continues after the last confirmed row. After a failure it
    /// repeats rows rather than losing some.
    Send(SendArgs),
}

#[derive(Debug, Args)]
struct RunArgs {
    /// The destination: a folder, or s3://bucket/prefix
    #[arg(long, value_name = "LOCATION", value_hint = ValueHint::DirPath)]
    to: String,

    /// The datasets [default: events,alerts]
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    dataset: Vec<Dataset>,

    /// The ledger of isolation for the dataset isolations: a folder, or s3://bucket/prefix
    #[arg(long, value_name = "LOCATION", value_hint = ValueHint::DirPath)]
    ledger: Option<String>,

    /// The format, and others for some datasets, such as ndjson.gz,endpoints=parquet
    #[arg(long, value_name = "FORMAT", default_value = "ndjson.gz")]
    format: FormatSelection,

    /// Repeats the run in this interval until Ctrl-C, such as 5m
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    every: Option<Duration>,

    /// Ends the run after this time; the next run continues
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    time_limit: Option<Duration>,

    /// The number of streams at the same time
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=64))]
    concurrency: u64,

    /// The end of the feed that the next run reads again, since records appear late
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, default_value = "10m")]
    overlap: Duration,

    /// The rows after which a stream commits and continues
    #[arg(long, value_name = "N", default_value_t = 250_000, value_parser = clap::value_parser!(u64).range(1_000..))]
    rows_per_commit: u64,

    /// The greatest difference of Sophos Central's clock that is trusted
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, default_value = "2m")]
    max_clock_skew: Duration,
}

#[derive(Debug, Args)]
struct StatusArgs {
    /// The export: a folder, or s3://bucket/prefix
    #[arg(long, value_name = "LOCATION", value_hint = ValueHint::DirPath)]
    at: String,

    /// The commits of each stream that rows and gaps are summed over, from the last
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    commits: u64,
}

#[derive(Debug, Args)]
struct VerifyArgs {
    /// The export: a folder, or s3://bucket/prefix
    #[arg(long, value_name = "LOCATION", value_hint = ValueHint::DirPath)]
    at: String,

    /// Proves as well that no row is there twice; takes about 100 bytes of memory a row
    #[arg(long)]
    compare_rows: bool,
}

#[derive(Debug, Args)]
struct LakeArgs {
    /// The export: a folder, or s3://bucket/prefix
    #[arg(long, value_name = "LOCATION", value_hint = ValueHint::DirPath)]
    from: String,

    /// The lake: a folder, or s3://bucket/prefix
    #[arg(long, value_name = "LOCATION", value_hint = ValueHint::DirPath)]
    to: String,

    /// The classes of OCSF: 2004, 5001, 7001, 7002, 7003 [default: 2004,5001,7002]
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    class: Vec<Class>,

    /// The prefix of the folders, which end in the class
    #[arg(long, value_name = "NAME", default_value = "sophos")]
    source_prefix: String,
}

#[derive(Debug, Args)]
struct SendArgs {
    /// The export: a folder, or s3://bucket/prefix
    #[arg(long, value_name = "LOCATION", value_hint = ValueHint::DirPath)]
    from: String,

    /// The receiver: udp://HOST:PORT, tcp://HOST:PORT or tls://HOST:PORT
    #[arg(long, value_name = "URL")]
    to: Destination,

    /// The text of a row: cef, cef-compatible, kv or kv-compatible
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t, hide_possible_values = true)]
    format: RowFormat,

    /// The datasets [default: events,alerts]
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    dataset: Vec<Dataset>,

    /// The file with the position after the last sent row [default: beside the folder]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    state: Option<PathBuf>,

    /// The age of the commits with which the first run begins, such as 24h [default: all]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    since: Option<Duration>,

    /// Repeats the run in this interval until Ctrl-C, such as 1m
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    every: Option<Duration>,

    /// The facility: user, daemon, auth, authpriv, or local0 to local7
    #[arg(long, value_name = "NAME", value_enum, default_value = "daemon", hide_possible_values = true)]
    facility: Facility,

    /// The host name in messages [default: that of this machine]
    #[arg(long, value_name = "NAME", value_parser = parse_hostname)]
    hostname: Option<String>,

    /// The length of the longest message; rows with a longer one are reported instead
    /// [default: 65507 with udp, else none]
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u64).range(480..))]
    max_message_size: Option<u64>,

    /// Continues after an object that is missing or damaged
    #[arg(long)]
    skip_unreadable: bool,

    /// TLS: the certificates that sign the receiver's, as PEM [default: those of the system]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    ca: Option<PathBuf>,

    /// TLS: the own certificate with its chain, as PEM
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "key")]
    cert: Option<PathBuf>,

    /// TLS: the key of the own certificate, as PEM
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "cert")]
    key: Option<PathBuf>,
}

/// The command.
pub(super) fn command() -> Command {
    let command = Command::new(NAME)
        .about("Export alerts and events without gaps or duplicates")
        .subcommand_required(true)
        .arg_required_else_help(true);
    ExportCommand::augment_subcommands(command)
}

/// Runs the command.
///
/// # Errors
/// When it fails.
pub(super) async fn run(matches: &ArgMatches, context: &Context) -> Result<(), Failure> {
    let command =
        ExportCommand::from_arg_matches(matches).map_err(|error| Failure::usage(error.to_string()))?;
    match command {
        ExportCommand::Run(args) => run::run(&args, context).await,
        ExportCommand::Status(args) => status::run(&args, context).await,
        ExportCommand::Verify(args) => verify::run(&args, context).await,
        ExportCommand::Lake(args) => lake::run(&args, context).await,
        ExportCommand::Send(args) => send::run(&args, context).await,
    }
}

/// The streams of an export, those of one tenant with `--tenant`.
async fn streams(store: &sophos_export::Store, context: &Context) -> Result<Vec<StreamId>, Failure> {
    let mut streams = sophos_export::list_streams(store).await.map_err(export_failure)?;
    if let Some(tenant) = &context.globals.tenant {
        streams.retain(|stream| stream.tenant.eq_ignore_ascii_case(tenant));
    }
    if streams.is_empty() {
        let location = store.location();
        let missing = match &context.globals.tenant {
            Some(tenant) => format!("{location} has no stream of the tenant \"{tenant}\""),
            None => format!("{location} has no export"),
        };
        let hint = match &context.globals.tenant {
            Some(_) => "name the tenant by its id; `sophos export status` without --tenant shows all",
            None => "check the location, or write an export with `sophos export run --to`",
        };
        return Err(Failure::new(Exit::NotFound, missing).hint(hint));
    }
    Ok(streams)
}

/// The failure of a whole command.
fn export_failure(error: sophos_export::Error) -> Failure {
    match error {
        sophos_export::Error::Service(error) => error.into(),
        sophos_export::Error::Store(error) => error.into(),
        error => Failure::other(error.to_string()),
    }
}
