//! Amazon SNS over HTTPS. The messages were signed by another implementation.

use std::time::Duration;

use serde_json::{Value, json};
use sophos_isolation::webhook::Request;

use super::{Dress, NOW, World, ids, post};

const VECTORS: &str = include_str!("vectors/sns.json");
const TOPIC: &str = "arn:aws:sns:eu-central-1:123456789012:alerts";
const CERTIFICATE: &str =
    "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-7ff5318490ec183fbaddaa2a969abfda.pem";

fn vector(name: &str) -> Value {
    let vectors: Value = serde_json::from_str(VECTORS).expect("JSON");
    vectors[name].clone()
}

fn world() -> World {
    let world = World::under(&format!(
        "version = 1\n[sources.sns]\ntool = 'generic'\ntenants = ['{}']\nverify = {{ scheme = 'sns', topics = ['{TOPIC}'] }}",
        super::TENANT
    ));
    let certificate = vector("certificate");
    world.vault.publish(CERTIFICATE, certificate.as_str().map(str::as_bytes));
    world
}

fn delivery(message: &Value) -> Request {
    post("/hooks/sns", message.to_string()).with("content-type", "text/plain; charset=UTF-8")
}

async fn problem(world: &World, message: &Value) -> (u16, String) {
    let (response, notice) = world.handle(&delivery(message)).await;
    (response.status, notice.problem().unwrap_or_default())
}

#[tokio::test]
async fn notification_of_either_version_is_the_alert_in_its_message() {
    let world = world();
    for name in ["version_1", "version_2"] {
        let message = vector(name);
        let first = world.send(&delivery(&message)).await;
        // The alert says which it is, so that both are one event.
        assert_eq!(first.status, if name == "version_1" { 202 } else { 200 }, "{name}");
        let mut again = message.clone();
        again["Subject"] = message.get("Subject").cloned().unwrap_or(Value::Null);
        assert_eq!(ids(&world.send(&delivery(&again)).await), ids(&first));
    }
    assert_eq!(world.vault.fetched(), [CERTIFICATE]);
    assert_eq!((world.decisions(), world.memory.count("seen/")), (1, 0));
}

#[tokio::test]
async fn changed_message_is_refused() {
    let world = world();
    for name in ["version_1", "version_2"] {
        let message = vector(name);
        for member in ["Message", "MessageId", "Timestamp", "Subject"] {
            let mut changed = message.clone();
            changed[member] = match member {
                "Timestamp" => json!("2026-09-21T14:13:16.000Z"),
                "Message" => json!(message[member].as_str().expect("a text").replace("ws-042", "dc01")),
                _ => json!("changed"),
            };
            let (status, why) = problem(&world, &changed).await;
            assert_eq!((status, why.contains("signature")), (401, true), "{name} {member}: {why}");
        }
        // What is not signed changes nothing.
        let mut changed = message.clone();
        changed["UnsubscribeURL"] = json!("https://evil.example");
        assert!(problem(&world, &changed).await.0 < 300);
        // The other version is another algorithm.
        changed["SignatureVersion"] = json!(if name == "version_1" { "2" } else { "1" });
        assert_eq!(problem(&world, &changed).await.0, 401);
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
            assert_eq!(problem(&world, &changed).await.0, 401, "{member}");
        }
    }
}

#[tokio::test]
async fn message_of_another_topic_is_refused_without_a_fetch() {
    let world = world();
    let (status, why) = problem(&world, &vector("other_topic")).await;
    assert_eq!((status, why.contains("topic")), (401, true), "{why}");
    let mut renamed = vector("other_topic");
    renamed["TopicArn"] = json!(TOPIC);
    assert!(world.vault.fetched().is_empty());
    assert_eq!(problem(&world, &renamed).await.0, 401);
}

#[tokio::test]
async fn certificate_of_another_place_is_not_fetched() {
    let world = world();
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
        let (status, why) = problem(&world, &message).await;
        assert_eq!((status, why.contains("SNS endpoint")), (401, true), "{url}: {why}");
    }
    assert!(world.vault.fetched().is_empty());
    assert!(world.memory.all().is_empty());
}

#[tokio::test]
async fn time_is_inside_the_window_of_an_hour() {
    for (seconds, status) in [(0, 202), (3_595, 202), (3_596, 401), (86_400, 401)] {
        let world = world();
        let later = NOW + Duration::from_secs(seconds);
        let (response, _) = world.handle_at(&delivery(&vector("version_2")), later).await;
        assert_eq!(response.status, status, "{seconds}");
    }
    let world = world();
    let before = NOW - Duration::from_secs(4_000);
    assert_eq!(world.handle_at(&delivery(&vector("version_2")), before).await.0.status, 401);
}

#[tokio::test]
async fn subscription_to_a_listed_topic_is_confirmed() {
    let world = world();
    let message = vector("subscription");
    let url = message["SubscribeURL"].as_str().expect("a URL");
    // It is not believed before the service has answered.
    assert_eq!(problem(&world, &message).await.0, 503);
    world.vault.publish(url, Some(b"<ConfirmSubscriptionResponse/>"));
    let (response, notice) = world.handle(&delivery(&message)).await;
    assert_eq!((response.status, notice.problem), (200, None));
    assert!(notice.remarks[0].contains(TOPIC));
    assert_eq!(world.vault.fetched(), [CERTIFICATE, url, url]);

    let (response, notice) = world.handle(&delivery(&vector("unsubscription"))).await;
    assert_eq!((response.status, notice.problem), (200, None));
    assert!(notice.remarks[0].contains("has ended"));
    assert!(world.vault.fetched().is_empty());
    assert!(world.memory.all().is_empty() && world.queued().is_empty());
}

#[tokio::test]
async fn subscription_is_confirmed_only_as_the_service_signed_it() {
    let world = world();
    let mut other = vector("subscription");
    other["SubscribeURL"] =
        json!("https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&Token=x");
    assert_eq!(problem(&world, &other).await.0, 401);
    let mut token = vector("subscription");
    token["Token"] = Value::Null;
    assert_eq!(problem(&world, &token).await.0, 401);
    assert_eq!(problem(&world, &vector("foreign_confirmation")).await.0, 401);
    assert_eq!(world.vault.fetched(), [CERTIFICATE]);
}

#[tokio::test]
async fn raw_delivery_is_refused_with_the_setting_to_change() {
    let world = world();
    let raw: Value = serde_json::from_str(&super::alert("a")).expect("JSON");
    let (status, why) = problem(&world, &raw).await;
    assert_eq!((status, why.contains("turn raw message delivery off")), (401, true), "{why}");
    for body in ["", "[]", "null", "{", "\u{0}"] {
        assert_eq!(world.send(&post("/hooks/sns", body)).await.status, 401);
    }
}

#[tokio::test]
async fn certificate_that_is_out_of_date_proves_nothing() {
    let world = world();
    let expired = vector("expired_certificate");
    world.vault.publish(CERTIFICATE, expired.as_str().map(str::as_bytes));
    let (status, why) = problem(&world, &vector("version_2")).await;
    assert_eq!((status, why.contains("not valid now")), (401, true), "{why}");
}

/// A stranger who names one certificate after another keeps no sender waiting.
#[tokio::test]
async fn certificate_is_fetched_whatever_another_caller_names() {
    let world = world();
    let strange = |number: u64, from: &str| {
        let mut message = vector("version_2");
        message["SigningCertURL"] = json!(format!("https://sns.eu-central-1.amazonaws.com/{number}.pem"));
        Request { from: from.parse().ok(), ..delivery(&message) }
    };
    for number in 0..50 {
        // Within one network of IPv6, every address is the same caller's.
        let from = format!("2001:db8::{number}");
        for from in ["198.51.100.1", "::ffff:198.51.100.1", &from] {
            let (response, notice) = world.handle(&strange(number, from)).await;
            assert_eq!((response.status, notice.error_kind), (503, Some("CertificateUnavailable")));
            assert!(!notice.is_failure(&response), "any caller can name one");
        }
    }
    assert_eq!(world.vault.fetched().len(), 2);
    let genuine = Request { from: "203.0.113.1".parse().ok(), ..delivery(&vector("version_2")) };
    assert_eq!(world.send(&genuine).await.status, 202);
    assert_eq!(world.vault.fetched(), [CERTIFICATE]);
}

#[tokio::test]
async fn certificates_cost_ten_fetches_a_minute_of_all_callers() {
    let world = world();
    let at = |seconds: u64| NOW + Duration::from_secs(seconds);
    for number in 0..200 {
        let mut message = vector("version_2");
        message["SigningCertURL"] = json!(format!("https://sns.eu-central-1.amazonaws.com/{number}.pem"));
        let from = std::net::IpAddr::from([198, 51, 100, number]);
        let request = Request { from: Some(from), ..delivery(&message) };
        let later = at(u64::from(number) / 4);
        assert_eq!(world.handle_at(&request, later).await.0.status, 503);
    }
    assert_eq!(world.vault.fetched().len(), 10);
    assert_eq!(world.handle_at(&delivery(&vector("version_2")), at(60)).await.0.status, 202);
}

/// Requests at once wait for one fetch.
#[tokio::test]
async fn certificate_is_fetched_once_for_requests_at_once() {
    let world = world();
    let request = delivery(&vector("version_2"));
    let answers = futures_util::future::join_all((0..20).map(|_| world.send(&request))).await;
    assert!(answers.iter().all(|answer| answer.status < 300));
    assert_eq!(world.vault.fetched(), [CERTIFICATE]);
}

#[tokio::test]
async fn subscription_is_not_confirmed_when_disabled() {
    let mut world = world();
    let text = format!(
        "version = 1\n[sources.sns]\ntool = 'generic'\nper_hour = 0\ntenants = ['{}']\nverify = {{ scheme = 'sns', topics = ['{TOPIC}'] }}",
        super::TENANT
    );
    world.policy = sophos_isolation::policy::Policy::load(&text).expect("a policy without a source");
    assert_eq!(problem(&world, &vector("subscription")).await.0, 503);
    assert_eq!(world.vault.fetched(), [CERTIFICATE]);
}

#[tokio::test]
async fn certificate_costs_one_fetch_a_minute_whatever_its_name() {
    let world = world();
    world.vault.publish(CERTIFICATE, Some(b"no certificate"));
    let at = |seconds: u64| NOW + Duration::from_secs(seconds);
    for number in 0..50 {
        let mut message = vector("version_2");
        message["SigningCertURL"] = json!(format!("https://sns.eu-central-1.amazonaws.com/{number}.pem"));
        assert_eq!(world.handle_at(&delivery(&message), at(number)).await.0.status, 503);
    }
    assert_eq!(world.vault.fetched().len(), 1);
    assert_eq!(world.handle_at(&delivery(&vector("version_2")), at(60)).await.0.status, 503);
    let certificate = vector("certificate");
    world.vault.publish(CERTIFICATE, certificate.as_str().map(str::as_bytes));
    assert_eq!(world.handle_at(&delivery(&vector("version_2")), at(119)).await.0.status, 503);
    assert_eq!(world.handle_at(&delivery(&vector("version_2")), at(120)).await.0.status, 202);
    assert_eq!(world.vault.fetched(), [CERTIFICATE, CERTIFICATE]);
    // Once it is known, no stranger gets in its way.
    let mut message = vector("version_2");
    message["SigningCertURL"] = json!("https://sns.eu-central-1.amazonaws.com/x.pem");
    assert_eq!(world.handle_at(&delivery(&message), at(121)).await.0.status, 503);
    assert_eq!(world.handle_at(&delivery(&vector("version_2")), at(122)).await.0.status, 200);
    assert!(world.vault.fetched().is_empty());
}
