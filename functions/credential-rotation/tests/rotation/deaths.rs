//! Whatever is repeated, and wherever the process dies: one credential is in
//! force, it is the old one or a tested one, and the rotation can be finished.

use std::collections::BTreeSet;

use credential_rotation::RotationError;
use proptest::{collection::vec, option, prelude::*};
use sophos_secrets::{CURRENT, PENDING};

use crate::memory::{Death, Memory, STEPS, Verdict, Verdicts, json, step};

#[derive(Debug, Clone, Copy)]
enum Kind {
    Tested(Verdict),
    Malformed,
    Ended,
    Used,
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        3 => Just(Kind::Tested(Verdict::Good)),
        2 => (1..3_u8).prop_map(|times| Kind::Tested(Verdict::Busy(times))),
        3 => Just(Kind::Tested(Verdict::Unfit)),
        1 => Just(Kind::Malformed),
        1 => Just(Kind::Ended),
        1 => Just(Kind::Used),
    ]
}

/// One invocation: which of the steps that may be asked for, and a death in it.
type Invocation = (usize, Option<Death>);

fn invocation() -> impl Strategy<Value = Invocation> {
    let death = (0..12_usize, any::<bool>()).prop_map(|(after, carried_out)| Death { after, carried_out });
    // The next step more often than an earlier one.
    (prop_oneof![2 => Just(usize::MAX), 1 => 0..4_usize], option::weighted(0.4, death))
}

/// Secrets Manager, as far as it drives rotations.
struct Driver<'a> {
    memory: &'a Memory,
    trial: &'a Verdicts,
    token: String,
    /// Steps of this rotation that have succeeded.
    done: usize,
    rotations: usize,
    in_force: String,
    were_in_force: BTreeSet<String>,
}

impl<'a> Driver<'a> {
    fn new(memory: &'a Memory, trial: &'a Verdicts) -> Self {
        let mut driver = Self {
            memory,
            trial,
            token: String::new(),
            done: 0,
            rotations: 0,
            in_force: "old".into(),
            were_in_force: BTreeSet::new(),
        };
        driver.begin();
        driver
    }

    /// Begins the next rotation, or goes on with one that has not ended.
    fn begin(&mut self) {
        self.rotations += 1;
        self.token = self.memory.begin(&format!("rotation-{}", self.rotations));
        self.done = 0;
    }

    fn invoke(&mut self, at: usize, death: Option<Death>) -> Result<(), RotationError> {
        let at = at.min(self.done);
        self.memory.will_die(death);
        let outcome = step(self.memory, self.trial, STEPS[at], &self.token);
        self.memory.will_die(None);
        let labels = self.memory.labels();
        assert!(labels.contains_key(CURRENT), "{labels:?}");
        let current = self.memory.client_id(CURRENT).expect("a credential is in force");
        if current != self.in_force {
            assert!(self.trial.passed(&current), "only what was tested comes into force");
            assert!(!self.were_in_force.contains(&current), "what was in force does not come back");
            self.were_in_force.insert(std::mem::replace(&mut self.in_force, current));
        }
        match &outcome {
            Ok(_) if at == self.done => self.done += 1,
            Ok(_) => {}
            // The next attempt begins with the first step again.
            Err(_) => self.done = 0,
        }
        let pending = labels.contains_key(PENDING);
        let is_over = self.done == STEPS.len();
        if is_over {
            assert!(!pending, "nothing is pending after the end");
            assert!(self.memory.staged().iter().all(|(id, _)| *id != self.in_force), "it is staged no more");
        }
        if is_over || (outcome.is_err() && !pending && labels[CURRENT] != self.token) {
            self.begin();
        }
        outcome.map(drop)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_rotation_can_always_be_finished(
        kinds in vec(kind(), 0..5),
        invocations in vec(invocation(), 0..40),
        lag in 0..4_u8,
    ) {
        let mut verdicts = Vec::new();
        let staged: Vec<_> = kinds.iter().enumerate().map(|(at, kind)| {
            let id = format!("id-{at}");
            let value = match kind {
                Kind::Tested(verdict) => { verdicts.push((id.clone(), *verdict)); json(&id, "") }
                Kind::Malformed => "hush-hush".into(),
                Kind::Ended => json(&id, r#","expires_at":"2026-01-01""#),
                Kind::Used => json("OLD", ""),
            };
            (format!("STAGED_{at}"), value)
        }).collect();
        let staged: Vec<_> = staged.iter().map(|(label, value)| (label.as_str(), value.as_str())).collect();
        let verdicts: Vec<_> = verdicts.iter().map(|(id, verdict)| (id.as_str(), *verdict)).collect();
        let memory = Memory::new(&json("old", ""), &staged);
        memory.lags(lag);
        let trial = Verdicts::new(&verdicts);
        let mut driver = Driver::new(&memory, &trial);
        for (at, death) in invocations {
            // A death is a failure as well; what counts is what it leaves behind.
            let _ = driver.invoke(at, death);
        }
        // From here on nothing dies, so that each good one comes into force.
        for _ in 0..200 {
            let _ = driver.invoke(usize::MAX, None);
        }
        let good = verdicts.iter().filter(|(_, verdict)| *verdict != Verdict::Unfit).map(|(id, _)| *id);
        let good: BTreeSet<_> = good.collect();
        let came: BTreeSet<_> = driver.were_in_force.iter().map(String::as_str)
            .chain([driver.in_force.as_str()]).filter(|id| *id != "old").collect();
        prop_assert_eq!(&came, &good, "all good ones came into force, and no other");
        let left = memory.staged();
        let unfit = verdicts.iter().filter(|(_, verdict)| *verdict == Verdict::Unfit);
        for (id, _) in unfit {
            let labels = left.iter().filter(|(staged, _)| staged == id).count();
            prop_assert_eq!(labels, 1, "a refused one is kept, once: {:?}", left);
        }
    }
}
