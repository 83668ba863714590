//! Wraps the native transport to log each request without its secrets.
//!
//! ```sh
//! SOPHOS_CLIENT_ID=… SOPHOS_CLIENT_SECRET=… cargo run --example custom_transport
//! ```

mod common;

use std::{error::Error, sync::Mutex, time::Duration};

use bytes::Bytes;
use sophos_api::{Client, Credentials, Hosts, Identity, ReqwestTransport, Transport, TransportError};

/// A transport that records the method, path and status of each request.
pub(crate) struct LoggingTransport {
    inner: ReqwestTransport,
    log: Mutex<Vec<String>>,
}

impl Transport for LoggingTransport {
    async fn send(
        &self,
        request: http::Request<Vec<u8>>,
        timeout: Duration,
    ) -> Result<http::Response<Bytes>, TransportError> {
        // Not the headers and the body: they hold the token and the secret.
        let line = format!("{} {}", request.method(), request.uri().path());
        let response = self.inner.send(request, timeout).await?;
        if let Ok(mut log) = self.log.lock() {
            log.push(format!("{line}: {}", response.status().as_u16()));
        }
        Ok(response)
    }

    fn now(&self) -> Duration {
        self.inner.now()
    }

    async fn sleep(&self, duration: Duration) {
        self.inner.sleep(duration).await;
    }
}

pub(crate) async fn run(
    credentials: Credentials,
    hosts: Hosts,
) -> Result<(Identity, Vec<String>), Box<dyn Error>> {
    let transport = LoggingTransport { inner: ReqwestTransport::new()?, log: Mutex::default() };
    let client = Client::builder(transport, credentials).hosts(hosts).build();
    let identity = client.identity().await?;
    let log = client.transport().log.lock().map_err(|_| "the log is poisoned")?.clone();
    Ok((identity, log))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let (identity, log) = run(common::credentials_from_env()?, common::hosts_from_env()?).await?;
    println!("{} {}\n{}", identity.id_type, identity.id, log.join("\n"));
    Ok(())
}
