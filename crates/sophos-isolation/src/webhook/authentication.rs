//! Who sends: the proof of a request, whatever scheme its source has.

use std::{borrow::Cow, time::Duration};

use super::{KeySource, Notice, Queue, Request, Response, Webhook, hex};
#[cfg(feature = "public-keys")]
use crate::verify::{Jwt, Kind, Sns, Token, is_certificate, is_key_set};
use crate::{
    adapters::{Message, Reading},
    decision::DecisionId,
    ledger::{Objects, StoreFailure},
    policy::Source,
    verify::{Keys, Proof, Rejection, Verification},
};

/// A request whose sender is known.
pub(super) struct Authenticated<'r> {
    pub(super) proof: Proof,
    /// What the adapter is to read.
    pub(super) body: Cow<'r, [u8]>,
    /// The answer to a message of the transport that holds no alert.
    pub(super) answer: Option<Response>,
}

impl<'r> Authenticated<'r> {
    fn body_of(request: &'r Request, proof: Proof) -> Self {
        Self { proof, body: Cow::Borrowed(&request.body), answer: None }
    }
}

/// Why a request is not taken further.
pub(super) enum Disbelief {
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

impl Disbelief {
    /// The answer, and what is recorded. A secret that cannot be read is told to
    /// the operator alone: another answer would tell that the source exists. Who
    /// publishes a key sends again only what is answered with 503.
    pub(super) fn answer(self, notice: &mut Notice) -> Response {
        match self {
            Self::Rejected(why) => {
                notice.problem = Some(why);
                super::not_believed()
            }
            Self::SecretUnreadable { secret, problem } => {
                notice.error_kind = Some("SecretUnreadable");
                notice.secret = Some(secret);
                notice.problem = Some(problem);
                super::not_believed()
            }
            #[cfg(feature = "public-keys")]
            Self::CertificateUnavailable(why) => {
                notice.error_kind = Some("CertificateUnavailable");
                notice.problem = Some(why);
                Response::send_again()
            }
            #[cfg(feature = "public-keys")]
            Self::Failed(why) => {
                notice.problem = Some(why);
                Response::send_again()
            }
        }
    }
}

impl From<Rejection> for Disbelief {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection.to_string())
    }
}

impl<O: Objects, K: KeySource, Q: Queue> Webhook<O, K, Q> {
    /// Finds out whether the source made a request. Subscriptions are confirmed
    /// only if it `is_enabled`.
    pub(super) async fn authenticate<'r>(
        &self,
        source: &Source,
        request: &'r Request,
        #[cfg_attr(not(feature = "public-keys"), expect(unused_variables))] is_enabled: bool,
        now: Duration,
        notice: &mut Notice,
    ) -> Result<Authenticated<'r>, Disbelief> {
        match &source.verification {
            Verification::Iam => Err(Rejection::NotHere.into()),
            Verification::ClientCertificate(_) => {
                let keys = Keys::new("".into(), None);
                Ok(Authenticated::body_of(request, source.verification.check(request, &keys, now)?))
            }
            #[cfg(feature = "public-keys")]
            Verification::Jwt(jwt) => self.token(source, jwt, request, now).await,
            #[cfg(feature = "public-keys")]
            Verification::Sns(sns) => self.sns(source, sns, request, is_enabled, now, notice).await,
            verification => {
                // A disabled source may name none.
                let name = verification.secret().filter(|name| !name.is_empty());
                let name = name.ok_or(Rejection::Unsupported)?;
                let keys = self.keys.keys(name).await;
                let keys =
                    keys.map_err(|problem| Disbelief::SecretUnreadable { secret: name.into(), problem })?;
                self.warn_of(name, &keys, notice);
                let keys = if source.accept_previous { keys } else { keys.without_previous() };
                match verification.check(request, &keys, now) {
                    Ok(proof) => Ok(Authenticated::body_of(request, proof)),
                    Err(rejection) => Err(match keys.problem() {
                        Some(problem) if matches!(rejection, Rejection::Mismatch | Rejection::KeyForm) => {
                            Disbelief::Rejected(format!("{rejection}; the secret \"{name}\" {problem}"))
                        }
                        _ => rejection.into(),
                    }),
                }
            }
        }
    }

    /// Tells once of a secret that is not stored as it should be.
    pub(super) fn warn_of(&self, name: &str, keys: &Keys, notice: &mut Notice) {
        let Some(problem) = keys.problem() else { return };
        let mut warned = self.warned.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if warned.insert(name.to_owned()) {
            notice.remarks.push(format!("the secret \"{name}\" {problem}"));
        }
    }

    #[cfg(feature = "public-keys")]
    async fn token<'r>(
        &self,
        source: &Source,
        jwt: &Jwt,
        request: &'r Request,
        now: Duration,
    ) -> Result<Authenticated<'r>, Disbelief> {
        let token = Token::of(request)?;
        let url = &jwt.key_set_url;
        let fetch = || self.keys.fetch(url);
        let has_key = |key_set: &[u8]| token.is_of(key_set);
        let key_set = self.documents.get(&source.name, url, None, now, has_key, is_key_set, fetch).await;
        let proof = jwt.check(&token, &key_set.map_err(Disbelief::Failed)?, now)?;
        Ok(Authenticated::body_of(request, proof))
    }

    #[cfg(feature = "public-keys")]
    async fn sns<'r>(
        &self,
        source: &Source,
        sns: &Sns,
        request: &'r Request,
        is_enabled: bool,
        now: Duration,
        notice: &mut Notice,
    ) -> Result<Authenticated<'r>, Disbelief> {
        let message = sns.read(&request.body)?;
        let url = &message.certificate_url;
        let fetch = || self.keys.fetch(url);
        let documents = &self.documents;
        let certificate =
            documents.get(&source.name, url, request.from, now, |_| true, is_certificate, fetch).await;
        let certificate = certificate.map_err(Disbelief::CertificateUnavailable)?;
        let proof = sns.check(&message, &certificate, now)?;
        let answer = match message.kind {
            Kind::Notification => None,
            _ if !is_enabled => None,
            Kind::SubscriptionConfirmation => {
                let url = message.confirmation().ok_or(Rejection::CertificateUrl)?;
                let confirmed = self.keys.fetch(url).await;
                confirmed.map_err(|problem| {
                    Disbelief::Failed(format!("confirming the subscription failed: {problem}"))
                })?;
                notice.remarks.push(format!("confirmed the subscription to {}", message.topic_arn));
                Some(Response::json(200, &serde_json::json!({ "subscription": "confirmed" })))
            }
            Kind::UnsubscribeConfirmation => {
                let topic = &message.topic_arn;
                notice.remarks.push(format!("the subscription to {topic} has ended; no alert of it arrives"));
                Some(Response::json(200, &serde_json::json!({ "subscription": "ended" })))
            }
        };
        Ok(Authenticated { proof, body: Cow::Owned(message.message.into_bytes()), answer })
    }

    /// Whether what was signed comes again with another `Idempotency-Key`, which
    /// no signature covers: the same request, dressed up as a new one. It may
    /// come with the other of two signatures that it had.
    pub(super) async fn used_for_another(
        &self,
        source: &Source,
        proof: &Proof,
        message: &Message<'_>,
        readings: &[Reading],
    ) -> Result<bool, StoreFailure> {
        // An id that is signed cannot be changed.
        if proof.event_id.is_some() {
            return Ok(false);
        }
        let (Some(signed), Some(_), Some(first)) = (&proof.signed, message.idempotency_key, readings.first())
        else {
            return Ok(false);
        };
        let id = DecisionId::of(&source.name, &first.event_id);
        let path = format!("seen/{}/{}", source.name, hex(signed));
        if self.ledger.objects().create(&path, id.as_str().into()).await? {
            return Ok(false);
        }
        let used = self.ledger.objects().read(&path).await?;
        Ok(used.as_deref() != Some(id.as_str().as_bytes()))
    }
}
