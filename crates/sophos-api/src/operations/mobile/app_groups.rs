//! Groups of apps: `/mobile/v1/app-groups`.

use crate::{
    NumberedPage, Timestamp,
    models::{Actor, Deleted, Reference, macros::model},
    operation::macros::{listed, operation},
    operations::mobile::devices::View,
};

operation! {
    /// Lists the app groups.
    pub struct ListAppGroups = GET "/mobile/v1/app-groups" (tenant) -> NumberedPage<AppGroup> {
        /// The fields to return; all if empty.
        fields: [String],
        /// The amount of detail to return.
        view: View,
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
        /// The text to search for.
        search: String,
        /// The fields to search in.
        search_fields: [String],
        /// The platform, such as `android` or `chrome`.
        platform: String,
    }
}

operation! {
    /// Creates an app group.
    ///
    /// Fails with 422 if there are too many groups.
    pub struct CreateAppGroup = POST "/mobile/v1/app-groups" (tenant) -> AppGroup {
        /// The name.
        name!: String,
        /// The platform, such as `android` or `chrome`.
        platform!: String,
        /// The fields to return; all if empty.
        query fields: [String],
        /// The amount of detail to return.
        query view: View,
        /// The apps.
        apps: [App],
    }
}

operation! {
    /// Deletes an app group.
    ///
    /// Fails with 409 at a conflicting change.
    pub struct DeleteAppGroup = DELETE "/mobile/v1/app-groups/:id" (tenant) -> Deleted {
        /// The group's id.
        id!: String,
    }
}

operation! {
    /// Returns an app group.
    pub struct GetAppGroup = GET "/mobile/v1/app-groups/:id" (tenant) -> AppGroup {
        /// The group's id.
        id!: String,
        /// The fields to return; all if empty.
        fields: [String],
        /// The amount of detail to return.
        view: View,
    }
}

operation! {
    /// Changes an app group.
    pub struct UpdateAppGroup = PATCH "/mobile/v1/app-groups/:id" (tenant) -> AppGroup {
        /// The group's id.
        id!: String,
        /// The fields to return; all if empty.
        query fields: [String],
        /// The amount of detail to return.
        query view: View,
        /// The name.
        name: String,
        /// The apps.
        apps: [App],
    }
}

model! {
    /// A group of apps of one platform.
    pub struct AppGroup {
        /// The group's id.
        id!: String,
        /// The tenant.
        tenant: Reference,
        /// The name.
        name: String,
        /// The number of apps.
        count: i64,
        /// The platform, such as `android` or `chrome`.
        platform: String,
        /// The time of creation.
        created_at: Timestamp,
        /// The actor that created it.
        created_by: Actor,
        /// The time of the last change.
        updated_at: Timestamp,
        /// The actor of the last change.
        updated_by: Actor,
    }
}

model! {
    /// An app of a group.
    pub struct App with setters {
        /// The identifier, such as `com.sophos.smsec`.
        identifier: String,
        /// The name.
        name: String,
        /// The URL of the app.
        link: String,
    }
}

listed! {
    ListAppGroups
    CreateAppGroup
    DeleteAppGroup
    GetAppGroup
    UpdateAppGroup
}
