use serde::{Deserialize, Serialize};

use crate::models::{lenient::lenient_list, macros::model, timestamp::Timestamp};

model! {
    /// The requested isolation of an endpoint.
    ///
    /// `enabled` is the requested state. The endpoint applies it when it next reports,
    /// so the change of an offline endpoint stays pending without limit. While it is
    /// pending, the time of the requested state is missing. The reported state is
    /// [`Endpoint::isolation`](crate::models::Endpoint).
    pub struct Isolation {
        /// Whether isolation was requested.
        enabled: bool,
        /// The time when the isolation last took effect.
        last_enabled_at: Timestamp,
        /// The actor that last requested the isolation.
        last_enabled_by: Actor,
        /// The time when the release last took effect.
        last_disabled_at: Timestamp,
        /// The actor that last requested the release.
        last_disabled_by: Actor,
        /// The comment of the last change.
        comment: String,
    }
}

model! {
    /// The actor of a request. Some responses hold the id alone.
    pub struct Actor {
        /// The id of the user or credential.
        id as id: String,
        /// `user`, `service` or `system`.
        r#type: String,
        /// The name.
        name: String,
        /// `partner`, `organization` or `tenant`.
        account_type: String,
        /// The account's id.
        account_id as id: String,
    }
}

model! {
    /// The isolation of one endpoint in a list.
    pub struct IsolationItem {
        /// The endpoint's id.
        id!: String,
        /// The requested isolation.
        isolation: Isolation,
    }
}

/// The endpoints whose isolation was accepted. Returned by
/// `POST /endpoint/v1/endpoints/isolation`. The service rejected any requested id that is
/// missing here.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "catalog", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct IsolationItems {
    /// The endpoints, without invalid items.
    #[serde(default, deserialize_with = "lenient_list", skip_serializing_if = "Option::is_none")]
    pub items: Option<Vec<IsolationItem>>,
}
