//! The SAM CLI, which deploys the stack.

use std::{
    env, io,
    path::PathBuf,
    process::{Output, Stdio},
};

use tokio::process::Command;

use crate::{aws::REGION, package_dir};

/// The SAM program; `cargo xtask test` sets it.
const SAM_VARIABLE: &str = "SAM_CLI";

/// The packages to deploy.
#[derive(Debug, Clone)]
pub enum DeployPackages {
    /// The project's template, with the built programs of this folder.
    Programs(PathBuf),
    /// The template of `sam build`, with its packages.
    Built(PathBuf),
}

/// The SAM CLI for an emulator of AWS, with a built template.
#[derive(Debug)]
pub struct SamCli {
    program: PathBuf,
    endpoint: String,
    template: PathBuf,
    folder: tempfile::TempDir,
}

impl SamCli {
    /// Prepares SAM to deploy these packages, if it is installed; otherwise prints the
    /// reason.
    ///
    /// # Errors
    /// When the template cannot be read, or a program was not built.
    pub async fn prepare(packages: &DeployPackages, endpoint: &str) -> io::Result<Option<Self>> {
        let Some(program) = env::var_os(SAM_VARIABLE).map(PathBuf::from) else {
            println!("skipped: {SAM_VARIABLE} is not set; `cargo xtask setup --emulator` prints its value");
            return Ok(None);
        };
        let folder = tempfile::tempdir()?;
        let template = match packages {
            DeployPackages::Built(template) => template.clone(),
            DeployPackages::Programs(programs) => {
                let mut build = Command::new(program.with_file_name("python"));
                build
                    .arg("-B")
                    .arg(package_dir().join("emulator/build_template.py"))
                    .arg(package_dir().join("../infra/template.yaml"))
                    .arg(programs);
                let built = checked_output(build.arg(folder.path()).output().await?)?;
                built.lines().last().map(PathBuf::from).unwrap_or_default()
            }
        };
        // The name under which moto finds buckets and templates.
        let endpoint = endpoint.replace("127.0.0.1", "localhost");
        Ok(Some(Self { program, endpoint, template, folder }))
    }

    /// Runs `sam deploy` with the settings of an environment in `samconfig.toml`, this
    /// stack name and these parameters. Returns its output.
    ///
    /// # Errors
    /// With its output, if it fails.
    pub async fn deploy(&self, stack: &str, parameters: &[(&str, String)]) -> io::Result<String> {
        let overrides = parameters.iter().map(|(name, value)| format!("{name}={value}"));
        let mut deploy = self.command("deploy");
        deploy
            .arg("--config-file")
            .arg(package_dir().join("../samconfig.toml").canonicalize()?)
            .args(["--config-env", "dev", "--no-confirm-changeset", "--no-progressbar"])
            .args(["--stack-name", stack])
            .arg("--template-file")
            .arg(&self.template)
            .arg("--parameter-overrides")
            .args(overrides);
        checked_output(deploy.output().await?)
    }

    fn command(&self, what: &str) -> Command {
        let mut command = Command::new(&self.program);
        command
            .arg(what)
            .current_dir(self.folder.path())
            // The user's settings and keys do not apply.
            .env("HOME", self.folder.path())
            .env("AWS_CONFIG_FILE", "/dev/null")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
            .env_remove("AWS_PROFILE")
            .env_remove("AWS_SESSION_TOKEN")
            .env("AWS_ACCESS_KEY_ID", "loopback")
            .env("AWS_SECRET_ACCESS_KEY", "loopback")
            .env("AWS_REGION", REGION)
            .env("AWS_DEFAULT_REGION", REGION)
            .env("AWS_ENDPOINT_URL", &self.endpoint)
            .env("NO_PROXY", "localhost,127.0.0.1")
            .env("SAM_CLI_TELEMETRY", "0")
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }
}

/// The output of a program, if it succeeded.
fn checked_output(output: Output) -> io::Result<String> {
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(stdout);
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("{}\n{stdout}\n{errors}", output.status)))
}
