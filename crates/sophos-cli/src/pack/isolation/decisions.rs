//! `sophos isolation decisions`.

use std::{collections::BTreeSet, sync::Arc};

use futures_util::StreamExt;
use serde::Serialize;
use serde_json::{Value, json};
use sophos_isolation::{
    ApprovalAnswer, CommandError, Decision, DecisionId, DecisionState, FollowUpScope, Ledger,
    LedgerStoreError,
};
use sophos_store::Store;

use super::{
    AnswerArgs, ListArgs, ShowArgs,
    engine::{self, Outcomes},
    policy_file,
};
use crate::{
    confirm::{Change, confirm},
    context::Context,
    exit::{Exit, Failure},
    pack::{
        store,
        values::{counted, rfc3339, since_epoch},
    },
};

/// The number of decisions that are read at once.
const MAX_CONCURRENT_READS: usize = 8;

/// The columns of the list.
const COLUMNS: [&str; 6] = ["received_at", "id", "state", "source", "hostname", "title"];

/// A decision in the list.
#[derive(Debug, Serialize)]
struct DecisionRecord {
    id: DecisionId,
    state: DecisionState,
    source: String,
    severity: Value,
    title: String,
    tenant: Option<String>,
    endpoint: Option<String>,
    hostname: Option<String>,
    received_at: String,
    updated_at: String,
    /// The code and the reason of a refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<Value>,
    /// The time of the scheduled release.
    #[serde(skip_serializing_if = "Option::is_none")]
    release_at: Option<String>,
}

impl From<&Decision> for DecisionRecord {
    fn from(decision: &Decision) -> Self {
        let (received, target) = (decision.received(), decision.target());
        Self {
            id: decision.id().clone(),
            state: decision.state(),
            source: received.map(|received| received.source.clone()).unwrap_or_default(),
            severity: json!(received.and_then(|received| received.signal.severity)),
            title: received.map(|received| received.signal.title.clone()).unwrap_or_default(),
            tenant: target.map(|target| target.tenant.clone()),
            endpoint: target.map(|target| target.endpoint.clone()),
            hostname: target.and_then(|target| target.hostname.clone()),
            received_at: rfc3339(decision.created_at_ms() as i64),
            updated_at: rfc3339(decision.updated_at_ms() as i64),
            refusal: decision.refusal().map(|(code, detail)| json!({ "code": code, "detail": detail })),
            release_at: decision.release_at().map(|seconds| rfc3339(seconds as i64 * 1_000)),
        }
    }
}

fn open_ledger(location: &str) -> Result<Ledger<Arc<Store>>, Failure> {
    Ok(Ledger::new(Arc::new(store::open_existing(location, "a ledger")?)))
}

/// Lists decisions.
pub(super) async fn list(args: &ListArgs, context: &Context) -> Result<(), Failure> {
    let ledger = open_ledger(&args.ledger.ledger)?;
    let ids: BTreeSet<DecisionId> = match args.open {
        // Every open decision has a scheduled follow-up.
        true => ledger.scheduled_follow_ups().await?.into_iter().map(|scheduled| scheduled.id).collect(),
        false => ledger.decision_ids().await?.into_iter().collect(),
    };
    let loads = ids.into_iter().map(|id| {
        let ledger = &ledger;
        async move { (ledger.load_decision(&id).await, id) }
    });
    let loaded: Vec<(Result<Option<Decision>, LedgerStoreError>, DecisionId)> =
        futures_util::stream::iter(loads).buffer_unordered(MAX_CONCURRENT_READS).collect().await;
    let (mut decisions, mut failed) = (Vec::new(), 0);
    for (decision, id) in loaded {
        match decision {
            Ok(decision) => decisions.extend(decision),
            Err(error) => {
                context.warn(&format!("{id}: {error}"));
                failed += 1;
            }
        }
    }
    let source = |decision: &Decision| decision.received().map(|received| received.source.clone());
    decisions.retain(|decision| {
        (!args.open || !decision.state().is_final())
            && args.state.as_deref().is_none_or(|state| decision.state().as_str() == state)
            && args.source.as_ref().is_none_or(|name| source(decision).as_ref() == Some(name))
    });
    decisions.sort_by_key(|decision| (std::cmp::Reverse(decision.created_at_ms()), decision.id().clone()));
    let mut records = context.records(&COLUMNS);
    for decision in &decisions {
        records.write(&DecisionRecord::from(decision))?;
    }
    let count = records.finish()?;
    context.note(&counted(count, "decision"));
    match failed {
        0 => Ok(()),
        failed => Err(Failure::new(Exit::Partial, format!("reading {} failed", counted(failed, "decision")))),
    }
}

/// Shows a decision.
pub(super) async fn show(args: &ShowArgs, context: &Context) -> Result<(), Failure> {
    let ledger = open_ledger(&args.ledger.ledger)?;
    print(context, &load(&ledger, &args.id).await?)
}

async fn load(ledger: &Ledger<Arc<Store>>, id: &DecisionId) -> Result<Decision, Failure> {
    ledger.load_decision(id).await?.ok_or_else(|| CommandError::Unknown(id.clone()).into())
}

fn print(context: &Context, decision: &Decision) -> Result<(), Failure> {
    let mut shown = serde_json::to_value(decision).unwrap_or_default();
    shown["state"] = json!(decision.state());
    let mut record = context.record();
    record.write(&shown)?;
    record.finish().map(drop)
}

/// Approves a decision.
pub(super) async fn approve(args: &AnswerArgs, context: &Context) -> Result<(), Failure> {
    answer(args, context, ApprovalAnswer::Approve).await
}

/// Declines a decision.
pub(super) async fn decline(args: &AnswerArgs, context: &Context) -> Result<(), Failure> {
    answer(args, context, ApprovalAnswer::Decline).await
}

async fn answer(args: &AnswerArgs, context: &Context, answer: ApprovalAnswer) -> Result<(), Failure> {
    let ledger = open_ledger(&args.ledger.ledger)?;
    let decision = load(&ledger, &args.id).await?;
    let (id, host) = (&args.id, host(&decision));
    let action = match answer {
        ApprovalAnswer::Approve => format!("approve {id} and isolate"),
        ApprovalAnswer::Decline => format!("decline {id} and not isolate"),
    };
    if !confirmed(context, action, host)? {
        return Ok(());
    }
    let by = by(args);
    let decision = ledger.answer_approval(id, answer, &by, since_epoch()).await?;
    carry_out(args, context, &ledger, std::slice::from_ref(decision.id())).await
}

/// Releases the endpoint of a decision.
pub(super) async fn release(args: &AnswerArgs, context: &Context) -> Result<(), Failure> {
    let ledger = open_ledger(&args.ledger.ledger)?;
    let decision = load(&ledger, &args.id).await?;
    let action = "end every decision that claims, and release".to_owned();
    if !confirmed(context, action, host(&decision))? {
        return Ok(());
    }
    let ended = ledger.release_decision(&args.id, &by(args), since_epoch()).await?;
    carry_out(args, context, &ledger, &ended).await
}

/// Has the engine of this process carry the answer out, if a policy is given. Shows the
/// decision.
async fn carry_out(
    args: &AnswerArgs,
    context: &Context,
    ledger: &Ledger<Arc<Store>>,
    ids: &[DecisionId],
) -> Result<(), Failure> {
    let mut failures = Vec::new();
    match &args.policy {
        None => context.note("recorded; the worker of this ledger carries it out at its next follow-up"),
        Some(path) => {
            let policy = policy_file::read(path, context)?;
            let engine = engine::connect(context, Arc::clone(ledger.store()), Outcomes::none()).await?;
            let mut approved = Vec::new();
            for id in ids {
                if load(ledger, id).await?.state() == DecisionState::Approved {
                    approved.push(id.clone());
                }
            }
            failures.extend(engine::process(&engine, &policy, &approved).await);
            failures.extend(engine::follow_up(&engine, &policy, FollowUpScope::Decisions(ids)).await);
        }
    }
    print(context, &load(ledger, &args.id).await?)?;
    if failures.is_empty() {
        return Ok(());
    }
    for failure in &failures {
        context.warn(failure);
    }
    Err(Failure::other("the answer is recorded, and was not carried out").hint("repeat the command"))
}

/// Whether the caller confirmed a change of an endpoint. With `--dry-run` it is shown, and
/// not made.
fn confirmed(context: &Context, action: String, host: String) -> Result<bool, Failure> {
    let change = Change { action, noun: "endpoint".into(), objects: vec![host] };
    if context.globals.dry_run {
        context.note(&format!("would {}", change.sentence()));
        return Ok(false);
    }
    confirm(context, &change).map(|()| true)
}

fn host(decision: &Decision) -> String {
    let target = decision.target();
    let name = target.map(|target| target.hostname.clone().unwrap_or_else(|| target.endpoint.clone()));
    name.unwrap_or_else(|| "of the decision".to_owned())
}

/// The name in the ledger.
fn by(args: &AnswerArgs) -> String {
    let user = || {
        ["USER", "USERNAME"].iter().find_map(|name| std::env::var(name).ok().filter(|name| !name.is_empty()))
    };
    args.by.clone().or_else(user).unwrap_or_else(|| "a user of the command line".to_owned())
}

impl From<CommandError> for Failure {
    fn from(error: CommandError) -> Self {
        match &error {
            CommandError::Unknown(_) => Self::new(Exit::NotFound, error.to_string())
                .hint("`sophos isolation decisions list` shows the ids"),
            CommandError::InvalidState { .. } | CommandError::NothingToRelease { .. } => {
                Self::new(Exit::Forbidden, error.to_string())
            }
            CommandError::InvalidEndpoint => Self::usage(error.to_string()),
            _ => Self::other(error.to_string()),
        }
    }
}
