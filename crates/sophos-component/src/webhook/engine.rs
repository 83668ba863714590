//! The engine over what the host provides.

use std::{cell::Cell, ops::AsyncFnOnce, time::Duration};

use sophos_api::Client;
use sophos_isolation::{ApprovalLinks, DecisionId, Engine, Outcomes, Worked};

use super::{
    keys,
    ledger::{self, HostStore},
    outcomes::HostOutcomes,
    rules::Rules,
};
use crate::{grant::HostGrant, run::run, transport::Outbound};

/// How long a call may wait for the service: shorter than the lease on a call,
/// after which another run looks whether this one has died.
const CALL: Duration = Duration::from_secs(60);

pub(super) type Isolation = Engine<Outbound, HostStore, HostOutcomes>;

thread_local! {
    /// Kept from one call to the next, with its token and what it knows.
    static ENGINE: Cell<Option<Isolation>> = const { Cell::new(None) };
}

/// Works with the engine, until the moment that it is given.
///
/// # Errors
/// When the host gives no grant, or no key for links that somebody waits for.
pub(super) fn with<V>(
    rules: &Rules,
    what: impl AsyncFnOnce(&Isolation, Option<Duration>) -> V,
) -> Result<V, String> {
    let links = links(rules)?;
    let engine = match ENGINE.take() {
        Some(engine) => engine,
        None => begin()?,
    };
    let engine = engine.with_approvals(links);
    let done = run(what(&engine, Some(super::now() + CALL)));
    ENGINE.set(Some(engine));
    Ok(done)
}

/// Carries decisions out.
///
/// # Errors
/// As for [`with`].
pub(super) fn work(rules: &Rules, decisions: &[DecisionId]) -> Result<Vec<Worked>, String> {
    with(rules, async |engine, stop_at| engine.work(&rules.policy, decisions, stop_at).await)
}

fn begin() -> Result<Isolation, String> {
    let (grant, hosts) = HostGrant::first().map_err(|failure| failure.message)?;
    let client = Client::builder(Outbound, grant).hosts(hosts).build();
    Ok(Engine::new(client, ledger::open(), HostOutcomes))
}

/// Links for approval, signed with the key as it is now.
fn links(rules: &Rules) -> Result<Option<ApprovalLinks>, String> {
    match (&rules.webhook_url, &rules.policy.approval().secret) {
        (Some(url), Some(secret)) if HostOutcomes.is_listening() => {
            Ok(Some(ApprovalLinks::new(url, keys::read(secret)?.into_current())))
        }
        _ => Ok(None),
    }
}
