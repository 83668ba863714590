//! `cargo xtask deploy`: the stack, deployed on this machine and at work.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::{
    end_to_end,
    error::Error,
    package::{self, Architecture},
    setup, shell,
    workspace::Workspace,
};

/// Tells the deployment of a template that is built.
const TEMPLATE_VARIABLE: &str = "BUILT_TEMPLATE";

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Into an emulator of AWS on this machine, which ends with the command
    #[arg(long)]
    local: bool,

    /// Deploy what `sam build` makes, for this machine's processor, and not this
    /// workspace's quicker build
    #[arg(long)]
    sam_build: bool,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<(), Error> {
    if !arguments.local {
        return Err(Error::new(
            "say `cargo xtask deploy --local` for an emulator on this machine; into an account of AWS you deploy \
             with `sam build` and `sam deploy`, see infra/DEPLOY.md",
        ));
    }
    let tools = setup::install_deployment_tools(workspace)?;
    let mut variables = tools.to_vec();
    if arguments.sam_build {
        let [_, (_, sam)] = &tools;
        let template = shell::step("sam build", || sam_build(workspace, sam))?;
        variables.push((TEMPLATE_VARIABLE, template));
    }
    // The selection of `test`: whoever has run one waits little for the other.
    end_to_end::build(workspace, "the binaries", &["--workspace", "--bins"])?;
    end_to_end::run(workspace, "debug", "deploy", &workspace.target.join("debug"), &[], &variables)
}

/// `sam build`, as a person would say it but for this machine's architecture, and
/// returns the template that it makes.
fn sam_build(workspace: &Workspace, sam: &Path) -> Result<PathBuf, Error> {
    let into = workspace.target.join("sam");
    let tools = setup::install_package_tools(workspace)?;
    let mut build = shell::program(sam);
    build
        .current_dir(&workspace.root)
        // With what `package` has compiled already, where that is in the place in which
        // SAM looks for programs.
        .envs(package::environment(workspace, &tools, Architecture::HOST)?)
        .env_remove("CARGO_TARGET_DIR")
        .env("SAM_CLI_TELEMETRY", "0")
        .arg("build")
        .arg("--build-dir")
        .arg(&into)
        .arg("--parameter-overrides")
        .arg(format!("Architecture={}", Architecture::HOST.name()));
    shell::run(&mut build, "see what `sam build` says; infra/DEPLOY.md has what it needs")?;
    template(&into)
}

fn template(folder: &Path) -> Result<PathBuf, Error> {
    let template = folder.join("template.yaml");
    if template.is_file() {
        return Ok(template);
    }
    Err(Error::new(format!("`sam build` has left no {}", template.display())))
}
