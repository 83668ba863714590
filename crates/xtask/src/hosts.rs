//! The tools for the tests of the component's hosts: Node with jco, Python with wasmtime, and
//! optionally Rust with wasmtime.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use clap::ValueEnum;

use crate::{
    component,
    error::Error,
    setup, shell,
    tools::{NodeTool, PythonTool},
    workspace::Workspace,
};

const JCO: NodeTool = NodeTool { name: "jco", folder: "crates/sophos-component/examples/node" };

/// A Node with JavaScript promise integration, for machines whose Node lacks it. The lock file
/// has one for each processor; npm installs this machine's.
const JSPI_NODE: NodeTool = NodeTool { name: "node", folder: "crates/xtask/locks/node" };

const WASMTIME: PythonTool =
    PythonTool::with_lock_dir("crates/sophos-component/examples/python", "wasmtime", "requirements.txt");

/// A host that runs only on request.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
pub(crate) enum OptionalHost {
    /// Rust, whose wasmtime takes a quarter of an hour to build
    Rust,
}

/// The environment variables for the tests, and the missing hosts.
#[derive(Debug, Default)]
pub(crate) struct TestHosts {
    variables: Vec<(&'static str, PathBuf)>,
    missing: Vec<String>,
}

impl TestHosts {
    /// Builds the components and installs the available hosts.
    ///
    /// # Errors
    ///
    /// When a component or the optional host cannot be built, which counts as a failed
    /// test.
    pub(crate) fn prepare(workspace: &Workspace, further: Option<OptionalHost>) -> Result<Self, Error> {
        let mut hosts = Self::default();
        setup::install_targets(workspace, &[component::TARGET])?;
        hosts.variables.push(("COMPONENTS_DIR", component::build_all(workspace)?));
        hosts.add("Node", prepare_node(workspace));
        hosts.add("Node with JSPI", prepare_jspi_node(workspace));
        hosts.add("Python", prepare_python(workspace));
        match further {
            Some(OptionalHost::Rust) => {
                hosts.variables.push(("HOST_RUST", build_rust_host(workspace)?.join("run")))
            }
            None => hosts.missing.push("skipped: the component in Rust; `--hosts rust` builds it".to_owned()),
        }
        Ok(hosts)
    }

    fn add(&mut self, what: &str, found: Result<Vec<(&'static str, PathBuf)>, Error>) {
        match found {
            Ok(variables) => self.variables.extend(variables),
            Err(error) => self.missing.push(format!("skipped: the component in {what}\n{error}")),
        }
    }

    /// The environment variables for the tests.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&'static str, &Path)> {
        self.variables.iter().map(|(name, value)| (*name, value.as_path()))
    }

    /// Whether all hosts except the one in Rust are available.
    pub(crate) fn has_default_hosts(&self) -> bool {
        ["HOST_NODE", "HOST_NODE_ASYNC", "HOST_PYTHON"]
            .iter()
            .all(|name| self.variables.iter().any(|(set, _)| set == name))
    }

    /// One line with the reason for each missing host.
    pub(crate) fn missing(&self) -> &[String] {
        &self.missing
    }
}

type HostVariables = Vec<(&'static str, PathBuf)>;

fn prepare_node(workspace: &Workspace) -> Result<HostVariables, Error> {
    let hint = "install Node 20 or later with npm";
    let version = shell::stdout(Command::new("node").arg("--version"), hint)?;
    if parse_major_version(&version).is_none_or(|major| major < 20) {
        return Err(Error::new(format!("Node is {}; {hint}", version.trim())));
    }
    let modules = JCO.install(workspace)?;
    Ok(vec![("HOST_NODE", "node".into()), ("HOST_NODE_MODULES", modules)])
}

fn prepare_jspi_node(workspace: &Workspace) -> Result<HostVariables, Error> {
    let has_it = |node: &Path| {
        let mut probe = Command::new(node);
        probe.args(["--eval", "process.exit(typeof WebAssembly.Suspending === 'function' ? 0 : 1)"]);
        shell::stderr(&mut probe).is_ok_and(|(has_it, _)| has_it)
    };
    if has_it(Path::new("node")) {
        return Ok(vec![("HOST_NODE_ASYNC", "node".into())]);
    }
    let system = match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => "linux-x64",
        ("linux", "aarch64") => "linux-arm64",
        _ => return Err(Error::new("install Node 24 or later")),
    };
    let node = JSPI_NODE.install(workspace)?.join(format!("node_modules/node-{system}/bin/node"));
    if has_it(&node) {
        Ok(vec![("HOST_NODE_ASYNC", node)])
    } else {
        Err(Error::new("the Node from npm does not run on this machine; install Node 24 or later"))
    }
}

fn prepare_python(workspace: &Workspace) -> Result<HostVariables, Error> {
    Ok(vec![("HOST_PYTHON", WASMTIME.install(workspace)?.join("python"))])
}

/// Builds the host in Rust and returns the folder of its programs.
fn build_rust_host(workspace: &Workspace) -> Result<PathBuf, Error> {
    shell::step("build the host in Rust", || {
        let mut build = rust_package(workspace, "build");
        shell::run(build.args(["--quiet", "--release", "--bins"]), "fix the errors above")
    })?;
    Ok(rust_target(workspace).join("release"))
}

/// Cargo for the package of the host in Rust, which is a separate workspace.
pub(crate) fn rust_package(workspace: &Workspace, subcommand: &str) -> Command {
    let mut cargo = shell::cargo(&workspace.root.join("crates/sophos-component/examples/rust"));
    cargo.args([subcommand, "--locked", "--target-dir"]).arg(rust_target(workspace));
    cargo
}

fn rust_target(workspace: &Workspace) -> PathBuf {
    workspace.target.join("hosts-rust")
}

/// The major number of a version such as `v24.21.0`.
fn parse_major_version(version: &str) -> Option<u32> {
    version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn major_parses_node_versions() {
        assert_eq!(parse_major_version("v24.21.0\n"), Some(24));
        assert_eq!(parse_major_version("v8.1.0"), Some(8));
        assert_eq!(parse_major_version("24.0.0"), None);
        assert_eq!(parse_major_version(""), None);
    }

    #[test]
    fn hosts_document_the_locked_versions() {
        let hosts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sophos-component/examples");
        let read = |file: &str| std::fs::read_to_string(hosts.join(file)).expect(file);
        let package: serde_json::Value = serde_json::from_str(&read("node/package.json")).expect("JSON");
        let lock: serde_json::Value = serde_json::from_str(&read("node/package-lock.json")).expect("JSON");
        let dependencies = package["dependencies"].as_object().expect("dependencies");
        assert!(!dependencies.is_empty());
        for (name, version) in dependencies {
            assert_eq!(lock["packages"][format!("node_modules/{name}")]["version"], *version);
            let documented = format!("{name}@{}", version.as_str().expect("a version"));
            assert!(read("node/central.mjs").contains(&documented), "{documented}");
        }
        let wasmtime = read("python/requirements.in");
        assert!(read("python/requirements.txt").contains(wasmtime.trim()));
        assert!(read("python/central.py").contains(wasmtime.trim()));
    }
}
