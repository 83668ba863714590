//! A scenario: an estate, a session in it, and steps with what is expected of
//! each. Whoever plays it, natively or in a host, is told the same and meets a
//! simulator of its own that does the same.

use std::{fmt, io};

use serde_json::{Value, json};
use sophos_simulator::{Config, FaultPlan, FaultRule, Simulator};

use super::{
    Outcome, Plan, compare,
    play::{Play, Player},
};

/// Stands among arguments for where the last page says that the next one begins;
/// null before the first and after the last.
pub const NEXT: &str = "$next";

/// Stands for the id of the last page's first item.
pub const FIRST: &str = "$first";

type Change = Box<dyn Fn(&mut Config)>;
type Setting = Box<dyn Fn(&Simulator, &mut Plan)>;
type Meanwhile = Box<dyn Fn(&Simulator)>;

/// What is played, step by step.
pub struct Scenario {
    /// What it shows, as a sentence.
    pub name: &'static str,
    estate: fn() -> Config,
    change: Option<Change>,
    begin: Vec<Setting>,
    played_by: PlayedBy,
    steps: Vec<Step>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PlayedBy {
    All,
    /// The native client has nothing of the kind.
    Components,
    /// Those that can be told which hosts may be reached.
    Guarded,
}

enum Step {
    Call { function: &'static str, arguments: Value, expected: Expected },
    Pages { function: &'static str, arguments: Value, pages: usize },
    Meanwhile(Meanwhile),
    Anew,
}

/// What is expected of a step, of whoever plays it.
#[derive(Debug, Clone)]
pub enum Expected {
    /// It succeeds, and these members are as here.
    Success(Value),
    /// It fails like this.
    Failure(Told),
}

/// How a failure is told, but for its words.
#[derive(Debug, Clone)]
pub struct Told {
    reason: &'static str,
    wait_ms: Option<u64>,
    status: Option<u16>,
    transient: bool,
    /// How much of its message is the same everywhere.
    pub message: Message,
}

/// How much of a failure's message is the same everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message {
    /// All of it.
    Whole,
    /// All of it up to these words; then comes what the host calls it.
    UpTo(&'static str),
    /// These words, at its end.
    End(&'static str),
}

/// A failure of this reason: not transient, without a status and a wait.
pub fn told(reason: &'static str) -> Told {
    Told { reason, wait_ms: None, status: None, transient: false, message: Message::Whole }
}

impl Told {
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
    pub fn up_to(self, words: &'static str) -> Self {
        Self { message: Message::UpTo(words), ..self }
    }

    /// With a message that ends in these words.
    #[must_use]
    pub fn because(self, words: &'static str) -> Self {
        Self { message: Message::End(words), ..self }
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
        Self { name, estate, change: None, begin: Vec::new(), played_by: PlayedBy::All, steps: Vec::new() }
    }

    /// The estate is another in this.
    #[must_use]
    pub fn where_it(mut self, change: impl Fn(&mut Config) + 'static) -> Self {
        self.change = Some(Box::new(change));
        self
    }

    /// The session begins like this.
    #[must_use]
    pub fn given(mut self, setting: impl Fn(&Simulator, &mut Plan) + 'static) -> Self {
        self.begin.push(Box::new(setting));
        self
    }

    /// The service fails by this rule.
    #[must_use]
    pub fn fault(self, rule: FaultRule) -> Self {
        self.given(move |simulator, _| simulator.set_faults(FaultPlan::new([rule.clone()])))
    }

    /// Only where the host itself decides which hosts may be reached.
    #[must_use]
    pub fn where_the_host_decides(mut self) -> Self {
        self.played_by = PlayedBy::Guarded;
        self
    }

    /// Not natively: there is nothing of the kind.
    #[must_use]
    pub fn in_components_only(mut self) -> Self {
        self.played_by = PlayedBy::Components;
        self
    }

    /// A call that succeeds.
    #[must_use]
    pub fn ok(self, function: &'static str, arguments: Value) -> Self {
        self.shows(function, arguments, json!({}))
    }

    /// A call that succeeds, with an answer of which these members are known.
    #[must_use]
    pub fn shows(mut self, function: &'static str, arguments: Value, members: Value) -> Self {
        let expected = Expected::Success(members);
        self.steps.push(Step::Call { function, arguments, expected });
        self
    }

    /// A call that fails.
    #[must_use]
    pub fn fails(mut self, function: &'static str, arguments: Value, told: Told) -> Self {
        let expected = Expected::Failure(told);
        self.steps.push(Step::Call { function, arguments, expected });
        self
    }

    /// All pages of a listing, of which there are so many. [`NEXT`] is among the
    /// arguments.
    #[must_use]
    pub fn pages(mut self, function: &'static str, arguments: Value, pages: usize) -> Self {
        self.steps.push(Step::Pages { function, arguments, pages });
        self
    }

    /// Something happens that the session has no part in.
    #[must_use]
    pub fn meanwhile(mut self, what: impl Fn(&Simulator) + 'static) -> Self {
        self.steps.push(Step::Meanwhile(Box::new(what)));
        self
    }

    /// What follows is done by another session, in an instance of its own, which
    /// begins as the first did.
    #[must_use]
    pub fn in_another_instance(mut self) -> Self {
        self.steps.push(Step::Anew);
        self
    }

    /// Whether there is something in it for this player.
    pub fn is_for(&self, player: &Player) -> bool {
        match self.played_by {
            PlayedBy::All => true,
            PlayedBy::Components => !player.is_native(),
            PlayedBy::Guarded => player.is_guarded(),
        }
    }

    /// Plays it. `None` when the player's host is not there.
    ///
    /// # Errors
    /// When the simulator or the host does not work.
    pub async fn play(&self, player: &mut Player) -> io::Result<Option<Vec<Taken>>> {
        let mut config = (self.estate)();
        if let Some(change) = &self.change {
            change(&mut config);
        }
        let simulator = Simulator::start(config).await.map_err(io::Error::other)?;
        let mut plan = Plan::of(&simulator);
        self.begin.iter().for_each(|setting| setting(&simulator, &mut plan));
        if !player.open(&plan).await? {
            return Ok(None);
        }
        let mut play = Play::new(player, &simulator);
        for step in &self.steps {
            match step {
                Step::Call { function, arguments, expected } => {
                    play.call(function, arguments, expected.clone()).await?;
                }
                Step::Pages { function, arguments, pages } => {
                    play.pages(function, arguments, *pages).await?;
                }
                Step::Meanwhile(what) => what(&simulator),
                Step::Anew => play.anew(&plan).await?,
            }
        }
        Ok(Some(play.taken()))
    }
}

impl fmt::Debug for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scenario").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A step that was taken.
#[derive(Debug)]
pub struct Taken {
    pub(super) function: &'static str,
    pub(super) expected: Expected,
    pub(super) outcome: Outcome,
}

impl Taken {
    /// What is not as expected, a line each.
    pub fn defects(&self) -> Vec<String> {
        self.lines(compare::unmet(&self.expected, &self.outcome))
    }

    /// Where it is not as the native client has it, a line each.
    pub fn differences(&self, native: &Self) -> Vec<String> {
        self.lines(compare::differences(&self.expected, &native.outcome, &self.outcome))
    }

    /// Whether there was nothing of the kind to call.
    pub fn is_absent(&self) -> bool {
        self.outcome == Outcome::Absent
    }

    fn lines(&self, found: Vec<String>) -> Vec<String> {
        found.iter().map(|defect| format!("{}: {defect}", self.function)).collect()
    }
}
