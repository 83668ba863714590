//! The players of scenarios, and the state of a run.

use std::io;

use serde_json::{Value, json};
use sophos_simulator::Simulator;

use super::{
    CallOutcome, Host, Language, SessionPlan, compare,
    native::NativeHost,
    scenario::{Expected, FIRST_ID, NEXT_CURSOR, StepRecord},
};

/// A player of scenarios. Its host starts with the first scenario and opens a session for
/// each.
#[derive(Debug)]
pub enum Player {
    /// The native client.
    Native(Option<Box<NativeHost>>),
    /// A component in a host.
    Component(Language, Option<Box<Host>>),
}

impl Player {
    /// Starts a session. Returns false if the host is not available.
    ///
    /// # Errors
    /// If the host fails.
    pub async fn open(&mut self, plan: &SessionPlan) -> io::Result<bool> {
        match self {
            Self::Native(native) => *native = Some(Box::new(NativeHost::open(plan))),
            Self::Component(_, Some(host)) => host.open(plan).await?,
            Self::Component(language, host) => *host = Host::start(*language, plan).await?.map(Box::new),
        }
        Ok(!matches!(self, Self::Component(_, None)))
    }

    /// Runs a step.
    ///
    /// # Errors
    /// If the host fails or there is no session.
    pub async fn call(&mut self, function: &str, arguments: Value) -> io::Result<CallOutcome> {
        match self {
            Self::Native(Some(native)) => native.call(function, &arguments).await,
            Self::Component(_, Some(host)) => host.call(function, arguments).await,
            _ => Err(io::Error::other("missing session")),
        }
    }

    /// Returns the name for messages.
    pub fn name(&self) -> String {
        match self {
            Self::Native(_) => "the native client".to_owned(),
            Self::Component(language, _) => format!("{language:?}"),
        }
    }

    /// Whether it is the native client.
    pub(super) fn is_native(&self) -> bool {
        matches!(self, Self::Native(_))
    }

    /// Whether it enforces the allow-list of the plan.
    pub(super) fn is_restricted(&self) -> bool {
        match self {
            Self::Native(_) => true,
            Self::Component(language, _) => language.is_restricted(),
        }
    }
}

/// A running scenario.
pub(super) struct ScenarioRun<'p> {
    player: &'p mut Player,
    simulator: &'p Simulator,
    /// The last page.
    page: Value,
    results: Vec<StepRecord>,
}

impl<'p> ScenarioRun<'p> {
    pub(super) fn new(player: &'p mut Player, simulator: &'p Simulator) -> Self {
        Self { player, simulator, page: Value::Null, results: Vec::new() }
    }

    pub(super) fn into_results(self) -> Vec<StepRecord> {
        self.results
    }

    pub(super) async fn call(
        &mut self,
        function: &'static str,
        arguments: &Value,
        expected: Expected,
    ) -> io::Result<()> {
        let outcome = self.player.call(function, self.substitute(arguments)).await?;
        if let CallOutcome::Ok(value) = &outcome
            && value.get("next").is_some()
        {
            self.page = value.clone();
        }
        let outcome = compare::without_addresses(outcome, &self.simulator.addresses());
        self.results.push(StepRecord { function, expected, outcome });
        Ok(())
    }

    /// Calls a listing until its last page.
    pub(super) async fn call_pages(
        &mut self,
        function: &'static str,
        arguments: &Value,
        pages: usize,
    ) -> io::Result<()> {
        self.page = Value::Null;
        for number in 1..=pages {
            self.call(function, arguments, Expected::Success(json!({}))).await?;
            let is_last = self.page["next"].is_null();
            if let Some(taken) = self.results.last_mut().filter(|_| is_last != (number == pages)) {
                taken.expected = Expected::Success(json!({"number of pages": pages}));
            }
            if is_last {
                break;
            }
        }
        Ok(())
    }

    pub(super) async fn restart(&mut self, plan: &SessionPlan) -> io::Result<()> {
        self.player.open(plan).await.map(drop)
    }

    /// Replaces the placeholders in arguments.
    fn substitute(&self, arguments: &Value) -> Value {
        match arguments {
            Value::String(text) if text == NEXT_CURSOR => self.page["next"].clone(),
            Value::String(text) if text == FIRST_ID => {
                let members = self.page.as_object().into_iter().flatten();
                let mut ids = members.map(|(_, items)| &items[0]["id"]);
                ids.find(|id| id.is_string()).cloned().unwrap_or_default()
            }
            Value::Array(list) => list.iter().map(|value| self.substitute(value)).collect(),
            Value::Object(members) => {
                members.iter().map(|(name, value)| (name.clone(), self.substitute(value))).collect()
            }
            other => other.clone(),
        }
    }
}
