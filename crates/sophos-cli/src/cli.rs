//! The command tree and its dispatch.

use std::{io::Write, process::ExitCode, sync::atomic::Ordering};

use clap::{ArgMatches, Args, Command, FromArgMatches};

use crate::{
    api, completion, config,
    context::Context,
    exit::{Exit, Failure},
    fusion,
    global_args::{ColorChoice, GlobalArgs},
    nouns::NOUNS,
    pack,
    verb::{noun_command, run_noun},
};

/// The text at the end of `sophos --help`.
const AFTER_HELP: &str = "\
Examples:
  sophos config init
  sophos config test
  sophos endpoints list --health-status bad --all-tenants
  sophos api ListAlerts -f severity=high --paginate

Exit codes: 0 success, 1 failure, 2 usage, 3 partial failure, 4 authentication,
5 not found, 6 not permitted by role, type or licence, 7 rate limit, 130 interrupted.";

/// Builds the command tree.
pub(crate) fn command() -> Command {
    let command = GlobalArgs::augment_args(Command::new("sophos"))
        .version(env!("CARGO_PKG_VERSION"))
        .about("The command line of Sophos Central")
        .after_help(AFTER_HELP)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(false)
        .max_term_width(100)
        .subcommand(config::commands::command())
        .subcommand(api::command())
        .subcommand(fusion::command())
        .subcommands(completion::commands())
        .subcommands(pack::commands());
    NOUNS.iter().fold(command, |command, noun| command.subcommand(noun_command(noun)))
}

/// Parses the arguments, runs the command, and reports its failure.
pub(crate) fn main() -> ExitCode {
    completion::complete_if_requested();
    let matches = match command().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(Exit::Usage as u8));
        }
    };
    match run(&matches) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            report(&failure);
            ExitCode::from(failure.exit as u8)
        }
    }
}

fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let globals = GlobalArgs::from_arg_matches(matches).map_err(|error| Failure::usage(error.to_string()))?;
    match globals.color {
        ColorChoice::Always => console::set_colors_enabled_stderr(true),
        ColorChoice::Never => console::set_colors_enabled_stderr(false),
        ColorChoice::Auto => {}
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::other(format!("starting the runtime failed: {error}")))?;
    runtime.block_on(async {
        let context = Context::new(globals)?;
        tokio::select! {
            result = dispatch(matches, &context) => result,
            () = interrupted(&context) => Err(Failure::new(Exit::Interrupted, "interrupted")),
        }
    })
}

/// Waits for Ctrl-C; for the second if the command ends cleanly after the first.
async fn interrupted(context: &Context) {
    let _ = tokio::signal::ctrl_c().await;
    if context.ends_itself.load(Ordering::Relaxed) {
        let _ = tokio::signal::ctrl_c().await;
    }
}

async fn dispatch(matches: &ArgMatches, context: &Context) -> Result<(), Failure> {
    let Some((name, matches)) = matches.subcommand() else {
        return Err(Failure::usage("missing command: see `sophos --help`"));
    };
    match name {
        "config" => return config::commands::run(matches, context).await,
        "api" => return api::run(matches, context).await,
        "fusion" => return fusion::run(matches, context).await,
        "completions" => return completion::print_script(matches),
        "man" => return completion::write_man_pages(matches, context),
        _ => {}
    }
    if let Some(result) = pack::run(name, matches, context).await {
        return result;
    }
    if let Some(noun) = NOUNS.iter().find(|noun| noun.name == name) {
        return run_noun(noun, matches, context).await;
    }
    Err(Failure::usage(format!("unknown command \"{name}\": see `sophos --help`")))
}

/// Prints a failure and the next step on standard error.
fn report(failure: &Failure) {
    if failure.message.is_empty() {
        return;
    }
    let mut stderr = std::io::stderr().lock();
    let label = console::style("error:").for_stderr().red().bold();
    let _ = writeln!(stderr, "{label} {}", failure.message);
    if let Some(hint) = &failure.hint {
        let _ = writeln!(stderr, "{} {hint}", console::style(" next:").for_stderr().bold());
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeSet,
        fs,
        path::{Path, PathBuf},
    };

    use clap::Command;

    use super::command;

    /// The commands that other tests run, and those tests.
    const TESTED_ELSEWHERE: [(&str, &str); 3] = [
        ("credentials stage", "tests/tests/cli_secrets_manager.rs of the workspace, with an emulator"),
        ("export send", "tests/pack_export_send.rs, with receivers"),
        ("isolation serve", "tests/pack_isolation_serve.rs: it runs until Ctrl-C"),
    ];

    /// The names of all commands without subcommands, such as `endpoints list`.
    fn leaf_commands(command: &Command, path: &str, leaves: &mut BTreeSet<String>) {
        for child in command.get_subcommands() {
            let path = format!("{path} {}", child.get_name());
            if child.has_subcommands() {
                leaf_commands(child, &path, leaves);
            } else {
                leaves.insert(path.trim_start().to_owned());
            }
        }
    }

    fn golden_files(folder: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
        let files = entries.flat_map(|path| if path.is_dir() { golden_files(&path) } else { vec![path] });
        files.filter(|path| path.extension().is_some_and(|end| end == "trycmd")).collect()
    }

    /// The commands of a golden file that succeed and print their output.
    fn successful_commands(text: &str) -> impl Iterator<Item = &str> {
        let commands =
            text.split("\n$ sophos ").skip(1).map(|block| block.split_once('\n').unwrap_or((block, "")));
        let real = commands.filter(|(line, output)| {
            !output.trim().is_empty()
                && !output.starts_with("? ")
                && line.split(' ').all(|word| !["--help", "--dry-run"].contains(&word))
        });
        real.map(|(line, _)| line)
    }

    #[test]
    fn every_command_has_a_golden_test() {
        let mut leaves = BTreeSet::new();
        leaf_commands(&command(), "", &mut leaves);
        assert!(leaves.contains("endpoints list") && leaves.contains("isolation decisions show"));
        for (name, _) in TESTED_ELSEWHERE {
            assert!(leaves.remove(name), "unknown command {name}");
        }
        for file in golden_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cmd")) {
            let text = fs::read_to_string(file).expect("a text");
            for line in successful_commands(&text) {
                leaves.retain(|leaf| line != leaf && !line.starts_with(&format!("{leaf} ")));
            }
        }
        assert!(leaves.is_empty(), "no successful run in tests/cmd of: {leaves:#?}");
    }
}
