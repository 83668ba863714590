//! A text, read as a policy.

use std::collections::HashSet;

use sophos_isolation::{
    policy::{Mode, Policy, PolicyError},
    signal::{Severity, Signal, clean},
    verify::{Signed, Verification},
};

/// The most that one mistake is described with, in bytes: the longest lists
/// the keys that there are.
const LONGEST_PROBLEM: usize = 600;

/// What stands for a secret that somebody wrote into the file.
const SECRET: &str = "kX9qT-not-to-be-repeated";

/// Checks a policy, or what is said about its mistakes.
pub fn check(text: &str) {
    match Policy::parse(text) {
        Ok(policy) => hold(text, &policy),
        Err(error) => tells(text, &error),
    }
    // Whatever comes before it, and however wrong it is.
    let leaky = format!("{text}\npassword = \"{SECRET}\"\n");
    match Policy::parse(&leaky) {
        Ok(policy) => assert!(!format!("{policy:?}").contains("password =")),
        Err(error) => {
            tells(&leaky, &error);
            assert!(!error.to_string().contains(SECRET), "{error}");
        }
    }
}

fn tells(text: &str, error: &PolicyError) {
    let mistakes = error.mistakes();
    assert!((1..=100).contains(&mistakes.len()));
    assert!(mistakes.is_sorted_by_key(|mistake| mistake.line));
    let lines = text.split('\n').count();
    for mistake in mistakes {
        assert!((1..=lines).contains(&mistake.line), "{mistake} of {lines} lines");
        assert_eq!(mistake.key, clean(&mistake.key));
        assert!(!mistake.problem.is_empty() && mistake.problem.len() <= LONGEST_PROBLEM, "{mistake}");
        assert!(!mistake.problem.chars().any(char::is_control), "{mistake:?}");
    }
}

fn hold(text: &str, policy: &Policy) {
    let again = Policy::parse(text).expect("a policy once more");
    assert_eq!(format!("{policy:?}"), format!("{again:?}"));
    let limits = policy.limits();
    assert!(limits.estate_share > 0.0 && limits.estate_share <= 1.0);
    for estate in [0, 1, 10, 1_000_000] {
        assert!((1..=estate.max(1)).contains(&limits.most_isolated(estate)));
    }
    let mut accounts = HashSet::new();
    for source in policy.sources() {
        assert!((1..=40).contains(&source.name.len()) && source.name == clean(&source.name));
        assert!((1..=1_000).contains(&source.per_hour));
        assert!((1..=25).contains(&source.tenants.len()));
        assert!(source.accounts.values().all(|tenant| source.tenants.contains(tenant)));
        assert!(policy.mode() == Mode::Enforce || source.mode == Mode::DryRun);
        let tool = source.adapter.tool;
        assert_eq!(tool.is_eventbridge(), source.verification == Verification::Iam);
        assert_eq!(tool.is_eventbridge(), source.verification.secret().is_none());
        if tool.is_eventbridge() {
            assert!(!source.accounts.is_empty());
            for account in source.accounts.keys() {
                assert!(accounts.insert((tool, account.clone())), "{account} has two sources");
                let found = policy.eventbridge_source(tool, account).expect("a source");
                assert_eq!(found.name, source.name);
            }
        }
        if let Verification::Signature(signature) = &source.verification {
            assert!(!signature.headers.is_empty());
            assert_eq!(signature.timestamp.is_some(), signature.signed != Signed::Body);
        }
        admits(policy, source);
    }
}

/// Only tenants of the source are ever looked into.
fn admits(policy: &Policy, source: &sophos_isolation::policy::Source) {
    let account = source.accounts.keys().next().cloned();
    let named = source.tenants.first().map(|tenant| tenant.as_str().to_uppercase());
    for account in [None, account, Some("nobody's".to_owned())] {
        for tenant in [None, named.clone(), Some("nobody's".to_owned())] {
            for severity in [None, Some(Severity::Informational), Some(Severity::Critical)] {
                let mut signal = Signal::default();
                (signal.account, signal.tenant, signal.severity) =
                    (account.clone(), tenant.clone(), severity);
                let Ok(tenants) = policy.admit(source, &signal) else { continue };
                assert!(!tenants.is_empty() && tenants.iter().all(|tenant| source.tenants.contains(tenant)));
                assert!(severity >= source.minimum_severity);
            }
        }
    }
}
