//! The validation of OpenAPI documents.

use std::path::Path;

use crate::{error::Error, setup, shell, workspace::Workspace};

/// Validates a document in JSON or YAML against the specification that it names, and its examples
/// of parameters against their schemas.
pub(crate) fn validate(workspace: &Workspace, document: &Path) -> Result<(), Error> {
    let python = setup::install_openapi_validator(workspace)?;
    let mut validator = shell::program(python);
    validator.args(["-m", "openapi_spec_validator", "--errors", "all"]).arg(document);
    shell::stdout(&mut validator, "correct the document").map(drop)
}
