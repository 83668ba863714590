//! The simulator in a process of its own.

use std::{
    ffi::OsStr,
    fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::Arc,
};

use central_host::{
    AllowedHttp, AuthProvider,
    bindings::sophos::central::credentials::{Access, BaseUrls, Client, Grant, Service},
};
use serde_json::Value;
use wasmtime::{Result, error::Context};

pub(crate) const TENANT: &str = "0afef0e6-5df7-4cc0-b8d4-068cfd6820d1";
const ID: &str = "d1f6a5a2-8a3c-4c9e-9d63-0b6f6c1f3a10";
const SECRET: &str = "a secret for the benchmark";

/// A simulator that stops when dropped.
pub(crate) struct Simulator {
    process: Option<Child>,
    settings: Option<PathBuf>,
    pub(crate) identity: String,
    pub(crate) global: String,
}

/// Starts a simulator of a partner with one tenant and 500 endpoints, one page.
pub(crate) async fn start(program: &OsStr) -> Result<Simulator> {
    let settings = std::env::temp_dir().join(format!("bench-component-{}.toml", std::process::id()));
    fs::write(
        &settings,
        format!(
            "[[tenants]]\nname = \"Acme\"\nid = \"{TENANT}\"\nendpoints = 500\n\
             [[credentials]]\nkind = \"partner\"\nclient_id = \"{ID}\"\nclient_secret = \"{SECRET}\"\n"
        ),
    )?;
    let mut process = Command::new(program).arg("--config").arg(&settings).stdout(Stdio::piped()).spawn()?;
    let mut line = String::new();
    let stdout = process.stdout.take().context("missing output of the simulator")?;
    BufReader::new(stdout).read_line(&mut line)?;
    let addresses: Value = serde_json::from_str(&line)?;
    let address = |name: &str| addresses[name].as_str().map(str::to_owned).context("missing address");
    Ok(Simulator {
        identity: address("identity")?,
        global: address("global")?,
        process: Some(process),
        settings: Some(settings),
    })
}

impl Simulator {
    /// Returns a simulator that does not exist, for benchmarks without requests.
    pub(crate) fn unreachable() -> Self {
        let nowhere = "http://127.0.0.1:9".to_owned();
        Self { process: None, settings: None, identity: nowhere.clone(), global: nowhere }
    }

    /// Returns the HTTP client of components.
    pub(crate) fn requests(&self) -> Result<AllowedHttp> {
        Ok(AllowedHttp::new(reqwest::Client::builder().no_proxy(), |host| host == "127.0.0.1")?)
    }

    /// Returns the auth provider of components.
    pub(crate) fn auth_provider(&self) -> AuthProvider {
        let access = self.access();
        Arc::new(move |_| Box::pin(std::future::ready(Ok(access.clone()))))
    }

    pub(crate) fn access(&self) -> Access {
        let client = Client { id: ID.to_owned(), secret: SECRET.to_owned() };
        let addresses = BaseUrls { identity: self.identity.clone(), global: self.global.clone() };
        Access { grant: Grant::Client(client), service: Service::Other(addresses) }
    }

    /// Returns the native client with the same credential.
    pub(crate) fn native_client<T: sophos_api::Transport>(
        &self,
        transport: T,
    ) -> Result<sophos_api::Client<T>> {
        let hosts = sophos_api::Hosts::new(self.identity.parse()?, self.global.parse()?);
        let credentials = sophos_api::Credentials::new(ID, SECRET);
        Ok(sophos_api::Client::builder(transport, credentials).hosts(hosts).build())
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = process.kill();
            let _ = process.wait();
        }
        if let Some(settings) = &self.settings {
            let _ = fs::remove_file(settings);
        }
    }
}
