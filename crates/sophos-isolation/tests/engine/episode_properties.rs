//! Properties of the decisions of one alert, for any order of events.

use proptest::{collection::vec, prelude::*};
use serde_json::json;
use sophos_isolation::{Decision, ReleaseReason, Transition};

use crate::{
    properties::{apply_event, block_on, check_history, first_step_at, some_event},
    support::{HOUR, TestEnv, TestPolicy, host, machines},
};

/// Checks the decisions of one alert about one machine: they act one after the
/// other, and none acts after a manual end.
fn check_episodes(decisions: &[Decision]) -> Result<(), TestCaseError> {
    let begins = |decision: &Decision| {
        first_step_at(decision, |step| {
            matches!(step, Transition::Claimed(_) | Transition::PendingApproval { .. })
        })
    };
    let ended = |decision: &Decision| {
        first_step_at(decision, |step| matches!(step, Transition::ReleasePending { .. }))
            .or_else(|| decision.state().is_final().then(|| decision.updated_at_ms()))
    };
    for one in decisions {
        for other in decisions.iter().filter(|other| other.id() != one.id()) {
            let (Some(began), Some(later)) = (begins(one), begins(other)) else { continue };
            let overlap = began <= later && ended(one).is_none_or(|ended| ended > later);
            prop_assert!(!overlap, "two at once: {:#?} {:#?}", one, other);
            let word = first_step_at(one, |step| {
                matches!(
                    step,
                    Transition::ReleasePending { reason: ReleaseReason::Requested, .. }
                        | Transition::Declined { .. }
                        | Transition::Superseded { .. }
                )
            });
            prop_assert!(
                word.is_none_or(|word| later <= word || later >= word + 24 * HOUR * 1_000),
                "acts after a person's word: {:#?} {:#?}",
                one,
                other
            );
        }
        if let Some(Transition::Merged { into, .. }) = one.entries().last().map(|entry| &entry.transition) {
            let other = decisions.iter().find(|other| other.id() == into).expect("of the same alert");
            prop_assert!(other.claim().is_some() || begins(other).is_some() || other.state().is_final());
            prop_assert!(one.claim().is_none(), "it takes no slot");
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn episodes_of_an_alert_never_overlap(events in vec(some_event(), 5..40)) {
        block_on(async {
            let env = TestEnv::new(machines(6)).await;
            let more = "[approve]\nnames = [\"pc-3\"]\ntimeout = \"1h\"";
            let rules = TestPolicy { release: "1h", extra: more, ..TestPolicy::default() };
            let mut ids = Vec::new();
            // Three decisions of one alert about machine 1, three about machine 3.
            for (at, machine) in [1, 1, 1, 3, 3, 3].into_iter().enumerate() {
                let signal = json!({ "host": host(machine), "release_after_seconds": 900 });
                let alert = format!("alert {machine}");
                ids.push(env.begin_update("edr", &alert, &format!("event {at}"), signal).await);
            }
            for event in &events {
                apply_event(&env, &rules, &ids, event).await;
            }
            env.clear_faults();
            (1..4).for_each(|number| env.set_online(number, true));
            let engine = env.engine();
            for _ in 0..60 {
                env.advance_clock(300);
                engine.follow_up(&rules.policy(), None).await.unwrap();
            }
            check_history(&env, &ids).await?;
            for some in ids.chunks(3) {
                let mut decisions = Vec::new();
                for id in some {
                    decisions.push(env.decision(id).await);
                }
                check_episodes(&decisions)?;
            }
            Ok::<(), TestCaseError>(())
        })?;
    }
}
