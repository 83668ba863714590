//! Findings of one AWS account about machines of another.

use serde_json::{Value, json};
use sophos_isolation::{adapters::Message, check::Check, policy::Policy};

use super::{NOW, TENANT, TestEnv, decision_ids};

const OTHER_TENANT: &str = "5f0c8b1e-2d3a-4c5b-8e7f-1a2b3c4d5e6f";
const ADMIN: &str = "999999999999";
const A: &str = "111111111111";
const B: &str = "222222222222";

/// Both tools list an administrator and two members; B has its own tenant.
fn policy(more: &str) -> Policy {
    let source = |tool: &str| {
        format!(
            "[sources.{tool}]\ntool = '{tool}'\ntenants = ['{TENANT}', '{OTHER_TENANT}']\n\
             accounts = {{ '{ADMIN}' = '{TENANT}', '{A}' = '{TENANT}', '{B}' = '{OTHER_TENANT}' }}\n{more}\n"
        )
    };
    Policy::parse(&format!("version = 1\n{}{}", source("security_hub"), source("guardduty")))
        .expect("a policy")
}

fn arn(account: &str) -> String {
    format!("arn:aws:ec2:eu-west-1:{account}:instance/i-0123456789abcdef0")
}

fn event(source: &str, account: &str, detail: Value) -> Value {
    json!({ "id": "e", "source": source, "account": account, "detail": detail })
}

fn asff(account: &str, resources: Value) -> Value {
    let finding = json!({
        "Id": "f", "UpdatedAt": "2026-09-21T14:00:00Z", "AwsAccountId": account, "Types": ["TTPs/Impact"],
        "Severity": {"Label": "HIGH"}, "Title": "beacon", "Resources": resources,
    });
    event("aws.securityhub", ADMIN, json!({ "findings": [finding] }))
}

fn instance(id: &str) -> Value {
    json!({ "Type": "AwsEc2Instance", "Id": id })
}

fn ocsf(account: &str, resource: Value, device: Value) -> Value {
    let finding = json!({
        "class_uid": 2004, "severity_id": 4, "cloud": {"account": {"uid": account}}, "device": device,
        "finding_info": {"uid": "f", "title": "beacon", "modified_time": 1_789_999_000_000_u64}, "resources": [resource],
    });
    event("aws.securityhub", ADMIN, json!({ "findings": [finding] }))
}

fn ocsf_instance(uid: &str, owner: &str) -> Value {
    json!({ "type": "AWS::EC2::Instance", "uid": uid, "owner": {"account": {"uid": owner}} })
}

fn guardduty(account: &str, resource: Value) -> Value {
    let detail = json!({
        "id": "f", "accountId": account, "severity": 8, "title": "beacon", "updatedAt": "2026-09-21T14:00:00Z",
        "resource": resource, "service": {"count": 1},
    });
    event("aws.guardduty", ADMIN, detail)
}

fn sequence(account: &str, resources: Value) -> Value {
    let mut event = guardduty(account, json!({ "resourceType": "AttackSequence" }));
    event["detail"]["type"] = json!("AttackSequence:EC2/CompromisedInstanceGroup");
    event["detail"]["service"] = json!({ "detection": { "sequence": { "resources": resources } } });
    event
}

/// The result of each host of an event: `admitted`, or the code of a refusal.
fn outcomes(policy: &Policy, event: &Value) -> Vec<String> {
    let source = if event["source"] == "aws.guardduty" { "guardduty" } else { "security_hub" };
    let body = event.to_string().into_bytes();
    let message = Message { body: &body, idempotency_key: None };
    let check = Check::from_message(policy, source, &message, NOW).expect("a source");
    let shown = serde_json::to_value(&check.signals).expect("JSON");
    let signals = shown.as_array().expect("a list").iter();
    let outcome = |signal: &Value| match signal["code"].as_str() {
        Some(code) => code.to_owned(),
        None => signal["outcome"].as_str().expect("an outcome").to_owned(),
    };
    signals.map(outcome).collect()
}

/// Events of A that name a machine of B.
fn cross_account_events() -> Vec<(&'static str, Value)> {
    let details = |more: Value| {
        let mut resource =
            json!({ "resourceType": "Instance", "instanceDetails": {"instanceId": "i-0123456789abcdef0"} });
        for (name, value) in more.as_object().expect("members") {
            resource["instanceDetails"][name] = value.clone();
        }
        resource
    };
    let mut of_resource = details(json!({}));
    of_resource["accountId"] = json!(B);
    let device = |value: Value| ocsf(A, json!({ "type": "AWS::S3::Bucket", "uid": "arn:aws:s3:::b" }), value);
    vec![
        ("ASFF, an ARN", asff(A, json!([instance(&arn(B))]))),
        (
            "ASFF, an ARN of another partition",
            asff(A, json!([instance(&arn(B).replace("arn:aws:", "arn:aws-cn:"))])),
        ),
        ("OCSF, an ARN", ocsf(A, ocsf_instance(&arn(B), B), Value::Null)),
        ("OCSF, the owner of an id", ocsf(A, ocsf_instance("i-0123456789abcdef0", B), Value::Null)),
        ("OCSF, the device's ARN", device(json!({ "uid": arn(B) }))),
        (
            "OCSF, the device's account",
            device(json!({ "instance_uid": "i-0123456789abcdef0", "owner": {"account": {"uid": B}} })),
        ),
        ("GuardDuty, the resource", guardduty(A, of_resource)),
        ("GuardDuty, the instance", guardduty(A, details(json!({ "accountId": B })))),
        ("GuardDuty, an ARN", guardduty(A, details(json!({ "arn": arn(B) })))),
        ("a sequence, an ARN", sequence(A, json!([{ "resourceType": "EC2_INSTANCE", "uid": arn(B) }]))),
        (
            "a sequence, the account",
            sequence(
                A,
                json!([
            { "resourceType": "EC2_INSTANCE", "uid": "i-0123456789abcdef0", "accountId": B }]),
            ),
        ),
    ]
}

#[test]
fn finding_is_refused_when_it_names_another_accounts_host() {
    let policy = policy("");
    for (what, event) in cross_account_events() {
        assert_eq!(outcomes(&policy, &event), ["account_mismatch"], "{what}");
        // Its own machine is admitted, from its own bus and the administrator's.
        let own: Value = serde_json::from_str(&event.to_string().replace(B, A)).expect("JSON");
        assert_eq!(outcomes(&policy, &own), ["admitted"], "{what}");
        let mut direct = own.clone();
        direct["account"] = json!(A);
        assert_eq!(outcomes(&policy, &direct), ["admitted"], "{what}");
        // An administrator may report only for itself.
        let of_admin: Value = serde_json::from_str(&event.to_string().replace(A, ADMIN)).expect("JSON");
        assert_eq!(outcomes(&policy, &of_admin), ["account_mismatch"], "{what}");
    }
}

#[test]
fn finding_acts_in_the_hosts_tenant_when_it_may_report() {
    let lets_a = policy(&format!("may_report_for = {{ '{A}' = ['{B}'] }}"));
    let lets_b = policy(&format!("may_report_for = {{ '{B}' = ['{A}'] }}"));
    for (what, event) in cross_account_events() {
        assert_eq!(outcomes(&lets_a, &event), ["admitted"], "{what}");
        assert_eq!(outcomes(&lets_b, &event), ["account_mismatch"], "{what}: not the reverse");
        let source = lets_a
            .sources()
            .find(|source| event["source"] == format!("aws.{}", source.name.replace('_', "")).as_str());
        let source = source.expect("the source");
        let body = event.to_string().into_bytes();
        let readings =
            source.adapter.parse_message(&Message { body: &body, idempotency_key: None }).expect("readable");
        let tenants = lets_a.admit(source, &readings[0].signal).expect("admitted");
        assert_eq!(tenants, [OTHER_TENANT.into()], "{what}");
    }
}

#[test]
fn account_mismatch_names_the_accounts_and_the_key() {
    let policy = policy("");
    let source = policy.source("security_hub").expect("the source");
    let body = cross_account_events()[0].1.to_string().into_bytes();
    let readings =
        source.adapter.parse_message(&Message { body: &body, idempotency_key: None }).expect("readable");
    let refusal = policy.admit(source, &readings[0].signal).expect_err("another's");
    let text = refusal.to_string();
    assert!(text.contains(A) && text.contains(B) && text.contains("`may_report_for`"), "{text}");
    let kept = serde_json::to_value(&refusal).expect("JSON");
    assert_eq!(kept, json!({ "code": "account_mismatch", "account": A, "host_accounts": [B] }));
}

/// Each host counts alone; a host in two accounts is refused.
#[test]
fn hosts_of_a_finding_are_evaluated_separately() {
    let lets_a = policy(&format!("may_report_for = {{ '{A}' = ['{B}'] }}"));
    let own = arn(A).replace("abcdef0", "abcdef1");
    let both = asff(A, json!([instance(&own), instance(&arn(B))]));
    assert_eq!(outcomes(&policy(""), &both), ["admitted", "account_mismatch"]);
    assert_eq!(outcomes(&lets_a, &both), ["admitted", "admitted"]);
    for twice in [
        asff(A, json!([instance(&arn(A)), instance(&arn(B))])),
        asff(A, json!([instance(&arn(B)), instance(&arn(A))])),
        ocsf(A, ocsf_instance(&arn(A), B), Value::Null),
        ocsf(A, ocsf_instance(&arn(A), A), json!({ "uid": arn(B) })),
    ] {
        assert_eq!(outcomes(&policy(""), &twice), ["account_mismatch"], "{twice}");
        assert_eq!(outcomes(&lets_a, &twice), ["account_mismatch"], "{twice}");
    }
}

#[test]
fn finding_text_does_not_set_the_account() {
    let policy = policy("");
    // Nothing but the finding's own account counts as the author's.
    let mut unsigned = asff(A, json!([instance(&arn(A))]));
    unsigned["detail"]["findings"][0]["AwsAccountId"] = Value::Null;
    assert_eq!(outcomes(&policy, &unsigned), ["account_not_allowed"]);
    let mut sequence =
        sequence(A, json!([{ "resourceType": "EC2_INSTANCE", "uid": arn(A), "accountId": A }]));
    sequence["detail"]["accountId"] = Value::Null;
    assert_eq!(outcomes(&policy, &sequence), ["account_not_allowed"]);
    let mut unlisted = asff(A, json!([instance(&arn(A))]));
    unlisted["detail"]["findings"][0]["AwsAccountId"] = json!("333333333333");
    assert_eq!(outcomes(&policy, &unlisted), ["account_not_allowed"]);
    let mut claimed = asff(A, json!([instance(&arn(B))]));
    claimed["detail"]["findings"][0]["ProductFields"] = json!({ "aws/securityhub/AwsAccountId": B });
    claimed["detail"]["findings"][0]["Resources"][0]["Details"] =
        json!({ "AwsEc2Instance": { "AwsAccountId": B } });
    assert_eq!(outcomes(&policy, &claimed), ["account_mismatch"]);
}

/// The author chooses the id of a finding: one that is taken already would keep
/// the other account's from being acted on.
#[tokio::test]
async fn finding_ids_are_separate_per_account() {
    let mut env = TestEnv::new();
    env.policy = policy("");
    let empty = asff(A, json!([]));
    assert_eq!(env.event(&empty).await.0.status, 202);
    assert!(env.queued().is_empty());
    let real = asff(B, json!([instance(&arn(B))]));
    let (response, _) = env.event(&real).await;
    assert_eq!((response.status, env.queued()), (202, decision_ids(&response)));
    assert_eq!(env.event(&real).await.0.status, 200, "the same again");
}
