//! Lambda function that writes the rows of the export as OCSF into a security lake, on a
//! schedule. See [`config`] for the variables, and [`sophos_lake`] for the protocol.

mod config;
mod metrics;

use std::{collections::BTreeMap, process::ExitCode, time::Duration};

use lambda_runtime::Error;
use lambda_support::{Handler, Invocation, InvocationError, assumed_role, clock};
use serde_json::Value;
use sophos_lake::{Class, LakeReport, LakeWriter};
use sophos_store::Store;

use crate::config::Config;

/// The time that is reserved for the end of an invocation.
const SHUTDOWN_MARGIN: Duration = Duration::from_secs(15);

struct LakeFunction {
    config: Config,
    writer: LakeWriter,
}

impl LakeFunction {
    async fn from_env() -> Result<Self, Error> {
        let config = Config::from_environment()?;
        let export = Store::open(&config.export_location)?;
        let lake = open_lake(&config).await?;
        let writer = LakeWriter::new(export, lake, config.settings.clone())?;
        Ok(Self { config, writer })
    }
}

/// Opens the store of each class. Nothing but rows may be below a source of Security Lake,
/// so the bucket is not tested. Should it ignore `If-None-Match`, an object is replaced by
/// the same bytes.
async fn open_lake(config: &Config) -> Result<BTreeMap<Class, Store>, Error> {
    let mut stores = BTreeMap::new();
    for class in &config.settings.mapping.classes {
        let source = config.settings.layout.source(*class);
        let store = match config.role(&source) {
            Some(role) => {
                Store::open_with_credentials(&config.lake_location, assumed_role::credentials(&role).await)?
            }
            None => Store::open(&config.lake_location)?,
        };
        stores.insert(*class, store.without_probe());
    }
    Ok(stores)
}

impl Handler for LakeFunction {
    async fn handle(&self, invocation: Invocation) -> Result<Value, InvocationError> {
        let now_ms = || millis(clock::since_epoch());
        let stop_at = millis(invocation.deadline.saturating_sub(SHUTDOWN_MARGIN));
        let run = Box::pin(self.writer.run(now_ms, Some(stop_at)));
        let report = run.await.map_err(|error| InvocationError::new(error.kind(), error))?;
        metrics::write(&report, &self.config.metrics_namespace, &invocation.request_id);
        log(&report);
        serde_json::to_value(&report).map_err(|error| InvocationError::new("SerializationFailed", error))
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

fn log(report: &LakeReport) {
    let total = &report.total;
    for (event_type, count) in &total.unknown_types {
        tracing::warn!(
            event = "lake_type_unknown",
            event_type,
            count,
            "the mapping does not know an event type; its events are in the export alone"
        );
    }
    tracing::info!(
        event = "lake_completed",
        batches = report.batches,
        stored_rows = total.stored_rows,
        rows = total.rows.values().sum::<u64>(),
        objects = total.objects,
        bytes = total.bytes,
        invalid = total.invalid,
        unfinished = report.unfinished,
        "wrote batches into the lake"
    );
}

#[tokio::main]
async fn main() -> ExitCode {
    let targets = ["lake_writer", "sophos_lake", "sophos_export", "sophos_store"];
    lambda_support::run(&targets, LakeFunction::from_env()).await
}
