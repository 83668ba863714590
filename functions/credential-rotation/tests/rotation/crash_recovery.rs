//! Retries and crashes at any point: the current credential is the old one or a tested
//! one, and the rotation can be completed.

use std::collections::BTreeSet;

use credential_rotation::RotationError;
use proptest::{collection::vec, option, prelude::*};
use sophos_secrets::{AWSCURRENT, AWSPENDING};

use crate::memory::{CheckVerdict, Crash, MemorySecret, STEPS, ScriptedCheck, json, run_step};

#[derive(Debug, Clone, Copy)]
enum StagedKind {
    Checked(CheckVerdict),
    Malformed,
    Expired,
    Used,
}

fn kind() -> impl Strategy<Value = StagedKind> {
    prop_oneof![
        3 => Just(StagedKind::Checked(CheckVerdict::Passes)),
        2 => (1..3_u8).prop_map(|times| StagedKind::Checked(CheckVerdict::Busy(times))),
        3 => Just(StagedKind::Checked(CheckVerdict::Rejected)),
        1 => Just(StagedKind::Malformed),
        1 => Just(StagedKind::Expired),
        1 => Just(StagedKind::Used),
    ]
}

/// One invocation: the step, and an optional crash in it.
type Invocation = (usize, Option<Crash>);

fn invocation() -> impl Strategy<Value = Invocation> {
    let death = (0..12_usize, any::<bool>())
        .prop_map(|(after, carried_out)| Crash { calls_before: after, is_applied: carried_out });
    // The next step is more frequent than an earlier one.
    (prop_oneof![2 => Just(usize::MAX), 1 => 0..4_usize], option::weighted(0.4, death))
}

/// Secrets Manager as the driver of rotations.
struct RotationDriver<'a> {
    memory: &'a MemorySecret,
    check: &'a ScriptedCheck,
    token: String,
    /// The number of successful steps of this rotation.
    done: usize,
    rotations: usize,
    active: String,
    previously_active: BTreeSet<String>,
}

impl<'a> RotationDriver<'a> {
    fn new(memory: &'a MemorySecret, trial: &'a ScriptedCheck) -> Self {
        let mut driver = Self {
            memory,
            check: trial,
            token: String::new(),
            done: 0,
            rotations: 0,
            active: "old".into(),
            previously_active: BTreeSet::new(),
        };
        driver.begin();
        driver
    }

    /// Starts the next rotation, or continues an unfinished one.
    fn begin(&mut self) {
        self.rotations += 1;
        self.token = self.memory.begin(&format!("rotation-{}", self.rotations));
        self.done = 0;
    }

    fn invoke(&mut self, step_index: usize, death: Option<Crash>) -> Result<(), RotationError> {
        let at = step_index.min(self.done);
        self.memory.set_crash(death);
        let outcome = run_step(self.memory, self.check, STEPS[at], &self.token);
        self.memory.set_crash(None);
        let labels = self.memory.labels();
        assert!(labels.contains_key(AWSCURRENT), "{labels:?}");
        let current = self.memory.client_id(AWSCURRENT).expect("a credential is in force");
        if current != self.active {
            assert!(self.check.passed(&current), "only what was tested comes into force");
            assert!(!self.previously_active.contains(&current), "what was in force does not come back");
            self.previously_active.insert(std::mem::replace(&mut self.active, current));
        }
        match &outcome {
            Ok(_) if at == self.done => self.done += 1,
            Ok(_) => {}
            // The next attempt starts with the first step.
            Err(_) => self.done = 0,
        }
        let pending = labels.contains_key(AWSPENDING);
        let is_over = self.done == STEPS.len();
        if is_over {
            assert!(!pending, "nothing is pending after the end");
            assert!(self.memory.staged().iter().all(|(id, _)| *id != self.active), "it is staged no more");
        }
        if is_over || (outcome.is_err() && !pending && labels[AWSCURRENT] != self.token) {
            self.begin();
        }
        outcome.map(drop)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn rotation_can_be_finished_after_any_crash(
        kinds in vec(kind(), 0..5),
        invocations in vec(invocation(), 0..40),
        lag in 0..4_u8,
    ) {
        let mut verdicts = Vec::new();
        let staged: Vec<_> = kinds.iter().enumerate().map(|(at, kind)| {
            let id = format!("id-{at}");
            let value = match kind {
                StagedKind::Checked(verdict) => { verdicts.push((id.clone(), *verdict)); json(&id, "") }
                StagedKind::Malformed => "hush-hush".into(),
                StagedKind::Expired => json(&id, r#","expires_at":"2026-01-01""#),
                StagedKind::Used => json("OLD", ""),
            };
            (format!("STAGED_{at}"), value)
        }).collect();
        let staged: Vec<_> = staged.iter().map(|(label, value)| (label.as_str(), value.as_str())).collect();
        let verdicts: Vec<_> = verdicts.iter().map(|(id, verdict)| (id.as_str(), *verdict)).collect();
        let memory = MemorySecret::new(&json("old", ""), &staged);
        memory.set_visibility_lag(lag);
        let trial = ScriptedCheck::new(&verdicts);
        let mut driver = RotationDriver::new(&memory, &trial);
        for (at, death) in invocations {
            // A crash is a failure as well; its result counts.
            let _ = driver.invoke(at, death);
        }
        // Without crashes from here on, each valid credential becomes current.
        for _ in 0..200 {
            let _ = driver.invoke(usize::MAX, None);
        }
        let good = verdicts.iter().filter(|(_, verdict)| *verdict != CheckVerdict::Rejected).map(|(id, _)| *id);
        let good: BTreeSet<_> = good.collect();
        let came: BTreeSet<_> = driver.previously_active.iter().map(String::as_str)
            .chain([driver.active.as_str()]).filter(|id| *id != "old").collect();
        prop_assert_eq!(&came, &good, "all good ones came into force, and no other");
        let left = memory.staged();
        let unfit = verdicts.iter().filter(|(_, verdict)| *verdict == CheckVerdict::Rejected);
        for (id, _) in unfit {
            let labels = left.iter().filter(|(staged, _)| staged == id).count();
            prop_assert_eq!(labels, 1, "a refused one is kept, once: {:?}", left);
        }
    }
}
