//! Attestations: `/user-activity-verification/v1/attestations` and the operations beside it.

use crate::{Timestamp, models::{Reference}, model::{model, open_enum}, operation_macro::{operation, tested}};

model! {
    /// An attestation.
    pub struct Attestation {
        /// The user id.
        user_id: String,
        /// The title.
        title: AttestationTitle,
        /// The question.
        question: AttestationQuestion,
        /// The options.
        options: Vec<AttestationOption>,
        /// The id.
        id!: String,
        /// The tenant.
        tenant: Reference,
        /// The time of expiry.
        expires_at: Timestamp,
        /// The status.
        status: AttestationStatus,
        /// The selected option.
        selected_option: String,
    }
}

model! {
    /// An attestation title.
    pub struct AttestationTitle {
        /// The text.
        text: String,
        /// The translations.
        translations: AttestationTitleTranslation,
    }
}

model! {
    /// An attestation title translation.
    pub struct AttestationTitleTranslation {
        /// The de.
        de: String,
    }
}

model! {
    /// An attestation question.
    pub struct AttestationQuestion {
        /// The text.
        text: String,
        /// The translations.
        translations: AttestationQuestionTranslation,
    }
}

model! {
    /// An attestation question translation.
    pub struct AttestationQuestionTranslation {
        /// The de.
        de: String,
    }
}

model! {
    /// An attestation option.
    pub struct AttestationOption {
        /// The key.
        key: AttestationOptionKey,
        /// The value.
        value: AttestationOptionValue,
    }
}

model! {
    /// An attestation option value.
    pub struct AttestationOptionValue {
        /// The text.
        text: String,
        /// The translations.
        translations: AttestationOptionValueTranslation,
    }
}

model! {
    /// An attestation option value translation.
    pub struct AttestationOptionValueTranslation {
        /// The de.
        de: String,
    }
}

open_enum! {
    /// The attestation option key.
    pub enum AttestationOptionKey {
        /// `lastWeek`.
        LastWeek = "lastWeek",
        /// `today`.
        Today = "today",
        /// `unsure`.
        Unsure = "unsure",
        /// `yesterday`.
        Yesterday = "yesterday",
    }
}

open_enum! {
    /// The attestation status.
    pub enum AttestationStatus {
        /// `completed`.
        Completed = "completed",
        /// `pending`.
        Pending = "pending",
    }
}

operation! {
    /// Creates a new attestation for the given user.
    pub struct CreateAttestation = POST "/user-activity-verification/v1/attestations" (tenant)
        -> Attestation {
        /// The fields to return.
        query fields: [String],
        /// The user id.
        user_id: String,
        /// The title.
        title: AttestationTitle,
        /// The question.
        question: AttestationQuestion,
        /// The options.
        options: [AttestationOption],
        /// The timeout in seconds.
        timeout_in_seconds: i64,
    }
}

operation! {
    /// Gets an attestation by ID.
    pub struct GetAttestation = GET "/user-activity-verification/v1/attestations/:attestationId" (tenant)
        -> Attestation {
        /// The attestation id.
        attestation_id!: String,
        /// The fields to return.
        fields: [String],
    }
}

tested! {
    CreateAttestation
    GetAttestation
}
