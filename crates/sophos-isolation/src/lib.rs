//! Isolation of endpoints on other tools' alerts: verified, exactly one
//! machine, guarded, proven.
//!
//! # The way of an alert
//!
//! | | | room |
//! |---|---|---|
//! | verify | an HMAC over the raw body, a secret, an issuer's token, SNS's signature, a client certificate, AWS's word; a time window; the caller's address | [`verify`], [`webhook`] |
//! | read | each tool's form into a [`Signal`](signal::Signal), or the reason why it asks for nothing | [`adapters`] |
//! | record | a decision begins, once for each event of the sender: this is the replay store | [`Ledger`] |
//! | admit | may this source act, on which tenants, and is it severe enough | [`policy`] |
//! | resolve | exactly one live endpoint, or the reason why none | [`Identity`], [`choose`] |
//! | judge | protected, dry run, approval, how long | [`policy`] |
//! | join | an update of an alert that a decision acts on ends here, and isolates nothing that a person has ended | [`Engine::work`] |
//! | claim | a slot of every budget, and the right to make the call | [`Ledger`], [`Engine`] |
//! | isolate | one request for up to 50 endpoints of a tenant; whatever it leaves open is settled by reading the state | [`Engine::work`] |
//! | follow up | confirmed, reported as overdue, released, and that confirmed too | [`Engine::follow_up`] |
//!
//! Everything above the claim is a pure decision: it can be made, and is tested,
//! without a network, a clock or a runtime, and compiles for
//! `wasm32-unknown-unknown`. The engine needs a
//! [`Transport`](sophos_api::Transport) and an [`Objects`] store, and brings
//! neither (the feature `store`, on by default, brings the second).
//!
//! # What is kept
//!
//! A [`Decision`] is a row of [`Entry`]s, each an object that was created only
//! because it was absent. It answers who asked, what was decided and why, what
//! was done, when it took effect, and when it ended. [`Ledger::decision`] reads
//! it back whole.
//!
//! | object | |
//! |---|---|
//! | `decisions/<id>/0001.json` … | the decision; never changed, never removed |
//! | `agenda/<when>-<id>` | it is to be looked at then |
//! | `machines/<tenant>/<endpoint>/<id>` | it holds this endpoint |
//! | `slots/hour/<hour>/…`, `slots/estate/<tenant>/…` | budgets; those of an hour may be removed a day later |
//! | `seen/<source>/<digest>` | which event what was signed came with, for senders whose event id is in a header |
//! | `published/<id>-<number>` | the outcome was told |
//! | `alerts/<source>/<alert>/<tenant>.<endpoint>/0001` … | the decision of each episode of an alert on an endpoint; never changed, never removed |
//! | `unreadable/<source>/<hour>/<00 to 31>` | an authentic request that could not be read, without its body |
//!
//! # A run may end anywhere
//!
//! | it dies | then |
//! |---|---|
//! | before the decision is recorded | the sender got no answer, and sends again |
//! | before the decision is in the queue | the same; and it is on the agenda a minute later |
//! | between the claim and the call | after its lease the next run reads the state, and calls |
//! | between the call and the record of it | the next run finds its mark in the comment at the service |
//!
//! Of several runs at once one takes each step: its entry must not exist yet.
//!
//! # Threat model
//!
//! **Who can send.** Whoever has a source's secret, calls from its addresses if
//! it has any, and does so within the time window; for GuardDuty and Security
//! Hub whoever AWS lets put events on the bus, for the accounts that the policy
//! lists. Anybody else begins no decision and writes nothing to the ledger, and
//! gets one answer, whether the source exists or not; only a PagerDuty source
//! and one with a list of addresses show by their 403 that they exist. He can
//! make the function run: bound its concurrency. Give each source a secret of
//! its own, since nothing in a signature says which source it is for.
//!
//! **What a stolen source secret can do.** As many isolations an hour as the
//! source's budget allows (`per_hour`), in the tenants that the source may act
//! on, of endpoints that are not protected, no more at once than the share of
//! the estate, each undone after `release_after`; none at all in a dry run, and
//! none without a person where `approve = "always"`. It can release only if the
//! source `may_release`, and only what was isolated for it. It can fill the ledger
//! with refused decisions, at some kilobytes each. Every one of these names the
//! source, the caller's address and which value of the secret it was made with:
//! rotate the secret, and the previous value is good for only as long as it is
//! left in place. It can also leave records of requests that cannot be read, at
//! most 32 an hour.
//!
//! **What a captured request can do.** Nothing that it has not done: sent again
//! it leads to the same decision. A signature does not cover `Idempotency-Key`,
//! so what was signed is good with one key, whichever layout signed it; an id
//! that is signed takes its place. PagerDuty signs no time, so its requests are
//! the same decision for ever, not for the length of a window. A bearer token, a
//! static secret and a client certificate cover no body: a captured token is good
//! for any alert until it expires.
//!
//! **What a stranger can make the webhook do.** A rejected request calls neither
//! the store nor the queue. The key set of an issuer and the certificate of SNS
//! are fetched at most once a minute and source, from the policy's URL or the SNS
//! endpoint of a listed topic's region, and used for an hour. A stranger can name
//! another certificate there and so delay the first fetch of the right one by a
//! minute.
//!
//! **What an alert's text can do.** It is the attacker's. It never becomes a
//! path, a query or a log field's name; it is one line of at most 200 characters
//! without control or direction characters, escaped on the one page that shows
//! it. A remote address is never read as the host's. What a host calls itself
//! can be another's name: exactly one endpoint must fit everything that is said,
//! and the protected ones are protected by what the service says of them, not by
//! what the alert says.
//!
//! **What a forged answer of the service can do.** Whoever can forge the answers
//! of Sophos Central holds the token and can isolate without us. Short of that: a
//! host outside `sophos.com` gets no token; an endpoint of another tenant, or
//! without a proper id, is refused; an id in an answer that nobody asked about
//! changes nothing; a group, tag or type that cannot be read counts as
//! protected; counts that are missing count against isolating.
//!
//! **What a stolen approval link can do.** Approve or decline the one decision it
//! was made for, until it waits no longer. It is in the outcome that asks for
//! approval, and in no log and no ledger.
//!
//! **What the store must be.** Whoever can write to it can take decisions on to
//! the call, or forget them: it is as sensitive as the credential. Whoever can
//! only read it learns which endpoints were isolated and why, and no secret.

#![deny(missing_docs)]

pub mod adapters;
mod approval;
pub mod check;
mod decision;
mod engine;
pub mod hostname;
mod identity;
mod ledger;
mod machine_release;
mod outcome;
pub mod policy;
mod resolve;
pub mod signal;
mod slots;
#[cfg(feature = "store")]
mod store;
pub mod verify;
pub mod webhook;

pub use approval::{Answer, AnswerError, ApprovalLinks};
pub use decision::{
    AlertKey, Asked, Claim, Decision, DecisionId, Entry, Received, ReleaseReason, State, Step, Target,
};
pub use engine::{Engine, EngineError, FollowUpReport, Worked};
pub use identity::{FactKind, Identity, Unusable};
pub use ledger::{Begun, Ledger, Objects, Reminder, StoreFailure};
pub use outcome::{ApprovalUrl, Outcome, Outcomes};
pub use resolve::{
    Candidate, Considered, Directory, Liveness, Resolution, Times, Unresolved, choose, resolve,
};
