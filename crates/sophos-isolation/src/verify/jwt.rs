//! Bearer tokens of an issuer that signs with a private key.

/// The requirements on a JSON Web Token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JwtConfig {
    /// The exact issuer.
    pub issuer: String,
    /// The exact audience.
    pub audience: String,
    /// The accepted subjects; empty is any.
    pub subjects: Vec<String>,
    /// The accepted applications of the claim `azp` or `appid`; empty is any.
    pub app_ids: Vec<String>,
    /// The URL of the issuer's key set.
    pub key_set_url: String,
    /// The tolerated clock difference in seconds.
    pub window_seconds: u64,
}

#[cfg(feature = "public-keys")]
pub(crate) use self::validation::{UnverifiedToken, is_key_set};

#[cfg(feature = "public-keys")]
mod validation {
    use std::time::Duration;

    use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
    use serde_json::Value;

    use super::JwtConfig;
    use crate::verify::{
        AuthenticatedKey, SignedRequest, VerificationError, VersionStage, strip_prefix_ignore_case,
    };

    /// The maximum length of a token, in bytes.
    const MAX_TOKEN_LEN: usize = 16 * 1024;

    /// The maximum length of a key id, in bytes.
    const MAX_KEY_ID_LEN: usize = 256;

    /// A token before verification of its signature. Only its algorithm and key id are known.
    #[derive(Debug)]
    pub(crate) struct UnverifiedToken<'e> {
        text: &'e str,
        algorithm: Algorithm,
        key_id: String,
    }

    impl<'e> UnverifiedToken<'e> {
        /// The bearer token of a request.
        pub(crate) fn from_request(request: &'e impl SignedRequest) -> Result<Self, VerificationError> {
            let value = request.header("authorization").ok_or(VerificationError::MissingCredential)?;
            let text = strip_prefix_ignore_case(value, "Bearer ")
                .ok_or(VerificationError::MissingCredential)?
                .trim();
            if text.len() > MAX_TOKEN_LEN {
                return Err(VerificationError::InvalidToken);
            }
            let header = decode_header(text).map_err(|_| VerificationError::InvalidToken)?;
            let known = [Algorithm::RS256, Algorithm::PS256, Algorithm::ES256].contains(&header.alg);
            let key_id = header.kid.filter(|id| !id.is_empty() && id.len() <= MAX_KEY_ID_LEN);
            match key_id {
                Some(key_id) if known => Ok(Self { text, algorithm: header.alg, key_id }),
                _ => Err(VerificationError::InvalidToken),
            }
        }

        /// Whether a key set has the key that the token names.
        pub(crate) fn has_key_in(&self, key_set: &[u8]) -> bool {
            !self.decoding_keys(key_set).is_empty()
        }

        /// The keys with the token's key id and algorithm.
        fn decoding_keys(&self, key_set: &[u8]) -> Vec<DecodingKey> {
            let Ok(key_set) = serde_json::from_slice::<Value>(key_set) else { return Vec::new() };
            let keys = key_set["keys"].as_array().into_iter().flatten();
            keys.filter(|key| key["kid"] == self.key_id.as_str())
                .filter(|key| key["use"].as_str().is_none_or(|purpose| purpose == "sig"))
                .filter_map(|key| self.decoding_key(key))
                .collect()
        }

        fn decoding_key(&self, key: &Value) -> Option<DecodingKey> {
            let name = format!("{:?}", self.algorithm);
            if key["alg"].as_str().is_some_and(|algorithm| algorithm != name) {
                return None;
            }
            let text = |member: &str| key[member].as_str();
            match (self.algorithm, text("kty")?) {
                (Algorithm::RS256 | Algorithm::PS256, "RSA") => {
                    DecodingKey::from_rsa_components(text("n")?, text("e")?).ok()
                }
                (Algorithm::ES256, "EC") if text("crv") == Some("P-256") => {
                    DecodingKey::from_ec_components(text("x")?, text("y")?).ok()
                }
                _ => None,
            }
        }
    }

    impl JwtConfig {
        /// Verifies a token with the issuer's key set.
        pub(crate) fn verify(
            &self,
            token: &UnverifiedToken<'_>,
            key_set: &[u8],
            now: Duration,
        ) -> Result<AuthenticatedKey, VerificationError> {
            let keys = token.decoding_keys(key_set);
            if keys.is_empty() {
                return Err(VerificationError::UnknownKey);
            }
            let mut validation = Validation::new(token.algorithm);
            // The claims are checked below, with the caller's clock.
            validation.validate_exp = false;
            validation.validate_aud = false;
            validation.required_spec_claims.clear();
            let claims = keys
                .iter()
                .find_map(|key| decode::<Value>(token.text, key, &validation).ok())
                .ok_or(VerificationError::Mismatch)?
                .claims;
            self.verify_claims(&claims, now)?;
            Ok(AuthenticatedKey { version_stage: VersionStage::Current, signed_digest: None, event_id: None })
        }

        fn verify_claims(&self, claims: &Value, now: Duration) -> Result<(), VerificationError> {
            let (now, leeway) = (now.as_secs_f64(), self.window_seconds as f64);
            let time = |name: &str| claims[name].as_f64();
            if time("exp").is_none_or(|end| now >= end + leeway) {
                return Err(VerificationError::InvalidClaim("exp"));
            }
            if !claims["nbf"].is_null() && time("nbf").is_none_or(|start| now + leeway < start) {
                return Err(VerificationError::InvalidClaim("nbf"));
            }
            if claims["iss"] != self.issuer.as_str() {
                return Err(VerificationError::InvalidClaim("iss"));
            }
            let audience = match &claims["aud"] {
                Value::Array(all) => all.iter().any(|one| *one == self.audience.as_str()),
                one => *one == self.audience.as_str(),
            };
            if !audience {
                return Err(VerificationError::InvalidClaim("aud"));
            }
            let listed = |list: &[String], value: Option<&str>| {
                list.is_empty() || value.is_some_and(|value| list.iter().any(|one| one == value))
            };
            if !listed(&self.subjects, claims["sub"].as_str()) {
                return Err(VerificationError::InvalidClaim("sub"));
            }
            // Entra's tokens of version 2 have `azp`, those of version 1 `appid`.
            let app = claims["azp"].as_str().or_else(|| claims["appid"].as_str());
            if !listed(&self.app_ids, app) {
                return Err(VerificationError::InvalidClaim("azp or appid"));
            }
            Ok(())
        }
    }

    /// Whether a document is a key set.
    pub(crate) fn is_key_set(document: &[u8]) -> bool {
        serde_json::from_slice::<Value>(document).is_ok_and(|set| set["keys"].is_array())
    }
}
