//! `cargo xtask deploy`: deploys the stack on this machine and runs a smoke test.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use clap::Args;

use crate::{
    end_to_end,
    error::Error,
    package::{self, Architecture},
    setup, shell,
    workspace::Workspace,
};

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Deploy into an emulator of AWS on this machine, which ends with the command
    #[arg(long)]
    local: bool,

    /// Deploy the packages of `sam build` for this machine's processor, not the debug build
    #[arg(long)]
    sam_build: bool,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<(), Error> {
    if !arguments.local {
        return Err(Error::new(
            "missing option: expected `--local` for the emulator on this machine; to deploy into an AWS account, \
             use `sam build` and `sam deploy` (infra/DEPLOY.md)",
        ));
    }
    let tools = setup::install_deployment_tools(workspace)?;
    let functions = workspace.target.join("debug");
    let options = if arguments.sam_build {
        let [_, (_, sam)] = &tools;
        let template = shell::step("sam build", || sam_build(workspace, sam))?;
        [OsString::from("--template"), template.into()]
    } else {
        [OsString::from("--functions"), functions.clone().into()]
    };
    // The same selection as `test` avoids a rebuild.
    end_to_end::build(workspace, "the binaries", &["--workspace", "--bins"])?;
    end_to_end::run(workspace, "debug", "deploy", &functions, &options, &tools)
}

/// Runs `sam build` for this machine's architecture and returns the built template.
fn sam_build(workspace: &Workspace, sam: &Path) -> Result<PathBuf, Error> {
    let into = workspace.target.join("sam");
    let tools = setup::install_package_tools(workspace)?;
    let mut build = shell::program(sam);
    build
        .current_dir(&workspace.root)
        // Reuses the tools and the build directory of `package`.
        .envs(package::environment(workspace, &tools, Architecture::HOST.target())?)
        .env_remove("CARGO_TARGET_DIR")
        .env("SAM_CLI_TELEMETRY", "0")
        .arg("build")
        .arg("--build-dir")
        .arg(&into)
        .arg("--parameter-overrides")
        .arg(format!("Architecture={}", Architecture::HOST.name()));
    shell::run(&mut build, "see the output of `sam build`; infra/DEPLOY.md lists its requirements")?;
    template(&into)
}

fn template(folder: &Path) -> Result<PathBuf, Error> {
    let template = folder.join("template.yaml");
    if template.is_file() {
        return Ok(template);
    }
    Err(Error::new(format!("`sam build` failed: missing {}", template.display())))
}
