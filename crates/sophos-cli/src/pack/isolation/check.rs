//! `sophos isolation check`.

use std::{fs, io::Read, path::Path};

use serde::Serialize;
use sophos_isolation::{
    BudgetUsage, Engine, Ledger,
    adapters::Message,
    check::{Check, CheckError, CheckOutcome, CheckResponse, CheckedSignal},
    policy::Policy,
};

use super::{CheckArgs, engine::step_deadline, policy_file, scratch_ledger::ScratchLedger};
use crate::{
    context::Context,
    exit::{Exit, Failure},
    pack::{
        client, store,
        values::{in_words, since_epoch},
    },
    transport::CliTransport,
};

type CheckEngine = Engine<CliTransport, ScratchLedger, ()>;

/// The columns of the table, if the payload has several alerts.
const COLUMNS: [&str; 6] = [
    "decision",
    "outcome",
    "code",
    "Host=/endpoint/hostname",
    "Title=/signal/title",
    "Severity=/signal/severity",
];

/// The check of one signal, as it is shown.
#[derive(Debug, Serialize)]
struct SignalRecord<'a> {
    source: &'a str,
    #[serde(flatten)]
    signal: &'a CheckedSignal,
    /// The present use of each budget that the isolation needs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    budgets: Vec<BudgetUsage>,
    /// The webhook's response to the sender.
    response: &'a CheckResponse,
}

/// Runs the command.
pub(super) async fn run(args: &CheckArgs, context: &Context) -> Result<(), Failure> {
    let policy = policy_file::read(&args.policy, context)?;
    let body = read_payload(&args.payload)?;
    let message = Message { body: &body, idempotency_key: args.idempotency_key.as_deref() };
    let check = Check::from_message(&policy, &args.source, &message, since_epoch())
        .map_err(|error| unusable_source(&policy, error))?;
    if check.signals.is_empty() {
        let problem = check.response.body["error"].as_str().unwrap_or("it has no alert");
        let message = format!("reading the payload failed: {problem}");
        return Err(Failure::other(message).hint(format!(
            "the source \"{}\" expects the format of its tool; the webhook would answer {}",
            args.source, check.response.status
        )));
    }
    let engine = match args.offline {
        true => None,
        false => Some(connect(args, context).await?),
    };
    let check = match &engine {
        Some(engine) => engine.check(&policy, check, step_deadline()).await?,
        None => check,
    };
    show(context, &policy, engine.as_ref(), &check).await
}

async fn connect(args: &CheckArgs, context: &Context) -> Result<CheckEngine, Failure> {
    let ledger = match &args.ledger {
        Some(location) => Some(store::open_existing(location, "a ledger")?),
        None => None,
    };
    let ledger = Ledger::new(ScratchLedger::over(ledger));
    Ok(Engine::new(client::connect(context).await?, ledger, ()))
}

async fn show(
    context: &Context,
    policy: &Policy,
    engine: Option<&CheckEngine>,
    check: &Check,
) -> Result<(), Failure> {
    let mut records = match check.signals.as_slice() {
        [_] => context.record(),
        _ => context.records(&COLUMNS),
    };
    for signal in &check.signals {
        let mut budgets = Vec::new();
        if let (Some(engine), Some(target), Some(source)) =
            (engine, &signal.endpoint, policy.source(&check.source))
        {
            budgets = engine.budget_usage(policy, source, target, step_deadline()).await?;
        }
        context.note(&in_a_sentence(signal, &budgets));
        records.write(&SignalRecord { source: &check.source, signal, budgets, response: &check.response })?;
    }
    records.finish()?;
    Ok(())
}

fn read_payload(path: &Path) -> Result<Vec<u8>, Failure> {
    if path == Path::new("-") {
        let mut body = Vec::new();
        let read = std::io::stdin().read_to_end(&mut body);
        read.map_err(|error| Failure::other(format!("reading standard input failed: {error}")))?;
        return Ok(body);
    }
    fs::read(path).map_err(|error| {
        let message = format!("reading the payload {} failed: {error}", path.display());
        match error.kind() {
            std::io::ErrorKind::NotFound => Failure::new(Exit::NotFound, message),
            _ => Failure::other(message),
        }
    })
}

fn unusable_source(policy: &Policy, error: CheckError) -> Failure {
    let names: Vec<_> = policy.sources().map(|source| source.name.as_str()).collect();
    match error {
        CheckError::UnknownSource(_) => Failure::new(Exit::NotFound, error.to_string())
            .hint(format!("the sources of the policy: {}", names.join(", "))),
        error => Failure::usage(error.to_string()),
    }
}

/// What would happen, and why.
fn in_a_sentence(signal: &CheckedSignal, budgets: &[BudgetUsage]) -> String {
    let host = signal.endpoint.as_ref().map(|target| match &target.hostname {
        Some(name) => format!("{name} ({})", target.endpoint),
        None => target.endpoint.clone(),
    });
    let host = host.as_deref().unwrap_or("the endpoint");
    if let Some(state) = signal.existing_state {
        return format!("nothing: {} exists and is {state}; the alert is a duplicate", signal.decision);
    }
    if let Some(budget) = budgets.iter().find(|budget| budget.is_exhausted())
        && matches!(signal.outcome, CheckOutcome::Isolate { .. })
    {
        let BudgetUsage { budget, used, limit, .. } = budget;
        return format!("would refuse to isolate {host}: {budget}: {used} of {limit} used");
    }
    match &signal.outcome {
        CheckOutcome::Refused { code, detail } => format!("would refuse ({code}): {detail}"),
        CheckOutcome::Isolate { release_after_seconds: Some(seconds) } => {
            format!("would isolate {host}, and release it after {}", in_words(*seconds as f64))
        }
        CheckOutcome::Isolate { release_after_seconds: None } => {
            format!("would isolate {host} until a person releases it")
        }
        CheckOutcome::WaitForApproval { reason } => {
            format!("would isolate {host} once a person approves: {reason}")
        }
        CheckOutcome::DryRun { approval_reason: None } => {
            format!("would isolate {host} if the policy were not in a dry run")
        }
        CheckOutcome::DryRun { approval_reason: Some(reason) } => {
            format!(
                "would wait for an approval to isolate {host} ({reason}) if the policy were not in a dry run"
            )
        }
        CheckOutcome::AlreadyIsolated { comment } => format!("{host} is already isolated: {comment}"),
        CheckOutcome::Release => format!("would release {host}, if a decision of the source claims it"),
        CheckOutcome::Admitted { .. } => {
            "the policy admits the alert; run without --offline to resolve the endpoint".to_owned()
        }
        _ => "see the outcome".to_owned(),
    }
}
