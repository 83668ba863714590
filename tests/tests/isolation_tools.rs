//! Tests with one delivery of each tool, over HTTP or EventBridge.

use end_to_end::isolation::{
    Delivery, IsolationEnv, TENANT, hostname, machine_id, parse_decision_id, simulator_config, unix_now,
    webhook_secret,
};
use local_lambda::{FunctionUrl, InvocationOutcome};
use serde_json::{Value, json};
use sophos_isolation::{Decision, DecisionState, Transition};
use sophos_simulator::{CredentialKind, MachineConfig};

const POLICY: &str = r#"
version = 1
mode = "enforce"
[limits]
estate_share = 1.0
max_alert_age = "never"
tenant_per_hour = 1000
[sources.soar]
tool = "generic"
verify = { scheme = "signature", secret = "webhooks/generic" }
[sources.pd]
tool = "pagerduty"
fields = { hostname = "/event/data/custom_fields/0/value" }
verify = { scheme = "signature", secret = "webhooks/pagerduty" }
[sources.falcon]
tool = "crowdstrike"
verify = { scheme = "signature", secret = "webhooks/crowdstrike" }
[sources.falcon-gov]
tool = "crowdstrike"
verify = { scheme = "signature", secret = "webhooks/crowdstrike", layout = "crowdstrike_hex" }
[sources.splunk]
tool = "splunk"
fields = { hostname = "/result/dest_host" }
verify = { scheme = "path", secret = "webhooks/splunk" }
[sources.okta]
tool = "okta"
fields = { hostname = "/debugContext/debugData/hostname" }
verify = { scheme = "header", secret = "webhooks/okta", header = "Authorization" }
[sources.defender]
tool = "microsoft_defender"
verify = { scheme = "bearer", secret = "webhooks/defender" }
[sources.sentinel]
tool = "microsoft_sentinel"
verify = { scheme = "bearer", secret = "webhooks/defender" }
[sources.wazuh]
tool = "wazuh"
verify = { scheme = "header", secret = "webhooks/wazuh", header = "X-Wazuh-Key" }
[sources.s1]
tool = "sentinelone"
verify = { scheme = "header", secret = "webhooks/sentinelone", header = "X-S1-Key" }
[sources.elastic]
tool = "elastic"
verify = { scheme = "basic", secret = "webhooks/elastic", user = "elastic" }
[sources.guardduty]
tool = "guardduty"
accounts = { "111122223333" = "TENANT" }
[sources.hub]
tool = "security_hub"
accounts = { "111122223333" = "TENANT" }
"#;

/// A policy in which every source may isolate in the tenant.
fn policy() -> String {
    let tenants = format!("tenants = [\"{TENANT}\"]\ntool =");
    POLICY.replace("TENANT", TENANT).replace("\ntool =", &format!("\n{tenants}"))
}

fn instance(number: usize) -> String {
    format!("i-{number:017x}")
}

/// An environment whose machines are also EC2 instances.
async fn test_env(machines: usize) -> IsolationEnv {
    let mut config = simulator_config(machines);
    for (number, machine) in (1..).zip(&mut config.machines) {
        *machine = MachineConfig { cloud_instance: Some(instance(number)), ..machine.clone() };
    }
    IsolationEnv::start(config, CredentialKind::Tenant, &policy()).await.expect("an environment")
}

fn pagerduty(machine: usize) -> Delivery {
    let body = json!({ "event": {
        "id": "01BWDWL3NYY7LUFPZCC28QUCMK", "event_type": "incident.triggered", "resource_type": "incident",
        "occurred_at": "2026-04-26T17:36:27.458Z",
        "data": {
            "id": "PGR0VU2", "type": "incident", "status": "triggered", "title": "A little bump in the road",
            "urgency": "high", "priority": { "summary": "P1" },
            "custom_fields": [{ "id": "PT1", "name": "hostname", "value": hostname(machine) }],
        },
    }});
    Delivery::pagerduty("pd", &body, webhook_secret("webhooks/pagerduty"))
}

fn falcon(machine: usize) -> Value {
    json!({
        "metadata": { "eventType": "EppDetectionSummaryEvent", "offset": 7, "customerIDString": "0000aaf2" },
        "event": {
            "CompositeId": format!("0000aaf2:ind:00006e49:{machine}"), "Hostname": hostname(machine),
            "SeverityName": "High", "Severity": 70, "Name": "Known Malware",
            "Description": "A process has written a known test file.",
        },
    })
}

fn splunk(machine: usize) -> Delivery {
    let body = json!({
        "sid": "rt_scheduler__admin__search__sudo_at_1483557185_2.2", "search_name": "beacon", "owner": "admin",
        "result": { "dest_host": hostname(machine), "urgency": "critical", "_time": "1483557272" },
    });
    Delivery::splunk("splunk", &body, webhook_secret("webhooks/splunk"))
}

fn okta(machine: usize) -> Delivery {
    let body = json!({
        "eventType": "com.okta.event_hook", "eventId": "85b60edb-4263-4e13-993b-818e26201052",
        "data": { "events": [{
            "uuid": "f1d0b993-cc19-11ed-a688-db22c99ef6c4", "eventType": "security.threat.detected",
            "displayMessage": "Threat detected", "severity": "ERROR",
            "debugContext": { "debugData": { "hostname": hostname(machine) } },
        }] },
    });
    Delivery::unsigned("/hooks/okta", body.to_string())
        .with_header("authorization", webhook_secret("webhooks/okta"))
}

fn defender(machine: usize) -> Delivery {
    let body = json!({ "value": [{
        "id": "da637225970530734950_-1768941086", "severity": "high", "status": "new", "title": "A backdoor",
        "lastUpdateDateTime": "2026-04-19T10:18:39.35Z",
        "evidence": [{
            "@odata.type": "#microsoft.graph.security.deviceEvidence", "roles": ["compromised"],
            "deviceDnsName": format!("{}.corp.example", hostname(machine).to_lowercase()),
        }],
    }]});
    Delivery::bearer("defender", &body, webhook_secret("webhooks/defender"))
}

fn wazuh(machine: usize) -> Delivery {
    let body = json!({
        "id": "1738618902.1234", "timestamp": "2026-02-03T21:41:42.853+0000",
        "rule": { "id": "87105", "level": 13, "description": "Malware was found" },
        "agent": { "id": "001", "name": hostname(machine), "ip": "any" }, "manager": { "name": "wazuh" },
    });
    Delivery::unsigned("/hooks/wazuh", body.to_string())
        .with_header("x-wazuh-key", webhook_secret("webhooks/wazuh"))
}

fn sentinelone(machine: usize) -> Delivery {
    let body = json!({
        "activityType": 19, "activityUuid": "123-456-678-89", "accountId": "123456789",
        "primaryDescription": "Threat with confidence level malicious detected: eicar.txt",
        "data": { "computerName": hostname(machine), "confidenceLevel": "malicious" },
    });
    Delivery::unsigned("/hooks/s1", body.to_string())
        .with_header("x-s1-key", webhook_secret("webhooks/sentinelone"))
}

/// Two concatenated alerts, as a rule's template creates them.
fn elastic(first: usize, second: usize) -> Delivery {
    let alert = |machine| {
        json!({
            "kibana.alert.uuid": format!("alert-{machine}"), "kibana.alert.severity": "critical",
            "kibana.alert.rule.name": "Beacon", "host": { "name": [hostname(machine)] },
        })
    };
    let body = format!("{}{}", alert(first), alert(second));
    Delivery::basic("elastic", &body, "elastic", webhook_secret("webhooks/elastic"))
}

/// The request of the README's `curl` and `openssl` example.
fn curl(machine: usize) -> Delivery {
    let body = json!({ "event_id": "42", "target": { "endpoint_id": machine_id(machine) }, "ttl": "4h" });
    Delivery::generic("soar", &body, webhook_secret("webhooks/generic"), unix_now())
        .with_header("user-agent", "curl/8.9.1")
        .with_header("accept", "*/*")
        .with_header("idempotency-key", "another-name")
}

#[tokio::test(flavor = "multi_thread")]
async fn each_tool_isolates_the_named_machine() {
    let env = test_env(11).await;
    let webhook = FunctionUrl::start(env.webhook(), 1).await.expect("the webhook");
    let http = reqwest::Client::new();
    let now = unix_now();
    let secret = webhook_secret("webhooks/crowdstrike");
    let deliveries = [
        (pagerduty(1), vec![1]),
        (Delivery::crowdstrike("falcon", &falcon(2), secret, now), vec![2]),
        (Delivery::crowdstrike_hex("falcon-gov", &falcon(3), secret, now), vec![3]),
        (splunk(4), vec![4]),
        (okta(5), vec![5]),
        (defender(6), vec![6]),
        (wazuh(7), vec![7]),
        (sentinelone(8), vec![8]),
        (elastic(9, 10), vec![9, 10]),
        (curl(11), vec![11]),
    ];
    for (delivery, machines) in &deliveries {
        let (status, response) = delivery.send(&http, &webhook.url()).await.expect("a response");
        assert_eq!(status, 202, "{}: {response}\n{}", delivery.path, webhook.logs().join("\n"));
        let ids = response["decisions"].as_array().expect("ids").clone();
        let mut isolated = Vec::new();
        for id in ids {
            let id = id.as_str().expect("an id").parse().expect("an id");
            let decision = env.decision(&id).await.expect("a decision");
            assert_eq!(decision.state(), DecisionState::Requested, "{}: {decision:#?}", delivery.path);
            isolated.push(decision.target().expect("a target").endpoint.clone());
        }
        let wanted: Vec<_> = machines.iter().map(|number| machine_id(*number)).collect();
        assert_eq!(isolated, wanted, "{}", delivery.path);
    }
    assert_eq!(env.simulator.isolation_changes().len(), 11);
    // Unchanged deliveries are duplicates. Changed ones fail authentication.
    for (delivery, _) in &deliveries {
        let (status, response) = delivery.send(&http, &webhook.url()).await.expect("a response");
        assert_eq!(status, 200, "{}: {response}", delivery.path);
        let mut wrong = delivery.clone();
        match delivery.path.strip_prefix("/hooks/splunk/") {
            Some(_) => wrong.path = "/hooks/splunk/splunk-secret".into(),
            None => wrong.headers.iter_mut().for_each(|(name, value)| {
                if !["content-type", "x-cs-signature-algorithm"].contains(name) {
                    value.insert(value.len() - 1, '0');
                }
            }),
        }
        let (status, response) = wrong.send(&http, &webhook.url()).await.expect("a response");
        assert_eq!(status, 401, "{}: {response}", delivery.path);
    }
    assert_eq!(env.simulator.isolation_changes().len(), 11);
}

#[tokio::test(flavor = "multi_thread")]
async fn webhook_answers_verification_challenges() {
    let env = test_env(1).await;
    let webhook = FunctionUrl::start(env.webhook(), 1).await.expect("the webhook");
    let http = reqwest::Client::new();
    let url = |path: &str| format!("{}{path}", webhook.url());
    // No response reveals which sources exist.
    for source in ["okta", "soar", "unknown"] {
        let okta = http.get(url(&format!("hooks/{source}")));
        let okta = okta.header("x-okta-verification-challenge", "dj0xLjA").send().await.expect("a response");
        assert_eq!(okta.status(), 200, "{source}");
        assert_eq!(okta.text().await.expect("a body"), r#"{"verification":"dj0xLjA"}"#);
    }
    let graph = http.post(url("hooks/defender?validationToken=Validation%3a+a%26b")).send().await;
    let graph = graph.expect("a response");
    assert_eq!(graph.status(), 200);
    assert_eq!(graph.headers()["content-type"], "text/plain; charset=utf-8");
    assert_eq!(graph.text().await.expect("a body"), "Validation: a&b");
}

fn finding(machine: usize, more: &Value) -> Value {
    let mut detail = json!({
        "id": format!("finding-{machine}"), "accountId": "111122223333", "severity": 8, "updatedAt": "2026-02-14T17:59:17Z",
        "type": "Backdoor:EC2/C&CActivity.B!DNS", "title": "An instance talks to a command and control server.",
        "resource": { "resourceType": "Instance", "instanceDetails": {
            "instanceId": instance(machine),
            "networkInterfaces": [{ "privateIpAddress": "10.0.0.1", "publicIp": "198.51.100.1" }],
        } },
        "service": { "serviceName": "guardduty", "archived": false, "count": 1, "additionalInfo": {} },
    });
    for (name, value) in more.as_object().into_iter().flatten() {
        detail[name] = value.clone();
    }
    json!({
        "version": "0", "id": "c8c4daa7-a20c-2f03-0070-b7393dd542ad", "detail-type": "GuardDuty Finding",
        "source": "aws.guardduty", "account": "111122223333", "time": "2026-02-14T18:05:00Z", "region": "eu-west-1",
        "resources": [], "detail": detail,
    })
}

fn hub(machines: &[usize]) -> Value {
    let findings: Vec<_> = machines
        .iter()
        .map(|machine| {
            let arn = format!("arn:aws:ec2:eu-west-1:111122223333:instance/{}", instance(*machine));
            json!({
                "SchemaVersion": "2018-10-08", "Id": format!("arn:aws:securityhub:::finding/{machine}"),
                "AwsAccountId": "111122223333", "UpdatedAt": "2026-07-04T12:35:00Z", "Title": "Malware",
                "Types": ["TTPs/Command and Control"], "Severity": { "Label": "CRITICAL" },
                "RecordState": "ACTIVE", "Workflow": { "Status": "NEW" },
                "Resources": [{ "Type": "AwsEc2Instance", "Id": arn }],
            })
        })
        .collect();
    json!({
        "version": "0", "id": "abcd1234-5678-90ef-abcd-1234567890ef", "source": "aws.securityhub",
        "detail-type": "Security Hub Findings - Imported", "account": "111122223333",
        "time": "2026-07-04T12:34:56Z", "region": "eu-west-1", "resources": [], "detail": { "findings": findings },
    })
}

fn refusal(decision: &Decision) -> Option<&str> {
    Some(decision.refusal()?.0)
}

#[tokio::test(flavor = "multi_thread")]
async fn aws_events_isolate_the_ec2_instance() {
    let env = test_env(6).await;
    let mut webhook = env.webhook().start().await.expect("the webhook");
    let sample = json!({ "service": { "additionalInfo": { "sample": true }, "archived": false } });
    let low = json!({ "severity": 2 });
    let iam = json!({ "resource": { "resourceType": "AccessKey", "instanceDetails": { "instanceId": instance(5) } } });
    for (event, wanted) in [
        (finding(1, &json!({})), vec![(None, Some(1))]),
        (hub(&[2, 3]), vec![(None, Some(2)), (None, Some(3))]),
        (finding(4, &sample), vec![(Some("sample"), None)]),
        (finding(5, &iam), vec![(Some("no_host"), None)]),
        (finding(6, &low), vec![(Some("severity"), None)]),
    ] {
        let InvocationOutcome::Ok(response) = webhook.invoke(&event).await else {
            panic!("{:?}", webhook.logs())
        };
        let mut found = Vec::new();
        for id in response["decisions"].as_array().expect("ids") {
            let id = id.as_str().expect("an id").parse().expect("an id");
            let decision = env.decision(&id).await.expect("a decision");
            let isolated =
                decision.claim().and_then(|claim| claim.target.endpoint[24..].parse::<usize>().ok());
            assert_eq!(decision.state() == DecisionState::Requested, isolated.is_some(), "{decision:#?}");
            found.push((refusal(&decision).map(str::to_owned), isolated));
        }
        let wanted: Vec<_> =
            wanted.into_iter().map(|(code, machine)| (code.map(str::to_owned), machine)).collect();
        assert_eq!(found, wanted, "{event}");
    }
    let mut foreign = finding(6, &json!({}));
    foreign["account"] = json!("999999999999");
    let outcome = webhook.invoke(&foreign).await;
    let is_unlisted =
        matches!(&outcome, InvocationOutcome::FunctionError { kind, .. } if kind == "UnlistedAccount");
    assert!(is_unlisted, "{outcome:?}");
    assert_eq!(env.simulator.isolation_changes().len(), 3);
    assert_eq!(env.decisions().await.expect("decisions").len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn event_without_a_target_isolates_nothing() {
    let env = test_env(1).await;
    env.set_policy(&policy().replace("mode = \"enforce\"\n", "")).expect("a policy");
    let webhook = FunctionUrl::start(env.webhook(), 1).await.expect("the webhook");
    let (status, response) = curl(1).send(&reqwest::Client::new(), &webhook.url()).await.expect("a response");
    assert_eq!(status, 202, "{response}");
    let decision =
        env.decision(&parse_decision_id(&response).expect("a decision")).await.expect("a decision");
    let last = decision.entries().last().map(|entry| &entry.transition);
    let Some(Transition::DryRun { target, requires_approval: false, release_after_seconds: Some(14_400) }) =
        last
    else {
        panic!("{last:?}")
    };
    assert_eq!(target.endpoint, machine_id(1));
    assert!(env.simulator.isolation_changes().is_empty());
}
