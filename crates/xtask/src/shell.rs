//! Child processes, with one short line for each step.

use std::{
    env,
    ffi::{OsStr, OsString},
    io,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

use crate::error::Error;

/// A `cargo` command in `folder`.
pub(crate) fn cargo(folder: &Path) -> Command {
    let mut command = program(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    command.current_dir(folder).stdin(Stdio::null());
    command
}

/// A command with the environment of the caller's shell.
///
/// `cargo run` adds variables about this package. They would trigger rebuilds of packages whose
/// build scripts depend on them.
pub(crate) fn program(path: impl AsRef<OsStr>) -> Command {
    const ABOUT_THIS_PACKAGE: [&str; 3] = ["CARGO_BIN_", "CARGO_MANIFEST_", "CARGO_PKG_"];
    let mut command = Command::new(path);
    for (key, _) in env::vars_os() {
        let name = key.to_string_lossy();
        if ABOUT_THIS_PACKAGE.iter().any(|prefix| name.starts_with(prefix)) {
            command.env_remove(&key);
        }
    }
    command
}

/// Runs a step and prints its name and duration.
pub(crate) fn step<T>(name: &str, run: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    let begin = Instant::now();
    let result = run();
    let verdict = if result.is_ok() { "done" } else { "failed" };
    println!("{name}: {verdict} in {:.1} s", begin.elapsed().as_secs_f64());
    result
}

/// Runs a program with its output on the terminal. `hint` is the remedy in the error.
pub(crate) fn run(command: &mut Command, hint: &str) -> Result<(), Error> {
    let status = command.status().map_err(|error| spawn_error(command, &error))?;
    if status.success() { Ok(()) } else { Err(exit_error(command, &status.to_string(), hint)) }
}

/// Runs a program without output. Returns whether it succeeded, and its standard error.
pub(crate) fn stderr(command: &mut Command) -> Result<(bool, String), Error> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| spawn_error(command, &error))?;
    Ok((output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned()))
}

/// Runs a program without output and returns its standard output.
pub(crate) fn stdout(command: &mut Command, hint: &str) -> Result<String, Error> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| spawn_error(command, &error))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    Err(exit_error(command, &format!("{}\n{}", output.status, text.trim()), hint))
}

/// Runs a program and prints its standard output. Calls `see` with each line and returns
/// whether the program succeeded.
pub(crate) fn stream(command: &mut Command, mut see: impl FnMut(&str)) -> Result<bool, Error> {
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(|error| spawn_error(command, &error))?;
    if let Some(stdout) = child.stdout.take() {
        copy_lines(BufReader::new(stdout), &mut see)
            .map_err(|error| Error::new(format!("printing the output failed: {error}")))?;
    }
    let status = child.wait().map_err(|error| spawn_error(command, &error))?;
    Ok(status.success())
}

fn copy_lines(mut from: impl BufRead, see: &mut impl FnMut(&str)) -> io::Result<()> {
    let mut line = Vec::new();
    while from.read_until(b'\n', &mut line)? > 0 {
        let mut stdout = io::stdout().lock();
        stdout.write_all(&line)?;
        stdout.flush()?;
        see(String::from_utf8_lossy(&line).trim_end());
        line.clear();
    }
    Ok(())
}

fn spawn_error(command: &Command, error: &io::Error) -> Error {
    Error::new(format!("starting `{}` failed: {error}", display_command(command)))
}

fn exit_error(command: &Command, how: &str, hint: &str) -> Error {
    Error::new(format!("`{}` failed: {how}\n{hint}", display_command(command)))
}

/// The command as typed in a shell.
fn display_command(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let program = program.file_name().unwrap_or(command.get_program());
    let words: Vec<_> =
        [program].into_iter().chain(command.get_args()).map(|word| word.to_string_lossy()).collect();
    words.join(" ")
}
