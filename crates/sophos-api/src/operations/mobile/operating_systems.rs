//! Operating Systems: `/mobile/v1/operating-systems` and the operations beside it.

use serde_json::Value;

use crate::{NumberedPage, model::{model, open_enum}, operation_macro::{operation, tested}};

model! {
    /// An operating system.
    pub struct OperatingSystem {
        /// The id.
        id!: String,
        /// The version.
        version: Value,
        /// The name.
        name: String,
        /// The platform.
        platform: OperatingSystemPlatform,
        /// The major version.
        major_version: i64,
        /// The minor version.
        minor_version: i64,
        /// The patch version.
        patch_version: i64,
    }
}

open_enum! {
    /// The operating system platform.
    pub enum OperatingSystemPlatform {
        /// `android`.
        Android = "android",
        /// `chrome`.
        Chrome = "chrome",
        /// `ios`.
        Ios = "ios",
        /// `iOS`.
        IOS = "iOS",
        /// `macOS`.
        MacOS = "macOS",
        /// `windows`.
        Windows = "windows",
    }
}

open_enum! {
    /// The operating system view.
    pub enum OperatingSystemView {
        /// `basic`.
        Basic = "basic",
        /// `full`.
        Full = "full",
        /// `summary`.
        Summary = "summary",
    }
}

operation! {
    /// Gets list of mobile operating systems.
    pub struct ListOperatingSystems = GET "/mobile/v1/operating-systems" (tenant)
        -> NumberedPage<OperatingSystem> {
        /// The fields to return.
        fields: [String],
        /// The ids.
        ids: [String],
        /// The order, such as `name:asc`.
        sort: [String],
        /// The page number, from 1.
        page: u64,
        /// The number of items per page.
        page_size: u32,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
        /// The view.
        view: OperatingSystemView,
        /// The platform.
        platform: OperatingSystemPlatform,
        /// The version.
        version: String,
    }
}

operation! {
    /// Gets mobile operating system by ID.
    pub struct GetOperatingSystem = GET "/mobile/v1/operating-systems/:id" (tenant)
        -> OperatingSystem {
        /// The id.
        id!: String,
        /// The view.
        view: OperatingSystemView,
        /// The fields to return.
        fields: [String],
    }
}

tested! {
    ListOperatingSystems
    GetOperatingSystem
}
