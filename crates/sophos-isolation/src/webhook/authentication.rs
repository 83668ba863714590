//! The authentication of a request by the scheme of its source.

use std::{borrow::Cow, time::Duration};

#[cfg(feature = "public-keys")]
use super::document_cache::{DocumentError, DocumentRequest};
use super::{KeySource, Queue, Request, RequestLog, Response, Webhook, hex};
#[cfg(feature = "public-keys")]
use crate::verify::{JwtConfig, MessageKind, SnsConfig, UnverifiedToken, is_certificate, is_key_set};
use crate::{
    adapters::{Alert, Message},
    backend_error::BackendError,
    decision::DecisionId,
    ledger::{LedgerStore, LedgerStoreError, paths},
    policy::Source,
    verify::{AuthenticatedKey, Keys, Verification, VerificationError},
};

/// An authenticated request.
pub(super) struct Authenticated<'r> {
    pub(super) key: AuthenticatedKey,
    /// The body for the adapter.
    pub(super) body: Cow<'r, [u8]>,
    /// The response to a message of the transport without an alert.
    pub(super) response: Option<Response>,
}

impl<'r> Authenticated<'r> {
    fn from_request(request: &'r Request, key: AuthenticatedKey) -> Self {
        Self { key, body: Cow::Borrowed(&request.body), response: None }
    }
}

/// The reason why a request is not authenticated.
pub(super) enum AuthError {
    /// The proof is missing or invalid.
    Rejected(String),
    /// The secret for the verification cannot be read.
    SecretUnreadable { secret: String, cause: BackendError },
    /// The certificate that the request names cannot be fetched now.
    #[cfg(feature = "public-keys")]
    CertificateUnavailable(DocumentError),
    /// The issuer's key set cannot be fetched now.
    #[cfg(feature = "public-keys")]
    KeySetUnavailable(DocumentError),
    /// The confirmation of a subscription failed.
    #[cfg(feature = "public-keys")]
    ConfirmationFailed(BackendError),
}

impl AuthError {
    /// Returns the response, and records the problem. Only the operator learns of an
    /// unreadable secret: another response would reveal that the source exists.
    /// Senders with public keys retry only after a 503.
    pub(super) fn into_response(self, log: &mut RequestLog) -> Response {
        match self {
            Self::Rejected(reason) => {
                log.problem = Some(reason);
                super::unauthorized()
            }
            Self::SecretUnreadable { secret, cause } => {
                log.error_kind = Some("SecretUnreadable");
                log.secret_name = Some(secret);
                log.problem = Some(cause.to_string());
                super::unauthorized()
            }
            #[cfg(feature = "public-keys")]
            Self::CertificateUnavailable(error) => {
                log.error_kind = Some("CertificateUnavailable");
                log.problem = Some(error.to_string());
                Response::service_unavailable()
            }
            #[cfg(feature = "public-keys")]
            Self::KeySetUnavailable(error) => {
                log.problem = Some(error.to_string());
                Response::service_unavailable()
            }
            #[cfg(feature = "public-keys")]
            Self::ConfirmationFailed(cause) => {
                log.problem = Some(format!("confirming the subscription failed: {cause}"));
                Response::service_unavailable()
            }
        }
    }
}

impl From<VerificationError> for AuthError {
    fn from(rejection: VerificationError) -> Self {
        Self::Rejected(rejection.to_string())
    }
}

impl<O: LedgerStore, K: KeySource, Q: Queue> Webhook<O, K, Q> {
    /// Authenticates a request of a source. Confirms subscriptions only if the source
    /// `is_enabled`.
    pub(super) async fn authenticate<'r>(
        &self,
        source: &Source,
        request: &'r Request,
        #[cfg_attr(not(feature = "public-keys"), expect(unused_variables))] is_enabled: bool,
        now: Duration,
        log: &mut RequestLog,
    ) -> Result<Authenticated<'r>, AuthError> {
        match &source.verification {
            Verification::Iam => Err(VerificationError::NotAWebhookSource.into()),
            Verification::ClientCertificate(_) => {
                let keys = Keys::new("".into(), None);
                Ok(Authenticated::from_request(request, source.verification.verify(request, &keys, now)?))
            }
            #[cfg(feature = "public-keys")]
            Verification::Jwt(jwt) => self.authenticate_token(source, jwt, request, now).await,
            #[cfg(feature = "public-keys")]
            Verification::Sns(sns) => self.authenticate_sns(source, sns, request, is_enabled, now, log).await,
            verification => {
                // A disabled source may have no secret.
                let name = verification.secret_name().filter(|name| !name.is_empty());
                let name = name.ok_or(VerificationError::UnsupportedScheme)?;
                let keys = self.keys.load_keys(name).await;
                let keys =
                    keys.map_err(|cause| AuthError::SecretUnreadable { secret: name.into(), cause })?;
                self.warn_about_key_format(name, &keys, log);
                let keys = if source.accept_previous { keys } else { keys.without_previous() };
                match verification.verify(request, &keys, now) {
                    Ok(key) => Ok(Authenticated::from_request(request, key)),
                    Err(rejection) => Err(match keys.format_warning() {
                        Some(problem)
                            if matches!(
                                rejection,
                                VerificationError::Mismatch | VerificationError::InvalidKeyFormat
                            ) =>
                        {
                            AuthError::Rejected(format!("{rejection}; the secret \"{name}\" {problem}"))
                        }
                        _ => rejection.into(),
                    }),
                }
            }
        }
    }

    /// Adds a note about a secret in a wrong format, once for each secret.
    pub(super) fn warn_about_key_format(&self, name: &str, keys: &Keys, log: &mut RequestLog) {
        let Some(problem) = keys.format_warning() else { return };
        let mut warned = self.warned_secrets.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if warned.insert(name.to_owned()) {
            log.notes.push(format!("the secret \"{name}\" {problem}"));
        }
    }

    #[cfg(feature = "public-keys")]
    async fn authenticate_token<'r>(
        &self,
        source: &Source,
        jwt: &JwtConfig,
        request: &'r Request,
        now: Duration,
    ) -> Result<Authenticated<'r>, AuthError> {
        let token = UnverifiedToken::from_request(request)?;
        let url = &jwt.key_set_url;
        let fetch = || self.keys.fetch_url(url);
        let has_key = |key_set: &[u8]| token.has_key_in(key_set);
        let document = DocumentRequest { source: &source.name, url, caller: None, now };
        let key_set = self.document_cache.get_or_fetch(document, has_key, is_key_set, fetch).await;
        let key = jwt.verify(&token, &key_set.map_err(AuthError::KeySetUnavailable)?, now)?;
        Ok(Authenticated::from_request(request, key))
    }

    #[cfg(feature = "public-keys")]
    async fn authenticate_sns<'r>(
        &self,
        source: &Source,
        sns: &SnsConfig,
        request: &'r Request,
        is_enabled: bool,
        now: Duration,
        log: &mut RequestLog,
    ) -> Result<Authenticated<'r>, AuthError> {
        let message = sns.parse_message(&request.body)?;
        let url = &message.certificate_url;
        let fetch = || self.keys.fetch_url(url);
        let document = DocumentRequest { source: &source.name, url, caller: request.source_ip, now };
        let certificate = self.document_cache.get_or_fetch(document, |_| true, is_certificate, fetch).await;
        let certificate = certificate.map_err(AuthError::CertificateUnavailable)?;
        let key = sns.verify(&message, &certificate, now)?;
        let response = match message.kind {
            MessageKind::Notification => None,
            _ if !is_enabled => None,
            MessageKind::SubscriptionConfirmation => {
                let url = message.confirmation_url().ok_or(VerificationError::InvalidCertificateUrl)?;
                self.keys.fetch_url(url).await.map_err(AuthError::ConfirmationFailed)?;
                log.notes.push(format!("confirmed the subscription to {}", message.topic_arn));
                Some(Response::json(200, &serde_json::json!({ "subscription": "confirmed" })))
            }
            MessageKind::UnsubscribeConfirmation => {
                let topic = &message.topic_arn;
                log.notes.push(format!("the subscription to {topic} has ended; its alerts no longer arrive"));
                Some(Response::json(200, &serde_json::json!({ "subscription": "ended" })))
            }
        };
        Ok(Authenticated { key, body: Cow::Owned(message.message.into_bytes()), response })
    }

    /// Returns whether the same signed content was used with another `Idempotency-Key`, which
    /// no signature covers. The signature may differ if the sender made two.
    pub(super) async fn has_conflicting_idempotency_key(
        &self,
        source: &Source,
        key: &AuthenticatedKey,
        message: &Message<'_>,
        alerts: &[Alert],
    ) -> Result<bool, LedgerStoreError> {
        // A signed id cannot be changed.
        if key.event_id.is_some() {
            return Ok(false);
        }
        let (Some(signed), Some(_), Some(first)) =
            (&key.signed_digest, message.idempotency_key, alerts.first())
        else {
            return Ok(false);
        };
        let id = DecisionId::from_event_id(&source.name, &first.event_id);
        let path = paths::replay(&source.name, &hex(signed));
        if self.ledger.store().create(&path, id.as_str().into()).await? {
            return Ok(false);
        }
        let used = self.ledger.store().read(&path).await?;
        Ok(used.as_deref() != Some(id.as_str().as_bytes()))
    }
}
