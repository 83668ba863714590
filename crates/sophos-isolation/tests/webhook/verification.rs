//! The verification of signatures.

use serde_json::Value;
use sophos_isolation::verify::{VerificationError, VersionStage};

use super::{
    NOW, RequestExt, SECRET_MARKER, current_value, hex, hmac_sha256, keys, post, previous_value, recorded,
    v1_signature, verification,
};

#[test]
#[ignore = "needs recorded material beside the checkout: `cargo xtask test` runs it where that is"]
fn published_vector_verifies_unless_changed() {
    let vector = recorded("pagerduty/signature_test_vector.json");
    let body = recorded("pagerduty/incident_priority_updated_body.json");
    let vector: Value = serde_json::from_slice(&vector).expect("JSON");
    let text = |member: &str| vector[member].as_str().expect("a text").to_owned();
    let own = verification("pagerduty", "scheme = 'signature'");
    let keys = keys(&text("secret"), None);
    let request = post("/hooks/pd", body.clone()).with_header(&text("header").to_lowercase(), text("value"));
    let proof = own.verify(&request, &keys, NOW).expect("a good signature");
    assert_eq!(proof.version_stage, VersionStage::Current);
    for at in [0, 1, body.len() / 2, body.len() - 1] {
        let mut changed = request.clone();
        changed.body[at] ^= 1;
        assert_eq!(own.verify(&changed, &keys, NOW), Err(VerificationError::Mismatch), "byte {at}");
    }
    let mut longer = request.clone();
    longer.body.push(b'\n');
    assert_eq!(own.verify(&longer, &keys, NOW), Err(VerificationError::Mismatch));
}

/// The second of RFC 4231.
#[test]
fn rfc_4231_vector_verifies() {
    let own = verification("pagerduty", "scheme = 'signature'");
    let request = post("/hooks/pd", "what do ya want for nothing?").with_header(
        "x-pagerduty-signature",
        "v1=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    );
    assert!(own.verify(&request, &keys("Jefe", None), NOW).is_ok());
}

#[test]
fn header_may_contain_several_signatures() {
    let own = verification("pagerduty", "scheme = 'signature'");
    let keys = keys("key", None);
    let good = hex(&hmac_sha256("key", b"{}"));
    let bad = hex(&hmac_sha256("other", b"{}"));
    let many = |count: usize| format!("{}v1={good}", format!("v1={bad},").repeat(count));
    let (wrong, missing) = (Some(VerificationError::Mismatch), Some(VerificationError::MissingCredential));
    let rows = [
        (format!("v1={good}"), None),
        (format!("V1={}", good.to_uppercase()), None),
        (format!("v1={bad},v1={good}"), None),
        (format!("v1={good},v1={bad}"), None),
        (format!("  v1= {good}\t, v1={bad} "), None),
        (format!("v0=whatever,,v1={good},"), None),
        (format!("v1=short,v1={good}"), None),
        (many(7), None),
        // More signatures than a key rotation needs.
        (many(8), wrong),
        (many(20_000), wrong),
        (format!("v1={bad}"), wrong),
        (format!("v1={}", "0".repeat(64)), wrong),
        (good.clone(), missing),
        (format!("v2={good}"), missing),
        (format!("v1={good}00"), missing),
        (format!("v1={}", &good[..62]), missing),
        (format!("v1={}", "é".repeat(32)), missing),
        (format!("v1={}", "+0".repeat(32)), missing),
        (format!("é1={good}"), missing),
        ("v1=".into(), missing),
        (String::new(), missing),
        ("v1=,".repeat(300_000), missing),
        ("f".repeat(1 << 20), missing),
    ];
    for (header, expected) in rows {
        let request = post("/hooks/pd", "{}").with_header("x-pagerduty-signature", header.clone());
        let shown = &header[..header.len().min(80)];
        assert_eq!(own.verify(&request, &keys, NOW).err(), expected, "{shown}");
    }
    assert_eq!(own.verify(&post("/hooks/pd", "{}"), &keys, NOW), Err(VerificationError::MissingCredential));
}

#[test]
fn key_rotates() {
    let own = verification("generic", "scheme = 'signature'");
    let time = NOW.as_secs().to_string();
    let delivery = |key: &str| {
        post("/hooks/x", "{}")
            .with_header("x-sophos-timestamp", time.clone())
            .with_header("x-sophos-signature", v1_signature(key, &time, b"{}"))
    };
    let both = keys(&current_value("x"), Some(&previous_value("x")));
    let stage = |key: &str| own.verify(&delivery(key), &both, NOW).map(|proof| proof.version_stage);
    assert_eq!(stage(&current_value("x")), Ok(VersionStage::Current));
    assert_eq!(stage(&previous_value("x")), Ok(VersionStage::Previous));
    assert_eq!(stage("the one before that"), Err(VerificationError::Mismatch));
    let later = keys(&current_value("x"), None);
    assert_eq!(own.verify(&delivery(&previous_value("x")), &later, NOW), Err(VerificationError::Mismatch));
}

#[test]
fn empty_key_verifies_nothing() {
    let own = verification("pagerduty", "scheme = 'signature'");
    let request = post("/hooks/pd", "{}")
        .with_header("x-pagerduty-signature", format!("v1={}", hex(&hmac_sha256("", b"{}"))));
    for keys in [keys("", None), keys("key", Some("")), keys("", Some(""))] {
        assert_eq!(own.verify(&request, &keys, NOW), Err(VerificationError::Mismatch));
    }
}

#[test]
fn signature_rejects_other_algorithms() {
    let own = verification("crowdstrike", "scheme = 'signature'");
    let time = NOW.as_secs().to_string();
    let signature = super::layouts::base64(&hmac_sha256("key", &[b"{}", time.as_bytes()].concat()));
    let delivery = post("/hooks/x", "{}")
        .with_header("x-cs-delivery-timestamp", time)
        .with_header("x-cs-primary-signature", signature);
    let check = |request| own.verify(&request, &keys("key", None), NOW).err();
    assert_eq!(check(delivery.clone()), None);
    for name in ["HMAC-SHA256", "HmacSHA256", "hmac_sha256", "SHA256", "sha-256"] {
        assert_eq!(check(delivery.clone().with_header("x-cs-signature-algorithm", name)), None, "{name}");
    }
    for name in ["", "none", "HMAC-SHA1", "HMAC-SHA512", "sha2566", "ЅНА256", "HMAC-SHA256,none"] {
        let algorithm = Some(VerificationError::UnsupportedAlgorithm);
        assert_eq!(
            check(delivery.clone().with_header("x-cs-signature-algorithm", name)),
            algorithm,
            "{name}"
        );
    }
}

#[test]
fn debug_output_contains_no_secret() {
    let own = verification("pagerduty", "scheme = 'signature'");
    let keys = keys(&current_value("x"), Some(&previous_value("x")));
    let signature = hex(&hmac_sha256(&current_value("x"), b"{}"));
    let request = post("/hooks/x", "{}").with_header("x-pagerduty-signature", format!("v1={signature}"));
    let proof = own.verify(&request, &keys, NOW).expect("a good signature");
    let bytes = format!("{:?}", hmac_sha256(&current_value("x"), b"{}"));
    for printed in [format!("{keys:?} {own:?} {request:?}"), format!("{proof:?} {proof:#?}")] {
        assert!(!printed.contains(SECRET_MARKER), "{printed}");
        assert!(!printed.contains(&signature) && !printed.contains(&bytes[1..bytes.len() - 1]), "{printed}");
    }
}
