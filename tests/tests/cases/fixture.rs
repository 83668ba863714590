//! The functions of the cases, and the counts of outcomes.

use std::{collections::BTreeMap, fmt, io};

use end_to_end::{
    isolation::{Delivery, IsolationEnv, simulator_config, webhook_secret},
    queue::Queue,
};
use local_lambda::{InvocationOutcome, Sandbox};
use serde_json::{Value, json};
use sophos_isolation::{Decision, DecisionId, DecisionState};
use sophos_simulator::CredentialKind;

use super::files::{Case, CaseFile, CaseFolder};

/// The built webhook with a queue, and the built worker.
pub(crate) struct Fixture<'f> {
    folder: &'f CaseFolder,
    env: IsolationEnv,
    webhook: Sandbox,
    worker: Sandbox,
    /// The number of isolation changes of earlier cases.
    changes: usize,
    isolated: Vec<DecisionId>,
    _queue: Queue,
}

impl<'f> Fixture<'f> {
    pub(crate) async fn start(folder: &'f CaseFolder) -> io::Result<Self> {
        let mut config = simulator_config(0);
        config.machines = folder.machines.iter().map(|machine| machine.config.clone()).collect();
        let env = IsolationEnv::start(config, CredentialKind::Tenant, &folder.policy()).await?;
        let queue = Queue::start().await?;
        let webhook = queue.configure(env.webhook()).env("ISOLATION_QUEUE_URL", queue.url());
        let webhook = webhook.start().await.map_err(io::Error::other)?;
        let worker = env.worker().start().await.map_err(io::Error::other)?;
        Ok(Self { folder, env, webhook, worker, changes: 0, isolated: Vec::new(), _queue: queue })
    }

    /// Sends a payload, runs the worker, and returns the outcome.
    pub(crate) async fn run(&mut self, file: &CaseFile, case: &Case) -> io::Result<Case> {
        let body = case.body.clone().unwrap_or_else(|| case.payload.to_string());
        let is_event = file.is_eventbridge();
        let event = if is_event {
            case.payload.clone()
        } else {
            let token = format!("Bearer {}", webhook_secret("webhooks/generic"));
            Delivery::unsigned(format!("/hooks/{}", file.source), body)
                .with_header("authorization", token)
                .to_event()
        };
        let mut found = Case::default();
        let mut response = match self.webhook.invoke(&event).await {
            InvocationOutcome::Ok(response) => response,
            InvocationOutcome::FunctionError { kind, .. } => {
                found.failure = Some(kind);
                return Ok(found);
            }
            other => return Err(io::Error::other(format!("{}: {other:?}", case.name))),
        };
        if !is_event {
            let text = response["body"].as_str().unwrap_or_default();
            let status = response["statusCode"].as_u64().unwrap_or_default() as u16;
            if status != 202 {
                found.rejected = Some((status, text.to_owned()));
                return Ok(found);
            }
            response = serde_json::from_str(text)?;
        }
        for id in response["decisions"].as_array().into_iter().flatten() {
            let id: DecisionId = id.as_str().unwrap_or_default().parse().map_err(io::Error::other)?;
            self.process(&id).await?;
            let decision = self.env.decision(&id).await?;
            let target = decision.target().map(|target| self.folder.machine_name(&target.endpoint));
            match (decision.state(), target) {
                (DecisionState::Requested, _) => self.isolated.push(id),
                (DecisionState::PendingApproval, Some(target)) => found.waiting.push(target),
                _ => found.refused.push(reason(&decision)),
            }
        }
        // The simulator's changes count, not the decisions.
        let changes = self.env.simulator.isolation_changes();
        for change in &changes[self.changes..] {
            let name = self.folder.machine_name(&change.endpoint);
            found.isolated.push(if change.enabled { name } else { format!("released {name}") });
        }
        self.changes = changes.len();
        Ok(found)
    }

    async fn process(&mut self, id: &DecisionId) -> io::Result<()> {
        let body = json!({ "decision": id }).to_string();
        let record = json!({ "messageId": "1", "eventSource": "aws:sqs", "body": body });
        let outcome = self.worker.invoke(&json!({ "Records": [record] })).await;
        match outcome {
            InvocationOutcome::Ok(response) if response["batchItemFailures"] == json!([]) => Ok(()),
            other => Err(io::Error::other(format!("{other:?}\n{}", self.worker.logs().join("\n")))),
        }
    }

    /// Runs the worker until every isolation is confirmed.
    pub(crate) async fn confirm_isolations(&mut self) -> io::Result<()> {
        self.env.follow_up(&mut self.worker).await?;
        for id in &self.isolated {
            let state = self.env.state(id).await?;
            if state != DecisionState::Isolated {
                return Err(io::Error::other(format!("{id} is {state:?}")));
            }
        }
        Ok(())
    }
}

fn reason(decision: &Decision) -> String {
    match decision.refusal() {
        Some((code, _)) => code.to_owned(),
        None => format!("{:?}", decision.state()).to_lowercase(),
    }
}

/// Whether the reasons match; `*` matches any.
fn matches_refusals(right: &[String], found: &[String]) -> bool {
    right.len() == found.len() && right.iter().zip(found).all(|(right, found)| right == "*" || right == found)
}

#[derive(Default)]
struct SourceCounts {
    total: usize,
    correct: usize,
    missed: usize,
    wrong: usize,
}

/// The counts of each file, and a line for each failed case.
#[derive(Default)]
pub(crate) struct CaseResults {
    counts: BTreeMap<String, SourceCounts>,
    failures: Vec<String>,
}

impl CaseResults {
    /// Compares an outcome with the expected one.
    pub(crate) fn add(&mut self, file: &CaseFile, case: &Case, found: &Case) {
        let sorted = |list: &[String]| {
            let mut list = list.to_vec();
            list.sort();
            list
        };
        let is_rejected_so = match (&case.rejected, &found.rejected) {
            (Some((status, part)), Some((found, text))) => status == found && text.contains(part.as_str()),
            (expected, found) => expected.is_none() && found.is_none(),
        };
        let is_right = is_rejected_so
            && case.failure == found.failure
            && sorted(&case.isolated) == sorted(&found.isolated)
            && sorted(&case.waiting) == sorted(&found.waiting)
            && matches_refusals(&sorted(&case.refused), &sorted(&found.refused));
        let counts = self.counts.entry(file.source.clone()).or_default();
        counts.total += 1;
        counts.correct += usize::from(is_right);
        counts.missed += usize::from(case.isolated.iter().any(|name| !found.isolated.contains(name)));
        let is_wrong = found.isolated.iter().any(|name| !case.isolated.contains(name));
        counts.wrong += usize::from(is_wrong);
        if !is_right {
            let expected = Case { name: String::new(), payload: Value::Null, body: None, ..case.clone() };
            let how = if is_wrong { "WRONG MACHINE" } else { "not right" };
            let line =
                format!("{how}: {}: {}\n  right: {expected:?}\n  found: {found:?}", file.source, case.name);
            self.failures.push(line);
        }
    }

    /// Whether all outcomes match.
    pub(crate) fn all_passed(&self) -> bool {
        self.failures.is_empty()
    }
}

impl fmt::Display for CaseResults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<32} tried right missed wrong", "source")?;
        for (source, counts) in &self.counts {
            let SourceCounts { total: tried, correct: right, missed, wrong } = counts;
            writeln!(f, "{source:<32} {tried:>5} {right:>5} {missed:>6} {wrong:>5}")?;
        }
        self.failures.iter().try_for_each(|fault| writeln!(f, "{fault}"))
    }
}
