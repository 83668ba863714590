//! `POST /api/v2/oauth2/token`

use serde_json::{Value, json};

use crate::call::{Call, Context, Query};
use crate::hash::uuid_text;
use crate::response::{ApiError, ApiResponse};

/// The parameters of a token request, from a form or JSON.
#[derive(Debug, Default)]
struct TokenRequest {
    grant_type: String,
    client_id: String,
    client_secret: String,
    scope: String,
    refresh_token: String,
}

fn parse_token_request(call: &Call) -> Option<TokenRequest> {
    let content_type = call.header("content-type").unwrap_or_default();
    let get: Box<dyn Fn(&str) -> String> = if content_type.starts_with("application/json") {
        let body: Value = serde_json::from_slice(&call.body).ok()?;
        Box::new(move |name| body[name].as_str().unwrap_or_default().to_owned())
    } else if content_type.starts_with("application/x-www-form-urlencoded") {
        let form = Query::parse(Some(std::str::from_utf8(&call.body).ok()?));
        Box::new(move |name| form.get(name).unwrap_or_default().to_owned())
    } else {
        return None;
    };
    Some(TokenRequest {
        grant_type: get("grant_type"),
        client_id: get("client_id"),
        client_secret: get("client_secret"),
        scope: get("scope"),
        refresh_token: get("refresh_token"),
    })
}

/// Issues a token. Its errors have their own format.
pub(crate) fn issue_token(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let central = context.central;
    let no = |status: u16, code: &str, message: &str| {
        let mut rng = central.new_rng();
        let mut body = json!({ "errorCode": code, "message": message });
        if !rng.chance(central.config.quirks.no_tracking_id) {
            body["trackingId"] = json!(uuid_text(rng.uuid()));
        }
        Ok(ApiResponse::json(status, &body))
    };
    let Some(wanted) = parse_token_request(context.call) else {
        return no(400, "oauth.invalid_request", "Bad Request");
    };
    let Some((number, credential)) = central.credentials.find(&wanted.client_id) else {
        return no(401, "oauth.client_app_does_not_exist", "Unauthorized");
    };
    if credential.client_secret != wanted.client_secret {
        return no(401, "oauth.invalid_client_secret", "Unauthorized");
    }
    let now = central.clock.now_ms();
    if now >= credential.expires_ms {
        return no(401, "oauth.client_credentials_expired", "Unauthorized");
    }
    match wanted.grant_type.as_str() {
        "client_credentials" if wanted.scope == "token" => {}
        "client_credentials" => return no(401, "oauth.invalid_scope", "Unauthorized"),
        "refresh_token" => {
            if central.credentials.redeem_refresh_token(&wanted.refresh_token) != Some(number) {
                return no(401, "oauth.invalid_refresh_token", "Unauthorized");
            }
        }
        _ => return no(400, "oauth.unsupported_grant_type", "Bad Request"),
    }
    let issued = central.credentials.issue_tokens(number, now);
    Ok(ApiResponse::json(
        200,
        &json!({
            "access_token": issued.access_token,
            "errorCode": "success",
            "expires_in": issued.expires_in,
            "message": "OK",
            "refresh_token": issued.refresh_token,
            "token_type": "bearer",
            "trackingId": issued.tracking_id,
        }),
    ))
}
