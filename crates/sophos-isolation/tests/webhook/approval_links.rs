//! The verification of approval links.

use sophos_isolation::{ApprovalLinks, DecisionId, policy::Policy, webhook::Request};

use super::{
    NOW, POLICY, SECRET_MARKER, TestEnv,
    approval::{UNTIL, answer_request, approval_links, follow_link, waiting_decision},
    current_value, hex, hmac_sha256, previous_value,
};

/// Checks that these requests get the same response for every method, and change
/// nothing.
async fn assert_all_refused(env: &TestEnv, requests: impl IntoIterator<Item = Request>) {
    let before = env.store.objects();
    let mut expected = None;
    for request in requests {
        for request in [
            request.clone(),
            answer_request(&request, "answer=approve"),
            answer_request(&request, "answer=decline"),
        ] {
            let response = env.send(&request).await;
            assert_eq!(response.status, 403, "{} {}", request.path, request.query);
            assert_eq!(*expected.get_or_insert_with(|| response.clone()), response);
        }
    }
    assert_eq!(env.store.objects(), before);
    assert!(env.queued().is_empty());
}

#[tokio::test]
async fn link_signature_covers_decision_and_expiry() {
    let env = TestEnv::new();
    let (id, other) = (waiting_decision(&env, "a").await, waiting_decision(&env, "b").await);
    let good = follow_link(&approval_links(), &id, UNTIL);
    let with = |until: u64| {
        let (_, signature) = good.query.split_once('&').expect("two members");
        Request { query: format!("until={until}&{signature}"), ..good.clone() }
    };
    let sibling = Request { path: format!("/approvals/{other}"), ..good.clone() };
    assert_all_refused(&env, [sibling, with(UNTIL + 1), with(UNTIL - 1), with(u64::MAX), with(0)]).await;
    assert_eq!(env.send(&with(UNTIL)).await.status, 200);
}

#[tokio::test]
async fn link_is_refused_with_any_other_signature() {
    let env = TestEnv::new();
    let id = waiting_decision(&env, "a").await;
    let good = follow_link(&approval_links(), &id, UNTIL);
    let signature = good.query.rsplit('=').next().expect("a signature").to_owned();
    let request =
        |signature: &str| Request { query: format!("until={UNTIL}&signature={signature}"), ..good.clone() };
    let flipped = |at: usize| {
        let digit = if signature.as_bytes()[at] == b'0' { '1' } else { '0' };
        format!("{}{digit}{}", &signature[..at], &signature[at + 1..])
    };
    let forged = [
        String::new(),
        "0".into(),
        signature[..62].into(),
        signature[..63].into(),
        format!("{signature}0"),
        format!("{signature}00"),
        format!("{signature}{signature}"),
        flipped(0),
        flipped(31),
        flipped(63),
        "g".repeat(64),
        "%2B0".repeat(32),
        "é".repeat(32),
        "é".repeat(64),
        format!("%20{signature}"),
        format!("v1={signature}"),
        "0".repeat(64),
        "f".repeat(1 << 20),
        // A signature of the same key over something else.
        hex(&hmac_sha256(&current_value("approval"), id.as_str().as_bytes())),
        hex(&hmac_sha256(&current_value("approval"), b"")),
        // And the right text under another key.
        hex(&hmac_sha256(&current_value("scripts"), format!("approval\n{id}\n{UNTIL}").as_bytes())),
    ];
    assert_all_refused(&env, forged.iter().map(|forged| request(forged))).await;
    let queries = [
        String::new(),
        format!("until={UNTIL}"),
        format!("signature={signature}"),
        format!("until=&signature={signature}"),
        format!("until=-1&signature={signature}"),
        format!("until=99999999999999999999&signature={signature}"),
        format!("Until={UNTIL}&Signature={signature}"),
        format!("until={UNTIL};signature={signature}"),
        format!("until={UNTIL}&until=1&signature=0&signature={signature}"),
    ];
    assert_all_refused(&env, queries.map(|query| Request { query, ..good.clone() })).await;
    for id in
        ["x", "..", "iso-", &id.as_str()[4..], &id.as_str().to_uppercase(), "%69so-0123456789abcdef01234567"]
    {
        assert_all_refused(&env, [Request { path: format!("/approvals/{id}"), ..good.clone() }]).await;
    }
    assert_eq!(env.send(&request(&signature)).await.status, 200);
    assert_eq!(env.send(&request(&signature.to_uppercase())).await.status, 200);
}

/// `from_str_radix` takes a sign for a digit.
#[tokio::test]
async fn link_signature_rejects_a_sign_as_a_digit() {
    let env = TestEnv::new();
    let mut events = (0..).map(|number| DecisionId::from_event_id("scripts", &number.to_string()));
    let (id, request) = events
        .find_map(|id| {
            let request = follow_link(&approval_links(), &id, UNTIL);
            request.query.contains("signature=0").then_some((id, request))
        })
        .expect("one of sixteen");
    let query = request.query.replace("signature=0", "signature=%2B");
    assert_ne!(query, request.query);
    assert_all_refused(&env, [Request { query, ..request.clone() }]).await;
    let response = env.send(&request).await;
    assert!(response.body.contains("does not exist"), "{id}: {}", response.body);
}

#[tokio::test]
async fn link_key_rotates() {
    let env = TestEnv::new();
    let id = waiting_decision(&env, "a").await;
    let of = |key: &str| follow_link(&ApprovalLinks::new("https://hooks.example", key.into()), &id, UNTIL);
    assert_all_refused(&env, [of("third"), of(""), of(&current_value("scripts"))]).await;
    assert_eq!(env.send(&of(&previous_value("approval"))).await.status, 200);
}

#[tokio::test]
async fn links_are_refused_without_a_secret() {
    let mut env = TestEnv::new();
    let id = waiting_decision(&env, "a").await;
    env.policy = Policy::parse(&POLICY.replace("secret = \"approval\"", "")).expect("a policy");
    assert_all_refused(&env, [follow_link(&approval_links(), &id, UNTIL)]).await;
}

#[tokio::test]
async fn unreadable_link_key_is_reported() {
    let env = TestEnv::new();
    let id = waiting_decision(&env, "a").await;
    env.secrets.fail();
    let good = follow_link(&approval_links(), &id, UNTIL);
    let (response, notice) = env.handle(&good).await;
    assert_eq!(
        (notice.error_kind, notice.secret_name.as_deref()),
        (Some("SecretUnreadable"), Some("approval"))
    );
    assert!(notice.is_server_error(&response));
    assert!(notice.problem().is_some_and(|problem| problem.contains("approval")));
    // The same response as for an invalid link.
    assert_all_refused(&env, [good.clone(), Request { query: String::new(), ..good }]).await;
}

/// Other methods are always rejected.
#[tokio::test]
async fn valid_link_accepts_get_and_post_only() {
    let env = TestEnv::new();
    let id = waiting_decision(&env, "a").await;
    let good = answer_request(&follow_link(&approval_links(), &id, UNTIL), "answer=approve");
    let before = env.store.objects();
    for method in ["HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"] {
        let response = env.send(&Request { method: method.into(), ..good.clone() }).await;
        assert_eq!((response.status, response.header("allow")), (405, Some("GET, POST")), "{method}");
    }
    assert_eq!(env.store.objects(), before);
}

#[test]
fn link_consists_of_base_and_signed_parts() {
    let id = DecisionId::from_event_id("scripts", "a");
    let until = NOW.as_secs();
    let signature =
        hex(&hmac_sha256(&current_value("approval"), format!("approval\n{id}\n{until}").as_bytes()));
    for base in ["https://hooks.example/prod", "https://hooks.example/prod/", "https://hooks.example/prod//"]
    {
        let link = ApprovalLinks::new(base, current_value("approval").into()).link(&id, until);
        let expected =
            format!("https://hooks.example/prod/approvals/{id}?until={until}&signature={signature}");
        assert_eq!(link.expose(), expected);
        assert!(!link.expose().contains(SECRET_MARKER));
    }
}
