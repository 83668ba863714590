//! The functions that the cases run through, and the counts of outcomes.

use std::{collections::BTreeMap, fmt, io};

use end_to_end::{
    isolation::{Delivery, IsolationWorld, estate, key},
    queue::Queue,
};
use local_lambda::{Outcome, Sandbox};
use serde_json::{Value, json};
use sophos_isolation::{Decision, DecisionId, State};
use sophos_simulator::CredentialKind;

use super::files::{Case, File, Folder};

/// The built webhook with a queue, and the built worker.
pub(crate) struct Stage<'f> {
    folder: &'f Folder,
    world: IsolationWorld,
    webhook: Sandbox,
    worker: Sandbox,
    /// The isolation changes at the simulator that belong to earlier cases.
    changes: usize,
    isolated: Vec<DecisionId>,
    _queue: Queue,
}

impl<'f> Stage<'f> {
    pub(crate) async fn start(folder: &'f Folder) -> io::Result<Self> {
        let mut config = estate(0);
        config.machines = folder.machines.iter().map(|machine| machine.config.clone()).collect();
        let world = IsolationWorld::start(config, CredentialKind::Tenant, &folder.policy()).await?;
        let queue = Queue::start().await?;
        let webhook = queue.admit(world.webhook()).env("ISOLATION_QUEUE_URL", queue.url());
        let webhook = webhook.start().await.map_err(io::Error::other)?;
        let worker = world.worker().start().await.map_err(io::Error::other)?;
        Ok(Self { folder, world, webhook, worker, changes: 0, isolated: Vec::new(), _queue: queue })
    }

    /// Sends a payload, has the worker take the decisions, and tells the outcome.
    pub(crate) async fn run(&mut self, file: &File, case: &Case) -> io::Result<Case> {
        let body = case.body.clone().unwrap_or_else(|| case.payload.to_string());
        let is_event = file.is_of_aws();
        let event = if is_event {
            case.payload.clone()
        } else {
            let token = format!("Bearer {}", key("webhooks/generic"));
            Delivery::bare(format!("/hooks/{}", file.source), body).with("authorization", token).event()
        };
        let mut found = Case::default();
        let mut answer = match self.webhook.invoke(&event).await {
            Outcome::Ok(answer) => answer,
            Outcome::FunctionError { kind, .. } => {
                found.failure = Some(kind);
                return Ok(found);
            }
            other => return Err(io::Error::other(format!("{}: {other:?}", case.name))),
        };
        if !is_event {
            let text = answer["body"].as_str().unwrap_or_default();
            let status = answer["statusCode"].as_u64().unwrap_or_default() as u16;
            if status != 202 {
                found.rejected = Some((status, text.to_owned()));
                return Ok(found);
            }
            answer = serde_json::from_str(text)?;
        }
        for id in answer["decisions"].as_array().into_iter().flatten() {
            let id: DecisionId = id.as_str().unwrap_or_default().parse().map_err(io::Error::other)?;
            self.work_on(&id).await?;
            let decision = self.world.decision(&id).await?;
            let target = decision.target().map(|target| self.folder.name_of(&target.endpoint));
            match (decision.state(), target) {
                (State::Requested, _) => self.isolated.push(id),
                (State::Waiting, Some(target)) => found.waiting.push(target),
                _ => found.refused.push(reason(&decision)),
            }
        }
        // What the simulator was told counts, and not what the decisions say.
        let changes = self.world.simulator.isolation_changes();
        for change in &changes[self.changes..] {
            let name = self.folder.name_of(&change.endpoint);
            found.isolated.push(if change.enabled { name } else { format!("released {name}") });
        }
        self.changes = changes.len();
        Ok(found)
    }

    async fn work_on(&mut self, id: &DecisionId) -> io::Result<()> {
        let body = json!({ "decision": id }).to_string();
        let record = json!({ "messageId": "1", "eventSource": "aws:sqs", "body": body });
        let outcome = self.worker.invoke(&json!({ "Records": [record] })).await;
        match outcome {
            Outcome::Ok(answer) if answer["batchItemFailures"] == json!([]) => Ok(()),
            other => Err(io::Error::other(format!("{other:?}\n{}", self.worker.logs().join("\n")))),
        }
    }

    /// Has the worker confirm every isolation.
    pub(crate) async fn confirm(&mut self) -> io::Result<()> {
        self.world.follow_up(&mut self.worker).await?;
        for id in &self.isolated {
            let state = self.world.state(id).await?;
            if state != State::Isolated {
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

/// Whether the reasons are the right ones; `*` is any reason.
fn is_refused_so(right: &[String], found: &[String]) -> bool {
    right.len() == found.len() && right.iter().zip(found).all(|(right, found)| right == "*" || right == found)
}

#[derive(Default)]
struct Counts {
    tried: usize,
    right: usize,
    missed: usize,
    wrong: usize,
}

/// Counts for each file, and a line for each case that went wrong.
#[derive(Default)]
pub(crate) struct Tally {
    counts: BTreeMap<String, Counts>,
    faults: Vec<String>,
}

impl Tally {
    /// Compares an outcome with the right one.
    pub(crate) fn add(&mut self, file: &File, case: &Case, found: &Case) {
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
            && is_refused_so(&sorted(&case.refused), &sorted(&found.refused));
        let counts = self.counts.entry(file.source.clone()).or_default();
        counts.tried += 1;
        counts.right += usize::from(is_right);
        counts.missed += usize::from(case.isolated.iter().any(|name| !found.isolated.contains(name)));
        let is_wrong = found.isolated.iter().any(|name| !case.isolated.contains(name));
        counts.wrong += usize::from(is_wrong);
        if !is_right {
            let expected = Case { name: String::new(), payload: Value::Null, body: None, ..case.clone() };
            let how = if is_wrong { "WRONG MACHINE" } else { "not right" };
            let line =
                format!("{how}: {}: {}\n  right: {expected:?}\n  found: {found:?}", file.source, case.name);
            self.faults.push(line);
        }
    }

    /// Whether all outcomes are right.
    pub(crate) fn is_right(&self) -> bool {
        self.faults.is_empty()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<32} tried right missed wrong", "source")?;
        for (source, counts) in &self.counts {
            let Counts { tried, right, missed, wrong } = counts;
            writeln!(f, "{source:<32} {tried:>5} {right:>5} {missed:>6} {wrong:>5}")?;
        }
        self.faults.iter().try_for_each(|fault| writeln!(f, "{fault}"))
    }
}
