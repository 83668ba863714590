//! Properties of all signatures and requests.

use std::time::Duration;

use futures_executor::block_on;
use proptest::prelude::*;
use sophos_isolation::{
    verify::{VerificationError, VersionStage},
    webhook::Request,
};

use super::{
    NOW, RequestExt, TestEnv, alert_body,
    approval::{UNTIL, answer_request, approval_links, follow_link, waiting_decision},
    current_value, hmac_sha256, keys,
    layouts::base64,
    post, signed_request, verification,
};

#[derive(Debug, Clone, Copy)]
enum SigningOrder {
    Dot,
    TimeFirst,
    BodyFirst,
    Body,
}

const ORDERS: [SigningOrder; 4] =
    [SigningOrder::Dot, SigningOrder::TimeFirst, SigningOrder::BodyFirst, SigningOrder::Body];

impl SigningOrder {
    fn to_toml(self, hex: bool) -> String {
        let encoding = if hex { "hex" } else { "base64" };
        let (signed, time) = match self {
            Self::Dot => ("timestamp.body", ", timestamp_header = 'X-When'"),
            Self::TimeFirst => ("timestamp+body", ", timestamp_header = 'X-When'"),
            Self::BodyFirst => ("body+timestamp", ", timestamp_header = 'X-When'"),
            Self::Body => ("body", ""),
        };
        format!(
            "scheme = 'signature', headers = ['X-Sign'], prefix = '', encoding = '{encoding}', signed = '{signed}'{time}"
        )
    }

    fn signing_input(self, time: &str, body: &[u8]) -> Vec<u8> {
        match self {
            Self::Dot => [time.as_bytes(), b".", body].concat(),
            Self::TimeFirst => [time.as_bytes(), body].concat(),
            Self::BodyFirst => [body, time.as_bytes()].concat(),
            Self::Body => body.to_vec(),
        }
    }
}

/// A time that is written in one of the ways.
fn time() -> impl Strategy<Value = (Duration, String)> {
    (1_000_000_000_u64..100_000_000_000, any::<bool>()).prop_map(|(seconds, milliseconds)| {
        let text = if milliseconds { format!("{seconds}000") } else { seconds.to_string() };
        (Duration::from_secs(seconds), text)
    })
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        "\\PC{0,40}".prop_map(String::into_bytes),
        Just(b"{}".to_vec()),
    ]
}

/// A key, with no white space around it, which would be no part of it.
const KEY: &str = "[^\\pC\\pZ](\\PC{0,78}[^\\pC\\pZ])?";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// A signature is valid for its body, key and time, and for no other.
    #[test]
    fn signature_is_valid_for_one_delivery_only(
        order in prop::sample::select(&ORDERS[..]),
        hexadecimal in any::<bool>(),
        (sent, text) in time(),
        own_body in body(),
        other_body in body(),
        key in KEY,
        other_key in KEY,
        off in -300_i64..=300,
        shift in prop_oneof![-300_i64..0, 1_i64..=300],
    ) {
        prop_assume!(key != other_key);
        let own = verification("generic", &order.to_toml(hexadecimal));
        let bytes = hmac_sha256(&key, &order.signing_input(&text, &own_body));
        let signature = if hexadecimal { super::hex(&bytes) } else { base64(&bytes) };
        let now = Duration::from_secs(sent.as_secs().saturating_add_signed(off));
        let request = post("/hooks/x", own_body.clone()).with_header("x-sign", signature).with_header("x-when", text.clone());
        let stage = |request: &Request, keys| own.verify(request, &keys, now).map(|proof| proof.version_stage);
        prop_assert_eq!(stage(&request, keys(&key, None)), Ok(VersionStage::Current));
        prop_assert_eq!(stage(&request, keys(&other_key, Some(&key))), Ok(VersionStage::Previous));
        prop_assert_eq!(stage(&request, keys(&other_key, None)), Err(VerificationError::Mismatch));
        if other_body != own_body {
            let other = Request { body: other_body, ..request.clone() };
            prop_assert_eq!(stage(&other, keys(&key, None)), Err(VerificationError::Mismatch));
        }
        if !matches!(order, SigningOrder::Body) {
            let moved = sent.as_secs().saturating_add_signed(shift).to_string();
            let other = request.clone().with_header("x-when", moved);
            prop_assert!(stage(&other, keys(&key, None)).is_err());
            let late = Duration::from_secs(sent.as_secs() + 301);
            prop_assert_eq!(own.verify(&request, &keys(&key, None), late).err(), Some(VerificationError::TimestampOutsideWindow));
        }
    }

    /// One byte more, less or other is another body.
    #[test]
    fn signature_covers_every_bit_of_the_body(body in prop::collection::vec(any::<u8>(), 1..200), at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let own = verification("pagerduty", "scheme = 'signature'");
        let signature = format!("v1={}", super::hex(&hmac_sha256("key", &body)));
        let at = at.index(body.len());
        let (mut changed, mut shorter, mut longer) = (body.clone(), body.clone(), body.clone());
        changed[at] ^= 1 << bit;
        shorter.pop();
        longer.push(0);
        for (body, good) in [(body, true), (changed, false), (shorter, false), (longer, false)] {
            let request = post("/hooks/x", body).with_header("x-pagerduty-signature", signature.clone());
            prop_assert_eq!(own.verify(&request, &keys("key", None), NOW).is_ok(), good);
        }
    }

    /// A static secret is valid only if it is equal.
    #[test]
    fn static_secret_must_match_exactly(key in "[!-~]{1,40}", given in "[!-~]{0,40}") {
        let own = verification("generic", "scheme = 'bearer'");
        for (given, good) in [(&key, true), (&given, given == key)] {
            let request = post("/hooks/x", "").with_header("authorization", format!("Bearer {given}"));
            prop_assert_eq!(own.verify(&request, &keys(&key, None), NOW).is_ok(), good);
        }
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[\\x00-\\x20v1=, %&+;:/.-]{0,40}",
        "(v1=[0-9a-f]{64},?){0,10}",
        Just("x".repeat(100_000)),
        Just("é".repeat(1_000)),
        Just("application/json".to_owned()),
        Just(NOW.as_secs().to_string()),
    ]
}

/// Parts of paths with a meaning, or a possible one.
const PARTS: &[&str] = &[
    "hooks",
    "approvals",
    "scripts",
    "pd",
    "splunk",
    "okta",
    "elastic",
    "defender",
    "office",
    "guardduty",
    "",
    ".",
    "..",
    "%2e%2e",
    "%2f",
    "%00",
    "\0",
    "iso-0123456789abcdef01234567",
    "%",
    "%%",
    "é",
    "\u{202e}",
];

fn segment() -> impl Strategy<Value = String> {
    prop_oneof![4 => prop::sample::select(PARTS).prop_map(str::to_owned), 1 => any::<String>()]
}

fn path() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => prop::collection::vec(segment(), 0..6).prop_map(|parts| format!("/{}", parts.join("/"))),
        3 => (segment(), segment()).prop_map(|(one, two)| format!("/hooks/{one}/{two}")),
        1 => any::<String>(),
    ]
}

const HEADERS: [&str; 9] = [
    "content-type",
    "authorization",
    "x-sophos-signature",
    "x-sophos-timestamp",
    "idempotency-key",
    "x-pagerduty-signature",
    "x-okta-verification-challenge",
    "x-cs-signature-algorithm",
    "x-forwarded-for",
];

fn request() -> impl Strategy<Value = Request> {
    let method = prop_oneof![8 => prop::sample::select(&["GET", "POST", "HEAD", "PUT"][..]).prop_map(str::to_owned), 1 => any::<String>()];
    let headers = prop::collection::vec((prop::sample::select(&HEADERS[..]), text()), 0..6);
    let query = prop_oneof![
        any::<String>(),
        text().prop_map(|text| format!("validationToken={text}")),
        (text(), text()).prop_map(|(until, signature)| format!("until={until}&signature={signature}")),
    ];
    (method, path(), query, headers, body(), any::<Option<std::net::IpAddr>>()).prop_map(
        |(method, path, query, headers, body, from)| {
            let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            Request { method, path, query, headers, body, source_ip: from, client_certificate: None }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// Unauthenticated requests have no effect and reveal nothing.
    #[test]
    fn unauthenticated_request_has_no_effect(request in request(), now in any::<u32>()) {
        let env = TestEnv::new();
        block_on(async {
            let (response, notice) = env.handle_at(&request, Duration::from_secs(now.into())).await;
            assert!([200, 401, 403, 404, 405, 413].contains(&response.status), "{}", response.status);
            let challenge = request.query.contains("validationToken")
                || request.header("x-okta-verification-challenge").is_some();
            assert!(response.status != 200 || challenge, "{}", response.body);
            for (name, value) in &response.headers {
                assert!(value.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{name}: {value}");
            }
            if let Some(problem) = notice.problem() {
                assert!(!problem.chars().any(char::is_control), "{problem}");
            }
            assert!(notice.created.is_empty() && notice.duplicates.is_empty());
        });
        prop_assert!(env.store.objects().is_empty() && env.queued().is_empty());
    }

    /// Nor does a good delivery whose header, path or query was played with
    /// begin more than its own decision.
    #[test]
    fn modified_delivery_creates_at_most_its_own_decision(
        header in prop::sample::select(&HEADERS[..]),
        value in text(),
        query in any::<String>(),
        rest in segment(),
    ) {
        let env = TestEnv::new();
        let request = Request { query, path: format!("/hooks/scripts/{rest}"), ..signed_request(alert_body("a")).with_header(header, value) };
        block_on(async {
            env.send(&request).await;
            let response = env.send(&signed_request(alert_body("a"))).await;
            assert!([200, 202].contains(&response.status));
        });
        prop_assert_eq!(env.decision_count(), 1);
    }

    /// Approval needs the link.
    #[test]
    fn guessed_link_is_refused(until in prop_oneof![any::<u64>(), Just(UNTIL)], signature in prop_oneof!["[0-9a-f]{64}", any::<String>()], yes in any::<bool>()) {
        let env = TestEnv::new();
        block_on(async {
            let id = waiting_decision(&env, "a").await;
            let before = env.store.objects();
            let good = follow_link(&approval_links(), &id, UNTIL);
            let request = Request { query: format!("until={until}&signature={signature}"), ..good };
            let body = if yes { "answer=approve" } else { "answer=decline" };
            assert_eq!(env.send(&request).await.status, 403);
            assert_eq!(env.send(&answer_request(&request, body)).await.status, 403);
            assert_eq!(env.store.objects(), before);
        });
    }

    /// Any authentic message is parsed or explained.
    #[test]
    fn authentic_body_is_accepted_or_explained(body in body(), name in prop::sample::select(&["office", "okta", "elastic", "defender", "sentinel"][..])) {
        let env = TestEnv::new();
        let proof = match name {
            "okta" => current_value(name),
            "elastic" => format!("Basic {}", base64(format!("kibana:{}", current_value(name)).as_bytes())),
            _ => format!("Bearer {}", current_value(name)),
        };
        let request = post(&format!("/hooks/{name}"), body).with_header("authorization", proof);
        let request = Request { source_ip: "203.0.113.7".parse().ok(), ..request };
        let response = block_on(env.send(&request));
        prop_assert!([202, 422].contains(&response.status), "{} {}", response.status, response.body);
    }
}
