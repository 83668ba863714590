//! The steps of a rotation, over a secret in memory.

use credential_rotation::{Rotation, RotationError, Step, TrialError, pool::Pool};
use sophos_secrets::{CURRENT, PENDING, PREVIOUS, Purpose, SecretString, StoredCredential};

use crate::memory::{Memory, SECRET, STEPS, Verdict, Verdicts, json, now, step, time};

const GOOD: Verdict = Verdict::Good;

fn rotate(memory: &Memory, trial: &Verdicts, token: &str) -> Result<(), RotationError> {
    let token = memory.begin(token);
    STEPS.into_iter().try_for_each(|one| step(memory, trial, one, &token).map(drop))
}

fn holders(memory: &Memory) -> [Option<String>; 3] {
    [CURRENT, PREVIOUS, PENDING].map(|label| memory.client_id(label))
}

fn some(id: &str) -> Option<String> {
    Some(id.to_owned())
}

#[test]
fn a_staged_credential_takes_over_and_is_staged_no_more() {
    let memory = Memory::new(&json("old", ""), &[("STAGED_2", &json("b", "")), ("STAGED", &json("a", ""))]);
    let trial = Verdicts::new(&[("a", GOOD), ("b", GOOD)]);
    let token = memory.begin("token");
    for (one, after) in STEPS.into_iter().zip([
        [some("old"), None, some("a")],
        [some("old"), None, some("a")],
        [some("old"), None, some("a")],
        [some("a"), some("old"), None],
    ]) {
        for _ in 0..2 {
            step(&memory, &trial, one, &token).expect("a step, and its repetition");
            assert_eq!(holders(&memory), after, "{one}");
        }
    }
    assert_eq!(memory.staged(), [("b".to_owned(), "STAGED_2".to_owned())]);
    // One that was used never comes back, not even if it is staged again.
    memory.store("again", &json("OLD", ""), "STAGED");
    rotate(&memory, &trial, "second").expect("the other");
    assert_eq!(holders(&memory), [some("b"), some("a"), None]);
    assert_eq!(memory.staged(), [], "nor once it is forgotten that it was used");
}

#[test]
fn an_empty_pool_says_what_to_do_and_why_others_were_passed_over() {
    let memory = Memory::new(
        &json("old", r#","used_for":["isolation"]"#),
        &[
            ("STAGED", "hush-hush"),
            ("STAGED_2", &json("a", r#","expires_at":"2026-11-23""#)),
            ("STAGED_3", &json("b", r#","created_at":"2023-11-23""#)),
            ("STAGED_4", &json("OLD", "")),
            ("STAGED_5", &json("c", r#","role":"read_only""#)),
        ],
    );
    let before = memory.labels();
    let token = memory.begin("token");
    let error = step(&memory, &Verdicts::new(&[]), Step::CreateSecret, &token).expect_err("no candidate");
    let error = error.to_string();
    for told in [
        "sophos/credentials/acme: there is no staged credential",
        r#""STAGED": is no JSON"#,
        r#""STAGED_2": it ended on 2026-11-23"#,
        r#""STAGED_3": it ended on 2026-11-23"#,
        r#""STAGED_4": it is the current one"#,
        r#""STAGED_5": its role, Service Principal Read-Only, is not enough for isolation"#,
        "aws secretsmanager put-secret-value --secret-id sophos/credentials/acme --secret-string file://next.json \
         --version-stages STAGED",
    ] {
        assert!(error.contains(told), "{told}: {error}");
    }
    assert!(!error.contains("hush"), "{error}");
    // The same rotation goes on once there is one.
    memory.store("new", &json("d", ""), "STAGED_6");
    step(&memory, &Verdicts::new(&[]), Step::CreateSecret, &memory.begin("other")).expect("a candidate");
    assert_eq!(memory.client_id(PENDING), some("d"));
    let staged = |labels: &std::collections::BTreeMap<String, String>| {
        labels.iter().filter(|(label, _)| label.starts_with("STAGED")).count()
    };
    assert_eq!(staged(&memory.labels()), staged(&before) + 1, "nothing is thrown away");
}

#[test]
fn what_is_tested_is_what_it_will_be_used_for() {
    for (current, new, purposes) in [
        ("", "", &[Purpose::Export][..]),
        (r#","used_for":["isolation"]"#, "", &[Purpose::Isolation]),
        (r#","used_for":["isolation"]"#, r#","used_for":["export"]"#, &[Purpose::Export]),
        (
            "",
            r#","used_for":["export","isolation"],"role":"management""#,
            &[Purpose::Export, Purpose::Isolation],
        ),
    ] {
        let memory = Memory::new(&json("old", current), &[("STAGED", &json("a", new))]);
        let trial = Verdicts::new(&[("a", GOOD)]);
        rotate(&memory, &trial, "token").expect("rotated");
        let test = ("a".to_owned(), purposes.to_vec());
        assert_eq!(trial.tested(), [test.clone(), test], "by testSecret, and by finishSecret");
    }
}

#[test]
fn what_a_new_credential_would_no_longer_serve_is_known() {
    use Purpose::{Export, Isolation};
    let stored = |more: &str| {
        StoredCredential::from_json(&SecretString::from(json("an-id", more))).expect("a credential")
    };
    let (both, isolation) = (r#","used_for":["export","isolation"]"#, r#","used_for":["isolation"]"#);
    for (current, new, expected) in [
        (Some(""), "", &[][..]),
        (Some(""), isolation, &[Export]),
        (Some(both), isolation, &[Export]),
        (Some(isolation), r#","used_for":["export"]"#, &[Isolation]),
        (Some(isolation), both, &[]),
        (None, isolation, &[]),
    ] {
        let current = current.map(stored);
        let pool = Pool { current: current.as_ref(), previous: None, now: time("2026-11-23T10:00:00Z") };
        assert_eq!(pool.given_up(&stored(new)), expected, "{current:?} {new}");
    }
}

#[test]
fn a_step_out_of_turn_changes_nothing() {
    let memory = Memory::new(&json("old", ""), &[("STAGED", &json("a", ""))]);
    let trial = Verdicts::new(&[("a", GOOD)]);
    let fails = |one, token: &str, told: &str| {
        let before = memory.labels();
        let error = step(&memory, &trial, one, token).expect_err(told).to_string();
        assert!(error.starts_with(SECRET) && error.contains(told), "{one}: {error}");
        assert_eq!(memory.labels(), before, "{one}");
    };
    for one in STEPS {
        fails(one, "unknown", "unknown is no version of it");
    }
    let token = memory.begin("token");
    for one in [Step::TestSecret, Step::FinishSecret] {
        fails(one, &token, "it has no value yet");
    }
    for one in [Step::SetSecret, Step::TestSecret, Step::FinishSecret] {
        fails(one, "staged-0", "is not pending");
    }
    memory.store(&token, &json("a", ""), PENDING);
    memory.rotates(false);
    for one in STEPS {
        fails(one, &token, "rotation is not enabled");
    }
    for one in [Step::CreateSecret, Step::SetSecret, Step::TestSecret] {
        memory.rotates(true);
        let done = step(&memory, &trial, one, "first").expect("nothing to do");
        assert!(done.contains("current version already"), "{one}: {done}");
    }
}

#[test]
fn a_rotation_that_is_only_tried_changes_nothing() {
    // Nothing that is tested must be asked about: there is no verdict.
    let trial = Verdicts::new(&[]);
    for current in [&*json("old", r#","used_for":["export"]"#), r#"{"no_credential_yet":"hush-hush"}"#] {
        // Without a value only before rotation is enabled: afterwards `createSecret` may
        // have stored one that is not visible yet.
        for (copied, rotates) in [(true, true), (true, false), (false, false)] {
            // The same credential is staged as well, and must not be set aside.
            let memory = Memory::new(current, &[("STAGED", current), ("STAGED_2", &json("a", ""))]);
            let token = memory.begin("token");
            if copied {
                memory.store(&token, current, PENDING);
            }
            memory.rotates(rotates);
            let before = memory.labels();
            for _ in 0..2 {
                let done = step(&memory, &trial, Step::TestSecret, &token).expect("nothing to do");
                assert!(done.contains("only tries") && !done.contains("hush"), "{done}");
                assert_eq!(memory.labels(), before);
            }
        }
    }
}

#[test]
fn test_fails_while_the_pending_value_is_not_visible() {
    let memory = Memory::new(&json("old", ""), &[("STAGED", &json("a", ""))]);
    let trial = Verdicts::new(&[("a", GOOD)]);
    let token = memory.begin("token");
    memory.lags(1);
    step(&memory, &trial, Step::CreateSecret, &token).expect("stored");
    let error = step(&memory, &trial, Step::TestSecret, &token).expect_err("it is not visible");
    assert!(matches!(error, RotationError::NoPendingValue { .. }), "{error}");
    assert_eq!((holders(&memory), trial.tested().len()), ([some("old"), None, some("a")], 0));
    for one in [Step::TestSecret, Step::FinishSecret] {
        step(&memory, &trial, one, &token).expect("the repetition sees it");
    }
    assert_eq!(holders(&memory), [some("a"), some("old"), None]);
}

#[test]
fn finish_promotes_nothing_that_fails_its_test() {
    for (verdict, pending) in
        [(Verdict::Busy(1), some("a")), (Verdict::Unfit, None), (Verdict::OwnerUnknown, None)]
    {
        let memory = Memory::new(&json("old", ""), &[("STAGED", &json("a", ""))]);
        let trial = Verdicts::new(&[("a", verdict)]);
        let token = memory.begin("token");
        step(&memory, &trial, Step::CreateSecret, &token).expect("stored");
        let error = step(&memory, &trial, Step::FinishSecret, &token).expect_err("untested");
        assert!(matches!(error, RotationError::Trial { .. }), "{error}");
        assert_eq!(holders(&memory), [some("old"), None, pending], "{verdict:?}");
        assert_eq!(memory.staged().len(), 1, "it is not lost");
    }
}

#[test]
fn a_copy_of_the_current_version_does_not_take_over() {
    let memory =
        Memory::new(&json("older", ""), &[("STAGED", &json("old", "")), ("STAGED_2", &json("a", ""))]);
    let trial = Verdicts::new(&[("old", GOOD), ("a", GOOD)]);
    rotate(&memory, &trial, "token").expect("rotated");
    memory.store("copy", &json("old", ""), PENDING);
    let error = step(&memory, &trial, Step::FinishSecret, "copy").expect_err("a copy").to_string();
    assert!(error.contains("copy of the current one; begin anew with rotate-secret"), "{error}");
    assert_eq!(holders(&memory), [some("old"), some("older"), None], "the one before is still there");
    rotate(&memory, &trial, "second").expect("nothing is in the way");
    assert_eq!(holders(&memory), [some("a"), some("old"), None]);
}

#[test]
fn what_may_pass_keeps_the_credential_pending() {
    let memory = Memory::new(&json("old", ""), &[("STAGED", &json("a", "")), ("STAGED_2", &json("b", ""))]);
    let trial = Verdicts::new(&[("a", Verdict::Busy(2))]);
    for _ in 0..2 {
        let error = rotate(&memory, &trial, "token").expect_err("busy");
        assert!(matches!(error, RotationError::Trial { error: TrialError::Passing(_), .. }), "{error}");
        assert_eq!(holders(&memory), [some("old"), None, some("a")]);
    }
    rotate(&memory, &trial, "another").expect("rotated");
    assert_eq!(holders(&memory), [some("a"), some("old"), None]);
}

#[test]
fn an_unknown_owner_gives_the_rotation_up_and_leaves_the_pool() {
    let memory = Memory::new(&json("old", ""), &[("STAGED", &json("a", "")), ("STAGED_2", &json("b", ""))]);
    let before = memory.labels();
    let trial = Verdicts::new(&[("a", Verdict::OwnerUnknown)]);
    let error = rotate(&memory, &trial, "token").expect_err("no owner").to_string();
    assert!(
        error.contains("partner ab") && error.contains("write it into one of them as partner_id"),
        "{error}"
    );
    assert_eq!(memory.labels(), before);
}

#[test]
fn a_refused_credential_goes_behind_all_others_and_is_not_lost() {
    let memory =
        Memory::new(&json("old", ""), &[("STAGED", &json("bad", "")), ("STAGED_2", &json("worse", ""))]);
    let verdicts = [("bad", Verdict::Unfit), ("worse", Verdict::Unfit), ("good", GOOD)];
    let trial = Verdicts::new(&verdicts);
    let mut order = Vec::new();
    for token in ["1", "2", "3", "4"] {
        let error = rotate(&memory, &trial, token).expect_err("refused");
        let RotationError::Trial { client_id, error: TrialError::Unfit(_), .. } = error else {
            panic!("{error}")
        };
        order.push(client_id);
        assert_eq!(holders(&memory), [some("old"), None, None]);
        assert_eq!(memory.staged().len(), 2, "{:?}", memory.staged());
    }
    assert_eq!(order, ["bad", "worse", "bad", "worse"]);
    // A label already behind all others stays.
    let only = Memory::new(&json("old", ""), &[("STAGED", &json("bad", ""))]);
    for token in ["1", "2"] {
        rotate(&only, &trial, token).expect_err("refused");
        assert_eq!(only.staged(), [("bad".to_owned(), "STAGED_REFUSED_1".to_owned())]);
    }
    memory.store("new", &json("good", ""), "STAGED");
    rotate(&memory, &trial, "5").expect("it goes before those that were refused");
    assert_eq!(holders(&memory), [some("good"), some("old"), None]);
}

#[test]
fn a_pending_version_that_is_no_credential_is_given_up() {
    let memory = Memory::new(&json("old", ""), &[("STAGED", &json("a", ""))]);
    memory.store("token", "hush-hush", PENDING);
    let trial = Verdicts::new(&[("a", GOOD)]);
    let error = step(&memory, &trial, Step::FinishSecret, "token").expect_err("no credential").to_string();
    assert!(error.contains("is no JSON") && !error.contains("hush"), "{error}");
    assert_eq!(memory.client_id(CURRENT), some("old"));
    step(&memory, &trial, Step::TestSecret, "token").expect_err("no credential");
    rotate(&memory, &trial, "next").expect("rotated");
    assert_eq!(holders(&memory), [some("a"), some("old"), None]);
}

#[test]
fn a_current_value_that_is_no_credential_can_be_replaced() {
    let memory = Memory::new("hush-hush", &[("STAGED", &json("a", ""))]);
    rotate(&memory, &Verdicts::new(&[("a", GOOD)]), "token").expect("rotated");
    assert_eq!(memory.client_id(CURRENT), some("a"));
}

#[test]
fn a_check_changes_nothing() {
    for (verdict, told) in [(GOOD, "STAGED can take over"), (Verdict::Unfit, "refused")] {
        let memory = Memory::new(&json("old", ""), &[("STAGED", &json("a", ""))]);
        memory.rotates(false);
        let before = memory.labels();
        let trial = Verdicts::new(&[("a", verdict)]);
        let check = now(Rotation::new(&memory, &trial, time("2026-11-23T10:00:00Z")).check());
        let said = check.unwrap_or_else(|error| error.to_string());
        assert!(said.contains(told), "{said}");
        assert_eq!((memory.labels(), trial.tested().len()), (before, 1));
    }
}
