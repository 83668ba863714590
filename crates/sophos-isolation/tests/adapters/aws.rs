//! GuardDuty and Security Hub.

use serde_json::{Value, json};
use sophos_isolation::adapters::Tool;

use super::{parse, parse_refused, parse_single, summaries, summary};

fn finding() -> Value {
    json!({
        "schemaVersion": "2.0",
        "accountId": "111122223333",
        "region": "eu-west-1",
        "id": "f1",
        "type": "Backdoor:EC2/C&CActivity.B!DNS",
        "severity": 8,
        "title": "The EC2 instance i-0123456789abcdef0 queries a command and control server.",
        "createdAt": "2026-01-01T10:00:00.000Z",
        "updatedAt": "2026-01-01T10:05:00.000Z",
        "resource": {
            "resourceType": "Instance",
            "instanceDetails": {
                "instanceId": "i-0123456789abcdef0",
                "networkInterfaces": [{
                    "networkInterfaceId": "eni-1",
                    "privateIpAddress": "10.1.2.3",
                    "privateDnsName": "ip-10-1-2-3.eu-west-1.compute.internal",
                    "publicIp": "203.0.113.9",
                    "publicDnsName": "ec2-203-0-113-9.eu-west-1.compute.amazonaws.com",
                    "ipv6Addresses": []
                }]
            }
        },
        "service": {
            "archived": false,
            "count": 3,
            "eventLastSeen": "2026-01-01T10:04:00.000Z",
            "action": {
                "actionType": "NETWORK_CONNECTION",
                "networkConnectionAction": {
                    "remoteIpDetails": {"ipAddressV4": "198.51.100.7"},
                    "localIpDetails": {"ipAddressV4": "10.9.9.9"}
                }
            },
            "additionalInfo": {"value": "{\"portsScannedSample\":[1,2],\"sample\":false}", "type": "default"}
        }
    })
}

const INSTANCE: &str = "ec2:i-0123456789abcdef0";

fn envelope(detail: Value) -> Value {
    json!({"version": "0", "id": "e-1", "source": "aws.guardduty", "account": "999999999999",
        "detail-type": "GuardDuty Finding", "detail": detail})
}

/// The value with all member names in Pascal case.
fn pascal_case(value: Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| (name[..1].to_uppercase() + &name[1..], pascal_case(value)))
            .collect(),
        Value::Array(items) => items.into_iter().map(pascal_case).collect(),
        value => value,
    }
}

#[test]
fn guardduty_parses_findings_in_every_wrapper_and_casing() {
    for body in [
        finding(),
        pascal_case(finding()),
        envelope(finding()),
        envelope(pascal_case(finding())),
        json!({"Findings": [pascal_case(finding())]}),
    ] {
        let alert = parse_single(Tool::GuardDuty, &body);
        assert_eq!(summary(&alert), format!("high {INSTANCE} act"));
        assert_eq!(alert.event_id, r#"["f1","2026-01-01T10:05:00.000Z","3"]"#);
        assert_eq!(alert.signal.account.as_deref(), Some("111122223333"));
        assert_eq!(alert.signal.reason.as_deref(), Some("Backdoor:EC2/C&CActivity.B!DNS"));
        assert!(alert.signal.title.starts_with("The EC2 instance"));
    }
}

#[test]
fn guardduty_maps_severity_ranges() {
    for (number, expected) in [
        (json!(0.5), "informational"),
        (json!(1), "low"),
        (json!(3.9), "low"),
        (json!(4), "medium"),
        (json!(6.9), "medium"),
        (json!(7), "high"),
        (json!(8.9), "high"),
        (json!(9), "critical"),
        (json!("8"), "high"),
        (json!(null), "-"),
    ] {
        let mut body = finding();
        body["severity"] = number.clone();
        assert!(summary(&parse_single(Tool::GuardDuty, &body)).starts_with(expected), "{number}");
    }
}

#[test]
fn guardduty_refuses_sample_and_archived_findings() {
    let sample_and_archived = |mut body: Value| {
        body["service"]["archived"] = json!(true);
        body
    };
    let with = |member: &str, value: Value| {
        let mut body = finding();
        body["service"]["additionalInfo"] = json!({member: value});
        body
    };
    for body in [
        with("sample", json!(true)),
        with("sample", json!("true")),
        with("value", json!(r#"{"threatName":"x", "sample" : true}"#)),
        with("value", json!({"sample": true})),
        sample_and_archived(with("sample", json!(true))),
    ] {
        assert_eq!(summary(&parse_single(Tool::GuardDuty, &body)), format!("high {INSTANCE} Sample"));
        assert!(summary(&parse_single(Tool::GuardDuty, &pascal_case(body))).ends_with("Sample"));
    }
    let mut titled = finding();
    titled["title"] = json!("[SAMPLE] The EC2 instance i-1 …");
    assert!(summary(&parse_single(Tool::GuardDuty, &titled)).ends_with("Sample"));
    assert!(summary(&parse_single(Tool::GuardDuty, &sample_and_archived(finding()))).ends_with("Archived"));
    // Text that an attacker may control does not mark a sample.
    for value in [json!(r#"{"userAgent":"\"sample\":true"}"#), json!("\"sample\":true"), json!(7)] {
        assert!(summary(&parse_single(Tool::GuardDuty, &with("value", value))).ends_with("act"));
    }
}

#[test]
fn guardduty_finds_no_host_in_other_resources() {
    for kind in ["AccessKey", "S3Bucket", "RDSDBInstance", "Lambda", "EBSSnapshot", "AttackSequence"] {
        let mut body = finding();
        body["resource"]["resourceType"] = json!(kind);
        assert_eq!(summary(&parse_single(Tool::GuardDuty, &body)), "high NoHost", "{kind}");
    }
}

#[test]
fn guardduty_returns_one_alert_per_finding() {
    let mut other = finding();
    other["id"] = json!("f2");
    other["resource"]["instanceDetails"] = json!({"instanceId": "i-2"});
    let alerts = parse(Tool::GuardDuty, &json!({"Findings": [finding(), other, finding()]}));
    assert_eq!(summaries(&alerts), [format!("high {INSTANCE} act"), "high ec2:i-2 act".into()]);
    assert_eq!(summaries(&parse(Tool::GuardDuty, &json!({"Findings": []}))), ["- NoHost"]);
}

#[test]
fn guardduty_rejects_other_sources_and_missing_ids() {
    let mut foreign = envelope(finding());
    foreign["source"] = json!("my.own");
    assert_eq!(parse_refused(Tool::GuardDuty, &foreign), "invalid source: expected \"aws.guardduty\"");
    assert_eq!(parse_refused(Tool::SecurityHub, &foreign), "invalid source: expected \"aws.securityhub\"");
    let mut nameless = finding();
    nameless["id"] = json!("");
    assert_eq!(parse_refused(Tool::GuardDuty, &nameless), "missing event id: the finding has no id");
}

fn asff(id: &str, resources: Value) -> Value {
    json!({
        "Id": id, "UpdatedAt": "2026-01-01T00:00:00Z", "AwsAccountId": "111122223333",
        "Types": ["TTPs/Command and Control/Backdoor:EC2-C&CActivity.B!DNS"],
        "Severity": {"Label": "CRITICAL", "Normalized": 10},
        "Title": "t", "Description": "d",
        "Workflow": {"Status": "NEW"}, "RecordState": "ACTIVE", "Resources": resources
    })
}

fn instance(id: &str) -> Value {
    json!({"Type": "AwsEc2Instance", "Id": format!("arn:aws:ec2:eu-west-1:111122223333:instance/{id}"),
        "Details": {"AwsEc2Instance": {"IpV4Addresses": ["203.0.113.9", "10.0.0.1"]}}})
}

fn security_hub_event(findings: Value) -> Value {
    json!({"source": "aws.securityhub", "detail-type": "Security Hub Findings - Imported",
        "detail": {"findings": findings}})
}

#[test]
fn security_hub_returns_one_alert_per_instance() {
    let bucket = json!({"Type": "AwsS3Bucket", "Id": "arn:aws:s3:::b"});
    let several = json!([instance("i-1"), bucket, instance("i-2"), instance("i-1")]);
    let alerts = parse(
        Tool::SecurityHub,
        &security_hub_event(json!([asff("a", several), asff("b", json!([bucket]))])),
    );
    assert_eq!(summaries(&alerts), ["critical ec2:i-1 act", "critical ec2:i-2 act", "critical NoHost"]);
    assert_eq!(alerts[0].event_id, r#"["a","2026-01-01T00:00:00Z",[null,"i-1",[],[],[],[]]]"#);
    assert_eq!(alerts[1].event_id, r#"["a","2026-01-01T00:00:00Z",[null,"i-2",[],[],[],[]]]"#);
    assert_eq!(alerts[2].event_id, r#"["b","2026-01-01T00:00:00Z"]"#);
    assert_eq!(alerts[0].signal.account.as_deref(), Some("111122223333"));
    // The same without a list.
    let bare = parse_single(Tool::SecurityHub, &asff("a", json!([instance("i-1")])));
    assert_eq!(summary(&bare), "critical ec2:i-1 act");
}

#[test]
fn security_hub_identifies_instances_by_arn_or_id() {
    for (id, expected) in [
        ("i-0123456789abcdef0", "critical ec2:i-0123456789abcdef0 act"),
        ("arn:aws-cn:ec2:cn-north-1:1:instance/i-7", "critical ec2:i-7 act"),
        ("arn:aws:ec2:eu-west-1:1:volume/i-7", "critical NoHost"),
        ("arn:aws:ec2:eu-west-1:1:instance/", "critical NoHost"),
        ("web-1", "critical NoHost"),
    ] {
        let resource = json!({"Type": "AwsEc2Instance", "Id": id, "Details": instance("i-1")["Details"]});
        assert_eq!(
            summary(&parse_single(Tool::SecurityHub, &asff("a", json!([resource])))),
            expected,
            "{id}"
        );
    }
}

#[test]
fn security_hub_refuses_asff_that_needs_no_action() {
    let checks = "Software and Configuration Checks/Vulnerabilities/CVE";
    for (pointer, value, expected) in [
        ("Workflow", json!({"Status": "SUPPRESSED"}), "Suppressed"),
        ("Workflow", json!({"Status": "RESOLVED"}), "Resolved"),
        ("Workflow", json!({"Status": "NOTIFIED"}), "act"),
        ("RecordState", json!("ARCHIVED"), "Archived"),
        ("VerificationState", json!("FALSE_POSITIVE"), "Resolved"),
        ("Sample", json!(true), "Sample"),
        ("Types", json!([checks]), "NotAThreat"),
        ("Types", json!([checks, "TTPs/Execution"]), "act"),
        ("ProductFields", json!({"aws/guardduty/service/archived": "true"}), "Archived"),
        ("ProductFields", json!({"aws/guardduty/service/archived": "false"}), "act"),
        ("ProductFields", json!({"aws/guardduty/service/additionalInfo/sample": "true"}), "Sample"),
        (
            "ProductFields",
            json!({"aws/guardduty/service/additionalInfo/value": "{\"sample\":true}"}),
            "Sample",
        ),
    ] {
        let mut body = asff("a", json!([instance("i-1")]));
        body[pointer] = value.clone();
        assert_eq!(
            summary(&parse_single(Tool::SecurityHub, &body)),
            format!("critical ec2:i-1 {expected}"),
            "{value}"
        );
    }
    let mut check = asff("a", json!([instance("i-1")]));
    check["Types"] = json!(null);
    check["Compliance"] = json!({"Status": "FAILED"});
    assert!(summary(&parse_single(Tool::SecurityHub, &check)).ends_with("NotAThreat"));
}

#[test]
fn security_hub_falls_back_to_normalized_severity() {
    for (number, expected) in
        [(0, "informational"), (39, "low"), (40, "medium"), (70, "high"), (90, "critical")]
    {
        let mut body = asff("a", json!([]));
        body["Severity"] = json!({"Normalized": number});
        assert_eq!(summary(&parse_single(Tool::SecurityHub, &body)), format!("{expected} NoHost"));
    }
}

fn ocsf() -> Value {
    json!({
        "class_uid": 2004, "activity_id": 1, "severity_id": 4, "status_id": 1,
        "finding_info": {"uid": "arn:f", "title": "t", "desc": "d", "modified_time": 1767225600000_i64},
        "cloud": {"account": {"uid": "111122223333"}, "provider": "AWS"},
        "resources": [{"type": "AWS::EC2::Instance", "uid": "arn:aws:ec2:eu-west-1:1:instance/i-1"}],
        "evidences": [{"src_endpoint": {"ip": "198.51.100.7"}}]
    })
}

fn imported(finding: Value) -> Value {
    json!({"source": "aws.securityhub", "detail-type": "Findings Imported V2", "detail": {"findings": [finding]}})
}

#[test]
fn security_hub_parses_ocsf() {
    let alert = parse_single(Tool::SecurityHub, &imported(ocsf()));
    assert_eq!(summary(&alert), "high ec2:i-1 act");
    assert_eq!(alert.event_id, r#"["arn:f","1767225600000"]"#);
    assert_eq!(alert.signal.account.as_deref(), Some("111122223333"));
    for (member, value, expected) in [
        ("class_uid", json!(2003), "high ec2:i-1 NotAThreat"),
        ("class_uid", json!(2002), "high ec2:i-1 NotAThreat"),
        ("status_id", json!(3), "high ec2:i-1 Suppressed"),
        ("status_id", json!(4), "high ec2:i-1 Resolved"),
        ("activity_id", json!(3), "high ec2:i-1 Resolved"),
        ("severity_id", json!(1), "informational ec2:i-1 act"),
        ("severity_id", json!(5), "critical ec2:i-1 act"),
        ("severity_id", json!(6), "critical ec2:i-1 act"),
        ("severity_id", json!(99), "- ec2:i-1 act"),
        ("resources", json!([{"type": "AWS::S3::Bucket", "uid": "arn:aws:s3:::b"}]), "high NoHost"),
        ("resources", json!([{"type": "AwsEc2Instance", "uid": "i-9"}]), "high ec2:i-9 act"),
    ] {
        let mut body = ocsf();
        body[member] = value.clone();
        assert_eq!(summary(&parse_single(Tool::SecurityHub, &imported(body))), expected, "{member} {value}");
    }
    let nameless = imported(json!({"class_uid": 2004}));
    assert!(parse_refused(Tool::SecurityHub, &nameless).ends_with("the finding has no finding_info.uid"));
}

#[test]
fn security_hub_takes_ocsf_device_as_the_instance() {
    let device = json!({"instance_uid": "i-1", "uid": "x", "hostname": "web", "ip": "10.0.0.1", "mac": "02:00:00:00:00:01"});
    let mut body = ocsf();
    body["device"] = device.clone();
    assert_eq!(summaries(&parse(Tool::SecurityHub, &body)), ["high ec2:i-1 act"]);
    body["device"]["instance_uid"] = json!("i-2");
    assert_eq!(parse(Tool::SecurityHub, &body).len(), 2);
    body["device"] = device;
    body["resources"] = json!([]);
    assert_eq!(summaries(&parse(Tool::SecurityHub, &body)), ["high ec2:i-1 act"]);
    body["device"] =
        json!({"hostname": "web", "domain": "a.example", "ip": "10.0.0.1", "mac": "02:00:00:00:00:01"});
    assert_eq!(
        summaries(&parse(Tool::SecurityHub, &body)),
        ["high mac:02:00:00:00:00:01 name:web.a.example ip:10.0.0.1 act"]
    );
    // The machine id of another product is not an instance id.
    body["device"] = json!({"uid": "4a7b0c", "hostname": "web"});
    assert_eq!(summaries(&parse(Tool::SecurityHub, &body)), ["high name:web act"]);
}

#[test]
fn security_hub_rejects_a_message_with_too_many_hosts() {
    let instances = |count: usize| (0..count).map(|n| instance(&format!("i-{n}"))).collect::<Value>();
    assert_eq!(parse(Tool::SecurityHub, &asff("a", instances(100))).len(), 100);
    let error = parse_refused(Tool::SecurityHub, &asff("a", instances(101)));
    assert_eq!(error, "the message names more than 100 hosts; split it into several messages");
    let findings = (0..101).map(|n| asff(&n.to_string(), json!([]))).collect::<Value>();
    assert_eq!(parse_refused(Tool::SecurityHub, &security_hub_event(findings)), error);
}
