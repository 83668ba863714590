//! The engine over what the host provides.

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

/// How long a call may wait for the service: shorter than the lease on a call,
/// after which another run looks whether this one has died.
const CALL_TIMEOUT: Duration = Duration::from_secs(60);

pub(super) type HostEngine = Engine<HostTransport, HostStore, HostOutcomes>;

thread_local! {
    /// Kept from one call to the next, with its token and what it knows.
    static ENGINE: Cell<Option<HostEngine>> = const { Cell::new(None) };
}

/// Works with the engine, until the moment that it is given.
///
/// # Errors
/// When the host gives no grant, or no key for links that somebody waits for.
pub(super) fn with_engine<V>(
    rules: &PolicySettings,
    what: impl AsyncFnOnce(&HostEngine, Option<Duration>) -> V,
) -> Result<V, String> {
    let links = approval_links(rules)?;
    let engine = match ENGINE.take() {
        Some(engine) => engine,
        None => create_engine()?,
    };
    let engine = engine.with_approval_links(links);
    let done = block_on(what(&engine, Some(super::now() + CALL_TIMEOUT)));
    ENGINE.set(Some(engine));
    Ok(done)
}

/// Carries decisions out.
///
/// # Errors
/// As for [`with`].
pub(super) fn process_decisions(
    rules: &PolicySettings,
    decisions: &[DecisionId],
) -> Result<Vec<ProcessedDecision>, String> {
    with_engine(rules, async |engine, stop_at| engine.process(&rules.policy, decisions, stop_at).await)
}

fn create_engine() -> Result<HostEngine, String> {
    let (grant, hosts) = HostCredentialSource::request_initial().map_err(|failure| failure.message)?;
    let client = Client::builder(HostTransport, grant).hosts(hosts).build();
    Ok(Engine::new(client, ledger::open(), HostOutcomes))
}

/// Links for approval, signed with the key as it is now.
fn approval_links(rules: &PolicySettings) -> Result<Option<ApprovalLinks>, String> {
    match (&rules.webhook_url, &rules.policy.approval().secret) {
        (Some(url), Some(secret)) if HostOutcomes.is_enabled() => {
            Ok(Some(ApprovalLinks::new(url, secrets::get_keys(secret)?.into_current())))
        }
        _ => Ok(None),
    }
}
