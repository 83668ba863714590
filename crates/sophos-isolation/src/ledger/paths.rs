//! The paths of the ledger's objects.
//!
//! The webhook creates these objects and no others:
//!
//! | object | content |
//! |---|---|
//! | `received/<id>.json` | the first [`LedgerEntry`](crate::LedgerEntry) of a decision: the verified signal |
//! | `answers/<id>.json` | the answer of a person who followed an approval link |
//! | `arrivals/<time>-<id>` | the arrival of a decision's signal, an index by time for the export |
//! | `inbox/<time>-<id>` | a scheduled follow-up |
//! | `replays/<source>/<digest>` | the decision of a signed request |
//! | `unreadable/<source>/<hour>/<n>` | an authentic request that could not be parsed, without its body |
//!
//! The worker creates these. Budgets, claims and transitions follow from them and
//! from the state at Sophos Central alone:
//!
//! | object | content |
//! |---|---|
//! | `decisions/<id>/0001.json` … | the transitions of a decision; the first is a copy of `received/<id>.json` |
//! | `schedule/<time>-<id>` | a scheduled follow-up |
//! | `claims/<tenant>/<endpoint>/<id>` | the decision claims this endpoint |
//! | `permits/…/<n>` | a permit of a budget, and its holder |
//! | `alerts/<source>/<alert>/<tenant>.<endpoint>/<n>` | the decision of an alert's n-th episode on an endpoint |
//! | `checks/<id>.json` | the result of a check that came through the queue |
//! | `published/<id>-<sequence>` | the outcome of a transition was published |
//!
//! The operator creates `stop`, the [emergency stop](crate::emergency_stop).

use crate::decision::{DecisionId, IsolationTarget};

/// The folder of the index of decisions by the time of their signal.
const ARRIVALS: &str = "arrivals";

/// The folder of the webhook's scheduled follow-ups.
pub(crate) const INBOX: &str = "inbox";

/// The folder of the worker's scheduled follow-ups.
pub(crate) const SCHEDULE: &str = "schedule";

/// The object of the emergency stop.
pub(crate) const STOP: &str = "stop";

/// The beginning of the paths of estate permits.
pub(crate) const ESTATE_PERMITS: &str = "permits/estate/";

/// The folder of the verified signals.
pub(crate) const RECEIVED: &str = "received";

pub(crate) fn received(id: &DecisionId) -> String {
    format!("{RECEIVED}/{id}.json")
}

/// The path of the arrival of a signal, at `at_ms` since the Unix epoch.
pub(crate) fn arrival(at_ms: u64, id: &DecisionId) -> String {
    format!("{ARRIVALS}/{at_ms:015}-{id}")
}

pub(crate) fn entry(id: &DecisionId, sequence: u32) -> String {
    format!("decisions/{id}/{sequence:04}.json")
}

pub(crate) fn answer(id: &DecisionId) -> String {
    format!("answers/{id}.json")
}

/// The path of a follow-up in [`INBOX`] or [`SCHEDULE`], due at `at` seconds since
/// the Unix epoch.
pub(crate) fn follow_up(folder: &str, at: u64, id: &DecisionId) -> String {
    format!("{folder}/{at:012}-{id}")
}

pub(crate) fn claims_folder(tenant: &str, endpoint: &str) -> String {
    format!("claims/{tenant}/{endpoint}")
}

pub(crate) fn claim(tenant: &str, endpoint: &str, id: &DecisionId) -> String {
    format!("{}/{id}", claims_folder(tenant, endpoint))
}

pub(crate) fn episodes_folder(source: &str, alert: &str, target: &IsolationTarget) -> String {
    format!("alerts/{source}/{alert}/{}.{}", target.tenant, target.endpoint)
}

pub(crate) fn episode(folder: &str, number: u32) -> String {
    format!("{folder}/{number:04}")
}

/// The folder of a source's permits of an hour, counted from the Unix epoch.
pub(crate) fn source_permits_folder(hour: u64, source: &str) -> String {
    format!("permits/hour/{hour}/source/{source}")
}

pub(crate) fn tenant_permits_folder(hour: u64, tenant: &str) -> String {
    format!("permits/hour/{hour}/tenant/{tenant}")
}

pub(crate) fn lookup_permits_folder(hour: u64, source: &str) -> String {
    format!("permits/hour/{hour}/lookups/{source}")
}

pub(crate) fn estate_permits_folder(tenant: &str) -> String {
    format!("{ESTATE_PERMITS}{tenant}")
}

pub(crate) fn published(id: &DecisionId, sequence: u32) -> String {
    format!("published/{id}-{sequence:04}")
}

pub(crate) fn replay(source: &str, digest: &str) -> String {
    format!("replays/{source}/{digest}")
}

pub(crate) fn unreadable(source: &str, hour: u64, slot: u8) -> String {
    format!("unreadable/{source}/{hour}/{slot:02}")
}

pub(crate) fn check_result(id: &str) -> String {
    format!("checks/{id}.json")
}
