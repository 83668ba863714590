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
//! | resolve | exactly one live endpoint, or the reason why none | [`HostIdentity`], [`resolve()`] |
//! | judge | protected, dry run, approval, how long | [`policy`] |
//! | join | an update of an alert that a decision acts on is merged into it; one that a person has ended isolates nothing for a time | [`Engine::process`] |
//! | claim | a slot of every budget, and the right to make the call | [`Ledger`], [`Engine`] |
//! | isolate | one request for up to 50 endpoints of a tenant; what it leaves open is settled by reading the state | [`Engine::process`] |
//! | follow up | confirmed, reported as overdue, released, and that confirmed too | [`Engine::follow_up`] |
//!
//! [`check`] goes the same way as far as the judgement, and records and changes
//! nothing: [`Check::from_message`](check::Check::from_message) without a network,
//! [`Engine::check`] with the endpoint that would be chosen.
//!
//! Every judgement above the join is pure: it can be made, and is tested,
//! without a network, a clock or a runtime, and compiles for
//! `wasm32-unknown-unknown`. The engine needs a
//! [`Transport`](sophos_api::Transport) and an [`LedgerStore`] store, and brings
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
//! A [`Decision`] is a row of [`LedgerEntry`]s, each an object that was created only
//! because it was absent. It answers who asked, what was decided and why, what
//! was done, when it took effect, and when it ended. [`Ledger::load_decision`] reads
//! it back whole.
//!
//! | object | writer | |
//! |---|---|---|
//! | `received/<id>.json` | webhook | the verified signal that begins a decision |
//! | `answers/<id>.json` | webhook | the answer of a person who followed an approval link |
//! | `inbox/<when>-<id>` | webhook | the time at which a follow-up looks at a new signal or answer |
//! | `replays/<source>/<digest>` | webhook | the decision of a signed request whose event id is in a header that is not signed |
//! | `unreadable/<source>/<hour>/<00 to 31>` | webhook | an authentic request that could not be read, without its body |
//! | `decisions/<id>/0001.json` … | worker | the decision, of which the first entry is a copy of the signal; never changed, never removed |
//! | `schedule/<when>-<id>` | worker | the time at which a follow-up looks at it |
//! | `claims/<tenant>/<endpoint>/<id>` | worker | the decision holds this endpoint, or is about to |
//! | `alerts/<source>/<alert>/<tenant>.<endpoint>/0001` … | worker | the decision of each episode of an alert on an endpoint; never changed, never removed |
//! | `permits/hour/<hour>/…`, `permits/estate/<tenant>/…` | worker | budgets and lookups; those of an hour may be removed a day later |
//! | `checks/<id>.json` | worker | the answer to a dry run, which no decision reads; may be removed a day later |
//! | `published/<id>-<number>` | worker | the outcome was published |
//! | `stop` | operator | the [emergency stop](emergency_stop) |
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
//! nothing to the ledger.
//!
//! **Which sources there are.** A request that proves nothing gets one answer:
//! 401, with the same headers and body, whether the source does not exist, the
//! signature or the caller's address is wrong, the secret cannot be read, or a
//! mistake in the policy disables the source. Other methods, bodies that are too
//! large and the challenges of Okta and Microsoft Graph are answered alike under
//! every name: a challenge proves nothing, and its answer repeats only plain text
//! that the caller sent. What differs:
//!
//! * An authentic message of a disabled source gets 503, so that its sender sends
//!   it again once the policy is corrected.
//! * A source with `jwt` or `sns` answers 503 while the key set or the certificate
//!   cannot be fetched: senders of both send again only then. It tells a caller
//!   who sends a well-formed token, or knows the ARN of a topic, that the source
//!   exists.
//! * The time of an answer. The first request of a source in a process, and in
//!   every five minutes, waits for its secret; a signature over a large body takes
//!   some milliseconds. Names of sources are no secrets: do not rely on them.
//!
//! A sender that is turned away because its secret cannot be read may not send
//! again. The record `secret_unreadable` and the metric `ServerErrors` of the source
//! tell the operator.
//!
//! **Which account speaks for which machine.** AWS vouches for the account of an
//! event and for that of a finding: `accountId` of GuardDuty, `AwsAccountId` of
//! ASFF, `cloud.account.uid` of OCSF. All else in a finding of Security Hub is its
//! author's text, and every account may import findings of its own. A finding acts
//! in the tenant of its account. One that puts its host into another account, by
//! an ARN or an owner, is refused (`account_mismatch`) unless `may_report_for` lets its
//! account name machines of that one, and then acts in that one's tenant. One
//! that puts a host into two accounts is refused. The id of a finding is its
//! account's own: it cannot take the place of another account's event. The event's
//! account may differ from the finding's, as AWS delivers the findings of members to
//! their administrator alone.
//!
//! Sophos Central does not say in which account an instance is. An author who
//! writes the id of another account's instance without an account, or with its
//! own, is not found out: within one tenant, an account that may import findings
//! can name any instance. Give accounts that do not trust each other tenants of
//! their own, or set `approve = "always"`.
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
//! it was made with. Rotate the secret, and take the previous value away: `accept_previous =
//! false` at the source ends it within a minute in every process, the removal of
//! its label within five. A value that a process has read as the current one is
//! good there for at most five minutes: to end that too, take the source out of the
//! policy for as long.
//!
//! No signature says which source it is for: of two sources that share a secret,
//! what was captured of one is good for the other. The policy is taken, and warned
//! of (`policy_warning`). A sender that has the key of approval links could approve
//! its own alerts: such a policy is refused.
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
//! minute, and the secret of a source and that of approval links once in five;
//! after a failure not sooner than ten seconds and a minute later. Requests that
//! come meanwhile wait for that reading. Further ones call nothing, and neither do
//! names that the policy does not have and links that cannot be good. A key set is
//! fetched at most once a minute, from the policy's URL. A certificate of SNS is
//! fetched from the SNS endpoint of a listed topic's region and used for an hour;
//! the caller names it, before anything is proven. So at most one that is unknown is
//! fetched in a minute for a caller's address, and ten for a source: it takes ten
//! addresses, and the ARN of a topic, to delay the first fetch of the right one.
//! What remains is the time of the function: bound its concurrency and
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
//! approval, and in no log and no ledger. A stolen key of links can approve every
//! decision whose id is known: replace it, and set `accept_previous = false` under
//! `[approve]`. Both functions use the new one within five minutes.
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
pub mod emergency_stop;
mod endpoint_release;
mod engine;
pub mod hostname;
mod identity;
mod ledger;
mod outcome;
mod permits;
pub mod policy;
mod resolve;
pub mod signal;
#[cfg(feature = "store")]
mod store;
pub mod verify;
pub mod webhook;

pub use approval::{ApprovalAnswer, ApprovalLinks, CommandError};
pub use decision::{
    AlertKey, Claim, Decision, DecisionId, DecisionState, IsolationOrigin, IsolationTarget, LedgerEntry,
    ReceivedSignal, RefusalReason, ReleaseReason, Transition,
};
pub use engine::{Engine, EngineError, FollowUpReport, ProcessedDecision};
pub use identity::{HostIdentity, IdentifierKind, UnusableIdentifier};
pub use ledger::{CreatedDecision, Ledger, LedgerStore, LedgerStoreError, ScheduledFollowUp};
pub use outcome::{ApprovalUrl, DecisionOutcome, OutcomePublisher};
pub use resolve::{
    EndpointCandidate, EndpointDirectory, Liveness, RejectedCandidate, Resolution, ResolutionTimes,
    Unresolved, choose, resolve,
};
