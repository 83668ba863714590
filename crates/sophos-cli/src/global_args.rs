//! The options of every command.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};
use clap_complete::ArgValueCompleter;

use crate::completion;

/// The options of every command.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArgs {
    /// The profile of the configuration
    #[arg(long, global = true, env = "SOPHOS_PROFILE", value_name = "NAME", hide_env = true)]
    pub(crate) profile: Option<String>,

    /// The configuration file [default: ~/.config/sophos/config.toml]
    #[arg(long, global = true, env = "SOPHOS_CONFIG", value_name = "FILE", value_hint = ValueHint::FilePath, hide_env = true)]
    pub(crate) config: Option<PathBuf>,

    /// The tenant, by name or id
    #[arg(long, short = 't', global = true, env = "SOPHOS_TENANT", value_name = "NAME|ID", hide_env = true, add = ArgValueCompleter::new(completion::tenants))]
    pub(crate) tenant: Option<String>,

    /// All tenants of the credential, concurrently
    #[arg(long, global = true, conflicts_with = "tenant")]
    pub(crate) all_tenants: bool,

    /// The format of the output [default: table on a terminal, else jsonl]
    #[arg(long, short = 'o', global = true, value_enum, value_name = "FORMAT", hide_possible_values = true)]
    pub(crate) output: Option<OutputFormat>,

    /// The columns, as names or JSON pointers, such as hostname,/os/name
    #[arg(long, global = true, value_delimiter = ',', value_name = "LIST")]
    pub(crate) columns: Vec<String>,

    /// A jq filter for each record
    #[arg(long, global = true, value_name = "FILTER")]
    pub(crate) jq: Option<String>,

    /// The maximum number of records
    #[arg(long, global = true, value_name = "N")]
    pub(crate) limit: Option<u64>,

    /// Makes changes without a question
    #[arg(long, short = 'y', global = true)]
    pub(crate) yes: bool,

    /// Shows the request of a change, and does not send it
    #[arg(long, global = true)]
    pub(crate) dry_run: bool,

    /// Colours: auto, always or never
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "WHEN",
        default_value_t,
        hide_default_value = true,
        hide_possible_values = true
    )]
    pub(crate) color: ColorChoice,

    /// Prints no progress and no summaries
    #[arg(long, short = 'q', global = true)]
    pub(crate) quiet: bool,

    /// Prints each request, its status and its ids, without secrets
    #[arg(long, global = true)]
    pub(crate) debug: bool,
}

/// The format of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// A table
    Table,
    /// One JSON document
    Json,
    /// One JSON value per line
    Jsonl,
    /// Comma-separated values, safe for spreadsheets
    Csv,
    /// YAML
    Yaml,
}

/// When output has colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}
