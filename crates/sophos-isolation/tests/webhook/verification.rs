//! Signatures: what is one, and of what.

use serde_json::Value;
use sophos_isolation::verify::{Rejection, Stage};

use super::{Dress, MARK, NOW, current, hex, keys, post, previous, shared, tag, v1, verification};

#[test]
fn a_published_vector_verifies_and_a_changed_byte_does_not() {
    let (Some(vector), Some(body)) = (
        shared("pagerduty/signature_test_vector.json"),
        shared("pagerduty/incident_priority_updated_body.json"),
    ) else {
        return;
    };
    let vector: Value = serde_json::from_slice(&vector).expect("JSON");
    let text = |member: &str| vector[member].as_str().expect("a text").to_owned();
    let own = verification("pagerduty", "scheme = 'signature'");
    let keys = keys(&text("secret"), None);
    let request = post("/hooks/pd", body.clone()).with(&text("header").to_lowercase(), text("value"));
    let proof = own.check(&request, &keys, NOW).expect("a good signature");
    assert_eq!(proof.stage, Stage::Current);
    for at in [0, 1, body.len() / 2, body.len() - 1] {
        let mut changed = request.clone();
        changed.body[at] ^= 1;
        assert_eq!(own.check(&changed, &keys, NOW), Err(Rejection::Mismatch), "byte {at}");
    }
    let mut longer = request.clone();
    longer.body.push(b'\n');
    assert_eq!(own.check(&longer, &keys, NOW), Err(Rejection::Mismatch));
}

/// The second of RFC 4231.
#[test]
fn a_vector_of_the_standard_verifies() {
    let own = verification("pagerduty", "scheme = 'signature'");
    let request = post("/hooks/pd", "what do ya want for nothing?")
        .with("x-pagerduty-signature", "v1=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    assert!(own.check(&request, &keys("Jefe", None), NOW).is_ok());
}

#[test]
fn a_header_holds_one_or_several_signatures() {
    let own = verification("pagerduty", "scheme = 'signature'");
    let keys = keys("key", None);
    let good = hex(&tag("key", b"{}"));
    let bad = hex(&tag("other", b"{}"));
    let many = |count: usize| format!("{}v1={good}", format!("v1={bad},").repeat(count));
    let (wrong, missing) = (Some(Rejection::Mismatch), Some(Rejection::Missing));
    let rows = [
        (format!("v1={good}"), None),
        (format!("V1={}", good.to_uppercase()), None),
        (format!("v1={bad},v1={good}"), None),
        (format!("v1={good},v1={bad}"), None),
        (format!("  v1= {good}\t, v1={bad} "), None),
        (format!("v0=whatever,,v1={good},"), None),
        (format!("v1=short,v1={good}"), None),
        (many(7), None),
        // More than anybody sends who rotates a key.
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
        let request = post("/hooks/pd", "{}").with("x-pagerduty-signature", header.clone());
        let shown = &header[..header.len().min(80)];
        assert_eq!(own.check(&request, &keys, NOW).err(), expected, "{shown}");
    }
    assert_eq!(own.check(&post("/hooks/pd", "{}"), &keys, NOW), Err(Rejection::Missing));
}

#[test]
fn a_key_rotates() {
    let own = verification("generic", "scheme = 'signature'");
    let time = NOW.as_secs().to_string();
    let delivery = |key: &str| {
        post("/hooks/x", "{}")
            .with("x-sophos-timestamp", time.clone())
            .with("x-sophos-signature", v1(key, &time, b"{}"))
    };
    let both = keys(&current("x"), Some(&previous("x")));
    let stage = |key: &str| own.check(&delivery(key), &both, NOW).map(|proof| proof.stage);
    assert_eq!(stage(&current("x")), Ok(Stage::Current));
    assert_eq!(stage(&previous("x")), Ok(Stage::Previous));
    assert_eq!(stage("the one before that"), Err(Rejection::Mismatch));
    let later = keys(&current("x"), None);
    assert_eq!(own.check(&delivery(&previous("x")), &later, NOW), Err(Rejection::Mismatch));
}

#[test]
fn an_empty_key_signs_nothing() {
    let own = verification("pagerduty", "scheme = 'signature'");
    let request =
        post("/hooks/pd", "{}").with("x-pagerduty-signature", format!("v1={}", hex(&tag("", b"{}"))));
    for keys in [keys("", None), keys("key", Some("")), keys("", Some(""))] {
        assert_eq!(own.check(&request, &keys, NOW), Err(Rejection::Mismatch));
    }
}

#[test]
fn the_algorithm_is_one() {
    let own = verification("crowdstrike", "scheme = 'signature'");
    let time = NOW.as_secs().to_string();
    let signature = super::layouts::base64(&tag("key", &[b"{}", time.as_bytes()].concat()));
    let delivery = post("/hooks/x", "{}")
        .with("x-cs-delivery-timestamp", time)
        .with("x-cs-primary-signature", signature);
    let check = |request| own.check(&request, &keys("key", None), NOW).err();
    assert_eq!(check(delivery.clone()), None);
    for name in ["HMAC-SHA256", "HmacSHA256", "hmac_sha256", "SHA256", "sha-256"] {
        assert_eq!(check(delivery.clone().with("x-cs-signature-algorithm", name)), None, "{name}");
    }
    for name in ["", "none", "HMAC-SHA1", "HMAC-SHA512", "sha2566", "ЅНА256", "HMAC-SHA256,none"] {
        let algorithm = Some(Rejection::Algorithm);
        assert_eq!(check(delivery.clone().with("x-cs-signature-algorithm", name)), algorithm, "{name}");
    }
}

#[test]
fn nothing_that_is_printed_holds_a_secret() {
    let own = verification("pagerduty", "scheme = 'signature'");
    let keys = keys(&current("x"), Some(&previous("x")));
    let signature = hex(&tag(&current("x"), b"{}"));
    let request = post("/hooks/x", "{}").with("x-pagerduty-signature", format!("v1={signature}"));
    let proof = own.check(&request, &keys, NOW).expect("a good signature");
    let bytes = format!("{:?}", tag(&current("x"), b"{}"));
    for printed in [format!("{keys:?} {own:?} {request:?}"), format!("{proof:?} {proof:#?}")] {
        assert!(!printed.contains(MARK), "{printed}");
        assert!(!printed.contains(&signature) && !printed.contains(&bytes[1..bytes.len() - 1]), "{printed}");
    }
}
