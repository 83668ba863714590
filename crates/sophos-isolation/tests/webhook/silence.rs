//! What is printed tells no secret, no signature, no path and no query.

use sophos_isolation::webhook::{Notice, Request};

use super::{
    Dress, MARK, World, alert,
    approval::{UNTIL, answer, follow, links, waiting},
    current, post, signed,
};

#[test]
fn a_request_prints_its_method_and_size() {
    let request = Request { query: "validationToken=W7q".into(), ..signed(alert("W7q")) };
    let request = Request { path: "/hooks/splunk/W7q".into(), ..request.with("authorization", "Bearer W7q") };
    for printed in [format!("{request:?}"), format!("{request:#?}")] {
        assert!(printed.contains("POST"), "{printed}");
        for hidden in ["W7q", "v1=", "splunk", "validationToken", "authorization"] {
            assert!(!printed.contains(hidden), "{printed}");
        }
    }
}

#[test]
fn a_problem_is_one_short_line() {
    let mut notice = Notice::default();
    assert_eq!(notice.problem(), None);
    notice.problem = Some(format!("a\r\nb\u{1b}[31m\u{202e}c{}", "d".repeat(1_000)));
    let problem = notice.problem().expect("a problem");
    assert!(problem.starts_with("a b [31mc"), "{problem}");
    assert!(problem.chars().count() <= 200 && !problem.chars().any(char::is_control), "{problem}");
}

/// Nothing that a caller writes comes back, or into the records, but the ids.
#[tokio::test]
async fn answers_repeat_nothing() {
    let world = World::new();
    let id = waiting(&world, "a").await;
    let link = follow(&links(), &id, UNTIL);
    let signature = link.query.rsplit('=').next().expect("a signature").to_owned();
    let body = r#"{"event_id":"W7q","W7q":"W7q"}"#;
    let requests = [
        signed(body),
        signed(body).with("x-sophos-signature", "v1=W7q"),
        signed(body).with("x-sophos-timestamp", "W7q"),
        signed(body).with("content-type", "text/W7q"),
        signed(r#"{"W7q":"#),
        Request { path: "/hooks/W7q".into(), ..signed(body) },
        Request { path: "/W7q".into(), ..signed(body) },
        Request { method: "W7q".into(), ..signed(body) },
        Request { query: "W7q=W7q".into(), ..signed(body) },
        post(&format!("/hooks/splunk/{}", current("splunk")), r#"{"sid":"W7q","result":{}}"#),
        post(&format!("/hooks/splunk/{}W7q", current("splunk")), body),
        Request { query: "validationToken=W7q<".into(), ..signed("W7q") },
        Request { path: "/approvals/W7q".into(), ..link.clone() },
        Request { query: link.query.replace("until=", "until=W7q"), ..link.clone() },
        answer(&link, "answer=W7q"),
        link,
    ];
    for request in requests {
        let (response, notice) = world.handle(&request).await;
        let told = format!("{response:?} {notice:?}");
        for hidden in ["W7q", MARK, signature.as_str(), "v1="] {
            assert!(!told.contains(hidden), "{hidden}: {told}");
        }
    }
}
