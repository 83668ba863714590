//! Questions to users about their own activity: `/user-activity-verification/v1/attestations`.

use std::collections::BTreeMap;

use crate::{
    Job, JobProgress, Timestamp,
    models::{
        Reference,
        macros::{model, open_enum},
    },
    operation::macros::{listed, operation},
};

operation! {
    /// Asks a user a question with a list of responses.
    ///
    /// Fails with 404 if the user does not exist, and with 429 and `Retry-After` at too many
    /// requests.
    pub struct CreateAttestation = POST "/user-activity-verification/v1/attestations" (tenant)
        -> Attestation {
        /// The id of the user.
        user_id!: String,
        /// The title.
        title!: LocalizedText,
        /// The question.
        question!: LocalizedText,
        /// The responses to choose from.
        options!: [AttestationOption],
        /// The fields to return; all if empty.
        query fields: [String],
        /// The time for the response, in seconds.
        timeout_in_seconds: i64,
    }
}

operation! {
    /// Returns an attestation with its response.
    pub struct GetAttestation = GET "/user-activity-verification/v1/attestations/:attestationId" (tenant)
        -> Attestation {
        /// The attestation's id.
        attestation_id!: String,
        /// The fields to return; all if empty.
        fields: [String],
    }
}

model! {
    /// A question to a user, and the response.
    pub struct Attestation {
        /// The id of the user.
        user_id: String,
        /// The title.
        title: LocalizedText,
        /// The question.
        question: LocalizedText,
        /// The responses to choose from.
        options: Vec<AttestationOption>,
        /// The attestation's id.
        id!: String,
        /// The tenant.
        tenant: Reference,
        /// The time of expiry.
        expires_at: Timestamp,
        /// The status.
        status: AttestationStatus,
        /// The key of the response.
        selected_option: String,
    }
}

model! {
    /// A text with translations.
    pub struct LocalizedText with setters {
        /// The text.
        text: String,
        /// The translations, by language code such as `de`.
        translations: BTreeMap<String, String>,
    }
}

model! {
    /// A response that the user may choose.
    pub struct AttestationOption with setters {
        /// The key.
        key: String,
        /// The text.
        value: LocalizedText,
    }
}

open_enum! {
    /// The status of an attestation.
    pub enum AttestationStatus {
        /// The user responded.
        Completed = "completed",
        /// The user has not responded.
        Pending = "pending",
    }
}

impl Job for GetAttestation {
    fn progress(attestation: &Attestation) -> JobProgress {
        let status = attestation.status.as_ref().map(AttestationStatus::as_str);
        JobProgress::from_words(status, None).until(attestation.expires_at.as_ref())
    }
}

listed! {
    CreateAttestation
    GetAttestation
}
