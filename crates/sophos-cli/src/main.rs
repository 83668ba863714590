//! `sophos`: the command line of Sophos Central.

mod api;
mod cli;
mod completion;
mod config;
mod confirm;
mod connect;
mod context;
mod exit;
mod fusion;
mod global_args;
mod json;
mod nouns;
mod output;
mod pack;
mod tenant_cache;
mod transport;
mod verb;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
