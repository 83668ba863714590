//! Keys as people store them.

use sophos_isolation::{
    verify::{VerificationError, VersionStage},
    webhook::Request,
};

use super::{
    NOW, RequestExt, TestEnv, alert_body, hex, hmac_sha256, keys, layouts::base64, post, signed_request,
    v1_signature, verification,
};

/// A delivery of the source `scripts`, signed with a key.
fn signed_with(key: &str, event: &str) -> Request {
    let (time, body) = (NOW.as_secs().to_string(), alert_body(event));
    let signature = v1_signature(key, &time, body.as_bytes());
    post("/hooks/scripts", body)
        .with_header("x-sophos-timestamp", time)
        .with_header("x-sophos-signature", signature)
}

#[test]
fn key_is_trimmed_in_every_scheme() {
    let body = b"{}";
    let signature = format!("v1={}", hex(&hmac_sha256("a key", body)));
    let rows = [
        ("scheme = 'signature', layout = 'pagerduty'", "/hooks/x", "x-pagerduty-signature", signature),
        ("scheme = 'bearer'", "/hooks/x", "authorization", "Bearer a key".to_owned()),
        ("scheme = 'header', header = 'X-Key'", "/hooks/x", "x-key", "a key".to_owned()),
        (
            "scheme = 'basic', user = 'u'",
            "/hooks/x",
            "authorization",
            format!("Basic {}", base64(b"u:a key")),
        ),
        ("scheme = 'path'", "/hooks/x/a%20key", "x-none", String::new()),
    ];
    for (table, path, header, value) in rows {
        let own = verification("generic", table);
        let request = post(path, body).with_header(header, value);
        let stored =
            ["a key\n", "a key\r\n", " a key ", "\ta key\r\n\r\n", "\u{feff}a key", "\u{feff} a key \n"];
        for stored in stored {
            let stage = |keys| own.verify(&request, &keys, NOW).map(|proof| proof.version_stage);
            assert_eq!(stage(keys(stored, None)), Ok(VersionStage::Current), "{table} {stored:?}");
            assert_eq!(stage(keys("x", Some(stored))), Ok(VersionStage::Previous), "{table} {stored:?}");
        }
        for stored in ["", " ", "\r\n", "\u{feff}", "akey", "a  key"] {
            assert!(own.verify(&request, &keys(stored, Some(" \n")), NOW).is_err(), "{table} {stored:?}");
        }
    }
}

#[test]
fn blank_key_verifies_nothing() {
    let own = verification("pagerduty", "scheme = 'signature'");
    for key in ["", " ", "\n", "\u{feff}\r\n"] {
        let signature = format!("v1={}", hex(&hmac_sha256(key, b"{}")));
        let request = post("/hooks/x", "{}").with_header("x-pagerduty-signature", signature);
        assert_eq!(
            own.verify(&request, &keys(key, Some(key)), NOW),
            Err(VerificationError::Mismatch),
            "{key:?}"
        );
    }
}

#[tokio::test]
async fn json_object_key_is_used_with_one_warning() {
    let env = TestEnv::new();
    env.secrets.store("scripts", "{\"scripts\": \" the key\\n\", \"version\": 2}\n");
    let (response, notice) = env.handle(&signed_with("the key", "a")).await;
    assert_eq!(response.status, 202);
    let [note] = &notice.notes()[..] else { panic!("{notice:?}") };
    assert!(note.contains("the secret \"scripts\" is a JSON object"), "{note}");
    assert!(note.contains("store the plain key"), "{note}");
    let (response, notice) = env.handle(&signed_with("the key", "b")).await;
    assert_eq!((response.status, notice.notes), (202, vec![]));
}

#[tokio::test]
async fn mismatch_is_explained_when_the_key_is_a_json_object() {
    for stored in [r#"{"user":"u","password":"p"}"#, r#"{"key":"other"}"#, "{}"] {
        let env = TestEnv::new();
        env.secrets.store("scripts", stored);
        let (response, notice) = env.handle(&signed_with("p", "a")).await;
        assert_eq!(response.status, 401, "{stored}");
        assert!(!response.body.contains("JSON"));
        let problem = notice.problem().expect("a problem");
        assert!(problem.contains("wrong; the secret \"scripts\" is a JSON object"), "{problem}");
        assert!(!problem.contains("other"), "{problem}");
        assert_eq!(notice.notes.len(), 1);
    }
    // A key of another shape is not to blame.
    let env = TestEnv::new();
    env.secrets.store("scripts", "{not json");
    let (_, notice) = env.handle(&signed_request(alert_body("a"))).await;
    assert_eq!(notice.problem().as_deref(), Some("the signature or secret is wrong"));
    assert!(notice.notes.is_empty());
    assert_eq!(env.send(&signed_with("{not json", "a")).await.status, 202);
}
