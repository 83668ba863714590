//! Scenarios: a simulator configuration, a session, and steps with expectations. Every
//! player runs the same steps against its own simulator.

use std::{fmt, io};

use serde_json::{Value, json};
use sophos_simulator::{Config, FaultPlan, FaultRule, Simulator};

use super::{
    CallOutcome, SessionPlan, compare,
    player::{Player, ScenarioRun},
};

/// The placeholder for the `next` cursor of the last page; null before the first page.
pub const NEXT_CURSOR: &str = "$next";

/// The placeholder for the id of the last page's first item.
pub const FIRST_ID: &str = "$first";

type ConfigChange = Box<dyn Fn(&mut Config)>;
type PlanSetup = Box<dyn Fn(&Simulator, &mut SessionPlan)>;
type SimulatorChange = Box<dyn Fn(&Simulator)>;

/// A sequence of steps with expectations.
pub struct Scenario {
    /// The tested behaviour, for messages.
    pub name: &'static str,
    config: fn() -> Config,
    change: Option<ConfigChange>,
    setup: Vec<PlanSetup>,
    player_filter: PlayerFilter,
    steps: Vec<ScenarioStep>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PlayerFilter {
    All,
    /// Components only; the native client lacks the functions.
    Components,
    /// Players that enforce the allow-list.
    Restricted,
}

enum ScenarioStep {
    Call { function: &'static str, arguments: Value, expected: Expected },
    Pages { function: &'static str, arguments: Value, pages: usize },
    ChangeSimulator(SimulatorChange),
    NewSession,
}

/// The expectation of a step, for every player.
#[derive(Debug, Clone)]
pub enum Expected {
    /// Success with at least these members.
    Success(Value),
    /// This failure.
    Failure(ExpectedFailure),
}

/// An expected failure.
#[derive(Debug, Clone)]
pub struct ExpectedFailure {
    reason: &'static str,
    wait_ms: Option<u64>,
    status: Option<u16>,
    transient: bool,
    /// The part of its message that all players share.
    pub message: MessageMatch,
}

/// The part of a failure's message that all players share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageMatch {
    /// The whole message.
    Exact,
    /// The message up to these words, before a host-specific part.
    Prefix(&'static str),
    /// These words at the end.
    Suffix(&'static str),
}

/// Returns an expected failure with this reason, not transient, without status and wait.
pub fn expected_failure(reason: &'static str) -> ExpectedFailure {
    ExpectedFailure { reason, wait_ms: None, status: None, transient: false, message: MessageMatch::Exact }
}

impl ExpectedFailure {
    /// With this HTTP status.
    #[must_use]
    pub fn status(self, status: u16) -> Self {
        Self { status: Some(status), ..self }
    }

    /// With this wait, in milliseconds.
    #[must_use]
    pub fn wait(self, wait_ms: u64) -> Self {
        Self { wait_ms: Some(wait_ms), ..self }
    }

    /// As a transient failure.
    #[must_use]
    pub fn transient(self) -> Self {
        Self { transient: true, ..self }
    }

    /// With a common message up to these words.
    #[must_use]
    pub fn message_prefix(self, words: &'static str) -> Self {
        Self { message: MessageMatch::Prefix(words), ..self }
    }

    /// With a message that ends with these words.
    #[must_use]
    pub fn message_suffix(self, words: &'static str) -> Self {
        Self { message: MessageMatch::Suffix(words), ..self }
    }

    pub(super) fn members(&self) -> Value {
        json!({
            "reason": {"tag": self.reason, "val": self.wait_ms},
            "status": self.status,
            "transient": self.transient,
        })
    }
}

impl Scenario {
    /// Returns a scenario without steps for this simulator.
    pub fn new(name: &'static str, config: fn() -> Config) -> Self {
        Self {
            name,
            config,
            change: None,
            setup: Vec::new(),
            player_filter: PlayerFilter::All,
            steps: Vec::new(),
        }
    }

    /// Changes the simulator's configuration.
    #[must_use]
    pub fn with_config(mut self, change: impl Fn(&mut Config) + 'static) -> Self {
        self.change = Some(Box::new(change));
        self
    }

    /// Changes the simulator or the plan before the session.
    #[must_use]
    pub fn with_setup(mut self, setting: impl Fn(&Simulator, &mut SessionPlan) + 'static) -> Self {
        self.setup.push(Box::new(setting));
        self
    }

    /// Adds a fault of the service.
    #[must_use]
    pub fn with_fault(self, rule: FaultRule) -> Self {
        self.with_setup(move |simulator, _| simulator.set_faults(FaultPlan::new([rule.clone()])))
    }

    /// Runs only with players that enforce the allow-list.
    #[must_use]
    pub fn restricted_hosts_only(mut self) -> Self {
        self.player_filter = PlayerFilter::Restricted;
        self
    }

    /// Skips the native client.
    #[must_use]
    pub fn components_only(mut self) -> Self {
        self.player_filter = PlayerFilter::Components;
        self
    }

    /// A call that succeeds.
    #[must_use]
    pub fn call_ok(self, function: &'static str, arguments: Value) -> Self {
        self.call(function, arguments, json!({}))
    }

    /// A call that succeeds with at least these members.
    #[must_use]
    pub fn call(mut self, function: &'static str, arguments: Value, members: Value) -> Self {
        let expected = Expected::Success(members);
        self.steps.push(ScenarioStep::Call { function, arguments, expected });
        self
    }

    /// A call that fails.
    #[must_use]
    pub fn call_fails(mut self, function: &'static str, arguments: Value, failure: ExpectedFailure) -> Self {
        let expected = Expected::Failure(failure);
        self.steps.push(ScenarioStep::Call { function, arguments, expected });
        self
    }

    /// Calls for this number of pages. The arguments contain [`NEXT_CURSOR`].
    #[must_use]
    pub fn call_pages(mut self, function: &'static str, arguments: Value, pages: usize) -> Self {
        self.steps.push(ScenarioStep::Pages { function, arguments, pages });
        self
    }

    /// Changes the simulator between calls.
    #[must_use]
    pub fn change_simulator(mut self, what: impl Fn(&Simulator) + 'static) -> Self {
        self.steps.push(ScenarioStep::ChangeSimulator(Box::new(what)));
        self
    }

    /// Starts another session in a new instance, with the same plan.
    #[must_use]
    pub fn new_session(mut self) -> Self {
        self.steps.push(ScenarioStep::NewSession);
        self
    }

    /// Whether this player runs it.
    pub fn applies_to(&self, player: &Player) -> bool {
        match self.player_filter {
            PlayerFilter::All => true,
            PlayerFilter::Components => !player.is_native(),
            PlayerFilter::Restricted => player.is_restricted(),
        }
    }

    /// Runs the scenario. `None` if the player's host is not available.
    ///
    /// # Errors
    /// If the simulator or the host fails.
    pub async fn run(&self, player: &mut Player) -> io::Result<Option<Vec<StepRecord>>> {
        let mut config = (self.config)();
        if let Some(change) = &self.change {
            change(&mut config);
        }
        let simulator = Simulator::start(config).await.map_err(io::Error::other)?;
        let mut plan = SessionPlan::new(&simulator);
        self.setup.iter().for_each(|setting| setting(&simulator, &mut plan));
        if !player.open(&plan).await? {
            return Ok(None);
        }
        let mut run = ScenarioRun::new(player, &simulator);
        for step in &self.steps {
            match step {
                ScenarioStep::Call { function, arguments, expected } => {
                    run.call(function, arguments, expected.clone()).await?;
                }
                ScenarioStep::Pages { function, arguments, pages } => {
                    run.call_pages(function, arguments, *pages).await?;
                }
                ScenarioStep::ChangeSimulator(what) => what(&simulator),
                ScenarioStep::NewSession => run.restart(&plan).await?,
            }
        }
        Ok(Some(run.into_results()))
    }
}

impl fmt::Debug for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scenario").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The record of a step.
#[derive(Debug)]
pub struct StepRecord {
    pub(super) function: &'static str,
    pub(super) expected: Expected,
    pub(super) outcome: CallOutcome,
}

impl StepRecord {
    /// Returns the deviations from the expectation, one per line.
    pub fn mismatches(&self) -> Vec<String> {
        self.lines(compare::mismatches(&self.expected, &self.outcome))
    }

    /// Returns the differences from the native client, one per line.
    pub fn differences(&self, native: &Self) -> Vec<String> {
        self.lines(compare::differences(&self.expected, &native.outcome, &self.outcome))
    }

    /// Whether the player lacked the function.
    pub fn is_absent(&self) -> bool {
        self.outcome == CallOutcome::Absent
    }

    fn lines(&self, found: Vec<String>) -> Vec<String> {
        found.iter().map(|defect| format!("{}: {defect}", self.function)).collect()
    }
}
