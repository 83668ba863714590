//! Evaluation of signals and endpoints by a policy.

use std::time::Duration;

use serde_json::{Value, json};
use sophos_api::{TenantId, WithRaw, models::Endpoint};
use sophos_isolation::{
    policy::{Mode, Policy, PolicyEndpoint, Refusal, Source, Verdict},
    signal::{Action, Severity, Signal},
};

const A: &str = "11f104c5-cc4a-4a9f-bb9c-632c936dfb9f";
const B: &str = "0afef0e6-5df7-4cc0-b8d4-068cfd6820d1";
const C: &str = "5ac55058-622d-4929-8e5d-8ff554f312fe";
const GROUP: &str = "5f0c8b1e-2d3a-4c5b-8e7f-1a2b3c4d5e6f";

const HOUR: Duration = Duration::from_secs(3_600);

/// An enforcing policy of `tables` and a source `s` with more `lines`.
fn policy(tables: &str, lines: &str) -> Policy {
    let text = format!(
        "version = 1\nmode = \"enforce\"\n{tables}\n[sources.s]\ntool = \"generic\"\ntenants = [\"{A}\", \"{B}\"]\n{lines}\n[sources.s.verify]\nscheme = \"path\"\nsecret = \"n\""
    );
    Policy::parse(&text).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

fn source(policy: &Policy) -> &Source {
    policy.source("s").expect("the source")
}

fn policy_endpoint(record: Value) -> PolicyEndpoint {
    let record: WithRaw<Endpoint> = serde_json::from_str(&record.to_string()).expect("a record");
    PolicyEndpoint::from_record(&record)
}

fn signal(severity: Option<Severity>) -> Signal {
    let mut signal = Signal::default();
    signal.severity = severity;
    signal
}

fn signal_with_duration(seconds: Option<u64>) -> Signal {
    let mut signal = signal(Some(Severity::High));
    signal.release_after_seconds = seconds;
    signal
}

fn plain_endpoint() -> Value {
    json!({"id": C, "hostname": "web", "type": "computer"})
}

/// The plain endpoint with these members.
fn endpoint_with(members: Value) -> Value {
    let mut record = plain_endpoint();
    for (name, value) in members.as_object().expect("members") {
        record[name] = value.clone();
    }
    record
}

/// The reason why the selectors, under `[protect]` and under `[approve]`, select an endpoint.
fn selected_by(selectors: &str, record: &Value) -> Option<String> {
    let endpoint = policy_endpoint(record.clone());
    let protect = policy(&format!("[protect]\n{selectors}"), "");
    let protected = match protect.evaluate(source(&protect), &signal_with_duration(None), &endpoint) {
        Verdict::Refuse(Refusal::Protected { reason: why }) => Some(why),
        Verdict::Isolate { release_after: None } => None,
        other => panic!("{other:?}"),
    };
    let approve = policy(&format!("[approve]\n{selectors}"), "");
    let needs_approval = match approve.evaluate(source(&approve), &signal_with_duration(None), &endpoint) {
        Verdict::WaitForApproval { reason: why, .. } => Some(why),
        Verdict::Isolate { release_after: None } => None,
        other => panic!("{other:?}"),
    };
    assert_eq!(protected, needs_approval, "{selectors} {record}");
    protected
}

#[test]
fn selectors_match_their_endpoints() {
    for (selectors, members, expected) in [
        (r#"names = ["dc01"]"#, json!({"hostname": "DC01"}), true),
        (r#"names = ["dc01"]"#, json!({"hostname": "dc01.corp.example"}), true),
        (r#"names = ["DC01.corp.example."]"#, json!({"hostname": "dc01"}), true),
        (r#"names = ["dc01.a.example"]"#, json!({"hostname": "dc01.b.example"}), true),
        (r#"names = ["dc01"]"#, json!({"hostname": "dc011"}), false),
        (r#"patterns = ["*-dc-*"]"#, json!({"hostname": "EU-DC-1.corp.example"}), true),
        (r#"patterns = ["HV??"]"#, json!({"hostname": "hv01"}), true),
        (r#"patterns = ["hv??"]"#, json!({"hostname": "hv01.corp.example"}), true),
        (r#"patterns = ["hv??"]"#, json!({"hostname": "hv001"}), false),
        (r#"patterns = ["*.dmz.example"]"#, json!({"hostname": "a.dmz.example."}), true),
        (r#"patterns = ["*.dmz.example"]"#, json!({"hostname": "a"}), true),
        (r#"patterns = ["*.dmz.example"]"#, json!({"hostname": "a.lan.example"}), false),
        (r#"patterns = ["dc*.corp.example"]"#, json!({"hostname": "DC03"}), true),
        (r#"patterns = ["dc*.corp.example"]"#, json!({"hostname": "dc03.lan.example"}), true),
        (r#"patterns = ["dc*.corp.example"]"#, json!({"hostname": "web.corp.example"}), false),
        (r#"patterns = ["ΑΣ*"]"#, json!({"hostname": "ας7"}), true),
        (r#"patterns = ["ΑΣ*"]"#, json!({"hostname": "ασ7"}), true),
        (r#"patterns = ["*"]"#, json!({}), true),
        (r#"groups = ["domain controllers"]"#, json!({"group": {"name": "Domain Controllers"}}), true),
        (r#"groups = ["Domain Controllers"]"#, json!({"group": {"name": "Domain Controllers 2"}}), false),
        (r#"groups = ["Servers"]"#, json!({"group": {"id": GROUP, "name": "servers "}}), true),
        (r#"groups = ["Servers"]"#, json!({}), false),
        (r#"groups = ["Servers"]"#, json!({"group": null}), false),
        (r#"groups = ["Top"]"#, json!({"groupHierarchy": [{"id": GROUP, "name": "top"}]}), true),
        (r#"groups = ["Top"]"#, json!({"groupHierarchy": ["low", ["Top"]]}), true),
        (r#"groups = ["Top"]"#, json!({"groupHierarchy": ["low"], "group": {"name": "low"}}), false),
        (r#"types = ["server"]"#, json!({"type": "server"}), true),
        (r#"types = ["server"]"#, json!({"type": "computer"}), false),
        (r#"types = ["computer", "securityVm"]"#, json!({"type": "securityVm"}), true),
        (r#"tags = ["tier=0"]"#, json!({"tags": [{"key": "tier", "value": "0"}]}), true),
        (r#"tags = ["Tier=A"]"#, json!({"tags": [{"key": "x"}, {"key": "tier", "value": "a"}]}), true),
        (r#"tags = ["tier=0"]"#, json!({"tags": [{"key": "tier", "value": "1"}]}), false),
        (r#"tags = ["tier=0"]"#, json!({"tags": [{"key": "tier"}]}), false),
        (r#"tags = ["tier=0"]"#, json!({"tags": [{"key": "0", "value": "tier"}]}), false),
        (r#"tags = ["critical"]"#, json!({"tags": [{"key": "critical", "value": "no"}]}), true),
        (r#"tags = ["critical"]"#, json!({"tags": [{"key": "is", "value": "critical"}]}), false),
        (r#"tags = ["a=b=c"]"#, json!({"tags": [{"key": "a", "value": "b=c"}]}), true),
        (
            r#"tags = ["a=b=c"]"#,
            json!({"tags": [{"key": "a=b", "value": "c", "displayString": "a=b=c"}]}),
            true,
        ),
        (r#"tags = ["tier=0"]"#, json!({"tags": []}), false),
        (r#"tags = ["tier=0"]"#, json!({"tags": null}), false),
        (r#"tags = ["tier=0"]"#, json!({}), false),
        ("", json!({}), false),
    ] {
        let why = selected_by(selectors, &endpoint_with(members.clone()));
        assert_eq!(why.is_some(), expected, "{selectors} {members} {why:?}");
        assert!(why.is_none_or(|why| !why.contains("cannot be read")), "{selectors} {members}");
    }
    for (id, expected) in [(C.to_uppercase(), true), (C.into(), true), (A.into(), false)] {
        let why = selected_by(&format!("ids = [\"{id}\"]"), &plain_endpoint());
        assert_eq!(why.is_some(), expected, "{id}");
    }
    let by_id = format!("groups = [\"{}\"]", GROUP.to_uppercase());
    assert!(selected_by(&by_id, &endpoint_with(json!({"group": {"id": GROUP}}))).is_some());
    assert_eq!(selected_by(&by_id, &endpoint_with(json!({"group": {"id": A, "name": "a"}}))), None);
    assert!(selected_by(&by_id, &endpoint_with(json!({"groupHierarchy": {"ids": [GROUP]}}))).is_some());
}

#[test]
fn selectors_match_invalid_members() {
    let by_id = format!("groups = [\"{GROUP}\"]");
    for (selectors, members) in [
        (r#"names = ["dc01"]"#, json!({"hostname": 7})),
        (r#"names = ["dc01"]"#, json!({"hostname": null})),
        (r#"names = ["dc01"]"#, json!({"hostname": ""})),
        (r#"names = ["dc01"]"#, json!({"hostname": "localhost"})),
        (r#"patterns = ["dc*"]"#, json!({"hostname": ["dc01"]})),
        (r#"patterns = ["dc*"]"#, json!({"hostname": "x".repeat(254)})),
        (r#"types = ["server"]"#, json!({"type": null})),
        (r#"types = ["server"]"#, json!({"type": 1})),
        (r#"types = ["server"]"#, json!({"type": "Server"})),
        (r#"types = ["computer"]"#, json!({"type": "toaster"})),
        (r#"groups = ["Servers"]"#, json!({"group": "Servers"})),
        (r#"groups = ["Servers"]"#, json!({"group": {}})),
        (r#"groups = ["Servers"]"#, json!({"group": {"id": GROUP}})),
        (r#"groups = ["Servers"]"#, json!({"group": {"id": GROUP, "name": 7}})),
        (r#"groups = ["Servers"]"#, json!({"group": {"id": GROUP, "name": ""}})),
        (by_id.as_str(), json!({"group": {"name": "Servers"}})),
        (by_id.as_str(), json!({"group": {"id": 7, "name": "Servers"}})),
        (r#"tags = ["tier=0"]"#, json!({"tags": {"tier": "0"}})),
        (r#"tags = ["tier=0"]"#, json!({"tags": "tier=0"})),
        (r#"tags = ["tier=0"]"#, json!({"tags": ["tier=0"]})),
        (r#"tags = ["tier=0"]"#, json!({"tags": [{"key": "tier", "value": 0}]})),
        (r#"tags = ["tier=0"]"#, json!({"tags": [{"name": "tier", "value": "0"}]})),
        (r#"tags = ["tier=0"]"#, json!({"tags": [{"key": "x"}, {"key": 1}]})),
        (r#"tags = ["tier=0"]"#, json!({"tags": [{"key": ""}]})),
    ] {
        let why = selected_by(selectors, &endpoint_with(members.clone()));
        assert!(why.is_some_and(|why| why.contains("cannot be read")), "{selectors} {members}");
    }
    for (selectors, missing) in [(r#"names = ["dc01"]"#, "hostname"), (r#"types = ["server"]"#, "type")] {
        let mut record = plain_endpoint();
        record.as_object_mut().expect("members").remove(missing);
        assert!(selected_by(selectors, &record).is_some(), "{missing}");
    }
}

#[test]
fn selectors_ignore_invalid_members_they_do_not_use() {
    let broken = json!({"id": C, "hostname": 7, "type": 7, "group": 7, "tags": 7, "groupHierarchy": 7});
    let ids = format!("ids = [\"{A}\"]");
    assert_eq!(selected_by(&ids, &broken), None);
    assert_eq!(
        selected_by("types = [\"server\"]", &endpoint_with(json!({"hostname": 7, "group": 7, "tags": 7}))),
        None
    );
    assert_eq!(
        selected_by("tags = [\"a\"]", &endpoint_with(json!({"hostname": 7, "group": 7, "type": 7}))),
        None
    );
    assert_eq!(
        selected_by("tags = [\"a=1\"]", &endpoint_with(json!({"tags": [{"key": "b", "value": 7}]}))),
        None
    );
}

#[test]
fn selectors_match_beside_other_invalid_members() {
    // The parser rejects a number of this size.
    let text = format!(r#"{{"id": "{C}", "hostname": "web", "type": "computer", "group": 7, "x": 1e999}}"#);
    let record: WithRaw<Endpoint> = serde_json::from_str(&text).expect("a record");
    let policy = policy("[protect]\ngroups = [\"Servers\"]", "");
    let verdict =
        policy.evaluate(source(&policy), &signal_with_duration(None), &PolicyEndpoint::from_record(&record));
    assert!(matches!(verdict, Verdict::Refuse(Refusal::Protected { .. })), "{verdict:?}");
}

#[test]
fn evaluate_orders_protection_dry_run_approval() {
    let tables = "[protect]\nnames = [\"dc01\"]\n[approve]\nnames = [\"dc01\", \"ceo\"]\ntimeout = \"1h\"\n[release]\nafter = \"2h\"";
    let release_after = Some(2 * HOUR);
    let (dc01, ceo, web) = ("dc01", "ceo", "web");
    for (lines, hostname) in [("", dc01), ("mode = \"dry_run\"", dc01), ("approve = \"always\"", dc01)] {
        let policy = policy(tables, lines);
        let verdict = policy.evaluate(
            source(&policy),
            &signal_with_duration(None),
            &policy_endpoint(endpoint_with(json!({"hostname": hostname}))),
        );
        let why = "the policy lists the endpoint's name as dc01".into();
        assert_eq!(verdict, Verdict::Refuse(Refusal::Protected { reason: why }), "{lines}");
    }
    let reason = "the policy lists the endpoint's name as ceo";
    let always = "the policy requires approval of every isolation of this source";
    for (lines, hostname, expected) in [
        ("", web, Verdict::Isolate { release_after }),
        ("", ceo, Verdict::WaitForApproval { reason: reason.into(), timeout: HOUR, release_after }),
        (
            "approve = \"always\"",
            web,
            Verdict::WaitForApproval { reason: always.into(), timeout: HOUR, release_after },
        ),
        ("mode = \"dry_run\"", web, Verdict::DryRun { approval_reason: None, release_after }),
        ("mode = \"dry_run\"", ceo, Verdict::DryRun { approval_reason: Some(reason.into()), release_after }),
    ] {
        let policy = policy(tables, lines);
        let verdict = policy.evaluate(
            source(&policy),
            &signal_with_duration(None),
            &policy_endpoint(endpoint_with(json!({"hostname": hostname}))),
        );
        assert_eq!(verdict, expected, "{lines} {hostname}");
    }
}

#[test]
fn with_dry_run_applies_to_every_source() {
    let enforced = policy("", "mode = \"enforce\"");
    let dry_run = enforced.clone().with_dry_run();
    assert_eq!((dry_run.mode(), source(&dry_run).mode), (Mode::DryRun, Mode::DryRun));
    assert_eq!(dry_run.digest(), enforced.digest(), "it is the same policy");
    let verdict =
        dry_run.evaluate(source(&dry_run), &signal_with_duration(None), &policy_endpoint(plain_endpoint()));
    assert_eq!(verdict, Verdict::DryRun { approval_reason: None, release_after: None });
}

#[test]
fn evaluate_requires_approval_when_the_host_is_shared() {
    for (file, own, asks) in [
        ("", "", true),
        ("[approve]\nshared_hosts = true", "", true),
        ("[approve]\nshared_hosts = false", "", false),
        ("[approve]\nshared_hosts = false", "approve_shared_hosts = true", true),
        ("", "approve_shared_hosts = false", false),
        ("", "approve_shared_hosts = false\napprove = \"always\"", true),
    ] {
        let policy = policy(file, own);
        let mut signal = signal_with_duration(None);
        let plain_verdict = policy.evaluate(source(&policy), &signal, &policy_endpoint(plain_endpoint()));
        let always = own.contains("always");
        assert_eq!(matches!(plain_verdict, Verdict::WaitForApproval { .. }), always, "{file} {own}");
        signal.shared_host = true;
        match policy.evaluate(source(&policy), &signal, &policy_endpoint(plain_endpoint())) {
            Verdict::WaitForApproval { reason: why, .. } => {
                assert!(asks && (always || why.contains("several owners")), "{file} {own}: {why}");
            }
            Verdict::Isolate { .. } => assert!(!asks, "{file} {own}"),
            other => panic!("{other:?}"),
        }
    }
    // Protection and a dry run take precedence.
    let protect = policy("[protect]\npatterns = [\"*\"]", "");
    let mut signal = signal_with_duration(None);
    signal.shared_host = true;
    let verdict = protect.evaluate(source(&protect), &signal, &policy_endpoint(plain_endpoint()));
    assert!(matches!(verdict, Verdict::Refuse(Refusal::Protected { .. })));
}

#[test]
fn release_after_is_only_shortened_by_a_signal() {
    for (file, own, hold, expected) in [
        ("never", "", None, None),
        ("never", "", Some(7_200), Some(2)),
        ("never", "", Some(0), None),
        ("4h", "", None, Some(4)),
        ("4h", "", Some(3_600), Some(1)),
        ("4h", "", Some(u64::MAX), Some(4)),
        ("4h", "", Some(0), Some(4)),
        ("4h", "release_after = \"2h\"", None, Some(2)),
        ("4h", "release_after = \"8h\"", Some(18_000), Some(5)),
        ("4h", "release_after = \"never\"", None, None),
    ] {
        let policy = policy(&format!("[release]\nafter = \"{file}\""), own);
        let verdict =
            policy.evaluate(source(&policy), &signal_with_duration(hold), &policy_endpoint(plain_endpoint()));
        let release_after = expected.map(|hours| hours * HOUR);
        assert_eq!(verdict, Verdict::Isolate { release_after }, "{file} {own} {hold:?}");
    }
}

fn admitted(policy: &Policy, signal: &Signal) -> Result<Vec<TenantId>, Refusal> {
    policy.admit(source(policy), signal)
}

#[test]
fn admit_limits_a_source_to_its_tenants() {
    let policy = policy("", "");
    let named = |tenant: Option<&str>| {
        let mut signal = signal_with_duration(None);
        signal.tenant = tenant.map(Into::into);
        // Without a list of accounts, the account is ignored.
        signal.account = Some("anything".into());
        admitted(&policy, &signal)
    };
    assert_eq!(named(None), Ok([A, B].map(TenantId::from).to_vec()));
    assert_eq!(named(Some(B)), Ok(vec![B.into()]));
    let spelt = named(Some(&format!(" {} ", B.to_uppercase()))).expect("the tenant");
    assert_eq!(spelt.iter().map(TenantId::as_str).collect::<Vec<_>>(), [B], "as the policy spells it");
    for tenant in [C, "", "acme", &A[1..]] {
        assert_eq!(named(Some(tenant)), Err(Refusal::TenantNotAllowed), "{tenant}");
    }
}

#[test]
fn admit_maps_an_account_to_its_tenant() {
    let policy = policy("", &format!("accounts = {{ one = \"{A}\", two = \"{B}\" }}"));
    let named = |account: Option<&str>, tenant: Option<&str>| {
        let mut signal = signal_with_duration(None);
        signal.account = account.map(Into::into);
        signal.tenant = tenant.map(Into::into);
        admitted(&policy, &signal)
    };
    assert_eq!(named(Some("ONE"), None), Ok(vec![A.into()]));
    assert_eq!(named(Some("two"), Some(B)), Ok(vec![B.into()]));
    assert_eq!(named(Some("two"), Some(A)), Err(Refusal::TenantNotAllowed), "it is another's");
    assert_eq!(named(Some("two"), Some(C)), Err(Refusal::TenantNotAllowed));
    for account in [None, Some(""), Some("three")] {
        assert_eq!(named(account, None), Err(Refusal::AccountNotAllowed), "{account:?}");
        assert_eq!(named(account, Some(A)), Err(Refusal::AccountNotAllowed), "{account:?}");
    }
}

#[test]
fn admit_requires_the_minimum_severity() {
    for minimum in Severity::ALL {
        let policy = policy("", &format!("minimum_severity = \"{minimum}\""));
        for severity in Severity::ALL.map(Some).into_iter().chain([None]) {
            let admitted = admitted(&policy, &signal(severity));
            if severity.is_some_and(|severity| severity >= minimum) {
                assert!(admitted.is_ok(), "{severity:?} {minimum}");
            } else {
                assert_eq!(admitted, Err(Refusal::Severity { severity, minimum }));
            }
        }
    }
}

#[test]
fn admit_accepts_any_severity_when_configured() {
    let policy = policy("", "minimum_severity = \"any\"");
    for severity in Severity::ALL.map(Some).into_iter().chain([None]) {
        assert!(admitted(&policy, &signal(severity)).is_ok(), "{severity:?}");
    }
}

#[test]
fn admit_requires_may_release_for_a_release() {
    let mut release = signal(None);
    release.action = Action::Release;
    assert_eq!(admitted(&policy("", ""), &release), Err(Refusal::ReleaseNotAllowed));
    let allowed = policy("", "may_release = true");
    assert_eq!(admitted(&allowed, &release).map(|tenants| tenants.len()), Ok(2));
    release.tenant = Some(C.into());
    assert_eq!(admitted(&allowed, &release), Err(Refusal::TenantNotAllowed));
}

#[test]
fn refusals_have_codes_and_messages() {
    let minimum = Severity::High;
    for (refusal, json, sentence) in [
        (
            Refusal::ReleaseNotAllowed,
            json!({"code": "release_not_allowed"}),
            "does not allow this source to release",
        ),
        (Refusal::TenantNotAllowed, json!({"code": "tenant_not_allowed"}), "act on this tenant"),
        (
            Refusal::AccountNotAllowed,
            json!({"code": "account_not_allowed"}),
            "does not list the event's account",
        ),
        (
            Refusal::Severity { severity: Some(Severity::Low), minimum },
            json!({"code": "severity", "severity": "low", "minimum": "high"}),
            "the severity is low, and the policy requires high",
        ),
        (
            Refusal::Severity { severity: None, minimum },
            json!({"code": "severity", "severity": null, "minimum": "high"}),
            "the alert has no severity",
        ),
        (
            Refusal::Protected { reason: "so".into() },
            json!({"code": "protected", "reason": "so"}),
            "the endpoint is protected: so",
        ),
    ] {
        assert_eq!(serde_json::to_value(&refusal).expect("JSON"), json);
        assert_eq!(serde_json::from_value::<Refusal>(json.clone()).expect("a refusal"), refusal);
        assert_eq!(json["code"], refusal.code());
        assert!(refusal.to_string().contains(sentence), "{refusal}");
    }
}
