//! An issue in one source disables only that source.

use sophos_isolation::{
    adapters::Tool,
    policy::{Mode, Policy},
};

const TENANT: &str = "11f104c5-cc4a-4a9f-bb9c-632c936dfb9f";
const OTHER: &str = "0afef0e6-5df7-4cc0-b8d4-068cfd6820d1";

fn source(name: &str, more: &str) -> String {
    format!(
        "[sources.{name}]\ntool = \"wazuh\"\ntenants = [\"{TENANT}\"]\n\
         verify = {{ scheme = \"bearer\", secret = \"{name}\" }}\n{more}\n"
    )
}

fn aws(name: &str, tenant: &str, accounts: &[&str]) -> String {
    let accounts: String = accounts.iter().map(|account| format!("{account} = \"{tenant}\"\n")).collect();
    format!(
        "[sources.{name}]\ntool = \"guardduty\"\ntenants = [\"{tenant}\"]\n[sources.{name}.accounts]\n{accounts}"
    )
}

fn parse_lenient(text: &str) -> Policy {
    Policy::parse_lenient(&format!("version = 1\n{text}")).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

fn source_names(policy: &Policy) -> (Vec<&str>, Vec<&str>) {
    let enabled = policy.sources().map(|source| source.name.as_str()).collect();
    (enabled, policy.disabled().iter().map(|disabled| disabled.name()).collect())
}

#[test]
fn parse_lenient_disables_a_source_with_an_error() {
    for wrong in [
        "minimum_severity = \"hgih\"",
        "mode = \"enfroce\"",
        "mode = \"enforce\"",
        "allow_from = [\"10.0.0.1/8\"]",
        "fields = { hostname = \"no pointer\" }",
        "unknown = 1",
        "per_hour = 0",
    ] {
        let text = format!("{}{}{}", source("a", ""), source("b", wrong), source("c", ""));
        let policy = parse_lenient(&text);
        assert_eq!(source_names(&policy), (vec!["a", "c"], vec!["b"]), "{wrong}");
        let disabled = policy.disabled_source("b").expect("it is known");
        assert_eq!(disabled.issues().len(), 1, "{wrong}");
        assert_eq!(disabled.issues()[0].line, 11, "{wrong}");
        assert!(disabled.to_string().starts_with("line 11, sources.b."), "{disabled}");
        assert!(policy.source("b").is_none() && policy.disabled_source("a").is_none());
        // The strict check of a new policy rejects the whole file.
        let error = Policy::parse(&format!("version = 1\n{text}")).expect_err("an issue");
        assert_eq!(error.issues(), disabled.issues());
    }
}

#[test]
fn parse_lenient_disables_a_source_that_cannot_be_parsed() {
    let text = format!("sources.d = 1\n{}[sources.b]\n[sources.\"C!\"]\ntool = \"wazuh\"\n", source("a", ""));
    assert_eq!(source_names(&parse_lenient(&text)), (vec!["a"], vec!["C!", "b", "d"]));
}

#[test]
fn parse_lenient_rejects_errors_outside_sources() {
    for wrong in [
        "mode = \"enfroce\"",
        "unknown = 1",
        "[protect]\ntypes = [\"servers\"]",
        "[approve]\ntimeout = \"4\"",
        "[release]\nnew_episode_after = \"1\"",
        "[limits]\nestate_share = 2",
    ] {
        let text = format!("version = 1\n{wrong}\n{}", source("a", "per_hour = 0"));
        let error = Policy::parse_lenient(&text).expect_err("an issue of the file");
        assert_eq!(error.issues().len(), 2, "all are reported: {error}");
    }
    for version in ["", "version = 2"] {
        assert!(Policy::parse_lenient(&format!("{version}\n{}", source("a", "per_hour = 0"))).is_err());
    }
}

#[test]
fn parse_lenient_disables_both_sources_sharing_an_account() {
    let shared = ["111111111111", "222222222222"];
    let text = format!(
        "{}{}{}",
        aws("a", TENANT, &shared),
        aws("b", OTHER, &["222222222222"]),
        aws("c", TENANT, &["333333333333"])
    );
    let policy = parse_lenient(&text);
    assert_eq!(source_names(&policy), (vec!["c"], vec!["a", "b"]));
    for account in shared {
        assert!(policy.eventbridge_source(Tool::GuardDuty, account).is_none(), "{account}");
    }
    assert!(policy.eventbridge_source(Tool::GuardDuty, "333333333333").is_some());
    // Their machines can still be released.
    let mut tenants: Vec<_> = policy.tenants().into_iter().map(|tenant| tenant.as_str()).collect();
    tenants.sort_unstable();
    assert_eq!(tenants, [OTHER, TENANT]);
}

#[test]
fn parse_lenient_keeps_the_dry_run() {
    let policy =
        parse_lenient(&format!("mode = \"enforce\"\n{}{}", source("a", ""), source("b", "per_hour = 0")));
    assert_eq!(policy.source("a").expect("a").mode, Mode::Enforce);
    let dry = policy.with_dry_run();
    assert_eq!(dry.source("a").expect("a").mode, Mode::DryRun);
    assert_eq!(source_names(&dry), (vec!["a"], vec!["b"]));
}
