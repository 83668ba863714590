//! Policy texts.

use std::collections::HashSet;

use serde_json::json;
use sophos_api::{WithRaw, models::Endpoint};
use sophos_isolation::{
    policy::{Mode, Policy, PolicyEndpoint, PolicyError, Refusal, Verdict},
    signal::{Severity, Signal, clean},
    verify::{SignedContent, Verification},
};

/// The maximum length of one issue, in bytes: the longest lists the known keys.
const MAX_MESSAGE_LEN: usize = 600;

/// A placeholder for a secret in the file.
const SECRET: &str = "kX9qT-not-to-be-repeated";

/// A source for a policy without one.
const SOURCE: &str = "
[sources.last-of-all]
tool = \"generic\"
tenants = [\"11f104c5-cc4a-4a9f-bb9c-632c936dfb9f\"]
verify = { scheme = \"path\", secret = \"n\" }
";

/// An endpoint id that no policy lists.
const ID: &str = "e1d2c3b4-0000-4000-8000-000000000001";

/// Checks a policy and variants of it.
pub fn check(text: &str) {
    check_one(text);
    let with_source = format!("{text}\n{SOURCE}");
    check_protection(&with_source);
    // A text that is truncated, lacks a line, or repeats one.
    let lines: Vec<&str> = text.lines().collect();
    let at = text.len() % lines.len().max(1);
    let without = |skipped: usize| {
        let kept = lines.iter().enumerate().filter(|(number, _)| *number != skipped);
        kept.map(|(_, line)| format!("{line}\n")).collect::<String>()
    };
    let half = text.char_indices().nth(text.chars().count() / 2).map_or(0, |(half, _)| half);
    let twice = lines.get(at).map(|line| format!("{text}\n{line}\n"));
    for mutated in [Some(without(at)), Some(text[..half].to_owned()), twice].into_iter().flatten() {
        check_one(&mutated);
        check_protection(&format!("{mutated}\n{SOURCE}"));
    }
}

/// Checks that each selector under `protect` protects.
fn check_protection(text: &str) {
    let Ok(policy) = Policy::parse(text) else { return };
    let table: toml::Table = text.parse().expect("TOML");
    let Some(source) = policy.sources().next() else { return };
    let items = |key: &str| -> Vec<String> {
        let list = table.get("protect").and_then(|table| table.get(key));
        let list = list.and_then(toml::Value::as_array).into_iter().flatten();
        list.filter_map(toml::Value::as_str).map(str::to_owned).collect()
    };
    let mut endpoints: Vec<serde_json::Value> = Vec::new();
    endpoints.extend(items("names").iter().map(|name| json!({"hostname": name})));
    let fitting = |pattern: &String| pattern.replace('*', "").replace('?', "a");
    endpoints.extend(items("patterns").iter().map(|pattern| json!({"hostname": fitting(pattern)})));
    endpoints.extend(items("groups").iter().map(|group| json!({"group": {"id": group, "name": group}})));
    endpoints.extend(items("types").iter().map(|kind| json!({"type": kind})));
    endpoints.extend(items("ids").iter().map(|id| json!({"id": id})));
    endpoints.extend(items("tags").iter().map(|tag| {
        let (key, value) = tag.split_once('=').unwrap_or((tag, "x"));
        json!({"tags": [{"key": key, "value": value}]})
    }));
    for members in endpoints {
        let mut record = json!({"id": ID, "hostname": "zz-9", "type": "computer"});
        for (name, value) in members.as_object().expect("members") {
            record[name] = value.clone();
        }
        let record: WithRaw<Endpoint> = serde_json::from_str(&record.to_string()).expect("a record");
        let verdict = policy.evaluate(source, &Signal::default(), &PolicyEndpoint::from_record(&record));
        assert!(
            matches!(verdict, Verdict::Refuse(Refusal::Protected { .. })),
            "wrong isolation: {members} is not protected"
        );
    }
    for warning in policy.warnings() {
        assert!(warning.line <= text.split('\n').count() && warning.key == clean(&warning.key));
        assert!(!warning.message.is_empty() && warning.message.len() <= MAX_MESSAGE_LEN, "{warning}");
    }
}

/// Checks a policy, or the report of its issues.
fn check_one(text: &str) {
    let whole = Policy::parse(text);
    if let Err(error) = &whole {
        check_error(text, error);
    }
    match Policy::parse_lenient(text) {
        Ok(policy) => {
            assert_eq!(whole.is_ok(), policy.disabled().is_empty());
            check_policy(text, &policy);
        }
        Err(error) => assert_eq!(whole.err(), Some(error)),
    }
    // Whatever precedes it, valid or not.
    let leaky = format!("{text}\npassword = \"{SECRET}\"\n");
    match Policy::parse(&leaky) {
        Ok(policy) => assert!(!format!("{policy:?}").contains("password ="), "leak: a policy shows its text"),
        Err(error) => {
            check_error(&leaky, &error);
            assert!(!error.to_string().contains(SECRET), "leak: {error}");
        }
    }
}

fn check_error(text: &str, error: &PolicyError) {
    let issues = error.issues();
    assert!((1..=100).contains(&issues.len()));
    assert!(issues.is_sorted_by_key(|issue| issue.line));
    let lines = text.split('\n').count();
    for issue in issues {
        assert!((1..=lines).contains(&issue.line), "{issue} of {lines} lines");
        assert_eq!(issue.key, clean(&issue.key));
        assert!(!issue.message.is_empty() && issue.message.len() <= MAX_MESSAGE_LEN, "{issue}");
        assert!(!issue.message.chars().any(char::is_control), "{issue:?}");
    }
}

fn check_policy(text: &str, policy: &Policy) {
    for disabled in policy.disabled() {
        assert!(policy.source(disabled.name()).is_none() && !disabled.issues().is_empty());
        assert_eq!(disabled.name(), clean(disabled.name()));
    }
    let again = Policy::parse_lenient(text).expect("a policy once more");
    assert_eq!(format!("{policy:?}"), format!("{again:?}"));
    let limits = policy.limits();
    assert!(limits.estate_share > 0.0 && limits.estate_share <= 1.0);
    for estate in [0, 1, 10, 1_000_000] {
        assert!((1..=estate.max(1)).contains(&limits.max_isolated(estate)));
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
        assert_eq!(tool.is_eventbridge(), source.verification.secret_name().is_none());
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
            assert_eq!(signature.timestamp.is_some(), signature.signed != SignedContent::Body);
        }
        check_admission(policy, source);
    }
}

/// Checks that only tenants of the source are searched.
fn check_admission(policy: &Policy, source: &sophos_isolation::policy::Source) {
    let account = source.accounts.keys().next().cloned();
    let named = source.tenants.first().map(|tenant| tenant.as_str().to_uppercase());
    for account in [None, account, Some("unknown".to_owned())] {
        for tenant in [None, named.clone(), Some("unknown".to_owned())] {
            for severity in [None, Some(Severity::Informational), Some(Severity::Critical)] {
                let mut signal = Signal::default();
                (signal.account, signal.tenant, signal.severity) =
                    (account.clone(), tenant.clone(), severity);
                let Ok(tenants) = policy.admit(source, &signal) else { continue };
                assert!(!tenants.is_empty() && tenants.iter().all(|tenant| source.tenants.contains(tenant)));
                assert!(source.minimum_severity.is_none_or(|minimum| severity >= Some(minimum)));
            }
        }
    }
}
