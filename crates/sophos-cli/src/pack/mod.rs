//! The commands of the pack: its own jobs, without AWS.

use clap::{ArgMatches, Command};

use crate::{context::Context, exit::Failure};

/// The commands.
pub(crate) fn commands() -> Vec<Command> {
    Vec::new()
}

/// Runs the command of this name; `None` if the pack has none.
pub(crate) async fn run(
    _name: &str,
    _matches: &ArgMatches,
    _context: &Context,
) -> Option<Result<(), Failure>> {
    None
}
