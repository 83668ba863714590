//! Secrets that are sent unsigned.

use sophos_isolation::verify::{Keys, Verification, VerificationError, VersionStage};

use super::{NOW, RequestExt, current_value, keys, layouts::base64, post, previous_value, verification};

fn both_keys() -> Keys {
    keys(&current_value("x"), Some(&previous_value("x")))
}

fn outcome(own: &Verification, header: &str, value: &str) -> Result<VersionStage, VerificationError> {
    own.verify(&post("/hooks/x", "{}").with_header(header, value), &both_keys(), NOW)
        .map(|proof| proof.version_stage)
}

#[test]
fn bearer_token_is_verified() {
    let own = verification("generic", "scheme = 'bearer'");
    let (good, old) = (current_value("x"), previous_value("x"));
    let rows = [
        (format!("Bearer {good}"), Ok(VersionStage::Current)),
        (format!("bearer {good}"), Ok(VersionStage::Current)),
        (format!("Bearer {old}"), Ok(VersionStage::Previous)),
        (format!("Bearer {good}x"), Err(VerificationError::Mismatch)),
        (format!("Bearer {}", &good[..good.len() - 1]), Err(VerificationError::Mismatch)),
        (format!("Bearer {}", good.to_uppercase()), Err(VerificationError::Mismatch)),
        (format!("Bearer {good},Bearer {good}"), Err(VerificationError::Mismatch)),
        (format!("Bearer {good}\u{0}"), Err(VerificationError::Mismatch)),
        ("Bearer ".into(), Err(VerificationError::Mismatch)),
        (format!("Bearer {}", "ж".repeat(1 << 20)), Err(VerificationError::Mismatch)),
        ("Bearer".into(), Err(VerificationError::MissingCredential)),
        (good.clone(), Err(VerificationError::MissingCredential)),
        (format!("Bearerж{good}"), Err(VerificationError::MissingCredential)),
        ("жжжжжжж".into(), Err(VerificationError::MissingCredential)),
        (String::new(), Err(VerificationError::MissingCredential)),
    ];
    for (value, expected) in rows {
        let shown: String = value.chars().take(60).collect();
        assert_eq!(outcome(&own, "authorization", &value), expected, "{shown}");
    }
    assert_eq!(outcome(&own, "x-authorization", &good), Err(VerificationError::MissingCredential));
}

#[test]
fn custom_header_is_verified() {
    let (good, old) = (current_value("x"), previous_value("x"));
    let bare = verification("generic", "scheme = 'header', header = 'X-Auth-Token'");
    assert_eq!(outcome(&bare, "x-auth-token", &good), Ok(VersionStage::Current));
    assert_eq!(outcome(&bare, "x-auth-token", &old), Ok(VersionStage::Previous));
    assert_eq!(outcome(&bare, "x-auth-token", ""), Err(VerificationError::Mismatch));
    assert_eq!(outcome(&bare, "x-auth-token", &format!(" {good}")), Err(VerificationError::Mismatch));
    assert_eq!(outcome(&bare, "authorization", &good), Err(VerificationError::MissingCredential));

    let prefixed =
        verification("generic", "scheme = 'header', header = 'Authorization', prefix = 'ApiToken '");
    assert_eq!(outcome(&prefixed, "authorization", &format!("ApiToken {good}")), Ok(VersionStage::Current));
    assert_eq!(outcome(&prefixed, "authorization", &format!("apitoken {old}")), Ok(VersionStage::Previous));
    assert_eq!(outcome(&prefixed, "authorization", &good), Err(VerificationError::MissingCredential));
    assert_eq!(outcome(&prefixed, "authorization", "ApiToken third"), Err(VerificationError::Mismatch));
}

#[test]
fn basic_authentication_is_verified() {
    let own = verification("generic", "scheme = 'basic', user = 'kibana'");
    let (good, old) = (current_value("x"), previous_value("x"));
    let basic = |text: &str| format!("Basic {}", base64(text.as_bytes()));
    let rows = [
        (basic(&format!("kibana:{good}")), Ok(VersionStage::Current)),
        (basic(&format!("kibana:{good}")).replace("Basic", "basic"), Ok(VersionStage::Current)),
        (basic(&format!("kibana:{old}")), Ok(VersionStage::Previous)),
        (basic(&format!("kibana:{good}:")), Err(VerificationError::Mismatch)),
        (basic(&format!("Kibana:{good}")), Err(VerificationError::Mismatch)),
        (basic(&format!("other:{good}")), Err(VerificationError::Mismatch)),
        (basic(&format!(":{good}")), Err(VerificationError::Mismatch)),
        (basic(&good), Err(VerificationError::Mismatch)),
        (basic("kibana:"), Err(VerificationError::Mismatch)),
        (basic("kibana"), Err(VerificationError::Mismatch)),
        (basic(""), Err(VerificationError::Mismatch)),
        (basic(&"ж".repeat(300_000)), Err(VerificationError::Mismatch)),
        (format!("Basic {}", base64(b"kibana:\xff")), Err(VerificationError::MissingCredential)),
        (format!("Basic kibana:{good}"), Err(VerificationError::MissingCredential)),
        ("Basic ж".into(), Err(VerificationError::MissingCredential)),
        (format!("Bearer {good}"), Err(VerificationError::MissingCredential)),
        (String::new(), Err(VerificationError::MissingCredential)),
    ];
    for (value, expected) in rows {
        let shown: String = value.chars().take(60).collect();
        assert_eq!(outcome(&own, "authorization", &value), expected, "{shown}");
    }
}

#[test]
fn path_secret_is_verified() {
    let own = verification("generic", "scheme = 'path'");
    let good = current_value("x");
    let rows = [
        (format!("/hooks/x/{good}"), Ok(VersionStage::Current)),
        (format!("/hooks/x/{good}/"), Ok(VersionStage::Current)),
        (format!("/hooks/x/{}", previous_value("x")), Ok(VersionStage::Previous)),
        (format!("/hooks/x/{}", good.replace('-', "%2d")), Ok(VersionStage::Current)),
        (format!("/hooks/x/{good}x"), Err(VerificationError::Mismatch)),
        (format!("/hooks/x/{good}%00"), Err(VerificationError::Mismatch)),
        (format!("/hooks/x/{good}%"), Err(VerificationError::Mismatch)),
        (format!("/hooks/x/..%2f{good}"), Err(VerificationError::Mismatch)),
        ("/hooks/x/%ff%fe".into(), Err(VerificationError::Mismatch)),
        (format!("/hooks/x/{}", "ж".repeat(1 << 20)), Err(VerificationError::Mismatch)),
        ("/hooks/x//".into(), Err(VerificationError::MissingCredential)),
        ("/hooks/x".into(), Err(VerificationError::MissingCredential)),
        ("".into(), Err(VerificationError::MissingCredential)),
    ];
    for (path, expected) in rows {
        let shown: String = path.chars().take(60).collect();
        let checked = own.verify(&post(&path, "{}"), &both_keys(), NOW).map(|proof| proof.version_stage);
        assert_eq!(checked, expected, "{shown}");
    }
}

/// A secret may have what a path must not, and a percent sign.
#[test]
fn path_secret_may_be_percent_encoded() {
    let own = verification("generic", "scheme = 'path'");
    let keys = keys("a+b/c=%41 ж", None);
    let check = |secret: &str| own.verify(&post(&format!("/hooks/x/{secret}"), "{}"), &keys, NOW).is_ok();
    assert!(check("a%2Bb%2Fc%3D%2541%20%D0%B6"));
    assert!(!check("a+b%2Fc=%41%20ж"), "its own percent sign was taken for an encoding");
    assert!(!check("a%20b%2Fc%3D%2541%20%D0%B6"));
}

/// An empty secret authenticates no caller.
#[test]
fn empty_secret_verifies_nothing() {
    let rows = [
        ("scheme = 'bearer'", "/hooks/x", "Bearer ".to_owned()),
        ("scheme = 'header', header = 'Authorization'", "/hooks/x", String::new()),
        ("scheme = 'basic', user = 'kibana'", "/hooks/x", format!("Basic {}", base64(b"kibana:"))),
        ("scheme = 'path'", "/hooks/x/", String::new()),
    ];
    for (table, path, value) in rows {
        let own = verification("generic", table);
        let request = post(path, "{}").with_header("authorization", value);
        for keys in [keys("", None), keys("key", Some("")), keys("", Some(""))] {
            assert!(own.verify(&request, &keys, NOW).is_err(), "{table}");
        }
    }
}

#[test]
fn eventbridge_source_is_rejected_at_the_webhook() {
    let request = post("/hooks/x/", "{}").with_header("authorization", "Bearer key");
    assert_eq!(
        Verification::Iam.verify(&request, &keys("key", None), NOW),
        Err(VerificationError::NotAWebhookSource)
    );
    assert_eq!(Verification::Iam.secret_name(), None);
    assert!(!Verification::Iam.is_webhook());
}
