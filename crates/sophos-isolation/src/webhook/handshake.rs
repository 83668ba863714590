//! The unauthenticated challenges of Okta and Microsoft Graph.
//!
//! The response is the same under every name, so it does not reveal which sources
//! exist. It repeats plain text of the caller and has no effect.

use serde_json::json;

use super::{Request, Response};

/// The longest challenge that is accepted, in bytes.
const MAX_CHALLENGE_LEN: usize = 1_024;

/// The characters of a challenge besides ASCII letters and digits. None of them
/// begins markup or a string.
const ALLOWED_PUNCTUATION: &[u8] = b" -._~:+/=,;@!*()&?%$#";

/// Answers Okta's challenge. Rejects any other request by this method.
pub(super) fn answer_okta_challenge(request: &Request) -> Response {
    match request.header("x-okta-verification-challenge") {
        Some(challenge) if is_plain_text(challenge) => {
            Response::json(200, &json!({ "verification": challenge }))
        }
        _ => Response::method_not_allowed("POST"),
    }
}

/// Answers the challenge of a Microsoft Graph subscription with plain text; `None`
/// for other requests.
pub(super) fn answer_graph_validation(request: &Request) -> Option<Response> {
    let token = request.query_parameter("validationToken")?;
    is_plain_text(&token).then(|| Response::text(200, &token))
}

fn is_plain_text(challenge: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || ALLOWED_PUNCTUATION.contains(&byte);
    (1..=MAX_CHALLENGE_LEN).contains(&challenge.len()) && challenge.bytes().all(is_plain)
}
