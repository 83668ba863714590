//! Categories and presets of profiles: `/web-filters/v1/profiles/metadata`.

use serde_json::Value;

use crate::operation::macros::{listed, operation};

operation! {
    /// Returns the categories, category groups and presets that a profile may name.
    ///
    /// The service rejects a request without a language. A public client measured it on a
    /// live tenant; it is not published, and neither is the response.
    pub struct GetProfileMetadata = GET "/web-filters/v1/profiles/metadata"
        (tenant, header "accept-language" = language) -> Value {
        /// The language of the names, such as `en`.
        language!: String,
    }
}

listed! {
    GetProfileMetadata
}
