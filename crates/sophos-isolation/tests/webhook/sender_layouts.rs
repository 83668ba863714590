//! The layouts of senders that have a name, as each sender signs.

use sophos_isolation::verify::{VerificationError, VersionStage};

use super::{
    NOW, RequestExt, TestEnv, decision_ids, hex, hmac_sha256, keys, layouts::base64, post, verification,
};

const BODY: &str = r#"{"a":1}"#;

/// Headers of a delivery at a time, signed with a key.
type SignFn = fn(&str, &str) -> Vec<(&'static str, String)>;

struct Sender {
    layout: &'static str,
    table: &'static str,
    sign: SignFn,
    /// Whether a time is signed.
    signs_time: bool,
}

fn hmac_of_text(key: &str, signed: String) -> Vec<u8> {
    hmac_sha256(key, signed.as_bytes())
}

const SENDERS: [Sender; 9] = [
    Sender {
        layout: "crowdstrike",
        table: "",
        sign: |key, time| {
            let signature = base64(&hmac_of_text(key, format!("{BODY}{time}")));
            vec![("x-cs-primary-signature", signature), ("x-cs-delivery-timestamp", time.into())]
        },
        signs_time: true,
    },
    Sender {
        layout: "crowdstrike",
        table: "",
        sign: |key, time| {
            let signature = hex(&hmac_of_text(key, format!("{time}{BODY}")));
            vec![("x-cs-secondary-signature", signature), ("x-cs-delivery-timestamp", time.into())]
        },
        signs_time: true,
    },
    Sender {
        layout: "grafana",
        table: "",
        sign: |key, _| vec![("x-grafana-alerting-signature", hex(&hmac_of_text(key, BODY.into())))],
        signs_time: false,
    },
    Sender {
        layout: "grafana",
        table: ", timestamp_header = 'X-Grafana-Alerting-Timestamp', headers = ['X-Alert-Signature']",
        sign: |key, time| {
            let signature = hex(&hmac_of_text(key, format!("{time}:{BODY}")));
            vec![("x-alert-signature", signature), ("x-grafana-alerting-timestamp", time.into())]
        },
        signs_time: true,
    },
    Sender {
        layout: "slack",
        table: "",
        sign: |key, time| {
            let signature = format!("v0={}", hex(&hmac_of_text(key, format!("v0:{time}:{BODY}"))));
            vec![("x-slack-signature", signature), ("x-slack-request-timestamp", time.into())]
        },
        signs_time: true,
    },
    Sender {
        layout: "github",
        table: "",
        sign: |key, _| {
            vec![("x-hub-signature-256", format!("sha256={}", hex(&hmac_of_text(key, BODY.into()))))]
        },
        signs_time: false,
    },
    Sender {
        layout: "timestamp_in_header",
        table: ", headers = ['Stripe-Signature']",
        sign: |key, time| {
            let signature = hex(&hmac_of_text(key, format!("{time}.{BODY}")));
            let other = "0".repeat(64);
            vec![("stripe-signature", format!("t={time},v1={signature},v0={other}"))]
        },
        signs_time: true,
    },
    Sender {
        layout: "timestamp_in_header",
        table: ", headers = ['X-Sig'], timestamp_prefix = 'time=', prefix = 'sig=', encoding = 'base64', signed = 'timestamp+body'",
        sign: |key, time| {
            let signature = base64(&hmac_of_text(key, format!("{time}{BODY}")));
            vec![("x-sig", format!("sig={signature}, time={time}"))]
        },
        signs_time: true,
    },
    Sender {
        layout: "generic",
        table: ", signed = 'id.timestamp.body', id_header = 'X-Id'",
        sign: |key, time| {
            let signature = format!("v1={}", hex(&hmac_of_text(key, format!("n-7.{time}.{BODY}"))));
            vec![
                ("x-sophos-signature", signature),
                ("x-sophos-timestamp", time.into()),
                ("x-id", "n-7".into()),
            ]
        },
        signs_time: true,
    },
];

impl Sender {
    fn check(&self, headers: &[(&str, String)], body: &str) -> Result<VersionStage, VerificationError> {
        let table = format!("scheme = 'signature', layout = '{}'{}", self.layout, self.table);
        let own = verification("generic", &table);
        let request = headers
            .iter()
            .fold(post("/hooks/x", body), |request, (name, value)| request.with_header(name, value.clone()));
        own.verify(&request, &keys("key", Some("old")), NOW).map(|proof| proof.version_stage)
    }
}

#[test]
fn sender_is_verified_by_its_own_layout() {
    let now = NOW.as_secs();
    for sender in &SENDERS {
        let shown = format!("{}{}", sender.layout, sender.table);
        let sign = |key, time: &str| (sender.sign)(key, time);
        let time = now.to_string();
        assert_eq!(sender.check(&sign("key", &time), BODY), Ok(VersionStage::Current), "{shown}");
        assert_eq!(sender.check(&sign("old", &time), BODY), Ok(VersionStage::Previous), "{shown}");
        assert_eq!(sender.check(&sign("other", &time), BODY), Err(VerificationError::Mismatch), "{shown}");
        assert_eq!(sender.check(&sign("", &time), BODY), Err(VerificationError::Mismatch), "{shown}");
        assert_eq!(
            sender.check(&sign("key", &time), r#"{"a":2}"#),
            Err(VerificationError::Mismatch),
            "{shown}"
        );
        assert!(sender.check(&[], BODY).is_err(), "{shown}");
        if sender.signs_time {
            for good in [format!("{now}.123"), format!("{now}123"), "2026-09-21T14:13:20Z".into()] {
                assert_eq!(
                    sender.check(&sign("key", &good), BODY),
                    Ok(VersionStage::Current),
                    "{shown} {good}"
                );
            }
            let old = sign("key", &(now - 301).to_string());
            assert_eq!(sender.check(&old, BODY), Err(VerificationError::TimestampOutsideWindow), "{shown}");
            assert_eq!(
                sender.check(&sign("key", "now"), BODY),
                Err(VerificationError::MissingTimestamp),
                "{shown}"
            );
            let later = (now + 1).to_string();
            let moved: Vec<_> = sign("key", &time)
                .into_iter()
                .map(|(name, value)| (name, value.replace(&time, &later)))
                .collect();
            assert_eq!(sender.check(&moved, BODY), Err(VerificationError::Mismatch), "{shown}");
        }
    }
}

/// The published example of the specification.
#[test]
fn standard_webhooks_vector_verifies() {
    let own =
        verification("generic", "scheme = 'signature', layout = 'standard_webhooks', window_seconds = 3600");
    let sent = std::time::Duration::from_secs(1_614_265_330);
    let request = |prefix: &str| {
        post("/hooks/x", r#"{"test": 2432232314}"#)
            .with_header(&format!("{prefix}-id"), "msg_p5jXN8AQM9LWM0D4loKWxJek")
            .with_header(&format!("{prefix}-timestamp"), "1614265330")
            .with_header(
                &format!("{prefix}-signature"),
                "v1,bm9ldHUjKzFob2VudXRob2VodWUzMjRvdWVvdW9ldQo= v2,bm9 v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            )
    };
    for key in ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"] {
        for prefix in ["webhook", "svix"] {
            let proof = own.verify(&request(prefix), &keys(key, None), sent).expect("a good signature");
            assert_eq!(proof.event_id.as_deref(), Some("msg_p5jXN8AQM9LWM0D4loKWxJek"));
        }
    }
    let check = |request, key: &str| own.verify(&request, &keys(key, None), sent).err();
    let key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    assert_eq!(
        check(request("webhook").with_header("webhook-id", "msg_other"), key),
        Some(VerificationError::Mismatch)
    );
    assert_eq!(
        check(request("webhook").with_header("webhook-id", "msg.x"), key),
        Some(VerificationError::MissingId)
    );
    assert_eq!(
        check(request("webhook").without_header("webhook-id"), key),
        Some(VerificationError::MissingId)
    );
    assert_eq!(
        check(request("webhook").without_header("webhook-signature"), key),
        Some(VerificationError::MissingCredential)
    );
    assert_eq!(check(request("webhook"), "whsec_AAAA"), Some(VerificationError::Mismatch));
    assert_eq!(check(request("webhook"), "whsec_not base64"), Some(VerificationError::InvalidKeyFormat));
    assert_eq!(check(request("webhook"), "whsec_"), Some(VerificationError::InvalidKeyFormat));
}

/// The published example of Slack.
#[test]
fn slack_vector_verifies() {
    let own = verification("generic", "scheme = 'signature', layout = 'slack'");
    let body = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    let request = post("/hooks/x", body).with_header("x-slack-request-timestamp", "1531420618").with_header(
        "x-slack-signature",
        "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
    );
    let sent = std::time::Duration::from_secs(1_531_420_618);
    assert!(own.verify(&request, &keys("8f742231b10e8888abcd99yyyzzz85a5", None), sent).is_ok());
}

const SOURCES: &str = r#"
version = 1
[sources.falcon]
tool = "generic"
tenants = ["11f104c5-cc4a-4a9f-bb9c-632c936dfb9f"]
verify = { scheme = "signature", layout = "crowdstrike", secret = "falcon" }
[sources.standard]
tool = "generic"
tenants = ["11f104c5-cc4a-4a9f-bb9c-632c936dfb9f"]
verify = { scheme = "signature", layout = "standard_webhooks", secret = "standard" }
"#;

/// Of a request without an id of its own the key is its identity, and nothing
/// signs that: neither layout makes it new.
#[tokio::test]
async fn header_of_another_layout_makes_no_new_request() {
    let env = TestEnv::with_policy(SOURCES);
    env.secrets.store("falcon", "key");
    let body = r#"{"target":{"hostname":"ws-042"}}"#;
    let time = NOW.as_secs().to_string();
    let plain = post("/hooks/falcon", body).with_header("x-cs-delivery-timestamp", time.clone());
    let first = plain
        .clone()
        .with_header("x-cs-primary-signature", base64(&hmac_of_text("key", format!("{body}{time}"))))
        .with_header("idempotency-key", "one");
    let second = plain
        .with_header("x-cs-primary-signature", hex(&hmac_of_text("key", format!("{time}{body}"))))
        .with_header("idempotency-key", "two");
    assert_eq!(env.send(&first).await.status, 202);
    assert_eq!(env.send(&second).await.status, 401);
    assert_eq!(env.send(&second.clone().with_header("idempotency-key", "one")).await.status, 200);
    assert_eq!(env.decision_count(), 1);
}

#[tokio::test]
async fn signed_id_identifies_the_delivery() {
    let env = TestEnv::with_policy(SOURCES);
    env.secrets.store("standard", "whsec_a2V5");
    let body = r#"{"target":{"hostname":"ws-042"}}"#;
    let time = NOW.as_secs().to_string();
    let delivery = |id: &str| {
        let signature = base64(&hmac_of_text("key", format!("{id}.{time}.{body}")));
        post("/hooks/standard", body)
            .with_header("webhook-id", id)
            .with_header("webhook-timestamp", time.clone())
            .with_header("webhook-signature", format!("v1,{signature}"))
    };
    let first = env.send(&delivery("msg_1")).await;
    let again = env.send(&delivery("msg_1").with_header("idempotency-key", "other")).await;
    let next = env.send(&delivery("msg_2")).await;
    assert_eq!((first.status, again.status, next.status), (202, 200, 202));
    assert_eq!(decision_ids(&first), decision_ids(&again));
    assert_eq!((env.decision_count(), env.store.count("replays/")), (2, 0));
}
