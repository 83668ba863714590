//! `cargo xtask openapi`: the REST operations as an OpenAPI document.

use std::{fs, path::PathBuf};

use clap::Args;

use crate::{end_to_end, error::Error, openapi_validator::validate_openapi, shell, workspace::Workspace};

/// The program that prints the document. It is not part of this one, which must compile
/// without the client.
const GENERATOR: &str = "openapi-document";

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Write the document to this file; without it, to `openapi.json` in the target folder
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Writes the document and validates it.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<(), Error> {
    // The generator alone: it needs few of the workspace's dependencies.
    end_to_end::build(workspace, "the generator", &["--package", GENERATOR])?;
    let mut generator = shell::program(workspace.binary("debug", GENERATOR));
    let document = shell::stdout(&mut generator, "run the tests of the generator")?;
    let output = arguments.output.clone().unwrap_or_else(|| workspace.target.join("openapi.json"));
    fs::write(&output, document)
        .map_err(|error| Error::new(format!("writing {} failed: {error}", output.display())))?;
    shell::step("validate the document", || validate_openapi(workspace, &output))?;
    println!("{}", output.display());
    Ok(())
}
