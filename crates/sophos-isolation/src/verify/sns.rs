//! Amazon SNS messages over HTTPS, signed by the service.

/// The Amazon SNS messages that a source accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnsConfig {
    /// The ARNs of the topics.
    pub topics: Vec<String>,
    /// The tolerance for a message's timestamp, in seconds.
    pub window_seconds: u64,
}

/// The SNS endpoint of a topic, which signs its messages and confirms its subscriptions; `None` if
/// the text is not a topic ARN.
pub(crate) fn sns_host(topic: &str) -> Option<String> {
    let parts: Vec<&str> = topic.split(':').collect();
    let ["arn", partition, "sns", region, account, name] = parts.as_slice() else { return None };
    let word = |text: &str| {
        !text.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let is_name = (1..=256).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    let domain = if *partition == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
    let known = partition.starts_with("aws") && word(partition) && word(region) && is_account && is_name;
    known.then(|| format!("sns.{region}.{domain}"))
}

#[cfg(feature = "public-keys")]
pub(crate) use self::validation::{MessageKind, is_certificate};

#[cfg(feature = "public-keys")]
mod validation {
    use std::time::Duration;

    use aws_lc_rs::signature::{
        RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey,
        VerificationAlgorithm,
    };
    use serde::Deserialize;
    use x509_parser::{prelude::FromDer, time::ASN1Time};

    use super::{SnsConfig, sns_host};
    use crate::verify::{
        AuthenticatedKey, VerificationError, VersionStage,
        certificate::der_from_pem,
        encoding,
        time::{is_within, parse_time},
    };

    /// The maximum length of a certificate URL's path.
    const MAX_PATH_LEN: usize = 200;

    /// The type of a message.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
    pub(crate) enum MessageKind {
        Notification,
        SubscriptionConfirmation,
        UnsubscribeConfirmation,
    }

    /// A message of SNS. Its content is unauthenticated before [`SnsConfig::verify`].
    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "PascalCase")]
    pub(crate) struct SnsMessage {
        #[serde(rename = "Type")]
        pub(crate) kind: MessageKind,
        pub(crate) message_id: String,
        pub(crate) topic_arn: String,
        subject: Option<String>,
        pub(crate) message: String,
        timestamp: String,
        signature_version: String,
        signature: String,
        #[serde(rename = "SigningCertURL")]
        pub(crate) certificate_url: String,
        #[serde(rename = "SubscribeURL")]
        pub(crate) subscribe_url: Option<String>,
        token: Option<String>,
    }

    impl SnsMessage {
        /// The canonical text that SNS signs; `None` if a member is missing.
        fn string_to_sign(&self) -> Option<String> {
            let kind = match self.kind {
                MessageKind::Notification => "Notification",
                MessageKind::SubscriptionConfirmation => "SubscriptionConfirmation",
                MessageKind::UnsubscribeConfirmation => "UnsubscribeConfirmation",
            };
            let mut pairs = vec![("Message", self.message.as_str()), ("MessageId", &self.message_id)];
            match self.kind {
                MessageKind::Notification => {
                    pairs.extend(self.subject.as_deref().map(|subject| ("Subject", subject)));
                    pairs.push(("Timestamp", &self.timestamp));
                }
                _ => {
                    pairs.push(("SubscribeURL", self.subscribe_url.as_deref()?));
                    pairs.push(("Timestamp", &self.timestamp));
                    pairs.push(("Token", self.token.as_deref()?));
                }
            }
            pairs.extend([("TopicArn", self.topic_arn.as_str()), ("Type", kind)]);
            Some(pairs.iter().map(|(name, value)| format!("{name}\n{value}\n")).collect())
        }

        fn host(&self) -> Option<String> {
            sns_host(&self.topic_arn)
        }
    }

    impl SnsConfig {
        /// Parses a message. Checks that its topic is listed, and that its certificate URL is at
        /// the topic's SNS endpoint.
        pub(crate) fn parse_message(&self, body: &[u8]) -> Result<SnsMessage, VerificationError> {
            let message: SnsMessage =
                serde_json::from_slice(body).map_err(|_| VerificationError::NotAnSnsMessage)?;
            if !self.topics.contains(&message.topic_arn) {
                return Err(VerificationError::UnexpectedTopic);
            }
            let host = message.host().ok_or(VerificationError::UnexpectedTopic)?;
            let path =
                message.certificate_url.strip_prefix("https://").and_then(|rest| rest.strip_prefix(&host));
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte);
            let good = path.is_some_and(|path| {
                path.starts_with('/')
                    && path.ends_with(".pem")
                    && path.len() <= MAX_PATH_LEN
                    && !path.contains("..")
                    && path.bytes().all(plain)
            });
            if good { Ok(message) } else { Err(VerificationError::InvalidCertificateUrl) }
        }

        /// Verifies a message with the certificate that it names.
        pub(crate) fn verify(
            &self,
            message: &SnsMessage,
            certificate: &[u8],
            now: Duration,
        ) -> Result<AuthenticatedKey, VerificationError> {
            let sent = parse_time(&message.timestamp).ok_or(VerificationError::MissingTimestamp)?;
            let algorithm: &dyn VerificationAlgorithm = match message.signature_version.as_str() {
                "1" => &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
                "2" => &RSA_PKCS1_2048_8192_SHA256,
                _ => return Err(VerificationError::UnsupportedAlgorithm),
            };
            let signature =
                encoding::decode_base64(&message.signature).ok_or(VerificationError::MissingCredential)?;
            let canonical = message.string_to_sign().ok_or(VerificationError::NotAnSnsMessage)?;
            let key = public_key(certificate, now).ok_or(VerificationError::InvalidCertificate)?;
            UnparsedPublicKey::new(algorithm, key)
                .verify(canonical.as_bytes(), &signature)
                .map_err(|_| VerificationError::Mismatch)?;
            if !is_within(sent, now, self.window_seconds) {
                return Err(VerificationError::TimestampOutsideWindow);
            }
            let event_id = Some(message.message_id.clone());
            Ok(AuthenticatedKey { version_stage: VersionStage::Current, signed_digest: None, event_id })
        }
    }

    impl SnsMessage {
        /// The confirmation URL of a subscription, if it is at the topic's SNS endpoint.
        pub(crate) fn confirmation_url(&self) -> Option<&str> {
            let url = self.subscribe_url.as_deref()?;
            let rest = url.strip_prefix("https://")?.strip_prefix(&self.host()?)?;
            rest.starts_with("/?").then_some(url)
        }
    }

    /// Whether a document is a certificate.
    pub(crate) fn is_certificate(document: &[u8]) -> bool {
        let der = std::str::from_utf8(document).ok().and_then(der_from_pem);
        der.is_some_and(|der| x509_parser::certificate::X509Certificate::from_der(&der).is_ok())
    }

    /// The public key of a certificate, if the certificate is valid now.
    fn public_key(pem: &[u8], now: Duration) -> Option<Vec<u8>> {
        let der = der_from_pem(std::str::from_utf8(pem).ok()?)?;
        let (_, certificate) = x509_parser::certificate::X509Certificate::from_der(&der).ok()?;
        let now = ASN1Time::from_timestamp(now.as_secs().try_into().ok()?).ok()?;
        let key = certificate.public_key().subject_public_key.data.to_vec();
        certificate.validity().is_valid_at(now).then_some(key)
    }
}
