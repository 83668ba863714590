//! `cargo xtask infra`: checks of the templates that need no AWS account.

use clap::Args;

use crate::{error::Error, setup, shell, workspace::Workspace};

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Store the transformed templates, after an intended change
    #[arg(long)]
    update: bool,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<(), Error> {
    let sam = setup::install_sam(workspace)?;
    let checks = workspace.root.join("infra/checks");
    if arguments.update {
        let mut transform = shell::program(sam.join("python"));
        transform.current_dir(&workspace.root).arg(checks.join("transform.py")).arg("--update");
        shell::run(&mut transform, "fix the template named above")?;
    }
    let checkov = setup::install_checkov(workspace)?;
    shell::step("the templates", || {
        let mut check = shell::program(sam.join("python"));
        check.current_dir(&workspace.root).arg("-B").arg(checks.join("check.py"));
        check.arg("--sam").arg(&sam).arg("--checkov").arg(&checkov);
        let hint = "fix the failures above; after an intended change run `cargo xtask infra --update`";
        shell::run(&mut check, hint)
    })
}
