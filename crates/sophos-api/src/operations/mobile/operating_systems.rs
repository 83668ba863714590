//! Operating systems of mobile devices: `/mobile/v1/operating-systems`.

use crate::{
    NumberedPage,
    models::macros::model,
    operation::macros::{listed, operation},
    operations::mobile::devices::View,
};

operation! {
    /// Lists the operating systems of mobile devices.
    pub struct ListOperatingSystems = GET "/mobile/v1/operating-systems" (tenant)
        -> NumberedPage<OperatingSystem> {
        /// The fields to return; all if empty.
        fields: [String],
        /// The ids to match.
        ids: [String],
        /// The order, such as `name:asc`.
        sort: [String],
        /// The page number, from 1.
        page: u64,
        /// The number of items per page.
        page_size: u32,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
        /// The amount of detail to return.
        view: View,
        /// The platform: `android`, `chrome`, `ios` or `iOS`, `macOS`, `windows`.
        platform: String,
        /// The start of the version.
        version: String,
    }
}

operation! {
    /// Returns an operating system.
    pub struct GetOperatingSystem = GET "/mobile/v1/operating-systems/:id" (tenant) -> OperatingSystem {
        /// The id of the operating system.
        id!: String,
        /// The amount of detail to return.
        view: View,
        /// The fields to return; all if empty.
        fields: [String],
    }
}

model! {
    /// An operating system of mobile devices.
    pub struct OperatingSystem {
        /// The id of the operating system.
        id as id: String,
        /// The version, such as `12.0.1`.
        version as id: String,
        /// The name.
        name: String,
        /// The platform: `android`, `chrome`, `ios` or `iOS`, `macOS`, `windows`.
        platform: String,
        /// The major version.
        major_version: i64,
        /// The minor version.
        minor_version: i64,
        /// The patch version.
        patch_version: i64,
    }
}

listed! {
    ListOperatingSystems
    GetOperatingSystem
}
