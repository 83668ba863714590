//! A scenario: an estate, a session in it, and steps with what is expected of
//! each. Whoever plays it, natively or in a host, is told the same and meets a
//! simulator of its own that does the same.

use std::{fmt, io};

use serde_json::{Value, json};
use sophos_simulator::{Config, FaultPlan, FaultRule, Simulator};

use super::{
    CallOutcome, SessionPlan, compare,
    player::{Player, ScenarioRun},
};

/// Stands among arguments for where the last page says that the next one begins;
/// null before the first and after the last.
pub const NEXT_CURSOR: &str = "$next";

/// Stands for the id of the last page's first item.
pub const FIRST_ID: &str = "$first";

type ConfigChange = Box<dyn Fn(&mut Config)>;
type PlanSetup = Box<dyn Fn(&Simulator, &mut SessionPlan)>;
type SimulatorChange = Box<dyn Fn(&Simulator)>;

/// What is played, step by step.
pub struct Scenario {
    /// What it shows, as a sentence.
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
    /// The native client has nothing of the kind.
    Components,
    /// Those that can be told which hosts may be reached.
    Restricted,
}

enum ScenarioStep {
    Call { function: &'static str, arguments: Value, expected: Expected },
    Pages { function: &'static str, arguments: Value, pages: usize },
    ChangeSimulator(SimulatorChange),
    NewSession,
}

/// What is expected of a step, of whoever plays it.
#[derive(Debug, Clone)]
pub enum Expected {
    /// It succeeds, and these members are as here.
    Success(Value),
    /// It fails like this.
    Failure(ExpectedFailure),
}

/// How a failure is told, but for its words.
#[derive(Debug, Clone)]
pub struct ExpectedFailure {
    reason: &'static str,
    wait_ms: Option<u64>,
    status: Option<u16>,
    transient: bool,
    /// How much of its message is the same everywhere.
    pub message: MessageMatch,
}

/// How much of a failure's message is the same everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageMatch {
    /// All of it.
    Exact,
    /// All of it up to these words; then comes what the host calls it.
    Prefix(&'static str),
    /// These words, at its end.
    Suffix(&'static str),
}

/// A failure of this reason: not transient, without a status and a wait.
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

    /// The same call may succeed later.
    #[must_use]
    pub fn transient(self) -> Self {
        Self { transient: true, ..self }
    }

    /// With a message that is the same up to these words.
    #[must_use]
    pub fn message_prefix(self, words: &'static str) -> Self {
        Self { message: MessageMatch::Prefix(words), ..self }
    }

    /// With a message that ends in these words.
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
    /// A scenario without a step, in this estate.
    pub fn new(name: &'static str, estate: fn() -> Config) -> Self {
        Self {
            name,
            config: estate,
            change: None,
            setup: Vec::new(),
            player_filter: PlayerFilter::All,
            steps: Vec::new(),
        }
    }

    /// The estate is another in this.
    #[must_use]
    pub fn with_config(mut self, change: impl Fn(&mut Config) + 'static) -> Self {
        self.change = Some(Box::new(change));
        self
    }

    /// The session begins like this.
    #[must_use]
    pub fn with_setup(mut self, setting: impl Fn(&Simulator, &mut SessionPlan) + 'static) -> Self {
        self.setup.push(Box::new(setting));
        self
    }

    /// The service fails by this rule.
    #[must_use]
    pub fn with_fault(self, rule: FaultRule) -> Self {
        self.with_setup(move |simulator, _| simulator.set_faults(FaultPlan::new([rule.clone()])))
    }

    /// Only where the host itself decides which hosts may be reached.
    #[must_use]
    pub fn restricted_hosts_only(mut self) -> Self {
        self.player_filter = PlayerFilter::Restricted;
        self
    }

    /// Not natively: there is nothing of the kind.
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

    /// A call that succeeds, with an answer of which these members are known.
    #[must_use]
    pub fn call(mut self, function: &'static str, arguments: Value, members: Value) -> Self {
        let expected = Expected::Success(members);
        self.steps.push(ScenarioStep::Call { function, arguments, expected });
        self
    }

    /// A call that fails.
    #[must_use]
    pub fn call_fails(mut self, function: &'static str, arguments: Value, told: ExpectedFailure) -> Self {
        let expected = Expected::Failure(told);
        self.steps.push(ScenarioStep::Call { function, arguments, expected });
        self
    }

    /// All pages of a listing, of which there are so many. [`NEXT_CURSOR`] is among the
    /// arguments.
    #[must_use]
    pub fn call_pages(mut self, function: &'static str, arguments: Value, pages: usize) -> Self {
        self.steps.push(ScenarioStep::Pages { function, arguments, pages });
        self
    }

    /// Something happens that the session has no part in.
    #[must_use]
    pub fn change_simulator(mut self, what: impl Fn(&Simulator) + 'static) -> Self {
        self.steps.push(ScenarioStep::ChangeSimulator(Box::new(what)));
        self
    }

    /// What follows is done by another session, in an instance of its own, which
    /// begins as the first did.
    #[must_use]
    pub fn new_session(mut self) -> Self {
        self.steps.push(ScenarioStep::NewSession);
        self
    }

    /// Whether there is something in it for this player.
    pub fn applies_to(&self, player: &Player) -> bool {
        match self.player_filter {
            PlayerFilter::All => true,
            PlayerFilter::Components => !player.is_native(),
            PlayerFilter::Restricted => player.is_restricted(),
        }
    }

    /// Plays it. `None` when the player's host is not there.
    ///
    /// # Errors
    /// When the simulator or the host does not work.
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
        let mut play = ScenarioRun::new(player, &simulator);
        for step in &self.steps {
            match step {
                ScenarioStep::Call { function, arguments, expected } => {
                    play.call(function, arguments, expected.clone()).await?;
                }
                ScenarioStep::Pages { function, arguments, pages } => {
                    play.call_pages(function, arguments, *pages).await?;
                }
                ScenarioStep::ChangeSimulator(what) => what(&simulator),
                ScenarioStep::NewSession => play.restart(&plan).await?,
            }
        }
        Ok(Some(play.into_results()))
    }
}

impl fmt::Debug for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scenario").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A step that was taken.
#[derive(Debug)]
pub struct StepRecord {
    pub(super) function: &'static str,
    pub(super) expected: Expected,
    pub(super) outcome: CallOutcome,
}

impl StepRecord {
    /// What is not as expected, a line each.
    pub fn mismatches(&self) -> Vec<String> {
        self.lines(compare::mismatches(&self.expected, &self.outcome))
    }

    /// Where it is not as the native client has it, a line each.
    pub fn differences(&self, native: &Self) -> Vec<String> {
        self.lines(compare::differences(&self.expected, &native.outcome, &self.outcome))
    }

    /// Whether there was nothing of the kind to call.
    pub fn is_absent(&self) -> bool {
        self.outcome == CallOutcome::Absent
    }

    fn lines(&self, found: Vec<String>) -> Vec<String> {
        found.iter().map(|defect| format!("{}: {defect}", self.function)).collect()
    }
}
