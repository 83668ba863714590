//! Secrets that are sent as they are.

use sophos_isolation::verify::{Keys, Rejection, Stage, Verification};

use super::{Dress, NOW, current, keys, layouts::base64, post, previous, verification};

fn both() -> Keys {
    keys(&current("x"), Some(&previous("x")))
}

fn outcome(own: &Verification, header: &str, value: &str) -> Result<Stage, Rejection> {
    own.check(&post("/hooks/x", "{}").with(header, value), &both(), NOW).map(|proof| proof.stage)
}

#[test]
fn a_bearer_token() {
    let own = verification("generic", "scheme = 'bearer'");
    let (good, old) = (current("x"), previous("x"));
    let rows = [
        (format!("Bearer {good}"), Ok(Stage::Current)),
        (format!("bearer {good}"), Ok(Stage::Current)),
        (format!("Bearer {old}"), Ok(Stage::Previous)),
        (format!("Bearer {good}x"), Err(Rejection::Mismatch)),
        (format!("Bearer {}", &good[..good.len() - 1]), Err(Rejection::Mismatch)),
        (format!("Bearer {}", good.to_uppercase()), Err(Rejection::Mismatch)),
        (format!("Bearer {good},Bearer {good}"), Err(Rejection::Mismatch)),
        (format!("Bearer {good}\u{0}"), Err(Rejection::Mismatch)),
        ("Bearer ".into(), Err(Rejection::Mismatch)),
        (format!("Bearer {}", "ж".repeat(1 << 20)), Err(Rejection::Mismatch)),
        ("Bearer".into(), Err(Rejection::Missing)),
        (good.clone(), Err(Rejection::Missing)),
        (format!("Bearerж{good}"), Err(Rejection::Missing)),
        ("жжжжжжж".into(), Err(Rejection::Missing)),
        (String::new(), Err(Rejection::Missing)),
    ];
    for (value, expected) in rows {
        let shown: String = value.chars().take(60).collect();
        assert_eq!(outcome(&own, "authorization", &value), expected, "{shown}");
    }
    assert_eq!(outcome(&own, "x-authorization", &good), Err(Rejection::Missing));
}

#[test]
fn a_header_of_its_own() {
    let (good, old) = (current("x"), previous("x"));
    let bare = verification("generic", "scheme = 'header', header = 'X-Auth-Token'");
    assert_eq!(outcome(&bare, "x-auth-token", &good), Ok(Stage::Current));
    assert_eq!(outcome(&bare, "x-auth-token", &old), Ok(Stage::Previous));
    assert_eq!(outcome(&bare, "x-auth-token", ""), Err(Rejection::Mismatch));
    assert_eq!(outcome(&bare, "x-auth-token", &format!(" {good}")), Err(Rejection::Mismatch));
    assert_eq!(outcome(&bare, "authorization", &good), Err(Rejection::Missing));

    let prefixed =
        verification("generic", "scheme = 'header', header = 'Authorization', prefix = 'ApiToken '");
    assert_eq!(outcome(&prefixed, "authorization", &format!("ApiToken {good}")), Ok(Stage::Current));
    assert_eq!(outcome(&prefixed, "authorization", &format!("apitoken {old}")), Ok(Stage::Previous));
    assert_eq!(outcome(&prefixed, "authorization", &good), Err(Rejection::Missing));
    assert_eq!(outcome(&prefixed, "authorization", "ApiToken third"), Err(Rejection::Mismatch));
}

#[test]
fn basic_authentication() {
    let own = verification("generic", "scheme = 'basic', user = 'kibana'");
    let (good, old) = (current("x"), previous("x"));
    let basic = |text: &str| format!("Basic {}", base64(text.as_bytes()));
    let rows = [
        (basic(&format!("kibana:{good}")), Ok(Stage::Current)),
        (basic(&format!("kibana:{good}")).replace("Basic", "basic"), Ok(Stage::Current)),
        (basic(&format!("kibana:{old}")), Ok(Stage::Previous)),
        (basic(&format!("kibana:{good}:")), Err(Rejection::Mismatch)),
        (basic(&format!("Kibana:{good}")), Err(Rejection::Mismatch)),
        (basic(&format!("other:{good}")), Err(Rejection::Mismatch)),
        (basic(&format!(":{good}")), Err(Rejection::Mismatch)),
        (basic(&good), Err(Rejection::Mismatch)),
        (basic("kibana:"), Err(Rejection::Mismatch)),
        (basic("kibana"), Err(Rejection::Mismatch)),
        (basic(""), Err(Rejection::Mismatch)),
        (basic(&"ж".repeat(300_000)), Err(Rejection::Mismatch)),
        (format!("Basic {}", base64(b"kibana:\xff")), Err(Rejection::Missing)),
        (format!("Basic kibana:{good}"), Err(Rejection::Missing)),
        ("Basic ж".into(), Err(Rejection::Missing)),
        (format!("Bearer {good}"), Err(Rejection::Missing)),
        (String::new(), Err(Rejection::Missing)),
    ];
    for (value, expected) in rows {
        let shown: String = value.chars().take(60).collect();
        assert_eq!(outcome(&own, "authorization", &value), expected, "{shown}");
    }
}

#[test]
fn the_last_part_of_the_path() {
    let own = verification("generic", "scheme = 'path'");
    let good = current("x");
    let rows = [
        (format!("/hooks/x/{good}"), Ok(Stage::Current)),
        (format!("/hooks/x/{good}/"), Ok(Stage::Current)),
        (format!("/hooks/x/{}", previous("x")), Ok(Stage::Previous)),
        (format!("/hooks/x/{}", good.replace('-', "%2d")), Ok(Stage::Current)),
        (format!("/hooks/x/{good}x"), Err(Rejection::Mismatch)),
        (format!("/hooks/x/{good}%00"), Err(Rejection::Mismatch)),
        (format!("/hooks/x/{good}%"), Err(Rejection::Mismatch)),
        (format!("/hooks/x/..%2f{good}"), Err(Rejection::Mismatch)),
        ("/hooks/x/%ff%fe".into(), Err(Rejection::Mismatch)),
        (format!("/hooks/x/{}", "ж".repeat(1 << 20)), Err(Rejection::Mismatch)),
        ("/hooks/x//".into(), Err(Rejection::Missing)),
        ("/hooks/x".into(), Err(Rejection::Missing)),
        ("".into(), Err(Rejection::Missing)),
    ];
    for (path, expected) in rows {
        let shown: String = path.chars().take(60).collect();
        let checked = own.check(&post(&path, "{}"), &both(), NOW).map(|proof| proof.stage);
        assert_eq!(checked, expected, "{shown}");
    }
}

/// A secret may have what a path must not, and a percent sign.
#[test]
fn a_secret_in_a_path_is_written_as_it_is_or_encoded() {
    let own = verification("generic", "scheme = 'path'");
    let keys = keys("a+b/c=%41 ж", None);
    let check = |secret: &str| own.check(&post(&format!("/hooks/x/{secret}"), "{}"), &keys, NOW).is_ok();
    assert!(check("a%2Bb%2Fc%3D%2541%20%D0%B6"));
    assert!(!check("a+b%2Fc=%41%20ж"), "its own percent sign was taken for an encoding");
    assert!(!check("a%20b%2Fc%3D%2541%20%D0%B6"));
}

/// A secret that was never filled in lets nobody in.
#[test]
fn an_empty_secret_proves_nothing() {
    let rows = [
        ("scheme = 'bearer'", "/hooks/x", "Bearer ".to_owned()),
        ("scheme = 'header', header = 'Authorization'", "/hooks/x", String::new()),
        ("scheme = 'basic', user = 'kibana'", "/hooks/x", format!("Basic {}", base64(b"kibana:"))),
        ("scheme = 'path'", "/hooks/x/", String::new()),
    ];
    for (table, path, value) in rows {
        let own = verification("generic", table);
        let request = post(path, "{}").with("authorization", value);
        for keys in [keys("", None), keys("key", Some("")), keys("", Some(""))] {
            assert!(own.check(&request, &keys, NOW).is_err(), "{table}");
        }
    }
}

#[test]
fn what_comes_through_eventbridge_proves_nothing_here() {
    let request = post("/hooks/x/", "{}").with("authorization", "Bearer key");
    assert_eq!(Verification::Iam.check(&request, &keys("key", None), NOW), Err(Rejection::NotHere));
    assert_eq!(Verification::Iam.secret(), None);
    assert!(!Verification::Iam.is_webhook());
}
