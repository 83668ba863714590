//! Amazon SNS over HTTPS. The messages were signed by another implementation.

use std::time::Duration;

use serde_json::{Value, json};
use sophos_isolation::webhook::Request;

use super::{NOW, RequestExt, TestEnv, decision_ids, post};

const VECTORS: &str = include_str!("vectors/sns.json");
const TOPIC: &str = "arn:aws:sns:eu-central-1:123456789012:alerts";
const CERTIFICATE: &str =
    "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-7ff5318490ec183fbaddaa2a969abfda.pem";

fn vector(name: &str) -> Value {
    let vectors: Value = serde_json::from_str(VECTORS).expect("JSON");
    vectors[name].clone()
}

fn test_env() -> TestEnv {
    let env = TestEnv::with_policy(&format!(
        "version = 1\n[sources.sns]\ntool = 'generic'\ntenants = ['{}']\nverify = {{ scheme = 'sns', topics = ['{TOPIC}'] }}",
        super::TENANT
    ));
    let certificate = vector("certificate");
    env.secrets.publish(CERTIFICATE, certificate.as_str().map(str::as_bytes));
    env
}

fn sns_request(message: &Value) -> Request {
    post("/hooks/sns", message.to_string()).with_header("content-type", "text/plain; charset=UTF-8")
}

async fn problem(env: &TestEnv, message: &Value) -> (u16, String) {
    let (response, notice) = env.handle(&sns_request(message)).await;
    (response.status, notice.problem().unwrap_or_default())
}

#[tokio::test]
async fn notification_of_either_version_is_the_alert_in_its_message() {
    let env = test_env();
    for name in ["version_1", "version_2"] {
        let message = vector(name);
        let first = env.send(&sns_request(&message)).await;
        // The alert says which it is, so that both are one event.
        assert_eq!(first.status, if name == "version_1" { 202 } else { 200 }, "{name}");
        let mut again = message.clone();
        again["Subject"] = message.get("Subject").cloned().unwrap_or(Value::Null);
        assert_eq!(decision_ids(&env.send(&sns_request(&again)).await), decision_ids(&first));
    }
    assert_eq!(env.secrets.take_fetched(), [CERTIFICATE]);
    assert_eq!((env.decision_count(), env.store.count("replays/")), (1, 0));
}

#[tokio::test]
async fn changed_message_is_rejected() {
    let env = test_env();
    for name in ["version_1", "version_2"] {
        let message = vector(name);
        for member in ["Message", "MessageId", "Timestamp", "Subject"] {
            let mut changed = message.clone();
            changed[member] = match member {
                "Timestamp" => json!("2026-09-21T14:13:16.000Z"),
                "Message" => json!(message[member].as_str().expect("a text").replace("ws-042", "dc01")),
                _ => json!("changed"),
            };
            let (status, why) = problem(&env, &changed).await;
            assert_eq!((status, why.contains("signature")), (401, true), "{name} {member}: {why}");
        }
        // What is not signed changes nothing.
        let mut changed = message.clone();
        changed["UnsubscribeURL"] = json!("https://evil.example");
        assert!(problem(&env, &changed).await.0 < 300);
        // The other version is another algorithm.
        changed["SignatureVersion"] = json!(if name == "version_1" { "2" } else { "1" });
        assert_eq!(problem(&env, &changed).await.0, 401);
        for (member, value) in [
            ("SignatureVersion", json!("3")),
            ("SignatureVersion", json!(1)),
            ("Signature", json!("")),
            ("Signature", json!("!")),
            ("Signature", json!("AAAA")),
            ("Type", json!("Confirmation")),
            ("Type", Value::Null),
            ("TopicArn", Value::Null),
            ("Message", json!({})),
        ] {
            let mut changed = message.clone();
            changed[member] = value;
            assert_eq!(problem(&env, &changed).await.0, 401, "{member}");
        }
    }
}

#[tokio::test]
async fn message_of_another_topic_is_rejected_without_a_fetch() {
    let env = test_env();
    let (status, why) = problem(&env, &vector("other_topic")).await;
    assert_eq!((status, why.contains("topic")), (401, true), "{why}");
    let mut renamed = vector("other_topic");
    renamed["TopicArn"] = json!(TOPIC);
    assert!(env.secrets.take_fetched().is_empty());
    assert_eq!(problem(&env, &renamed).await.0, 401);
}

#[tokio::test]
async fn certificate_of_another_host_is_not_fetched() {
    let env = test_env();
    let pem = "SimpleNotificationService-7ff5318490ec183fbaddaa2a969abfda.pem";
    for url in [
        format!("https://evil.example/{pem}"),
        format!("http://sns.eu-central-1.amazonaws.com/{pem}"),
        format!("https://sns.eu-central-1.amazonaws.com.evil.example/{pem}"),
        format!("https://sns.eu-central-1.amazonaws.com@evil.example/{pem}"),
        format!("https://sns.eu-central-1.amazonaws.com:8443/{pem}"),
        format!("https://sns.us-east-1.amazonaws.com/{pem}"),
        format!("https://s3.eu-central-1.amazonaws.com/{pem}"),
        format!("https://sns.eu-central-1.amazonaws.com.cn/{pem}"),
        "https://sns.eu-central-1.amazonaws.com/key.txt".into(),
        "https://sns.eu-central-1.amazonaws.com/?x=.pem".into(),
        "https://sns.eu-central-1.amazonaws.com/../x.pem".into(),
        "https://sns.eu-central-1.amazonaws.com".into(),
        String::new(),
    ] {
        let mut message = vector("version_2");
        message["SigningCertURL"] = json!(url);
        let (status, why) = problem(&env, &message).await;
        assert_eq!((status, why.contains("SNS endpoint")), (401, true), "{url}: {why}");
    }
    assert!(env.secrets.take_fetched().is_empty());
    assert!(env.store.objects().is_empty());
}

#[tokio::test]
async fn timestamp_must_be_within_an_hour() {
    for (seconds, status) in [(0, 202), (3_595, 202), (3_596, 401), (86_400, 401)] {
        let env = test_env();
        let later = NOW + Duration::from_secs(seconds);
        let (response, _) = env.handle_at(&sns_request(&vector("version_2")), later).await;
        assert_eq!(response.status, status, "{seconds}");
    }
    let env = test_env();
    let before = NOW - Duration::from_secs(4_000);
    assert_eq!(env.handle_at(&sns_request(&vector("version_2")), before).await.0.status, 401);
}

#[tokio::test]
async fn subscription_to_a_listed_topic_is_confirmed() {
    let env = test_env();
    let message = vector("subscription");
    let url = message["SubscribeURL"].as_str().expect("a URL");
    // It is rejected until the certificate is fetched.
    assert_eq!(problem(&env, &message).await.0, 503);
    env.secrets.publish(url, Some(b"<ConfirmSubscriptionResponse/>"));
    let (response, notice) = env.handle(&sns_request(&message)).await;
    assert_eq!((response.status, notice.problem), (200, None));
    assert!(notice.notes[0].contains(TOPIC));
    assert_eq!(env.secrets.take_fetched(), [CERTIFICATE, url, url]);

    let (response, notice) = env.handle(&sns_request(&vector("unsubscription"))).await;
    assert_eq!((response.status, notice.problem), (200, None));
    assert!(notice.notes[0].contains("has ended"));
    assert!(env.secrets.take_fetched().is_empty());
    assert!(env.store.objects().is_empty() && env.queued().is_empty());
}

#[tokio::test]
async fn subscription_is_not_confirmed_when_changed() {
    let env = test_env();
    let mut other = vector("subscription");
    other["SubscribeURL"] =
        json!("https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&Token=x");
    assert_eq!(problem(&env, &other).await.0, 401);
    let mut token = vector("subscription");
    token["Token"] = Value::Null;
    assert_eq!(problem(&env, &token).await.0, 401);
    assert_eq!(problem(&env, &vector("foreign_confirmation")).await.0, 401);
    assert_eq!(env.secrets.take_fetched(), [CERTIFICATE]);
}

#[tokio::test]
async fn raw_delivery_error_names_the_setting() {
    let env = test_env();
    let raw: Value = serde_json::from_str(&super::alert_body("a")).expect("JSON");
    let (status, why) = problem(&env, &raw).await;
    assert_eq!((status, why.contains("turn raw message delivery off")), (401, true), "{why}");
    for body in ["", "[]", "null", "{", "\u{0}"] {
        assert_eq!(env.send(&post("/hooks/sns", body)).await.status, 401);
    }
}

#[tokio::test]
async fn expired_certificate_is_rejected() {
    let env = test_env();
    let expired = vector("expired_certificate");
    env.secrets.publish(CERTIFICATE, expired.as_str().map(str::as_bytes));
    let (status, why) = problem(&env, &vector("version_2")).await;
    assert_eq!((status, why.contains("not valid now")), (401, true), "{why}");
}

/// A caller that names many certificates does not delay other senders.
#[tokio::test]
async fn certificate_is_fetched_despite_other_callers() {
    let env = test_env();
    let strange = |number: u64, from: &str| {
        let mut message = vector("version_2");
        message["SigningCertURL"] = json!(format!("https://sns.eu-central-1.amazonaws.com/{number}.pem"));
        Request { source_ip: from.parse().ok(), ..sns_request(&message) }
    };
    for number in 0..50 {
        // Within one network of IPv6, every address is the same caller's.
        let from = format!("2001:db8::{number}");
        for from in ["198.51.100.1", "::ffff:198.51.100.1", &from] {
            let (response, notice) = env.handle(&strange(number, from)).await;
            assert_eq!((response.status, notice.error_kind), (503, Some("CertificateUnavailable")));
            assert!(!notice.is_server_error(&response), "any caller can name one");
        }
    }
    assert_eq!(env.secrets.take_fetched().len(), 2);
    let genuine = Request { source_ip: "203.0.113.1".parse().ok(), ..sns_request(&vector("version_2")) };
    assert_eq!(env.send(&genuine).await.status, 202);
    assert_eq!(env.secrets.take_fetched(), [CERTIFICATE]);
}

#[tokio::test]
async fn certificate_fetches_are_limited_to_ten_a_minute() {
    let env = test_env();
    let at = |seconds: u64| NOW + Duration::from_secs(seconds);
    for number in 0..200 {
        let mut message = vector("version_2");
        message["SigningCertURL"] = json!(format!("https://sns.eu-central-1.amazonaws.com/{number}.pem"));
        let from = std::net::IpAddr::from([198, 51, 100, number]);
        let request = Request { source_ip: Some(from), ..sns_request(&message) };
        let later = at(u64::from(number) / 4);
        assert_eq!(env.handle_at(&request, later).await.0.status, 503);
    }
    assert_eq!(env.secrets.take_fetched().len(), 10);
    assert_eq!(env.handle_at(&sns_request(&vector("version_2")), at(60)).await.0.status, 202);
}

/// Concurrent requests share one fetch.
#[tokio::test]
async fn certificate_is_fetched_once_for_concurrent_requests() {
    let env = test_env();
    let request = sns_request(&vector("version_2"));
    let responses = futures_util::future::join_all((0..20).map(|_| env.send(&request))).await;
    assert!(responses.iter().all(|response| response.status < 300));
    assert_eq!(env.secrets.take_fetched(), [CERTIFICATE]);
}

#[tokio::test]
async fn subscription_is_not_confirmed_when_disabled() {
    let mut env = test_env();
    let text = format!(
        "version = 1\n[sources.sns]\ntool = 'generic'\nper_hour = 0\ntenants = ['{}']\nverify = {{ scheme = 'sns', topics = ['{TOPIC}'] }}",
        super::TENANT
    );
    env.policy = sophos_isolation::policy::Policy::parse_lenient(&text).expect("a policy without a source");
    assert_eq!(problem(&env, &vector("subscription")).await.0, 503);
    assert_eq!(env.secrets.take_fetched(), [CERTIFICATE]);
}

#[tokio::test]
async fn certificate_fetches_are_limited_per_caller() {
    let env = test_env();
    env.secrets.publish(CERTIFICATE, Some(b"no certificate"));
    let at = |seconds: u64| NOW + Duration::from_secs(seconds);
    for number in 0..50 {
        let mut message = vector("version_2");
        message["SigningCertURL"] = json!(format!("https://sns.eu-central-1.amazonaws.com/{number}.pem"));
        assert_eq!(env.handle_at(&sns_request(&message), at(number)).await.0.status, 503);
    }
    assert_eq!(env.secrets.take_fetched().len(), 1);
    assert_eq!(env.handle_at(&sns_request(&vector("version_2")), at(60)).await.0.status, 503);
    let certificate = vector("certificate");
    env.secrets.publish(CERTIFICATE, certificate.as_str().map(str::as_bytes));
    assert_eq!(env.handle_at(&sns_request(&vector("version_2")), at(119)).await.0.status, 503);
    assert_eq!(env.handle_at(&sns_request(&vector("version_2")), at(120)).await.0.status, 202);
    assert_eq!(env.secrets.take_fetched(), [CERTIFICATE, CERTIFICATE]);
    // A cached certificate needs no fetch.
    let mut message = vector("version_2");
    message["SigningCertURL"] = json!("https://sns.eu-central-1.amazonaws.com/x.pem");
    assert_eq!(env.handle_at(&sns_request(&message), at(121)).await.0.status, 503);
    assert_eq!(env.handle_at(&sns_request(&vector("version_2")), at(122)).await.0.status, 200);
    assert!(env.secrets.take_fetched().is_empty());
}
