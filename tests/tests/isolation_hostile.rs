//! Tests of hostile requests: each gets a response with the right status, and the same process
//! handles the next valid request. No secret is in the functions' output.

use end_to_end::isolation::{
    Delivery, ENFORCE_POLICY, HostileRequest, IsolationEnv, TENANT, forgeries, hostile_requests,
    hostile_sources, hostname, parse_decision_id, send_bytes, simulator_config, unix_now, webhook_secret,
};
use local_lambda::{FunctionUrl, InvocationOutcome, Sandbox};
use serde_json::{Map, Value, json};
use sophos_simulator::{CredentialKind, FaultAction, FaultPlan, FaultRule};

async fn test_env(machines: usize) -> IsolationEnv {
    let policy = format!("{ENFORCE_POLICY}{}", hostile_sources());
    IsolationEnv::start(simulator_config(machines), CredentialKind::Tenant, &policy)
        .await
        .expect("an environment")
}

#[tokio::test(flavor = "multi_thread")]
async fn webhook_survives_hostile_requests() {
    let env = test_env(40).await;
    let webhook = FunctionUrl::start(env.webhook(), 1).await.expect("the webhook");
    let http = reqwest::Client::new();
    let pids = webhook.pids();
    for (number, HostileRequest { description, bytes, statuses }) in (1..).zip(hostile_requests()) {
        let response = send_bytes(&webhook.url(), &bytes).await;
        let (status, _) = response.unwrap_or_else(|error| panic!("{description}: {error}"));
        assert!(statuses.contains(&status), "{description}: {status}, not one of {statuses:?}");
        if number % 10 == 0 {
            let delivery = Delivery::isolate(&format!("event-{number}"), &hostname(number / 10));
            let (status, response) = delivery.send(&http, &webhook.url()).await.expect("a response");
            assert_eq!(status, 202, "after {description}: {response}");
        }
    }
    let (status, response) =
        Delivery::isolate("last", &hostname(9)).send(&http, &webhook.url()).await.expect("a response");
    assert_eq!(status, 202, "{response}");
    let begun = env.decisions().await.expect("decisions").len();
    for (what, forgery) in forgeries(&hostname(10)) {
        let (status, response) = forgery.send(&http, &webhook.url()).await.expect("a response");
        assert!([401, 404].contains(&status), "{what}: {status} {response}");
    }
    assert_eq!(env.decisions().await.expect("decisions").len(), begun);
    assert_eq!(webhook.pids(), pids, "it is the same process");
    for line in webhook.logs() {
        assert!(line.bytes().all(|byte| !byte.is_ascii_control()), "{line:?}");
    }
}

/// The status of an event; a function error is 500.
async fn status(webhook: &mut Sandbox, event: &Value) -> u64 {
    match webhook.invoke(event).await {
        InvocationOutcome::Ok(response) => response["statusCode"].as_u64().unwrap_or(200),
        InvocationOutcome::FunctionError { .. } => 500,
        other => panic!("{other:?}\n{}", webhook.logs().join("\n")),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn webhook_survives_hostile_events() {
    let env = test_env(1).await;
    let mut webhook = env.webhook().start().await.expect("the webhook");
    let good = Delivery::isolate("1", &hostname(1)).to_event();
    let with = |pointer: &str, value: Value| {
        let mut event = good.clone();
        match event.pointer_mut(pointer) {
            Some(place) => *place = value,
            None => event[&pointer[1..]] = value,
        }
        event
    };
    let mut deep = json!(1);
    for _ in 0..100 {
        deep = json!([deep]);
    }
    let members: Map<_, _> = (0..20_000).map(|number| (format!("x-{number}"), json!("v"))).collect();
    let events = [
        ("bad base64", with("/isBase64Encoded", json!(true)), [400]),
        ("a number for base64", with("/isBase64Encoded", json!("yes")), [202]),
        ("no body", with("/body", Value::Null), [401]),
        ("a body of another kind", with("/body", json!({ "a": 1 })), [401]),
        ("no headers", with("/headers", Value::Null), [401]),
        ("a list of headers", with("/headers", json!(["a"])), [401]),
        ("headers of other kinds", with("/headers/x-sophos-signature", json!(["v1=00", 1])), [401]),
        ("many headers", with("/headers", Value::Object(members)), [401]),
        ("no path", with("/rawPath", Value::Null), [404]),
        ("a path of nulls", with("/rawPath", json!("/hooks/\u{0}\u{1}\u{202e}")), [401]),
        ("a method of another kind", with("/requestContext/http/method", json!(7)), [405]),
        ("an invalid address", with("/requestContext/http/sourceIp", json!("::ffff:x")), [200]),
        ("a stage of another kind", with("/requestContext/stage", deep.clone()), [200]),
        ("a version of another kind", with("/version", json!(1.0)), [200]),
        ("no event", json!(null), [500]),
        ("a text", json!("event"), [500]),
        ("a list", json!([good]), [500]),
        ("a deep list", deep.clone(), [500]),
        ("an unknown command", json!({ "isolate": TENANT }), [500]),
        ("records of another kind", json!({ "Records": [null, 1, { "body": deep }] }), [500]),
        (
            "an event of another service",
            json!({ "source": "aws.s3", "detail-type": "x", "detail": {} }),
            [500],
        ),
        (
            "a finding without a detail",
            json!({ "source": "aws.guardduty", "account": "1", "detail": null }),
            [500],
        ),
    ];
    for (what, event, wanted) in events {
        let status = status(&mut webhook, &event).await;
        assert!(wanted.contains(&status), "{what}: {status}\n{}", webhook.logs().join("\n"));
    }
    let pid = webhook.pid();
    let too_deep = [b"[".repeat(10_000), b"]".repeat(10_000)].concat();
    let too_deep = String::from_utf8(too_deep).expect("text");
    assert_eq!(status(&mut webhook, &with("/body", json!(too_deep))).await, 401);
    assert_eq!(status(&mut webhook, &good).await, 200, "it was sent before");
    assert_eq!(webhook.pid(), pid);
    assert_eq!(env.simulator.isolation_changes().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_responses_and_ledger_contain_no_secrets() {
    let env = test_env(4).await;
    let approvals = "https://hooks.example";
    let with = |function: local_lambda::LambdaFunction| {
        function.env("LOG_LEVEL", "trace").env("ISOLATION_APPROVAL_URL", approvals)
    };
    let webhook = FunctionUrl::start(with(env.webhook()), 1).await.expect("the webhook");
    let mut worker = with(env.worker()).start().await.expect("the worker");
    let http = reqwest::Client::new();

    let elastic =
        |body: &str| Delivery::basic("elastic", body, "elastic", webhook_secret("webhooks/elastic"));
    let alert = json!({
        "kibana.alert.uuid": "u", "kibana.alert.severity": "high", "host": { "name": hostname(2) },
    });
    let vip = json!({ "event_id": "7", "target": { "hostname": hostname(3) } });
    let row = json!({ "sid": "1", "result": { "urgency": "high" } });
    let stale = json!({ "event_id": "8" });
    let mut deliveries = vec![
        Delivery::isolate("1", &hostname(1)),
        elastic(&alert.to_string()),
        elastic("no JSON"),
        Delivery::bearer("vip", &vip, webhook_secret("webhooks/defender")),
        Delivery::splunk("splunk", &row, webhook_secret("webhooks/splunk")),
        Delivery::generic("soar", &stale, webhook_secret("webhooks/generic"), unix_now() - 4_000),
        Delivery::bearer("unknown", &vip, webhook_secret("webhooks/defender")),
        Delivery::isolate("1", &hostname(1)).with_header("idempotency-key", "2"),
    ];
    let mut wrong = Delivery::splunk("splunk", &row, webhook_secret("webhooks/splunk"));
    wrong.path.push('x');
    deliveries.push(wrong);
    let mut output = Vec::new();
    for delivery in &deliveries {
        let (status, response) = delivery.send(&http, &webhook.url()).await.expect("a response");
        assert_ne!(status, 502, "{}", delivery.path);
        output.push(response.to_string());
    }
    let misfortunes = [
        FaultRule::new("*", FaultAction::RevokeTokens).every(2),
        FaultRule::new("*", FaultAction::Malformed).times(3),
        FaultRule::new("isolation.bulk", FaultAction::Disconnect),
    ];
    env.simulator.set_faults(FaultPlan::new(misfortunes));
    let last = Delivery::isolate("9", &hostname(4));
    let (_, response) = last.send(&http, &webhook.url()).await.expect("a response");
    let id = parse_decision_id(&response).expect("a decision");
    for order in
        [json!({ "show": id }), json!({ "follow_up": "all" }), json!({ "Records": [{ "body": "x" }] })]
    {
        output.push(format!("{:?}", worker.invoke(&order).await));
    }
    env.simulator.set_faults(FaultPlan::default());
    assert!(env.simulator.expire_credential(&env.credential().client_id));
    env.simulator.revoke_tokens();
    for order in [json!({ "follow_up": "all" }), json!(["no", "event"])] {
        output.push(format!("{:?}", worker.invoke(&order).await));
    }
    output.extend(webhook.stop().await.into_iter().flat_map(|stopped| stopped.logs));
    output.extend(worker.stop().await.logs);
    let objects = env.objects().expect("objects");
    assert!(objects.len() > 10 && output.len() > 30, "{} objects, {} texts", objects.len(), output.len());
    assert!(output.iter().any(|text| text.contains("the credential was rejected")), "the log has the reason");
    output
        .extend(objects.into_iter().map(|(path, body)| format!("{path} {}", String::from_utf8_lossy(&body))));
    deliveries.push(last);
    for needle in env.secrets_to_find(&deliveries) {
        let found = output.iter().find(|text| text.contains(&needle));
        assert_eq!(found, None, "{needle}");
    }
}
