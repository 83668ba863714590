//! AppGroups: `/mobile/v1/app-groups` and the operations beside it.

use serde_json::Value;

use crate::{NumberedPage, models::{Actor, Deleted, Reference}, model::{model, open_enum}, operation_macro::{operation, tested}};

model! {
    /// An app group.
    pub struct AppGroup {
        /// The id.
        id!: String,
        /// The tenant.
        tenant: Reference,
        /// The name.
        name: String,
        /// The count.
        count: i64,
        /// The platform.
        platform: AppGroupPlatform,
        /// The time of creation.
        created_at: Value,
        /// The account that created it.
        created_by: Actor,
        /// The time of the last change.
        updated_at: Value,
        /// The account that changed it last.
        updated_by: Actor,
    }
}

model! {
    /// An app group app.
    pub struct AppGroupApp {
        /// The identifier.
        identifier: String,
        /// The name.
        name: String,
        /// The link.
        link: String,
    }
}

open_enum! {
    /// The app group platform.
    pub enum AppGroupPlatform {
        /// `android`.
        Android = "android",
        /// `chrome`.
        Chrome = "chrome",
    }
}

operation! {
    /// Gets list of app groups.
    pub struct ListAppGroups = GET "/mobile/v1/app-groups" (tenant)
        -> NumberedPage<AppGroup> {
        /// The fields to return.
        fields: [String],
        /// The view.
        view: String,
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
        /// The text to search for.
        search: String,
        /// The fields to search in.
        search_fields: [String],
        /// The platform.
        platform: String,
    }
}

operation! {
    /// Creates app group.
    pub struct CreateAppGroup = POST "/mobile/v1/app-groups" (tenant)
        -> AppGroup {
        /// The fields to return.
        query fields: [String],
        /// The view.
        query view: String,
        /// The name.
        name: String,
        /// The apps.
        apps: [AppGroupApp],
        /// The platform.
        platform: AppGroupPlatform,
    }
}

operation! {
    /// Deletes an app group.
    pub struct DeleteAppGroup = DELETE "/mobile/v1/app-groups/:id" (tenant)
        -> Deleted {
        /// The id.
        id!: String,
    }
}

operation! {
    /// Gets an app group by id.
    pub struct GetAppGroup = GET "/mobile/v1/app-groups/:id" (tenant)
        -> AppGroup {
        /// The id.
        id!: String,
        /// The fields to return.
        fields: [String],
        /// The view.
        view: String,
    }
}

operation! {
    /// Updates parts of an app group.
    pub struct UpdateAppGroup = PATCH "/mobile/v1/app-groups/:id" (tenant)
        -> AppGroup {
        /// The id.
        id!: String,
        /// The fields to return.
        query fields: [String],
        /// The view.
        query view: String,
        /// The name.
        name: String,
        /// The apps.
        apps: [AppGroupApp],
    }
}

tested! {
    ListAppGroups
    CreateAppGroup
    DeleteAppGroup
    GetAppGroup
    UpdateAppGroup
}
