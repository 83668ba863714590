//! The validation of OpenAPI documents.

use std::path::Path;

use crate::{error::Error, shell, tools::PythonTool, workspace::Workspace};

const OPENAPI_VALIDATOR: PythonTool = PythonTool::new("openapi-validator", "openapi-validator.txt");

/// Validates a document in JSON or YAML against the version of OpenAPI that it names.
pub(crate) fn validate_openapi(workspace: &Workspace, document: &Path) -> Result<(), Error> {
    let mut validator = shell::program(OPENAPI_VALIDATOR.install(workspace)?.join("python"));
    validator.args(["-m", "openapi_spec_validator"]).arg(document);
    shell::stdout(&mut validator, "correct the document").map(drop)
}
