//! Handshakes of senders, which no secret proves: Okta's challenge and Microsoft
//! Graph's.
//!
//! Both are answered alike under every name, so that an answer does not tell
//! which sources there are. It gives back what the caller sent, as long as that
//! is plain, and starts nothing.

use serde_json::json;

use super::{Request, Response};

/// The longest challenge that is answered, in bytes.
const MAX_CHALLENGE_LEN: usize = 1_024;

/// The signs of a challenge besides ASCII letters and digits: none begins markup or
/// a string.
const ALLOWED_PUNCTUATION: &[u8] = b" -._~:+/=,;@!*()&?%$#";

/// Answers Okta's challenge. Any other request by this method is turned away.
pub(super) fn answer_okta_challenge(request: &Request) -> Response {
    match request.header("x-okta-verification-challenge") {
        Some(challenge) if is_plain_text(challenge) => {
            Response::json(200, &json!({ "verification": challenge }))
        }
        _ => Response::method_not_allowed("POST"),
    }
}

/// Answers the challenge of a Microsoft Graph subscription, as plain text; `None`
/// when there is none.
pub(super) fn answer_graph_validation(request: &Request) -> Option<Response> {
    let token = request.query_parameter("validationToken")?;
    is_plain_text(&token).then(|| Response::text(200, &token))
}

fn is_plain_text(challenge: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || ALLOWED_PUNCTUATION.contains(&byte);
    (1..=MAX_CHALLENGE_LEN).contains(&challenge.len()) && challenge.bytes().all(plain)
}
