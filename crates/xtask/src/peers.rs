//! `cargo xtask peers`: clients of other projects against the simulator.

mod chapter;
mod results;
mod simulator;

use std::{fs, path::Path};

use clap::Args;

use self::{
    results::{ClientResults, Outcome},
    simulator::RunningSimulator,
};
use crate::{end_to_end, error::Error, setup, shell, workspace::Workspace};

/// The folder of the checks and of the simulator's configuration.
const FOLDER: &str = "tests/peers";

/// The chapter with the expected results.
const CHAPTER: &str = "docs/reference/peers.md";

/// The checks, one program for each client.
const CHECKS: [&str; 4] =
    ["pysophoscentral_client.py", "connector_client.py", "sfos_sdk_client.py", "sophoscentral_client.py"];

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Write the results into the chapter, after an intended change
    #[arg(long)]
    update: bool,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<(), Error> {
    let python = setup::install_peers(workspace)?;
    // The same selection as `test` avoids a rebuild.
    end_to_end::build(workspace, "the simulator", &["--workspace", "--bins"])?;
    let mut clients = Vec::new();
    for check in CHECKS {
        clients.push(shell::step(check, || run_check(workspace, &python, check))?);
    }
    print!("{}", chapter::summary(&clients));
    for (client, function) in clients.iter().flat_map(ClientResults::unexplained) {
        println!("{client}: {}: {}", function.name, function.reason);
    }
    compare(&workspace.root.join(CHAPTER), &chapter::render(&clients), arguments.update)?;
    let unexplained = clients.iter().map(|client| client.count(Outcome::Unexplained)).sum::<usize>();
    if unexplained == 0 {
        return Ok(());
    }
    Err(Error::new(format!(
        "{unexplained} functions differ; fix the simulator, or explain the difference in {FOLDER}"
    )))
}

/// Runs the check of one client against a simulator of its own.
fn run_check(workspace: &Workspace, python: &Path, check: &str) -> Result<ClientResults, Error> {
    let folder = tempfile::tempdir()
        .map_err(|error| Error::new(format!("creating a temporary folder failed: {error}")))?;
    let checks = workspace.root.join(FOLDER);
    let simulator = RunningSimulator::start(workspace, &checks.join("simulator.toml"), folder.path())?;
    let mut program = shell::program(python);
    program.arg(checks.join(check)).current_dir(folder.path());
    program.env("SIMULATOR", simulator.addresses());
    let path = [checks.join("redirect"), checks.clone()];
    let path = std::env::join_paths(path)
        .map_err(|error| Error::new(format!("invalid folder {}: {error}", checks.display())))?;
    program.env("PYTHONPATH", path).env("PYTHONDONTWRITEBYTECODE", "1");
    for variable in ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"] {
        program.env(variable, simulator.certificate());
    }
    for variable in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        program.env_remove(variable).env_remove(variable.to_lowercase());
    }
    let output = shell::stdout(&mut program, "see the lines above")?;
    ClientResults::parse(check, &output)
}

/// Fails if the chapter is out of date, or updates it.
fn compare(file: &Path, chapter: &str, update: bool) -> Result<(), Error> {
    if fs::read_to_string(file).is_ok_and(|there| there == chapter) {
        return Ok(());
    }
    if !update {
        return Err(Error::new(format!(
            "{CHAPTER} is out of date; after an intended change run `cargo xtask peers --update`"
        )));
    }
    fs::write(file, chapter)
        .map_err(|error| Error::new(format!("writing {} failed: {error}", file.display())))
}
