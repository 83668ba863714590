//! Bearer tokens of an issuer.

use std::time::Duration;

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use futures_util::future::join_all;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use sophos_isolation::webhook::Request;

use super::{NOW, RequestExt, TestEnv, alert_body, base64_url, post};

const VECTORS: &str = include_str!("vectors/jwt.json");
const ISSUER: &str = "https://login.microsoftonline.com/8c5b1f0e-54a2-4c0e-9b53-7f1f0e7a3d11/v2.0";
const KEY_SET_URL: &str =
    "https://login.microsoftonline.com/8c5b1f0e-54a2-4c0e-9b53-7f1f0e7a3d11/discovery/v2.0/keys";
const APP: &str = "4f0a6f5e-1111-4222-8333-444455556666";
const SUBJECT: &str = "9d0c3a77-2222-4333-8444-555566667777";

fn test_env(more: &str) -> TestEnv {
    TestEnv::with_policy(&format!(
        "version = 1\n[sources.defender]\ntool = 'generic'\ntenants = ['{}']\nverify = {{ scheme = 'jwt', issuer = '{ISSUER}', audience = 'api://sophos-isolation'{more} }}",
        super::TENANT
    ))
}

fn request_with_token(token: &str) -> Request {
    post("/hooks/defender", alert_body("a")).with_header("authorization", format!("Bearer {token}"))
}

/// A key of the issuer, made for this test.
struct Key {
    pair: EcdsaKeyPair,
    id: &'static str,
}

impl Key {
    fn new(id: &'static str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
        Self { pair, id }
    }

    fn public(&self) -> Value {
        let point = self.pair.public_key().as_ref();
        let [x, y] = [&point[1..33], &point[33..]].map(base64_url);
        json!({ "kty": "EC", "crv": "P-256", "kid": self.id, "use": "sig", "x": x, "y": y })
    }

    fn token(&self, header: &Value, claims: &Value) -> String {
        let signed = signing_input(header, claims);
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes()).expect("a signature");
        format!("{signed}.{}", base64_url(signature.as_ref()))
    }

    fn signed_token(&self, claims: &Value) -> String {
        self.token(&json!({ "alg": "ES256", "kid": self.id, "typ": "JWT" }), claims)
    }
}

fn signing_input(header: &Value, claims: &Value) -> String {
    let [header, claims] = [header, claims].map(|part| base64_url(part.to_string().as_bytes()));
    format!("{header}.{claims}")
}

fn claims() -> Value {
    let now = NOW.as_secs();
    json!({
        "iss": ISSUER, "aud": "api://sophos-isolation", "nbf": now - 60, "exp": now + 3_600,
        "azp": APP, "sub": SUBJECT,
    })
}

fn claims_with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn publish(env: &TestEnv, keys: &[&Key]) {
    let keys: Vec<_> = keys.iter().map(|key| key.public()).collect();
    env.secrets.publish(KEY_SET_URL, Some(json!({ "keys": keys }).to_string().as_bytes()));
}

async fn problem(env: &TestEnv, token: &str) -> Option<String> {
    let (response, notice) = env.handle(&request_with_token(token)).await;
    assert!([200, 202, 401, 503].contains(&response.status), "{}", response.status);
    assert_eq!(response.status < 300, notice.problem.is_none());
    assert_eq!(response.status == 401, notice.problem.is_some());
    notice.problem()
}

/// Tokens and keys of another implementation.
#[tokio::test]
async fn vectors_of_all_algorithms_verify_with_one_fetch() {
    let vectors: Value = serde_json::from_str(VECTORS).expect("JSON");
    let env = test_env(&format!(", app_id = ['{APP}'], subject = ['other', '{SUBJECT}']"));
    env.secrets.publish(KEY_SET_URL, Some(vectors["key_set"].to_string().as_bytes()));
    for algorithm in ["RS256", "PS256", "ES256"] {
        let token = vectors["tokens"][algorithm].as_str().expect("a token");
        assert_eq!(problem(&env, token).await, None, "{algorithm}");
        let (head, signature) = token.rsplit_once('.').expect("a signature");
        let mut bytes: Vec<char> = signature.chars().collect();
        bytes[10] = if bytes[10] == 'A' { 'B' } else { 'A' };
        let changed = format!("{head}.{}", bytes.iter().collect::<String>());
        assert!(problem(&env, &changed).await.expect("a problem").contains("wrong"), "{algorithm}");
        let claims = base64_url(claims_with("sub", json!("x")).to_string().as_bytes());
        let header = token.split('.').next().expect("a header");
        assert!(problem(&env, &format!("{header}.{claims}.{signature}")).await.is_some(), "{algorithm}");
    }
    assert_eq!(env.secrets.take_fetched(), [KEY_SET_URL]);
}

#[tokio::test]
async fn token_is_rejected_with_an_algorithm_of_the_caller() {
    let (env, key) = (test_env(""), Key::new("k"));
    publish(&env, &[&key]);
    assert_eq!(problem(&env, &key.signed_token(&claims())).await, None);
    for algorithm in ["none", "None", "", "HS256", "HS512", "ES384", "EdDSA"] {
        let header = json!({ "alg": algorithm, "kid": "k" });
        let refused = problem(&env, &format!("{}.", signing_input(&header, &claims()))).await;
        assert!(refused.is_some_and(|why| why.contains("not a JSON Web Token")), "{algorithm}");
        assert!(problem(&env, &key.token(&header, &claims())).await.is_some(), "{algorithm}");
    }
    // The public key as the key of an HMAC.
    let signed = signing_input(&json!({ "alg": "HS256", "kid": "k" }), &claims());
    for secret in [key.pair.public_key().as_ref(), key.public().to_string().as_bytes()] {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("any length");
        mac.update(signed.as_bytes());
        let tag = base64_url(&mac.finalize().into_bytes());
        assert!(problem(&env, &format!("{signed}.{tag}")).await.is_some());
    }
    // An algorithm of the family of another key.
    for algorithm in ["RS256", "PS256"] {
        let header = json!({ "alg": algorithm, "kid": "k" });
        let refused = problem(&env, &key.token(&header, &claims())).await.expect("a problem");
        assert!(refused.contains("key set"), "{refused}");
    }
    let critical = json!({ "alg": "ES256", "kid": "k", "crit": ["exp"], "exp": 0 });
    assert!(problem(&env, &key.token(&critical, &claims())).await.is_some());
    // A key that the token brings itself.
    let own = Key::new("k");
    let header = json!({ "alg": "ES256", "kid": "k", "jwk": own.public(), "jku": "https://evil.example" });
    assert!(problem(&env, &own.token(&header, &claims())).await.is_some());
    assert_eq!(env.secrets.take_fetched(), [KEY_SET_URL]);
}

#[tokio::test]
async fn token_claims_must_match_the_policy() {
    let key = Key::new("k");
    let env = test_env(&format!(", app_id = ['{APP}'], subject = ['{SUBJECT}']"));
    publish(&env, &[&key]);
    let now = NOW.as_secs();
    let good = [
        claims_with("aud", json!(["other", "api://sophos-isolation"])),
        claims_with("exp", json!(now - 299)),
        claims_with("exp", json!(now as f64 + 0.5)),
        claims_with("nbf", json!(now + 300)),
        claims_with("nbf", Value::Null),
    ];
    for claims in good {
        assert_eq!(problem(&env, &key.signed_token(&claims)).await, None, "{claims}");
    }
    // As in version 1 of Entra's tokens.
    let mut version1 = claims_with("appid", json!(APP));
    version1.as_object_mut().expect("an object").remove("azp");
    assert_eq!(problem(&env, &key.signed_token(&version1)).await, None);
    let bad = [
        ("iss", json!("https://login.microsoftonline.com/8c5b1f0e-54a2-4c0e-9b53-7f1f0e7a3d12/v2.0")),
        ("iss", json!([ISSUER])),
        ("iss", Value::Null),
        ("aud", json!("api://sophos-isolation/")),
        ("aud", json!([])),
        ("aud", json!(["other"])),
        ("aud", Value::Null),
        ("exp", json!(now - 300)),
        ("exp", json!("9999999999")),
        ("exp", Value::Null),
        ("nbf", json!(now + 301)),
        ("nbf", json!("soon")),
        ("sub", json!("another")),
        ("sub", Value::Null),
        ("azp", json!("another")),
        ("azp", Value::Null),
    ];
    for (name, value) in bad {
        let refused =
            problem(&env, &key.signed_token(&claims_with(name, value.clone()))).await.expect("a problem");
        assert!(refused.contains(&format!("the claim {name}")), "{name} {value}: {refused}");
    }
    // No claim of the token decides before its signature.
    let refused = problem(&env, &Key::new("k").signed_token(&claims_with("iss", json!("x")))).await;
    assert!(refused.is_some_and(|why| why.contains("signature")));
}

#[tokio::test]
async fn malformed_token_is_rejected_without_a_fetch() {
    let env = test_env("");
    let key = Key::new("k");
    let unnamed = key.token(&json!({ "alg": "ES256" }), &claims());
    let long = key.token(&json!({ "alg": "ES256", "kid": "k".repeat(257) }), &claims());
    let huge = key.signed_token(&claims_with("x", json!("x".repeat(20_000))));
    for token in ["", ".", "..", "a.b.c", "eyJhbGciOiJub25lIn0..", &unnamed, &long, &huge] {
        assert!(problem(&env, token).await.is_some(), "{token}");
    }
    let basic = post("/hooks/defender", alert_body("a")).with_header("authorization", "Basic eDp5");
    assert_eq!(env.send(&basic).await.status, 401);
    assert_eq!(env.send(&post("/hooks/defender", alert_body("a"))).await.status, 401);
    assert!(env.secrets.take_fetched().is_empty());
    assert!(env.store.objects().is_empty());
}

#[tokio::test]
async fn unknown_key_fetches_once_in_five_minutes() {
    let (env, old, new) = (test_env(""), Key::new("old"), Key::new("new"));
    publish(&env, &[&old]);
    let at = |seconds: u64| NOW + Duration::from_secs(seconds);
    let send = async |key: &Key, seconds| {
        env.handle_at(&request_with_token(&key.signed_token(&claims())), at(seconds)).await
    };
    assert_eq!(send(&old, 0).await.0.status, 202);
    publish(&env, &[&old, &new]);
    for seconds in [1, 100, 299] {
        let (response, notice) = send(&new, seconds).await;
        assert_eq!(response.status, 401);
        assert!(notice.problem().is_some_and(|why| why.contains("key set")));
        assert_eq!(send(&old, seconds).await.0.status, 200);
    }
    assert_eq!(env.secrets.take_fetched().len(), 1);
    // Concurrent requests share one fetch.
    let token = new.signed_token(&claims());
    let request = request_with_token(&token);
    let all = join_all((0..20).map(|_| env.handle_at(&request, at(300)))).await;
    assert!(all.iter().all(|(response, _)| response.status == 200));
    assert_eq!(env.secrets.take_fetched().len(), 1);
    let strange = Key::new("strange");
    for seconds in 301..360 {
        assert_eq!(send(&strange, seconds).await.0.status, 401);
    }
    assert!(env.secrets.take_fetched().is_empty());
}

#[tokio::test]
async fn key_set_is_used_for_an_hour_and_survives_an_outage() {
    let (env, key) = (test_env(""), Key::new("k"));
    publish(&env, &[&key]);
    let hours = |hours: u64, seconds: u64| NOW + Duration::from_secs(hours * 3_600 + seconds);
    let token = key.signed_token(&claims_with("exp", json!(NOW.as_secs() + 90_000)));
    let send = async |at| env.handle_at(&request_with_token(&token), at).await.0.status;
    assert_eq!(send(hours(0, 0)).await, 202);
    assert_eq!(send(hours(0, 3_599)).await, 200);
    assert_eq!(env.secrets.take_fetched().len(), 1);
    env.secrets.publish(KEY_SET_URL, None);
    assert_eq!(send(hours(1, 0)).await, 200);
    assert_eq!(send(hours(1, 59)).await, 200);
    assert_eq!(env.secrets.take_fetched().len(), 1);
    assert_eq!(send(hours(5, 3_599)).await, 200);
    assert_eq!(send(hours(6, 60)).await, 503);
    // A withdrawn key is no longer valid.
    publish(&env, &[&Key::new("other")]);
    assert_eq!(send(hours(6, 120)).await, 401);
}

#[tokio::test]
async fn failed_fetch_is_not_repeated_for_a_minute() {
    let (env, key) = (test_env(""), Key::new("k"));
    let at = |seconds: u64| NOW + Duration::from_secs(seconds);
    let send =
        async |seconds| env.handle_at(&request_with_token(&key.signed_token(&claims())), at(seconds)).await;
    for (number, document) in [None, Some(&b"<html>"[..]), Some(b"{}"), Some(b"[]")].into_iter().enumerate() {
        env.secrets.publish(KEY_SET_URL, document);
        let start = 60 * number as u64;
        for seconds in [0, 1, 30, 59] {
            let (response, notice) = send(start + seconds).await;
            assert_eq!((response.status, response.header("retry-after")), (503, Some("5")));
            assert!(notice.problem().is_some_and(|why| why.contains(KEY_SET_URL)));
        }
        assert_eq!(env.secrets.take_fetched().len(), 1, "{document:?}");
    }
    publish(&env, &[&key]);
    assert_eq!(send(1_000).await.0.status, 202);
    assert!(env.decision_count() == 1 && env.store.count("replays/") == 0);
}
