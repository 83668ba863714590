//! The steps of a rotation, over a secret in memory.

use credential_rotation::{
    CredentialCheckError, Rotation, RotationError, RotationStep, staged::CandidateFilter,
};
use sophos_secrets::{AWSCURRENT, AWSPENDING, AWSPREVIOUS, Purpose, SecretString, StoredCredential};

use crate::memory::{
    CheckVerdict, MemorySecret, SECRET, STEPS, ScriptedCheck, block_on_ready, json, run_step, time,
};

const PASSES: CheckVerdict = CheckVerdict::Passes;

fn rotate(memory: &MemorySecret, trial: &ScriptedCheck, token: &str) -> Result<(), RotationError> {
    let token = memory.begin(token);
    STEPS.into_iter().try_for_each(|one| run_step(memory, trial, one, &token).map(drop))
}

fn labeled_client_ids(memory: &MemorySecret) -> [Option<String>; 3] {
    [AWSCURRENT, AWSPREVIOUS, AWSPENDING].map(|label| memory.client_id(label))
}

fn some_id(id: &str) -> Option<String> {
    Some(id.to_owned())
}

#[test]
fn rotation_promotes_the_staged_credential_and_unstages_it() {
    let memory =
        MemorySecret::new(&json("old", ""), &[("STAGED_2", &json("b", "")), ("STAGED", &json("a", ""))]);
    let trial = ScriptedCheck::new(&[("a", PASSES), ("b", PASSES)]);
    let token = memory.begin("token");
    for (one, after) in STEPS.into_iter().zip([
        [some_id("old"), None, some_id("a")],
        [some_id("old"), None, some_id("a")],
        [some_id("old"), None, some_id("a")],
        [some_id("a"), some_id("old"), None],
    ]) {
        for _ in 0..2 {
            run_step(&memory, &trial, one, &token).expect("a step, and its repetition");
            assert_eq!(labeled_client_ids(&memory), after, "{one}");
        }
    }
    assert_eq!(memory.staged(), [("b".to_owned(), "STAGED_2".to_owned())]);
    // A former credential does not become current again, even if it is staged again.
    memory.store("again", &json("OLD", ""), "STAGED");
    rotate(&memory, &trial, "second").expect("the other");
    assert_eq!(labeled_client_ids(&memory), [some_id("b"), some_id("a"), None]);
    assert_eq!(memory.staged(), [], "nor once it is forgotten that it was used");
}

#[test]
fn create_explains_why_no_staged_credential_is_usable() {
    let memory = MemorySecret::new(
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
    let error = run_step(&memory, &ScriptedCheck::new(&[]), RotationStep::CreateSecret, &token)
        .expect_err("no candidate");
    let error = error.to_string();
    for expected in [
        "sophos/credentials/acme: no eligible staged credential",
        r#""STAGED": invalid JSON"#,
        r#""STAGED_2": it expired on 2026-11-23"#,
        r#""STAGED_3": it expired on 2026-11-23"#,
        r#""STAGED_4": it is the current credential"#,
        r#""STAGED_5": its role, Service Principal Read-Only, is not sufficient for isolation"#,
        "aws secretsmanager put-secret-value --secret-id sophos/credentials/acme --secret-string file://next.json \
         --version-stages STAGED",
    ] {
        assert!(error.contains(expected), "{expected}: {error}");
    }
    assert!(!error.contains("hush"), "{error}");
    // The same rotation continues when one is staged.
    memory.store("new", &json("d", ""), "STAGED_6");
    run_step(&memory, &ScriptedCheck::new(&[]), RotationStep::CreateSecret, &memory.begin("other"))
        .expect("a candidate");
    assert_eq!(memory.client_id(AWSPENDING), some_id("d"));
    let staged = |labels: &std::collections::BTreeMap<String, String>| {
        labels.iter().filter(|(label, _)| label.starts_with("STAGED")).count()
    };
    assert_eq!(staged(&memory.labels()), staged(&before) + 1, "nothing is thrown away");
}

#[test]
fn check_covers_the_purposes_of_the_credential() {
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
        let memory = MemorySecret::new(&json("old", current), &[("STAGED", &json("a", new))]);
        let trial = ScriptedCheck::new(&[("a", PASSES)]);
        rotate(&memory, &trial, "token").expect("rotated");
        let test = ("a".to_owned(), purposes.to_vec());
        assert_eq!(trial.tested(), [test.clone(), test], "by testSecret, and by finishSecret");
    }
}

#[test]
fn dropped_purposes_lists_what_a_candidate_does_not_serve() {
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
        let pool =
            CandidateFilter { current: current.as_ref(), previous: None, now: time("2026-11-23T10:00:00Z") };
        assert_eq!(pool.dropped_purposes(&stored(new)), expected, "{current:?} {new}");
    }
}

#[test]
fn step_out_of_order_changes_nothing() {
    let memory = MemorySecret::new(&json("old", ""), &[("STAGED", &json("a", ""))]);
    let trial = ScriptedCheck::new(&[("a", PASSES)]);
    let fails = |one, token: &str, expected: &str| {
        let before = memory.labels();
        let error = run_step(&memory, &trial, one, token).expect_err(expected).to_string();
        assert!(error.starts_with(SECRET) && error.contains(expected), "{one}: {error}");
        assert_eq!(memory.labels(), before, "{one}");
    };
    for one in STEPS {
        fails(one, "unknown", "unknown version unknown: it does not exist");
    }
    let token = memory.begin("token");
    for one in [RotationStep::TestSecret, RotationStep::FinishSecret] {
        fails(one, &token, "it has no value yet");
    }
    for one in [RotationStep::SetSecret, RotationStep::TestSecret, RotationStep::FinishSecret] {
        fails(one, "staged-0", "is not pending");
    }
    memory.store(&token, &json("a", ""), AWSPENDING);
    memory.set_rotation_enabled(false);
    for one in STEPS {
        fails(one, &token, "rotation is not enabled");
    }
    for one in [RotationStep::CreateSecret, RotationStep::SetSecret, RotationStep::TestSecret] {
        memory.set_rotation_enabled(true);
        let done = run_step(&memory, &trial, one, "first").expect("nothing to do");
        assert!(done.contains("it is the current version"), "{one}: {done}");
    }
}

#[test]
fn test_step_changes_nothing_when_rotation_is_only_arranged() {
    // No credential may be tested: there is no scripted result.
    let trial = ScriptedCheck::new(&[]);
    for current in [&*json("old", r#","used_for":["export"]"#), r#"{"no_credential_yet":"hush-hush"}"#] {
        // Only before rotation is enabled is there no value: afterwards `createSecret` may
        // have stored one that is not visible yet.
        for (copied, rotates) in [(true, true), (true, false), (false, false)] {
            // The same credential is staged as well, and must not be quarantined.
            let memory = MemorySecret::new(current, &[("STAGED", current), ("STAGED_2", &json("a", ""))]);
            let token = memory.begin("token");
            if copied {
                memory.store(&token, current, AWSPENDING);
            }
            memory.set_rotation_enabled(rotates);
            let before = memory.labels();
            for _ in 0..2 {
                let done =
                    run_step(&memory, &trial, RotationStep::TestSecret, &token).expect("nothing to do");
                assert!(done.contains("only tests") && !done.contains("hush"), "{done}");
                assert_eq!(memory.labels(), before);
            }
        }
    }
}

#[test]
fn test_step_fails_while_the_pending_value_is_not_visible() {
    let memory = MemorySecret::new(&json("old", ""), &[("STAGED", &json("a", ""))]);
    let trial = ScriptedCheck::new(&[("a", PASSES)]);
    let token = memory.begin("token");
    memory.set_visibility_lag(1);
    run_step(&memory, &trial, RotationStep::CreateSecret, &token).expect("stored");
    let error = run_step(&memory, &trial, RotationStep::TestSecret, &token).expect_err("it is not visible");
    assert!(matches!(error, RotationError::NoPendingValue { .. }), "{error}");
    assert_eq!(
        (labeled_client_ids(&memory), trial.tested().len()),
        ([some_id("old"), None, some_id("a")], 0)
    );
    for one in [RotationStep::TestSecret, RotationStep::FinishSecret] {
        run_step(&memory, &trial, one, &token).expect("the repetition sees it");
    }
    assert_eq!(labeled_client_ids(&memory), [some_id("a"), some_id("old"), None]);
}

#[test]
fn finish_step_promotes_nothing_that_fails_its_check() {
    for (verdict, pending) in [
        (CheckVerdict::Busy(1), some_id("a")),
        (CheckVerdict::Rejected, None),
        (CheckVerdict::OwnerUnknown, None),
    ] {
        let memory = MemorySecret::new(&json("old", ""), &[("STAGED", &json("a", ""))]);
        let trial = ScriptedCheck::new(&[("a", verdict)]);
        let token = memory.begin("token");
        run_step(&memory, &trial, RotationStep::CreateSecret, &token).expect("stored");
        let error = run_step(&memory, &trial, RotationStep::FinishSecret, &token).expect_err("untested");
        assert!(matches!(error, RotationError::CheckFailed { .. }), "{error}");
        assert_eq!(labeled_client_ids(&memory), [some_id("old"), None, pending], "{verdict:?}");
        assert_eq!(memory.staged().len(), 1, "it is not lost");
    }
}

#[test]
fn finish_step_rejects_a_copy_of_the_current_version() {
    let memory =
        MemorySecret::new(&json("older", ""), &[("STAGED", &json("old", "")), ("STAGED_2", &json("a", ""))]);
    let trial = ScriptedCheck::new(&[("old", PASSES), ("a", PASSES)]);
    rotate(&memory, &trial, "token").expect("rotated");
    memory.store("copy", &json("old", ""), AWSPENDING);
    let error =
        run_step(&memory, &trial, RotationStep::FinishSecret, "copy").expect_err("a copy").to_string();
    assert!(error.contains("copy of the current one; start again with rotate-secret"), "{error}");
    assert_eq!(
        labeled_client_ids(&memory),
        [some_id("old"), some_id("older"), None],
        "the one before is still there"
    );
    rotate(&memory, &trial, "second").expect("nothing is in the way");
    assert_eq!(labeled_client_ids(&memory), [some_id("a"), some_id("old"), None]);
}

#[test]
fn transient_error_keeps_the_version_pending() {
    let memory =
        MemorySecret::new(&json("old", ""), &[("STAGED", &json("a", "")), ("STAGED_2", &json("b", ""))]);
    let trial = ScriptedCheck::new(&[("a", CheckVerdict::Busy(2))]);
    for _ in 0..2 {
        let error = rotate(&memory, &trial, "token").expect_err("busy");
        assert!(
            matches!(error, RotationError::CheckFailed { error: CredentialCheckError::Transient(_), .. }),
            "{error}"
        );
        assert_eq!(labeled_client_ids(&memory), [some_id("old"), None, some_id("a")]);
    }
    rotate(&memory, &trial, "another").expect("rotated");
    assert_eq!(labeled_client_ids(&memory), [some_id("a"), some_id("old"), None]);
}

#[test]
fn unknown_owner_abandons_the_rotation_and_keeps_the_labels() {
    let memory =
        MemorySecret::new(&json("old", ""), &[("STAGED", &json("a", "")), ("STAGED_2", &json("b", ""))]);
    let before = memory.labels();
    let trial = ScriptedCheck::new(&[("a", CheckVerdict::OwnerUnknown)]);
    let error = rotate(&memory, &trial, "token").expect_err("no owner").to_string();
    assert!(
        error.contains("partner ab") && error.contains("add this to one of them as partner_id"),
        "{error}"
    );
    assert_eq!(memory.labels(), before);
}

#[test]
fn rejected_credential_is_quarantined_behind_all_others() {
    let memory = MemorySecret::new(
        &json("old", ""),
        &[("STAGED", &json("bad", "")), ("STAGED_2", &json("worse", ""))],
    );
    let verdicts = [("bad", CheckVerdict::Rejected), ("worse", CheckVerdict::Rejected), ("good", PASSES)];
    let trial = ScriptedCheck::new(&verdicts);
    let mut order = Vec::new();
    for token in ["1", "2", "3", "4"] {
        let error = rotate(&memory, &trial, token).expect_err("refused");
        let RotationError::CheckFailed { client_id, error: CredentialCheckError::Rejected(_), .. } = error
        else {
            panic!("{error}")
        };
        order.push(client_id);
        assert_eq!(labeled_client_ids(&memory), [some_id("old"), None, None]);
        assert_eq!(memory.staged().len(), 2, "{:?}", memory.staged());
    }
    assert_eq!(order, ["bad", "worse", "bad", "worse"]);
    // A label behind all others stays.
    let only = MemorySecret::new(&json("old", ""), &[("STAGED", &json("bad", ""))]);
    for token in ["1", "2"] {
        rotate(&only, &trial, token).expect_err("refused");
        assert_eq!(only.staged(), [("bad".to_owned(), "STAGED_REJECTED_1".to_owned())]);
    }
    memory.store("new", &json("good", ""), "STAGED");
    rotate(&memory, &trial, "5").expect("it goes before those that were refused");
    assert_eq!(labeled_client_ids(&memory), [some_id("good"), some_id("old"), None]);
}

#[test]
fn invalid_pending_version_is_abandoned() {
    let memory = MemorySecret::new(&json("old", ""), &[("STAGED", &json("a", ""))]);
    memory.store("token", "hush-hush", AWSPENDING);
    let trial = ScriptedCheck::new(&[("a", PASSES)]);
    let error = run_step(&memory, &trial, RotationStep::FinishSecret, "token")
        .expect_err("no credential")
        .to_string();
    assert!(error.contains("invalid JSON") && !error.contains("hush"), "{error}");
    assert_eq!(memory.client_id(AWSCURRENT), some_id("old"));
    run_step(&memory, &trial, RotationStep::TestSecret, "token").expect_err("no credential");
    rotate(&memory, &trial, "next").expect("rotated");
    assert_eq!(labeled_client_ids(&memory), [some_id("a"), some_id("old"), None]);
}

#[test]
fn rotation_replaces_an_invalid_current_value() {
    let memory = MemorySecret::new("hush-hush", &[("STAGED", &json("a", ""))]);
    rotate(&memory, &ScriptedCheck::new(&[("a", PASSES)]), "token").expect("rotated");
    assert_eq!(memory.client_id(AWSCURRENT), some_id("a"));
}

#[test]
fn check_changes_nothing() {
    for (verdict, expected) in [(PASSES, "STAGED passed the test"), (CheckVerdict::Rejected, "refused")] {
        let memory = MemorySecret::new(&json("old", ""), &[("STAGED", &json("a", ""))]);
        memory.set_rotation_enabled(false);
        let before = memory.labels();
        let trial = ScriptedCheck::new(&[("a", verdict)]);
        let check = block_on_ready(Rotation::new(&memory, &trial, time("2026-11-23T10:00:00Z")).check());
        let said = check.unwrap_or_else(|error| error.to_string());
        assert!(said.contains(expected), "{said}");
        assert_eq!((memory.labels(), trial.tested().len()), (before, 1));
    }
}
