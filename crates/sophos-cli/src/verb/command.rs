//! The clap command of a noun.

use clap::Command;

use crate::verb::{Kind, Noun, arguments};

/// The command of a noun with its verbs.
pub(crate) fn noun_command(noun: &'static Noun) -> Command {
    let mut command =
        Command::new(noun.name).about(noun.about).subcommand_required(true).arg_required_else_help(true);
    for verb in noun.verbs {
        let mut sub = arguments::add(verb, Command::new(verb.name).about(verb.about));
        let mut notes = String::new();
        if !verb.calls.is_empty() {
            notes.push_str("Requests:\n");
        }
        for call in verb.calls {
            notes.push_str(&format!("  {}\n", call.route()));
        }
        if let Kind::Change(_) = verb.kind {
            notes
                .push_str("\nIt says what it will do and asks; --yes agrees, --dry-run shows the request.\n");
        }
        if !verb.examples.is_empty() {
            notes.push_str("\nExamples:\n");
            for example in verb.examples {
                notes.push_str(&format!("  sophos {example}\n"));
            }
        }
        if !notes.is_empty() {
            sub = sub.after_help(notes.trim_end().to_owned());
        }
        command = command.subcommand(sub);
    }
    command
}
