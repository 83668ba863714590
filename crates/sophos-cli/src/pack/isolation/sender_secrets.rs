//! The secrets with which senders authenticate.

use std::time::Duration;

use sophos_api::Transport;
use sophos_isolation::{verify::Keys, webhook::KeySource};
use sophos_secrets::{EnvironmentSecrets, FileSecrets, SecretStore};

use super::engine::{BackendFailure, backend_failure};
use crate::transport::CliTransport;

/// The time-out for fetching a published key, while a sender waits.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

/// The prefix of the variables with secrets.
const VARIABLE_PREFIX: &str = "SECRET_";

/// The secrets that the policy names, in a file or in variables.
pub(super) struct SenderSecrets {
    file: Option<FileSecrets>,
    variables: EnvironmentSecrets,
    transport: CliTransport,
}

impl SenderSecrets {
    pub(super) fn new(file: Option<FileSecrets>, transport: CliTransport) -> Self {
        Self { file, variables: EnvironmentSecrets::new(VARIABLE_PREFIX), transport }
    }
}

impl KeySource for SenderSecrets {
    async fn load_keys(&self, name: &str) -> Result<Keys, BackendFailure> {
        let loaded = match &self.file {
            Some(file) => file.load(name).await,
            None => self.variables.load(name).await,
        };
        let stages = loaded.map_err(backend_failure)?;
        Ok(Keys::new(stages.current, stages.previous))
    }

    async fn fetch_url(&self, url: &str) -> Result<Vec<u8>, BackendFailure> {
        if !url.starts_with("https://") {
            return Err(backend_failure("invalid URL: expected https"));
        }
        let request = http::Request::get(url).body(Vec::new()).map_err(backend_failure)?;
        let response = self.transport.send(request, FETCH_TIMEOUT).await.map_err(backend_failure)?;
        match response.status().as_u16() {
            200 => Ok(response.into_body().to_vec()),
            status => Err(backend_failure(format!("the response has the status {status}"))),
        }
    }
}
