//! Shell completion and man pages.

use std::{ffi::OsStr, path::PathBuf};

use clap::{Arg, ArgMatches, Command, builder::PossibleValuesParser, value_parser};
use clap_complete::{CompleteEnv, CompletionCandidate, env::Shells};

use crate::{cli, context::Context, exit::Failure, tenant_cache};

/// The shells with completion.
const SHELLS: [&str; 5] = ["bash", "elvish", "fish", "powershell", "zsh"];

/// Completes a command line, if the shell asks for it, and ends the program.
pub(crate) fn complete_if_requested() {
    CompleteEnv::with_factory(cli::command).complete();
}

/// The tenants of the last listing.
pub(crate) fn tenants(current: &OsStr) -> Vec<CompletionCandidate> {
    let typed = current.to_string_lossy().to_lowercase();
    let profile = std::env::var("SOPHOS_PROFILE").ok();
    tenant_cache::load(profile.as_deref())
        .into_iter()
        .filter(|(name, id)| name.to_lowercase().starts_with(&typed) || id.starts_with(&typed))
        .map(|(name, id)| CompletionCandidate::new(name).help(Some(id.into())))
        .collect()
}

/// `sophos completions` and `sophos man`.
pub(crate) fn commands() -> [Command; 2] {
    [
        Command::new("completions")
            .about("Prints the completion script of a shell")
            .arg(Arg::new("shell").value_name("SHELL").required(true).value_parser(PossibleValuesParser::new(SHELLS)).help("The shell"))
            .after_help("Examples:\n  source <(sophos completions bash)\n  sophos completions fish > ~/.config/fish/completions/sophos.fish"),
        Command::new("man")
            .about("Writes the man pages to a folder")
            .arg(Arg::new("folder").value_name("FOLDER").required(true).value_parser(value_parser!(PathBuf)).help("The folder"))
            .after_help("Example:\n  sophos man ~/.local/share/man/man1"),
    ]
}

/// Prints the script of a shell.
///
/// # Errors
/// When the output fails.
pub(crate) fn print_script(matches: &ArgMatches) -> Result<(), Failure> {
    let shell = matches.get_one::<String>("shell").map(String::as_str).unwrap_or_default();
    let shells = Shells::builtins();
    let completer =
        shells.completer(shell).ok_or_else(|| Failure::usage(format!("unknown shell \"{shell}\"")))?;
    Ok(completer.write_registration("COMPLETE", "sophos", "sophos", "sophos", &mut std::io::stdout())?)
}

/// Writes the man pages.
///
/// # Errors
/// When the folder cannot be written.
pub(crate) fn write_man_pages(matches: &ArgMatches, context: &Context) -> Result<(), Failure> {
    let Some(folder) = matches.get_one::<PathBuf>("folder") else { return Ok(()) };
    let failed =
        |error: std::io::Error| Failure::other(format!("writing to {} failed: {error}", folder.display()));
    std::fs::create_dir_all(folder).map_err(failed)?;
    clap_mangen::generate_to(cli::command(), folder).map_err(failed)?;
    context.note(&format!("Wrote the man pages to {}", folder.display()));
    Ok(())
}
