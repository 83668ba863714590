//! Who sends: the proof of a request, whatever scheme its source has.

use std::{borrow::Cow, time::Duration};

use super::{KeySource, Queue, Request, RequestLog, Response, Webhook, hex};
#[cfg(feature = "public-keys")]
use crate::verify::{JwtConfig, MessageKind, SnsConfig, UnverifiedToken, is_certificate, is_key_set};
use crate::{
    adapters::{Alert, Message},
    decision::DecisionId,
    ledger::{LedgerStore, LedgerStoreError, paths},
    policy::Source,
    verify::{AuthenticatedKey, Keys, Verification, VerificationError},
};

/// A request whose sender is known.
pub(super) struct Authenticated<'r> {
    pub(super) key: AuthenticatedKey,
    /// What the adapter is to read.
    pub(super) body: Cow<'r, [u8]>,
    /// The answer to a message of the transport that holds no alert.
    pub(super) response: Option<Response>,
}

impl<'r> Authenticated<'r> {
    fn from_request(request: &'r Request, proof: AuthenticatedKey) -> Self {
        Self { key: proof, body: Cow::Borrowed(&request.body), response: None }
    }
}

/// Why a request is not taken further.
pub(super) enum AuthError {
    /// It proves nothing.
    Rejected(String),
    /// The secret that it is to be verified with cannot be read.
    SecretUnreadable { secret: String, problem: String },
    /// The certificate that it names cannot be fetched now.
    #[cfg(feature = "public-keys")]
    CertificateUnavailable(String),
    /// It cannot be verified now.
    #[cfg(feature = "public-keys")]
    Failed(String),
}

impl AuthError {
    /// The answer, and what is recorded. A secret that cannot be read is told to
    /// the operator alone: another answer would tell that the source exists. Who
    /// publishes a key sends again only what is answered with 503.
    pub(super) fn into_response(self, notice: &mut RequestLog) -> Response {
        match self {
            Self::Rejected(why) => {
                notice.problem = Some(why);
                super::unauthorized()
            }
            Self::SecretUnreadable { secret, problem } => {
                notice.error_kind = Some("SecretUnreadable");
                notice.secret_name = Some(secret);
                notice.problem = Some(problem);
                super::unauthorized()
            }
            #[cfg(feature = "public-keys")]
            Self::CertificateUnavailable(why) => {
                notice.error_kind = Some("CertificateUnavailable");
                notice.problem = Some(why);
                Response::service_unavailable()
            }
            #[cfg(feature = "public-keys")]
            Self::Failed(why) => {
                notice.problem = Some(why);
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
    /// Finds out whether the source made a request. Subscriptions are confirmed
    /// only if it `is_enabled`.
    pub(super) async fn authenticate<'r>(
        &self,
        source: &Source,
        request: &'r Request,
        #[cfg_attr(not(feature = "public-keys"), expect(unused_variables))] is_enabled: bool,
        now: Duration,
        notice: &mut RequestLog,
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
            Verification::Sns(sns) => {
                self.authenticate_sns(source, sns, request, is_enabled, now, notice).await
            }
            verification => {
                // A disabled source may name none.
                let name = verification.secret_name().filter(|name| !name.is_empty());
                let name = name.ok_or(VerificationError::UnsupportedScheme)?;
                let keys = self.keys.load_keys(name).await;
                let keys =
                    keys.map_err(|problem| AuthError::SecretUnreadable { secret: name.into(), problem })?;
                self.warn_about_key_format(name, &keys, notice);
                let keys = if source.accept_previous { keys } else { keys.without_previous() };
                match verification.verify(request, &keys, now) {
                    Ok(proof) => Ok(Authenticated::from_request(request, proof)),
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

    /// Tells once of a secret that is not stored as it should be.
    pub(super) fn warn_about_key_format(&self, name: &str, keys: &Keys, notice: &mut RequestLog) {
        let Some(problem) = keys.format_warning() else { return };
        let mut warned = self.warned_secrets.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if warned.insert(name.to_owned()) {
            notice.notes.push(format!("the secret \"{name}\" {problem}"));
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
        let key_set =
            self.document_cache.get_or_fetch(&source.name, url, None, now, has_key, is_key_set, fetch).await;
        let proof = jwt.verify(&token, &key_set.map_err(AuthError::Failed)?, now)?;
        Ok(Authenticated::from_request(request, proof))
    }

    #[cfg(feature = "public-keys")]
    async fn authenticate_sns<'r>(
        &self,
        source: &Source,
        sns: &SnsConfig,
        request: &'r Request,
        is_enabled: bool,
        now: Duration,
        notice: &mut RequestLog,
    ) -> Result<Authenticated<'r>, AuthError> {
        let message = sns.parse_message(&request.body)?;
        let url = &message.certificate_url;
        let fetch = || self.keys.fetch_url(url);
        let documents = &self.document_cache;
        let certificate = documents
            .get_or_fetch(&source.name, url, request.source_ip, now, |_| true, is_certificate, fetch)
            .await;
        let certificate = certificate.map_err(AuthError::CertificateUnavailable)?;
        let proof = sns.verify(&message, &certificate, now)?;
        let answer = match message.kind {
            MessageKind::Notification => None,
            _ if !is_enabled => None,
            MessageKind::SubscriptionConfirmation => {
                let url = message.confirmation_url().ok_or(VerificationError::InvalidCertificateUrl)?;
                let confirmed = self.keys.fetch_url(url).await;
                confirmed.map_err(|problem| {
                    AuthError::Failed(format!("confirming the subscription failed: {problem}"))
                })?;
                notice.notes.push(format!("confirmed the subscription to {}", message.topic_arn));
                Some(Response::json(200, &serde_json::json!({ "subscription": "confirmed" })))
            }
            MessageKind::UnsubscribeConfirmation => {
                let topic = &message.topic_arn;
                notice.notes.push(format!("the subscription to {topic} has ended; no alert of it arrives"));
                Some(Response::json(200, &serde_json::json!({ "subscription": "ended" })))
            }
        };
        Ok(Authenticated { key: proof, body: Cow::Owned(message.message.into_bytes()), response: answer })
    }

    /// Whether what was signed comes again with another `Idempotency-Key`, which
    /// no signature covers: the same request, dressed up as a new one. It may
    /// come with the other of two signatures that it had.
    pub(super) async fn has_conflicting_idempotency_key(
        &self,
        source: &Source,
        proof: &AuthenticatedKey,
        message: &Message<'_>,
        readings: &[Alert],
    ) -> Result<bool, LedgerStoreError> {
        // An id that is signed cannot be changed.
        if proof.event_id.is_some() {
            return Ok(false);
        }
        let (Some(signed), Some(_), Some(first)) =
            (&proof.signed_digest, message.idempotency_key, readings.first())
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
