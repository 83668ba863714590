//! The commands of the pack: the jobs of the Lambda functions, without AWS.

mod client;
mod credentials;
mod export;
mod isolation;
mod store;
mod values;

use clap::{ArgMatches, Command};

use crate::{context::Context, exit::Failure};

/// The commands.
pub(crate) fn commands() -> Vec<Command> {
    vec![export::command(), isolation::command(), credentials::command()]
}

/// Runs the command of this name; `None` if the pack has none.
pub(crate) async fn run(name: &str, matches: &ArgMatches, context: &Context) -> Option<Result<(), Failure>> {
    match name {
        export::NAME => Some(export::run(matches, context).await),
        isolation::NAME => Some(isolation::run(matches, context).await),
        credentials::NAME => Some(credentials::run(matches, context).await),
        _ => None,
    }
}
