//! Formats of findings: containers, attack sequences, custom actions.

use serde_json::{Value, json};
use sophos_isolation::adapters::Tool;

use super::{parse, parse_single, summaries, summary};

fn finding(resource: Value) -> Value {
    json!({"id": "f", "accountId": "111122223333", "updatedAt": "U", "severity": 8, "title": "t",
        "type": "Execution:Runtime/ReverseShell", "resource": resource, "service": {"count": 1}})
}

#[test]
fn guardduty_marks_container_nodes_as_shared() {
    let instance = json!({"instanceId": "i-0a", "networkInterfaces": [{"privateIpAddress": "10.0.0.1"}]});
    for kind in ["Container", "ECSCluster", "EKSCluster", "KubernetesCluster"] {
        let body = finding(json!({"resourceType": kind, "instanceDetails": instance}));
        let alert = parse_single(Tool::GuardDuty, &body);
        assert_eq!(summary(&alert), "high ec2:i-0a act", "{kind}");
        assert!(alert.signal.shared_host, "{kind}");
        // Fargate and audit log findings have no instance.
        let none = finding(
            json!({"resourceType": kind, "instanceDetails": {"networkInterfaces": [{"privateIpAddress": "10.0.0.1"}]}}),
        );
        assert_eq!(summary(&parse_single(Tool::GuardDuty, &none)), "high NoHost", "{kind}");
    }
    let node =
        json!({"resourceType": "Instance", "instanceDetails": instance, "eksClusterDetails": {"name": "c"}});
    assert!(parse_single(Tool::GuardDuty, &finding(node)).signal.shared_host);
}

#[test]
fn guardduty_parses_instances_that_are_not_shared() {
    let scan = json!({"resourceType": "Instance", "instanceDetails": {"instanceId": "i-0a"},
        "ebsVolumeDetails": {"scannedVolumeDetails": []}});
    let alert = parse_single(Tool::GuardDuty, &finding(scan));
    assert_eq!((summary(&alert).as_str(), alert.signal.shared_host), ("high ec2:i-0a act", false));
    let kept = serde_json::to_value(&alert.signal).expect("a signal");
    assert!(kept.get("shared_host").is_none());
    // Without an id, the names and addresses are used.
    let nameless = json!({"resourceType": "Instance", "instanceDetails": {"networkInterfaces": [
        {"privateIpAddress": "10.0.0.1", "privateDnsName": "ip-10-0-0-1.ec2.internal"}]}});
    assert_eq!(
        summary(&parse_single(Tool::GuardDuty, &finding(nameless))),
        "high name:ip-10-0-0-1.ec2.internal ip:10.0.0.1 act"
    );
    let key = json!({"resourceType": "AccessKey", "instanceDetails": {"instanceId": "i-0a"}});
    assert_eq!(summary(&parse_single(Tool::GuardDuty, &finding(key))), "high NoHost");
}

fn sequence(kind: &str, resources: Value) -> Value {
    json!({"id": "f", "accountId": "111122223333", "severity": 9, "type": kind,
        "resource": {"resourceType": "AttackSequence"},
        "service": {"count": 1, "detection": {"sequence": {"resources": resources}}}})
}

fn arn(account: &str, id: &str) -> String {
    format!("arn:aws:ec2:eu-west-1:{account}:instance/{id}")
}

#[test]
fn guardduty_parses_each_instance_of_an_attack_sequence() {
    let resources = json!([
        {"resourceType": "EC2_INSTANCE", "uid": arn("111122223333", "i-0a"), "accountId": "111122223333",
         "data": {"ec2Instance": {"instanceState": "running"}}},
        {"resourceType": "EC2_INSTANCE", "uid": "i-0b"},
        {"ResourceType": "EC2_INSTANCE", "Uid": arn("111122223333", "i-0a")},
        {"resourceType": "EC2_NETWORK_INTERFACE", "uid": "eni-1", "data": {"ec2NetworkInterface": {"privateIpAddresses": ["10.0.0.9"]}}},
        {"resourceType": "ACCESS_KEY", "uid": "AKIA", "name": "i-0c"},
        {"resourceType": "AUTOSCALING_GROUP", "uid": "g", "data": {"autoscalingAutoScalingGroup": {"ec2InstanceUids": ["i-0d"]}}},
        {"resourceType": "EC2_INSTANCE", "uid": "arn:aws:ecs:eu-west-1:1:container-instance/i-0e"},
    ]);
    let alerts = parse(Tool::GuardDuty, &sequence("AttackSequence:EC2/CompromisedInstanceGroup", resources));
    assert_eq!(summaries(&alerts), ["critical ec2:i-0a act", "critical ec2:i-0b act"]);
    assert!(alerts.iter().all(|alert| !alert.signal.shared_host));
    assert_ne!(alerts[0].event_id, alerts[1].event_id);
}

#[test]
fn guardduty_marks_cluster_instances_as_shared() {
    let node = json!({"resourceType": "EC2_INSTANCE", "uid": arn("111122223333", "i-0a")});
    let cluster =
        json!({"resourceType": "EKS_CLUSTER", "uid": "arn:aws:eks:eu-west-1:111122223333:cluster/c"});
    for body in [
        sequence("AttackSequence:EKS/CompromisedCluster", json!([node])),
        sequence("AttackSequence:ECS/CompromisedCluster", json!([node])),
        sequence("AttackSequence:EC2/CompromisedInstanceGroup", json!([cluster, node])),
    ] {
        let alert = parse_single(Tool::GuardDuty, &body);
        assert_eq!((summary(&alert).as_str(), alert.signal.shared_host), ("critical ec2:i-0a act", true));
    }
    let alone = sequence("AttackSequence:EKS/CompromisedCluster", json!([cluster]));
    assert_eq!(summary(&parse_single(Tool::GuardDuty, &alone)), "critical NoHost");
}

#[test]
fn guardduty_separates_accounts_of_an_attack_sequence() {
    let resources = json!([
        {"resourceType": "EC2_INSTANCE", "uid": "i-0a", "accountId": "111122223333"},
        {"resourceType": "EC2_INSTANCE", "uid": "i-0b", "accountId": "444455556666"},
    ]);
    let alerts = parse(Tool::GuardDuty, &sequence("AttackSequence:EC2/CompromisedInstanceGroup", resources));
    let accounts =
        alerts.iter().map(|alert| (alert.signal.account.as_deref(), &alert.signal.host_accounts[..]));
    let other = ["444455556666".to_owned()];
    assert_eq!(
        accounts.collect::<Vec<_>>(),
        [(Some("111122223333"), &[][..]), (Some("111122223333"), &other[..])]
    );
    assert_ne!(alerts[0].alert_id, alerts[1].alert_id);
}

fn asff(more: Value) -> Value {
    let mut finding = json!({"Id": "a", "UpdatedAt": "U", "Types": ["TTPs/Execution"], "Description": "d",
        "Severity": {"Label": "HIGH"}, "Workflow": {"Status": "NEW"}, "RecordState": "ACTIVE",
        "Resources": [{"Type": "AwsEc2Instance", "Id": "arn:aws:ec2:eu-west-1:1:instance/i-0a"}]});
    for (name, value) in more.as_object().expect("members") {
        finding[name] = value.clone();
    }
    finding
}

fn custom_action_event(event: &str, finding: Value) -> Value {
    json!({"id": event, "source": "aws.securityhub", "detail-type": "Security Hub Findings - Custom Action",
        "detail": {"actionName": "Isolate", "actionDescription": "x", "findings": [finding]}})
}

#[test]
fn security_hub_acts_on_custom_actions() {
    for (more, expected) in [
        (json!({}), "high ec2:i-0a act"),
        (json!({"Workflow": {"Status": "NOTIFIED"}}), "high ec2:i-0a act"),
        (json!({"Workflow": {"Status": "SUPPRESSED"}}), "high ec2:i-0a Suppressed"),
        (json!({"Workflow": {"Status": "RESOLVED"}}), "high ec2:i-0a Resolved"),
        (json!({"RecordState": "ARCHIVED"}), "high ec2:i-0a Archived"),
    ] {
        let alert = parse_single(Tool::SecurityHub, &custom_action_event("e-1", asff(more)));
        assert_eq!(summary(&alert), expected);
        assert_eq!(alert.signal.reason.as_deref(), Some("custom action Isolate: d"));
    }
}

#[test]
fn security_hub_gives_custom_actions_their_own_event_id() {
    let import = json!({"id": "e-0", "source": "aws.securityhub", "detail": {"findings": [asff(json!({}))]}});
    let [import, first, again, second] = [
        import,
        custom_action_event("e-1", asff(json!({}))),
        custom_action_event("e-1", asff(json!({}))),
        custom_action_event("e-2", asff(json!({}))),
    ]
    .map(|body| parse_single(Tool::SecurityHub, &body));
    assert_ne!(import.event_id, first.event_id);
    assert_eq!(first.event_id, again.event_id);
    assert_ne!(first.event_id, second.event_id);
}

#[test]
fn security_hub_finds_no_host_in_insights() {
    let body = json!({"source": "aws.securityhub", "detail-type": "Security Hub Insight Results", "detail": {
        "actionName": "Isolate", "insightArn": "arn:aws:securityhub:eu-west-1:1:insight/x", "resultType": "ResourceId",
        "insightResults": [{"arn:aws:ec2:eu-west-1:1:instance/i-0a": 5}]}});
    assert_eq!(summaries(&parse(Tool::SecurityHub, &body)), ["- NoHost"]);
}

#[test]
fn security_hub_marks_container_nodes_as_shared() {
    let node = json!({"Type": "AwsEc2Instance", "Id": "i-0a"});
    for kind in ["Container", "AwsEksCluster", "AwsEcsCluster"] {
        let resources = json!([node, {"Type": kind, "Id": "x"}]);
        let alert = parse_single(Tool::SecurityHub, &asff(json!({"Resources": resources})));
        assert_eq!(
            (summary(&alert).as_str(), alert.signal.shared_host),
            ("high ec2:i-0a act", true),
            "{kind}"
        );
    }
    assert!(!parse_single(Tool::SecurityHub, &asff(json!({}))).signal.shared_host);
}
