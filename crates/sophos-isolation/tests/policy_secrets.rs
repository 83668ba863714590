//! Shared secrets, and accounts that report for other accounts.

mod policy_assertions;

use policy_assertions::{OTHER, TENANT, assert_file_issues, assert_source_issues};
use sophos_isolation::policy::Policy;

/// A source that authenticates with a secret.
fn sender(name: &str, secret: &str) -> String {
    format!(
        "[sources.{name}]\ntool = \"wazuh\"\ntenants = [\"{TENANT}\"]\n\
         verify = {{ scheme = \"bearer\", secret = \"{secret}\" }}\n"
    )
}

#[test]
fn parse_rejects_an_approval_key_shared_with_a_sender() {
    for (own, senders) in [
        ("isolation/approval", "isolation/approval"),
        // Both names map to one environment variable.
        ("isolation/approval", "isolation-approval"),
        ("isolation/approval", "Isolation.Approval"),
    ] {
        let text = format!("[approve]\nsecret = \"{own}\"\n{}{}", sender("a", "n"), sender("b", senders));
        assert_file_issues(&text, &[(3, "approve.secret", "shared secret: the source b")]);
        // A running function rejects the policy, because the source alone could still approve.
        assert!(Policy::parse_lenient(&format!("version = 1\n{text}")).is_err());
    }
    let apart = format!("version = 1\n[approve]\nsecret = \"isolation/approval\"\n{}", sender("a", "n"));
    assert!(Policy::parse(&apart).is_ok());
}

#[test]
fn parse_warns_about_a_secret_of_two_sources() {
    let text = format!("version = 1\n{}{}{}", sender("a", "n/x"), sender("b", "m"), sender("c", "n-x"));
    let policy = Policy::parse(&text).expect("it can be used");
    let warnings: Vec<_> = policy.warnings().iter().map(ToString::to_string).collect();
    let [warning] = &warnings[..] else { panic!("{warnings:?}") };
    assert!(
        warning.starts_with("line 10, sources.c: shared secret: a signature for the source a"),
        "{warning}"
    );
    let apart = format!("version = 1\n{}{}", sender("a", "n"), sender("b", "m"));
    assert!(Policy::parse(&apart).expect("a policy").warnings().is_empty());
}

#[test]
fn parse_requires_listed_accounts_in_may_report_for() {
    let accounts = format!(
        "tool = \"security_hub\"\naccounts = {{ 111111111111 = \"{TENANT}\", 222222222222 = \"{TENANT}\" }}\n"
    );
    let with = |table: &str| format!("{accounts}may_report_for = {table}");
    assert_source_issues(
        &with("{ 333333333333 = [\"222222222222\"], 111111111111 = [\"444444444444\", \"111111111111\"] }"),
        &[
            (6, "sources.s.may_report_for.111111111111[0]", "unknown account"),
            (6, "sources.s.may_report_for.111111111111[1]", "redundant account"),
            (6, "sources.s.may_report_for.333333333333", "unknown account"),
        ],
    );
    assert_source_issues(
        &with("{ 111111111111 = [] }"),
        &[(6, "sources.s.may_report_for.111111111111", "1 to 100")],
    );
    assert_source_issues(
        &with("{ 111111111111 = [\"222222222222\", \"222222222222\"] }"),
        &[(6, "sources.s.may_report_for.111111111111[1]", "duplicate account")],
    );
    assert_source_issues(&with("[]"), &[(6, "sources.s.may_report_for", "a table")]);
    assert_source_issues(
        "tool = \"wazuh\"\nmay_report_for = {}\nverify = { scheme = \"path\", secret = \"n\" }",
        &[(5, "sources.s.may_report_for", "EventBridge")],
    );
    assert_source_issues(
        &format!("{accounts}fields = {{ account = \"/x\" }}"),
        &[(6, "sources.s.fields.account", "AWS authenticates")],
    );
}

#[test]
fn may_report_for_is_limited_to_the_policy() {
    let text = format!(
        "version = 1\n[sources.s]\ntool = \"guardduty\"\ntenants = [\"{TENANT}\", \"{OTHER}\"]\n\
         accounts = {{ 111111111111 = \"{TENANT}\", 222222222222 = \"{OTHER}\" }}\n\
         may_report_for = {{ 111111111111 = [\"222222222222\"] }}\n"
    );
    let policy = Policy::parse(&text).expect("a policy");
    let source = policy.source("s").expect("the source");
    let (a, b) = ("111111111111", "222222222222");
    assert!(source.may_report_for(a, a) && source.may_report_for(a, b) && source.may_report_for(b, b));
    assert!(!source.may_report_for(b, a) && !source.may_report_for(a, "333333333333"));
}

#[test]
fn parse_rejects_accept_previous_without_a_secret() {
    let no = "accept_previous = false\n";
    let certificate = "verify = { scheme = \"client_certificate\", subject = \"CN=a\", issuer = \"CN=b\" }";
    assert_source_issues(
        &format!("tool = \"generic\"\n{no}{certificate}"),
        &[(5, "sources.s.accept_previous", "the scheme has no secret")],
    );
    let accounts = format!("accounts = {{ 111111111111 = \"{TENANT}\" }}");
    assert_source_issues(
        &format!("tool = \"guardduty\"\n{no}{accounts}"),
        &[(5, "sources.s.accept_previous", "EventBridge")],
    );
    assert_source_issues(
        "tool = \"wazuh\"\naccept_previous = 1\nverify = { scheme = \"path\", secret = \"n\" }",
        &[(5, "sources.s.accept_previous", "true or false")],
    );
    assert_file_issues(
        "[approve]\naccept_previous = \"no\"",
        &[(3, "approve.accept_previous", "true or false")],
    );
    let text = format!("version = 1\n[approve]\n{no}{}", sender("a", "n"));
    let policy = Policy::parse(&text).expect("a policy");
    assert!(!policy.approval().accept_previous && policy.source("a").expect("a").accept_previous);
}
