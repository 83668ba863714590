//! The simulator as a child process.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Stdio},
};

use crate::{error::Error, shell, workspace::Workspace};

/// A simulator that ends when it is dropped.
#[derive(Debug)]
pub(super) struct RunningSimulator {
    child: Child,
    addresses: String,
    certificate: PathBuf,
}

impl RunningSimulator {
    /// Starts the built simulator with this configuration. Its files are in `folder`.
    pub(super) fn start(workspace: &Workspace, config: &Path, folder: &Path) -> Result<Self, Error> {
        let certificate = folder.join("ca.pem");
        let text = fs::read_to_string(config)
            .map_err(|error| Error::new(format!("reading {} failed: {error}", config.display())))?;
        let file = folder.join("simulator.toml");
        fs::write(&file, format!("tls_ca_file = {:?}\n{text}", certificate.display().to_string()))
            .map_err(|error| Error::new(format!("writing {} failed: {error}", file.display())))?;
        let mut program = shell::program(workspace.binary("debug", "sophos-simulator"));
        program.arg("--config").arg(&file).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = program
            .spawn()
            .map_err(|error| Error::new(format!("starting the simulator failed: {error}; build it first")))?;
        let mut addresses = String::new();
        let stdout = child.stdout.take();
        let mut simulator = Self { child, addresses: String::new(), certificate };
        // The only line follows when every port is open.
        let read = stdout.map(|stdout| BufReader::new(stdout).read_line(&mut addresses));
        if !matches!(read, Some(Ok(1..))) {
            return Err(Error::new("starting the simulator failed: it printed no addresses; see above"));
        }
        simulator.addresses = addresses.trim().to_owned();
        Ok(simulator)
    }

    /// The addresses, as JSON.
    pub(super) fn addresses(&self) -> &str {
        &self.addresses
    }

    /// The file with the certificate that clients have to trust.
    pub(super) fn certificate(&self) -> &Path {
        &self.certificate
    }
}

impl Drop for RunningSimulator {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
