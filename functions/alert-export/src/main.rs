//! Lambda function that exports alerts and events of Sophos Central on a
//! schedule: one invocation, one credential, all its tenants.
//!
//! An event with a `tenant_id` is about that tenant alone; any other, such as
//! EventBridge's scheduled event, is about all. See [`config`] for the
//! variables that it reads.

mod config;
mod event;
mod metrics;

use std::{process::ExitCode, sync::Arc, time::Duration};

use lambda_runtime::{Error, LambdaEvent, service_fn};
use lambda_support::{clock, logging};
use sophos_api::{Client, Transport};
use sophos_api_reqwest::ReqwestTransport;
use sophos_export::{Exporter, Outcome, Report, Store};
use sophos_secrets::{CredentialStore, StoredSource};
use tokio::sync::Mutex;
use tracing::Instrument;

use crate::{config::Config, event::Event};

/// What is left of an invocation for the commit: this share, and this at most.
const COMMIT_SHARE: u32 = 5;
const COMMIT_AT_MOST: Duration = Duration::from_secs(15);

/// Streams in an answer at most; of more, those with nothing to tell are left
/// out. Lambda refuses answers of over 6 MB.
const STREAMS_IN_ANSWER: usize = 10_000;

/// The kind of error of a credential that the identity service refused.
const REFUSED: &str = "Credentials";

type ExporterOf = Exporter<ReqwestTransport>;

struct Function {
    config: Config,
    store: Store,
    transport: ReqwestTransport,
    /// Kept from one invocation to the next, with its token and its identity.
    exporter: Mutex<Option<Arc<ExporterOf>>>,
}

impl Function {
    fn new(config: Config) -> Result<Self, Error> {
        let store = Store::open(&config.location)?;
        Ok(Self { store, transport: ReqwestTransport::new()?, config, exporter: Mutex::new(None) })
    }

    async fn exporter(&self) -> Result<Arc<ExporterOf>, Error> {
        let mut slot = self.exporter.lock().await;
        if let Some(exporter) = slot.as_ref() {
            return Ok(exporter.clone());
        }
        let store = self.config.sophos.credentials.open().await;
        let name = store.list().await?.pop().ok_or("there is no credential")?.name;
        let client =
            Client::builder(self.transport.clone(), StoredSource::new(store, name, clock::since_epoch))
                .hosts(self.config.sophos.hosts.clone())
                .budget(self.config.sophos.budget.clone())
                .build();
        let exporter = Arc::new(Exporter::new(client, self.store.clone(), self.config.settings.clone()));
        Ok(slot.insert(exporter).clone())
    }

    /// The credential may have been replaced: the next invocation reads it anew.
    async fn forget_credential(&self) {
        *self.exporter.lock().await = None;
    }

    async fn handle(&self, event: Event, deadline: Duration, request_id: &str) -> Result<Report, Error> {
        let scope = event.scope(&self.config.datasets)?;
        let left = deadline.saturating_sub(self.transport.now());
        let stop_at = deadline.saturating_sub((left / COMMIT_SHARE).min(COMMIT_AT_MOST));
        let exporter = self.exporter().await?;
        let report = match exporter.run(&scope, Some(stop_at)).await {
            Ok(report) => report,
            Err(error) => {
                if error.kind() == REFUSED {
                    self.forget_credential().await;
                }
                return Err(error.into());
            }
        };
        if report.streams.iter().any(|stream| stream.error_kind.as_deref() == Some(REFUSED)) {
            self.forget_credential().await;
        }
        metrics::write(&report, &self.config.metrics, request_id);
        for stream in report.streams.iter().filter(|stream| stream.outcome == Outcome::Failed) {
            let error = stream.error.as_deref().unwrap_or_default();
            tracing::error!(tenant = stream.tenant, dataset = %stream.dataset, error, "a stream was not exported");
        }
        for error in &report.unusable_tenants {
            tracing::error!(error, "a tenant was left out");
        }
        tracing::info!(
            tenants = report.tenants,
            rows = report.rows,
            objects = report.objects,
            bytes = report.bytes,
            calls = report.calls,
            failed = report.failed,
            unfinished = report.unfinished,
            "exported"
        );
        if report.failed > 0 && report.failed == report.streams.len() as u64 {
            let error = report.streams.iter().find_map(|stream| stream.error.clone()).unwrap_or_default();
            return Err(format!("every stream failed, the first: {error}").into());
        }
        Ok(shortened(report))
    }
}

fn shortened(mut report: Report) -> Report {
    if report.streams.len() > STREAMS_IN_ANSWER {
        report.streams.retain(|stream| stream.outcome != Outcome::UpToDate);
        report.streams.truncate(STREAMS_IN_ANSWER);
    }
    report
}

async fn serve() -> Result<(), Error> {
    let function = Function::new(Config::from_environment()?)?;
    let function = &function;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Event>| async move {
        let span = tracing::info_span!("invocation", request_id = event.context.request_id);
        let deadline = Duration::from_millis(event.context.deadline);
        let request_id = event.context.request_id;
        let outcome = function.handle(event.payload, deadline, &request_id).instrument(span.clone()).await;
        if let Err(error) = &outcome {
            span.in_scope(|| tracing::error!(%error, "the invocation failed"));
        }
        outcome
    }))
    .await
}

#[tokio::main]
async fn main() -> ExitCode {
    logging::start(&["alert_export", "sophos_api", "sophos_export", "sophos_secrets"]);
    logging::ended(serve().await)
}
