//! `Debug` output has no secret, no signature, no path and no query.

use sophos_isolation::webhook::{Request, RequestLog};

use super::{
    RequestExt, SECRET_MARKER, TestEnv, alert_body,
    approval::{UNTIL, answer_request, approval_links, follow_link, waiting_decision},
    current_value, post, signed_request,
};

#[test]
fn request_debug_shows_method_and_size_only() {
    let request = Request { query: "validationToken=W7q".into(), ..signed_request(alert_body("W7q")) };
    let request =
        Request { path: "/hooks/splunk/W7q".into(), ..request.with_header("authorization", "Bearer W7q") };
    for printed in [format!("{request:?}"), format!("{request:#?}")] {
        assert!(printed.contains("POST"), "{printed}");
        for hidden in ["W7q", "v1=", "splunk", "validationToken", "authorization"] {
            assert!(!printed.contains(hidden), "{printed}");
        }
    }
}

#[test]
fn error_is_one_short_line() {
    let mut notice = RequestLog::default();
    assert_eq!(notice.problem(), None);
    notice.problem = Some(format!("a\r\nb\u{1b}[31m\u{202e}c{}", "d".repeat(1_000)));
    let problem = notice.problem().expect("a problem");
    assert!(problem.starts_with("a b [31mc"), "{problem}");
    assert!(problem.chars().count() <= 200 && !problem.chars().any(char::is_control), "{problem}");
}

/// Responses and records repeat no text of the caller except ids.
#[tokio::test]
async fn responses_echo_nothing_of_the_caller() {
    let env = TestEnv::new();
    let id = waiting_decision(&env, "a").await;
    let link = follow_link(&approval_links(), &id, UNTIL);
    let signature = link.query.rsplit('=').next().expect("a signature").to_owned();
    let body = r#"{"event_id":"W7q","W7q":"W7q"}"#;
    let requests = [
        signed_request(body),
        signed_request(body).with_header("x-sophos-signature", "v1=W7q"),
        signed_request(body).with_header("x-sophos-timestamp", "W7q"),
        signed_request(body).with_header("content-type", "text/W7q"),
        signed_request(r#"{"W7q":"#),
        Request { path: "/hooks/W7q".into(), ..signed_request(body) },
        Request { path: "/W7q".into(), ..signed_request(body) },
        Request { method: "W7q".into(), ..signed_request(body) },
        Request { query: "W7q=W7q".into(), ..signed_request(body) },
        post(&format!("/hooks/splunk/{}", current_value("splunk")), r#"{"sid":"W7q","result":{}}"#),
        post(&format!("/hooks/splunk/{}W7q", current_value("splunk")), body),
        Request { query: "validationToken=W7q<".into(), ..signed_request("W7q") },
        Request { path: "/approvals/W7q".into(), ..link.clone() },
        Request { query: link.query.replace("until=", "until=W7q"), ..link.clone() },
        answer_request(&link, "answer=W7q"),
        link,
    ];
    for request in requests {
        let (response, notice) = env.handle(&request).await;
        let text = format!("{response:?} {notice:?}");
        for hidden in ["W7q", SECRET_MARKER, signature.as_str(), "v1="] {
            assert!(!text.contains(hidden), "{hidden}: {text}");
        }
    }
}
