//! Headers and a body for every verification scheme.
//!
//! ```text
//! crowdstrike_hex 1700000000
//! x-cs-delivery-timestamp: {time}
//! x-cs-primary-signature: {signature}
//!
//! what was signed
//! ---
//! what arrives, if it is something else
//! ```

use std::time::Duration;

use sophos_isolation::{
    verify::{
        Encoding, KeyFormat, SignatureConfig, SignedContent, Timestamp, Verification, VerificationError,
        VersionStage,
    },
    webhook::Request,
};

use crate::message::{self, CURRENT_SECRET, NOW, PREVIOUS_SECRET, keys};

const WINDOW_SECONDS: u64 = 300;
const USER: &str = "elastic";

fn layout(
    headers: &[&str],
    prefix: &str,
    encoding: Encoding,
    signed: SignedContent,
    time: &str,
) -> Verification {
    let timestamp = Timestamp::from_header(time, WINDOW_SECONDS);
    Verification::Signature(SignatureConfig {
        secret: "secret".into(),
        key_format: KeyFormat::Text,
        separator: ',',
        alternative: None,
        id_headers: signed.has_id().then(|| "id".to_owned()).into_iter().collect(),
        headers: headers.iter().map(|name| (*name).to_owned()).collect(),
        prefix: prefix.into(),
        encoding,
        signed,
        timestamp: signed.has_time().then_some(timestamp),
    })
}

fn verification(name: &str) -> Option<Verification> {
    const CROWDSTRIKE: [&str; 2] = ["x-cs-primary-signature", "x-cs-secondary-signature"];
    const CROWDSTRIKE_TIME: &str = "x-cs-delivery-timestamp";
    let own = |encoding, signed| layout(&["signature"], "v1=", encoding, signed, "time");
    let secret = "secret".to_owned();
    Some(match name {
        "generic" => own(Encoding::Hex, SignedContent::TimestampDotBody),
        "pagerduty" => own(Encoding::Hex, SignedContent::Body),
        "crowdstrike_hex" => {
            layout(&CROWDSTRIKE, "", Encoding::Hex, SignedContent::TimestampBody, CROWDSTRIKE_TIME)
        }
        "crowdstrike_base64" => {
            layout(&CROWDSTRIKE, "", Encoding::Base64, SignedContent::BodyTimestamp, CROWDSTRIKE_TIME)
        }
        "base64_body" => own(Encoding::Base64, SignedContent::Body),
        "base64_time_dot_body" => own(Encoding::Base64, SignedContent::TimestampDotBody),
        "base64_time_body" => own(Encoding::Base64, SignedContent::TimestampBody),
        "hex_v0_time_body" => own(Encoding::Hex, SignedContent::V0TimestampBody),
        "hex_time_colon_body" => own(Encoding::Hex, SignedContent::TimestampColonBody),
        "base64_id_time_body" => own(Encoding::Base64, SignedContent::IdDotTimestampDotBody),
        "hex_body_time" => own(Encoding::Hex, SignedContent::BodyTimestamp),
        "header" => Verification::Header { secret, header: "authorization".into(), prefix: "Bearer ".into() },
        "basic" => Verification::Basic { secret, user: USER.into() },
        "path" => Verification::Path { secret },
        "iam" => Verification::Iam,
        _ => return None,
    })
}

/// Checks that only signed messages, or those with the secret, are authenticated.
pub fn check(text: &str) {
    let (head, bodies) = message::split_head(text);
    let mut lines = head.lines();
    let Some((name, time)) = lines.next().and_then(|line| line.split_once(' ')) else { return };
    let (Some(verification), time) = (verification(name), time.trim()) else { return };
    let (signed, arrives) = bodies.split_once("\n---\n").unwrap_or((bodies, bodies));
    match &verification {
        Verification::Signature(layout) => {
            let [current, previous] =
                [CURRENT_SECRET, PREVIOUS_SECRET].map(|key| message::sign(layout, key, time, signed));
            let put = |line: &str| {
                let line = line.replace("{time}", time);
                line.replace("{signature}", &current).replace("{previous}", &previous)
            };
            let headers: Vec<String> = lines.map(put).collect();
            let request = self::request("POST /hooks/s", &headers, arrives);
            assert_signed(layout, &verification, &request, arrives, (time, signed));
            check_valid_sender(layout, &verification, time, signed);
        }
        _ => {
            let basic = [CURRENT_SECRET, PREVIOUS_SECRET].map(|key| message::basic_credentials(USER, key));
            let put = |line: &str| {
                let line = line.replace("{secret}", CURRENT_SECRET).replace("{previous}", PREVIOUS_SECRET);
                line.replace("{basic}", &basic[0]).replace("{previous_basic}", &basic[1])
            };
            let path = put(&format!("POST /hooks/s/{time}"));
            let headers: Vec<String> = lines.map(put).collect();
            let request = self::request(&path, &headers, arrives);
            assert_secret_matches(&verification, &request, &basic);
        }
    }
}

fn request(line: &str, headers: &[String], body: &str) -> Request {
    message::parse_request(line, &headers.iter().map(String::as_str).collect::<Vec<_>>(), body)
}

fn verify(verification: &Verification, request: &Request) -> Result<(VersionStage, bool), VerificationError> {
    let now = Duration::from_secs(NOW);
    let proof = verification.verify(request, &keys(), now);
    assert_eq!(proof, verification.verify(request, &keys(), now));
    proof.map(|proof| (proof.version_stage, proof.signed_digest.is_some()))
}

/// Checks that an authenticated message equals the signed one in every byte.
fn assert_signed(
    layout: &SignatureConfig,
    verification: &Verification,
    request: &Request,
    arrives: &str,
    (time, signed): (&str, &str),
) {
    let Ok((_, kept)) = verify(verification, request) else { return };
    assert!(kept, "the signature is kept, so that it is used once");
    let arrived = layout.timestamp.as_ref().and_then(|timestamp| request.header(&timestamp.headers[0]));
    let arrived = arrived.unwrap_or_default().trim();
    if let Some(header) = layout.id_headers.first() {
        assert_eq!(request.header(header), Some(message::DELIVERY_ID));
    }
    let [was, is] =
        [message::signing_input(layout, time, signed), message::signing_input(layout, arrived, arrives)];
    assert_eq!(was, is, "wrong isolation: an invalid signature was accepted");
    if layout.timestamp.is_some() && is_plain(arrived) {
        assert!(is_inside_window(arrived), "wrong isolation: an expired signature was accepted");
    }
}

/// Checks that a valid message is authenticated, and that one changed bit prevents it.
fn check_valid_sender(layout: &SignatureConfig, verification: &Verification, time: &str, body: &str) {
    if !is_plain(time) {
        return;
    }
    for (key, stage) in [(CURRENT_SECRET, VersionStage::Current), (PREVIOUS_SECRET, VersionStage::Previous)] {
        let signature =
            format!("{}: {}{}", layout.headers[0], layout.prefix, message::sign(layout, key, time, body));
        let sent = layout.timestamp.as_ref().map(|timestamp| format!("{}: {time}", timestamp.headers[0]));
        let id = layout.id_headers.first().map(|header| format!("{header}: {}", message::DELIVERY_ID));
        let sent: Vec<String> = sent.into_iter().chain(id).collect();
        let headers: Vec<String> = sent.iter().cloned().chain([signature]).collect();
        let mut request = self::request("POST /hooks/s", &headers, body);
        if layout.timestamp.is_some() && !is_inside_window(time) {
            assert!(verify(verification, &request).is_err());
            continue;
        }
        assert_eq!(verify(verification, &request), Ok((stage, true)));
        if let Some(byte) = request.body.first_mut() {
            *byte ^= 1;
            assert_eq!(verify(verification, &request), Err(VerificationError::Mismatch));
        }
        let unsigned = self::request("POST /hooks/s", &sent, body);
        assert_eq!(verify(verification, &unsigned), Err(VerificationError::MissingCredential));
    }
}

/// Checks that an authenticated message contains the exact secret.
fn assert_secret_matches(verification: &Verification, request: &Request, basic: &[String; 2]) {
    let Ok((stage, kept)) = verify(verification, request) else { return };
    assert!(!kept);
    let at = usize::from(stage == VersionStage::Previous);
    let authorization = request.header("authorization").unwrap_or_default();
    let (_, given) = authorization.split_once(' ').unwrap_or_default();
    match verification {
        Verification::Header { .. } => assert_eq!(given, [CURRENT_SECRET, PREVIOUS_SECRET][at]),
        Verification::Basic { .. } => assert_eq!(given.trim(), basic[at]),
        Verification::Path { .. } => {
            let last = request.path.split('/').filter(|part| !part.is_empty()).nth(2);
            assert_eq!(last, Some([CURRENT_SECRET, PREVIOUS_SECRET][at]));
        }
        _ => panic!("nothing proves this"),
    }
}

fn is_plain(time: &str) -> bool {
    (1..=13).contains(&time.len()) && time.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a time of digits alone is inside the window.
fn is_inside_window(time: &str) -> bool {
    let number: u64 = time.parse().expect("digits");
    let now = NOW * 1_000;
    [number.saturating_mul(1_000), number].iter().any(|sent| sent.abs_diff(now) <= WINDOW_SECONDS * 1_000)
}
