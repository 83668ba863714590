//! The isolation engine over the host's imports.

use std::{cell::Cell, ops::AsyncFnOnce, time::Duration};

use sophos_api::Client;
use sophos_isolation::{ApprovalLinks, DecisionId, Engine, OutcomePublisher, ProcessedDecision};

use super::{
    ledger::{self, HostStore},
    outcomes::HostOutcomes,
    policy_settings::PolicySettings,
    secrets,
};
use crate::{executor::block_on, grant::HostCredentialSource, transport::HostTransport};

/// The maximum wait for the service per call. It is shorter than the lease of a
/// decision, after which another run takes over.
const CALL_TIMEOUT: Duration = Duration::from_secs(60);

pub(super) type HostEngine = Engine<HostTransport, HostStore, HostOutcomes>;

thread_local! {
    /// The engine of this instance, with its token and its caches.
    static ENGINE: Cell<Option<HostEngine>> = const { Cell::new(None) };
}

/// Runs `operation` with the engine and the deadline of this call.
///
/// # Errors
/// If the host returns no grant, or no key for the approval links.
pub(super) fn with_engine<V>(
    settings: &PolicySettings,
    operation: impl AsyncFnOnce(&HostEngine, Option<Duration>) -> V,
) -> Result<V, String> {
    let links = approval_links(settings)?;
    let engine = match ENGINE.take() {
        Some(engine) => engine,
        None => create_engine()?,
    };
    let engine = engine.with_approval_links(links);
    let result = block_on(operation(&engine, Some(super::now() + CALL_TIMEOUT)));
    ENGINE.set(Some(engine));
    Ok(result)
}

/// Processes decisions.
///
/// # Errors
/// As [`with_engine`].
pub(super) fn process_decisions(
    settings: &PolicySettings,
    decisions: &[DecisionId],
) -> Result<Vec<ProcessedDecision>, String> {
    with_engine(settings, async |engine, deadline| {
        engine.process(&settings.policy, decisions, deadline).await
    })
}

fn create_engine() -> Result<HostEngine, String> {
    let (source, hosts) = HostCredentialSource::request_initial().map_err(|failure| failure.message)?;
    let client = Client::builder(HostTransport, source).hosts(hosts).build();
    Ok(Engine::new(client, ledger::open(), HostOutcomes))
}

/// Returns the approval links, signed with the current key; `None` if they are not
/// configured or the host receives no outcomes.
fn approval_links(settings: &PolicySettings) -> Result<Option<ApprovalLinks>, String> {
    match (&settings.webhook_url, &settings.policy.approval().secret) {
        (Some(url), Some(secret)) if HostOutcomes.is_enabled() => {
            Ok(Some(ApprovalLinks::new(url, secrets::get_keys(secret)?.into_current())))
        }
        _ => Ok(None),
    }
}
