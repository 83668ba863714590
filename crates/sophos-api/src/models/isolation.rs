use serde::{Deserialize, Serialize};

use crate::{
    model::{lenient_list, model},
    timestamp::Timestamp,
};

model! {
    /// What was asked for an endpoint's isolation.
    ///
    /// `enabled` is what was asked for, not what the endpoint has done: an
    /// endpoint acts when it next reports, and one that is offline stays
    /// pending without limit. While it is pending, the time that belongs to the
    /// asked state is missing. What the endpoint reported is
    /// [`Endpoint::isolation`](crate::models::Endpoint).
    pub struct Isolation {
        /// Whether isolation was asked for.
        enabled: bool,
        /// When it last took effect.
        last_enabled_at: Timestamp,
        /// Who last asked for it.
        last_enabled_by: Actor,
        /// When its end last took effect.
        last_disabled_at: Timestamp,
        /// Who last asked for its end.
        last_disabled_by: Actor,
        /// The comment of the last change.
        comment: String,
    }
}

model! {
    /// Who asked. Recorded answers hold the id alone.
    pub struct Actor {
        /// The id of the user or credential.
        id as id: String,
        /// `user`, `service` or `system`.
        r#type: String,
        /// The name.
        name: String,
        /// `partner`, `organization` or `tenant`.
        account_type: String,
        /// The account.
        account_id as id: String,
    }
}

model! {
    /// The isolation of one of many endpoints.
    pub struct IsolationItem {
        /// The endpoint's id.
        id!: String,
        /// What was asked for it.
        isolation: Isolation,
    }
}

/// The endpoints whose isolation was changed. Sent by
/// `POST /endpoint/v1/endpoints/isolation`. An id that was sent and is not
/// here was not accepted.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct IsolationItems {
    /// The endpoints. One that cannot be read is left out, and the others are
    /// here.
    #[serde(default, deserialize_with = "lenient_list", skip_serializing_if = "Option::is_none")]
    pub items: Option<Vec<IsolationItem>>,
}
