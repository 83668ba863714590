//! Properties of every policy, signal and endpoint.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};
use sophos_api::{WithRaw, models::Endpoint};
use sophos_isolation::{
    policy::{Policy, PolicyEndpoint, Refusal, Verdict},
    signal::{Severity, Signal},
};

const IDS: [&str; 2] = ["11f104c5-cc4a-4a9f-bb9c-632c936dfb9f", "5ac55058-622d-4929-8e5d-8ff554f312fe"];

/// A selector of a policy, and a member of an endpoint that it concerns.
fn selector() -> impl Strategy<Value = (String, String, Value)> {
    let odd = || prop_oneof![Just(json!(7)), Just(json!(true)), Just(json!("")), Just(json!([[]]))];
    let name = "[a-z]{1,5}";
    prop_oneof![
        (name, "(\\.[a-z]{1,3}){0,2}\\.?").prop_map(|(name, rest)| {
            ("names".into(), name.clone(), json!({"hostname": format!("{}{rest}", name.to_uppercase())}))
        }),
        (name, "[a-z]{0,3}", "(\\.[a-z]{1,3}){0,2}").prop_map(|(head, tail, rest)| {
            ("patterns".into(), format!("{head}*"), json!({"hostname": format!("{head}{tail}{rest}")}))
        }),
        (name, any::<bool>()).prop_map(|(name, id)| {
            let id = if id { json!(IDS[0]) } else { Value::Null };
            ("groups".into(), name.clone(), json!({"group": {"id": id, "name": name.to_uppercase()}}))
        }),
        Just(("groups".into(), IDS[0].into(), json!({"group": {"id": IDS[0].to_uppercase()}}))),
        Just(("types".into(), "server".into(), json!({"type": "server"}))),
        Just(("ids".into(), IDS[0].into(), json!({"id": IDS[0].to_uppercase()}))),
        (name, name).prop_map(|(key, value)| {
            ("tags".into(), format!("{key}={value}"), json!({"tags": [{"key": key, "value": value}]}))
        }),
        (name, name).prop_map(|(key, value)| {
            (
                "tags".into(),
                key.clone(),
                json!({"tags": [{"key": "x", "value": key}, {"key": key, "value": value}]}),
            )
        }),
        odd().prop_map(|odd| ("names".into(), "dc01".into(), json!({"hostname": odd}))),
        odd().prop_map(|odd| ("types".into(), "server".into(), json!({"type": odd}))),
        odd().prop_map(|odd| ("groups".into(), "a".into(), json!({"group": odd}))),
        odd().prop_map(|odd| ("groups".into(), "a".into(), json!({"group": {"name": odd}}))),
        odd().prop_map(|odd| ("tags".into(), "a=b".into(), json!({"tags": odd}))),
        odd().prop_map(|odd| ("tags".into(), "a=b".into(), json!({"tags": [{"key": odd}]}))),
    ]
}

/// Generates endpoints, most of them malformed.
fn endpoint() -> impl Strategy<Value = Value> {
    let any = || {
        prop_oneof![
            Just(Value::Null),
            Just(json!(7)),
            Just(json!({})),
            "[a-z.]{0,8}".prop_map(Value::from),
            "[a-z]{1,3}".prop_map(|text| json!({"id": text, "name": text})),
            "[a-z]{1,3}".prop_map(|text| json!([{"key": text, "value": text}])),
        ]
    };
    (any(), any(), any(), any(), any()).prop_map(|(hostname, kind, group, tags, above)| {
        json!({"id": IDS[1], "hostname": hostname, "type": kind, "group": group, "tags": tags, "groupHierarchy": above})
    })
}

fn signal() -> impl Strategy<Value = Signal> {
    (proptest::option::of(0..5_usize), proptest::option::of(any::<u64>()), "\\PC{0,10}").prop_map(
        |(severity, hold, title)| {
            let mut signal = Signal::default();
            signal.severity = severity.map(|at| Severity::ALL[at]);
            signal.release_after_seconds = hold;
            signal.title = title;
            signal
        },
    )
}

#[derive(Debug, Clone)]
struct Settings {
    mode: &'static str,
    approve: &'static str,
    after: Option<u64>,
}

fn settings() -> impl Strategy<Value = Settings> {
    let after = proptest::option::of(1..1_000_000_u64);
    (any::<bool>(), any::<bool>(), after).prop_map(|(enforce, always, after)| Settings {
        mode: if enforce { "enforce" } else { "dry_run" },
        approve: if always { "always" } else { "selected" },
        after,
    })
}

fn policy(settings: &Settings, table: &str) -> Policy {
    let Settings { mode, approve, after } = settings;
    let after = after.map_or("never".into(), |seconds| format!("{seconds}s"));
    let text = format!(
        "version = 1\nmode = \"{mode}\"\n{table}\n[sources.s]\ntool = \"generic\"\ntenants = [\"{}\"]\napprove = \"{approve}\"\nrelease_after = \"{after}\"\nverify = {{ scheme = \"path\", secret = \"n\" }}",
        IDS[0]
    );
    Policy::parse(&text).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

fn evaluate(policy: &Policy, signal: &Signal, record: &Value) -> Verdict {
    let record: WithRaw<Endpoint> = serde_json::from_str(&record.to_string()).expect("a record");
    policy.evaluate(policy.source("s").expect("the source"), signal, &PolicyEndpoint::from_record(&record))
}

fn is_protected(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Refuse(Refusal::Protected { .. }))
}

fn release_after(verdict: &Verdict) -> Option<Duration> {
    match verdict {
        Verdict::Isolate { release_after }
        | Verdict::DryRun { release_after, .. }
        | Verdict::WaitForApproval { release_after, .. } => *release_after,
        Verdict::Refuse(refusal) => panic!("{refusal}"),
    }
}

proptest! {
    #[test]
    fn evaluate_refuses_a_protected_endpoint(
        (key, text, members) in selector(),
        others in proptest::collection::vec(selector(), 0..4),
        mut record in endpoint(),
        signal in signal(),
        settings in settings(),
    ) {
        for (name, value) in members.as_object().expect("members") {
            record[name] = value.clone();
        }
        let mut table = toml::Table::new();
        for (key, text) in others.iter().map(|(key, text, _)| (key, text)).chain([(&key, &text)]) {
            let list = table.entry(key).or_insert_with(|| toml::Value::Array(Vec::new()));
            list.as_array_mut().expect("a list").push(text.as_str().into());
        }
        let policy = policy(&settings, &format!("[protect]\n{table}\n[approve]\n{table}"));
        let verdict = evaluate(&policy, &signal, &record);
        prop_assert!(is_protected(&verdict), "{table} {record} {verdict:?}");
    }

    #[test]
    fn evaluate_is_monotonic_in_protection(
        some in proptest::collection::vec(selector(), 1..3),
        more in selector(),
        record in endpoint(),
        signal in signal(),
        settings in settings(),
    ) {
        let table = |selectors: &[(String, String, Value)]| {
            let mut table = toml::Table::new();
            for (key, text, _) in selectors {
                let list = table.entry(key).or_insert_with(|| toml::Value::Array(Vec::new()));
                list.as_array_mut().expect("a list").push(text.as_str().into());
            }
            format!("[protect]\n{table}")
        };
        let fewer = evaluate(&policy(&settings, &table(&some)), &signal, &record);
        let all = [some, vec![more]].concat();
        let greater = evaluate(&policy(&settings, &table(&all)), &signal, &record);
        prop_assert!(!is_protected(&fewer) || is_protected(&greater), "{fewer:?} {greater:?}");
    }

    #[test]
    fn evaluate_never_extends_an_isolation(
        record in endpoint(), signal in signal(), settings in settings(),
    ) {
        let policy = policy(&settings, "");
        let limited = release_after(&evaluate(&policy, &signal, &record));
        let mut silent = signal;
        silent.release_after_seconds = None;
        let usual = release_after(&evaluate(&policy, &silent, &record));
        prop_assert_eq!(usual, settings.after.map(Duration::from_secs));
        // `never` is the longest time.
        prop_assert!(limited.unwrap_or(Duration::MAX) <= usual.unwrap_or(Duration::MAX));
    }

    #[test]
    fn evaluate_isolates_nothing_in_a_dry_run(
        (key, text, _) in selector(),
        record in endpoint(),
        signal in signal(),
        mut settings in settings(),
    ) {
        settings.mode = "dry_run";
        let policy = policy(&settings, &format!("[approve]\n{key} = [\"{text}\"]"));
        let verdict = evaluate(&policy, &signal, &record);
        prop_assert!(matches!(verdict, Verdict::DryRun { .. }), "{verdict:?}");
    }
}
