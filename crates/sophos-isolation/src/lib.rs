//! Isolation of endpoints on other tools' alerts: verified, exactly one
//! machine, guarded, proven.
//!
//! # The way of an alert
//!
//! | | | module |
//! |---|---|---|
//! | verify | who sends: a signature over the raw body, a secret, an issuer's token, SNS, a client certificate, AWS; a time window; the caller's address | [`verify`], [`webhook`] |
//! | read | each tool's form, or a preset of the tool `generic`, into a [`Signal`](signal::Signal), or the reason why it asks for nothing | [`adapters`] |
//! | record | a decision begins, once for each event of the sender: this is the replay store | [`Ledger`] |
//! | admit | may this source act, on which tenants; is the alert severe and recent enough | [`policy`] |
//! | resolve | exactly one live endpoint, or the reason why none | [`Identity`], [`resolve`] |
//! | judge | protected, dry run, approval, how long | [`policy`] |
//! | join | an update of an alert that a decision acts on is merged into it; one that a person has ended isolates nothing for a time | [`Engine::work`] |
//! | claim | a slot of every budget, and the right to make the call | [`Ledger`], [`Engine`] |
//! | isolate | one request for up to 50 endpoints of a tenant; what it leaves open is settled by reading the state | [`Engine::work`] |
//! | follow up | confirmed, reported as overdue, released, and that confirmed too | [`Engine::follow_up`] |
//!
//! [`check`] goes the same way as far as the judgement, and records and changes
//! nothing: [`Check::of`](check::Check::of) without a network,
//! [`Engine::check`] with the endpoint that would be chosen.
//!
//! Every judgement above the join is pure: it can be made, and is tested,
//! without a network, a clock or a runtime, and compiles for
//! `wasm32-unknown-unknown`. The engine needs a
//! [`Transport`](sophos_api::Transport) and an [`Objects`] store, and brings
//! neither. Two features are on by default: `store` brings the store, and
//! `public-keys` the verification of tokens and of SNS.
//!
//! # Which machine
//!
//! An endpoint id or an instance id decides alone. Otherwise a MAC address
//! decides, then a name; an address only where nothing else is given, and only
//! while the alert and the holder of the address are recent. Every other
//! identifier must not contradict, and narrows where several fit. Two that could
//! be meant are none. `src/resolve.rs` and [`hostname`] have the rules in full.
//! A doubt about a name chooses no endpoint, and protects the one that it is about.
//!
//! Some cases cannot be told from what Sophos Central knows. For these an
//! operator has to help:
//!
//! * **A machine without an agent.** Where another has its short name, or holds
//!   its address now, that one fits everything that the alert says. Sites whose
//!   addresses overlap make this likely. Have the tool send full names, MAC
//!   addresses or ids; set `approve = "always"` for a source that only gives
//!   addresses.
//! * **Short names.** Where Sophos lists a short name only, that endpoint fits
//!   every full name that begins with it. Where two domains share a short name
//!   and Sophos knows one of the two, a short name finds that one.
//! * **Docking stations and adapters.** Their MAC address moves with them. An
//!   alert that has only such an address finds the endpoint that Sophos lists it
//!   for; together with the name of another machine it is a contradiction.
//!
//! # What is kept
//!
//! A [`Decision`] is a row of [`Entry`]s, each an object that was created only
//! because it was absent. It answers who asked, what was decided and why, what
//! was done, when it took effect, and when it ended. [`Ledger::decision`] reads
//! it back whole.
//!
//! | object | writer | |
//! |---|---|---|
//! | `received/<id>.json` | webhook | the verified signal that begins a decision |
//! | `answers/<id>.json` | webhook | the answer of a person who followed an approval link |
//! | `inbox/<when>-<id>` | webhook | the time at which a follow-up looks at a new signal or answer |
//! | `seen/<source>/<digest>` | webhook | the decision of a signed request whose event id is in a header that is not signed |
//! | `unreadable/<source>/<hour>/<00 to 31>` | webhook | an authentic request that could not be read, without its body |
//! | `decisions/<id>/0001.json` … | worker | the decision, of which the first entry is a copy of the signal; never changed, never removed |
//! | `agenda/<when>-<id>` | worker | the time at which a follow-up looks at it |
//! | `machines/<tenant>/<endpoint>/<id>` | worker | the decision holds this endpoint, or is about to |
//! | `alerts/<source>/<alert>/<tenant>.<endpoint>/0001` … | worker | the decision of each episode of an alert on an endpoint; never changed, never removed |
//! | `slots/hour/<hour>/…`, `slots/estate/<tenant>/…` | worker | budgets and lookups; those of an hour may be removed a day later |
//! | `checks/<id>.json` | worker | the answer to a dry run, which no decision reads; may be removed a day later |
//! | `published/<id>-<number>` | worker | the outcome was published |
//! | `stop` | operator | the [emergency stop](stop) |
//!
//! An episode is the time in which one decision acts on an alert for an
//! endpoint. Updates of the alert (a comment, a count, another assignee) are
//! merged into it. It ends with its decision; the next update opens another,
//! unless a person ended the last one less than `new_episode_after` ago. The
//! release of a machine ends every decision that holds it.
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
//! **Who can send.** A caller that has a source's secret, calls from its
//! addresses if it has any, and does so within the time window. For GuardDuty
//! and Security Hub, a principal that AWS lets put events on the bus, for the
//! accounts that the policy lists. Other callers begin no decision and write
//! nothing to the ledger. They get one answer, 401, whether the source is unknown,
//! disabled or without a readable secret, whether the signature or the caller's
//! address is wrong. A secret that cannot be read is a failure in the records and
//! metrics, and rings an alarm; its sender gets 401 meanwhile, which not every tool
//! sends again. The challenges of Okta and of Microsoft Graph are answered under
//! any name, with the caller's own text. Two differences remain: a certificate or
//! a key set that cannot be fetched answers 503, and an approval link that is not
//! good 403. Give each source a secret of its own: no signature says which source
//! it is for, and the policy warns of two that share one. The key of approval links
//! must be no sender's.
//!
//! **Accounts of AWS.** AWS vouches for the account of a finding (`AwsAccountId`,
//! `cloud.account.uid`, `accountId`), and not for what its author writes into it.
//! A finding of one account that names an instance of another, by an ARN or an
//! owner, is refused (`account_mismatch`), unless `speaks_for` lets the account
//! speak for the other; then the tenant is that of the instance's account. An
//! instance id alone names no account: it finds an endpoint in the tenants of the
//! finding's account only.
//!
//! **What a stolen source secret can do.** As many isolations an hour as the
//! source's budget allows (`per_hour`), in the tenants that the source may act
//! on, of endpoints that are not protected, no more at once than the share of
//! the estate, each undone after `release_after`. None in a dry run, and none
//! without a person where `approve = "always"`. It can release only if the source
//! `may_release`, and only what was isolated for it; such a release, like that of
//! a person, keeps updates of the alert from isolating. It can ask what a message
//! would lead to, see below. It can fill the ledger with refused decisions, at
//! some kilobytes each, and with 32 records an hour of unreadable requests. Every
//! decision names the source, the caller's address and which value of the secret
//! it was made with. Rotate the secret, and set `accept_previous = false`: within
//! a minute no process takes the previous value any more. Otherwise it is good for
//! as long as it is left in place, and five minutes longer in a process that has
//! read it.
//!
//! **What a captured request can do.** Nothing that it has not done: sent again
//! it leads to the same decision. What no signature covers can be changed:
//!
//! * `Idempotency-Key`: the first key that comes with what was signed is kept,
//!   and any other is rejected. An id that is signed takes its place.
//! * `X-Sophos-Dry-Run`: within the time window, and for ever where no time is
//!   signed, the answer has what was read of the message, the endpoint that would
//!   be isolated, and the names and ids of others that fit in part. Whoever has
//!   stolen a source's secret can ask so for machines of the source's tenants.
//! * PagerDuty, GitHub and Grafana without a time header sign no time: their
//!   requests stay good for ever, as the same decision.
//! * A static secret, a client certificate and a bearer token cover no body. Who
//!   has captured a token can send any alert until it expires. Any application of
//!   a Microsoft Entra tenant can get a token for an audience: name `app_id` or
//!   `subject`.
//! * SNS signs message, id and time, and not who published: the policy of the
//!   topic decides who may.
//!
//! **Client certificates.** They are taken from what API Gateway says of the TLS
//! connection, never from a header. The trust store of the custom domain decides
//! which are valid; the policy says which of these is the source's.
//!
//! **Old alerts.** An alert older than `max_alert_age` isolates nothing, however
//! it comes back: from a sender, an archive or a dead-letter queue. Its time is
//! the sender's word. An alert without one is as old as its decision, and a time
//! that cannot be read makes no address evidence.
//!
//! **What an attack costs.** A request that proves nothing calls neither the
//! ledger nor the queue, nor Sophos Central. Each process reads the policy once a
//! minute and the secret of a source once in five, and after a failure not sooner
//! than ten seconds and a minute later. Further requests call nothing. A key set
//! or a certificate of SNS is fetched from the policy's URL or the SNS endpoint of
//! a listed topic's region, and used for an hour. Before anything is proven, one is
//! fetched a minute for a caller's address, and ten for a source. What remains is the time of the function: bound its concurrency and
//! the rate of its API. `cargo xtask bench isolation` measures it.
//!
//! **What an alert's text can do.** It is the attacker's. It never becomes a
//! path, a query or a log field's name. It is one line of at most 200 characters
//! without control or direction characters, escaped on the one page that shows
//! it. A remote address is never read as the host's. What a host calls itself
//! can be another's name: exactly one endpoint must fit everything that is said,
//! and the protected ones are protected by what the service says of them, not by
//! what the alert says.
//!
//! **What a forged answer of the service can do.** Whoever can forge the answers
//! of Sophos Central holds the token and can isolate without us. Short of that: a
//! host outside `sophos.com` gets no token; an endpoint of another tenant, or
//! without a proper id, is refused; an id in an answer that was not requested
//! changes nothing; a group, tag or type that cannot be read counts as
//! protected; counts that are missing count against isolating.
//!
//! **What a stolen approval link can do.** Approve or decline the one decision it
//! was made for, until it waits no longer. It is in the outcome that asks for
//! approval, and in no log and no ledger.
//!
//! **What the webhook's rights can do.** Whoever takes over the webhook can write
//! its objects and read the secrets of senders and of approvals: it can begin a
//! decision of any source, and approve one that waits. It cannot write a
//! transition. Budgets, the share of the estate, protection and the dry run hold
//! for what it begins. It cannot release what an administrator isolated: a
//! release needs a mark of this ledger in the comment at Sophos Central, which the
//! worker's own entries name. What becomes of `received/` after the worker has
//! copied a signal changes nothing.
//!
//! **What repeated events can do.** Each new event about an isolated endpoint may
//! keep it isolated for `release_after` more, and takes a permit of the source's
//! and the tenant's hour for it; without one it is refused. Updates of one alert
//! are merged and extend nothing. A message names at most 100 hosts. A source
//! looks for `lookups_per_hour` hosts in Sophos Central, and the rest of the
//! hour's are refused without a request; dry runs count.
//!
//! **What the store must be.** Who can write the worker's objects can take
//! decisions on to the call, forget them, or open and end episodes: they are as
//! sensitive as the credential. Who can only read the store learns which endpoints
//! were isolated and why, and no secret.

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
pub mod stop;
#[cfg(feature = "store")]
mod store;
pub mod verify;
pub mod webhook;

pub use approval::{Answer, AnswerError, ApprovalLinks};
pub use decision::{
    AlertKey, Asked, Claim, Decision, DecisionId, Entry, Reason, Received, ReleaseReason, State, Step, Target,
};
pub use engine::{Engine, EngineError, FollowUpReport, Worked};
pub use identity::{FactKind, Identity, Unusable};
pub use ledger::{Begun, Ledger, Objects, Reminder, StoreFailure};
pub use outcome::{ApprovalUrl, Outcome, Outcomes};
pub use resolve::{
    Candidate, Considered, Directory, Liveness, Resolution, Times, Unresolved, choose, resolve,
};
