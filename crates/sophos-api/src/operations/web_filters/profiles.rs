//! Profiles of web filtering, which web control policies use: `/web-filters/v1/profiles`.

use crate::{
    NumberedPage, Timestamp,
    models::{
        Deleted,
        macros::{model, open_enum},
    },
    operation::macros::{listed, operation},
};

operation! {
    /// Lists the web filtering profiles of a tenant.
    ///
    /// A public client measured it on a live tenant; it is not published.
    pub struct ListProfiles = GET "/web-filters/v1/profiles" (tenant) -> NumberedPage<Profile> {
        /// The page number, from 1.
        page: u64,
        /// The number of items per page, at most 100.
        page_size: u32,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
    } where {
        page_size: 1..=100,
    }
}

operation! {
    /// Creates a web filtering profile.
    ///
    /// A public client measured it on a live tenant; it is not published.
    pub struct CreateProfile = POST "/web-filters/v1/profiles" (tenant) -> Profile {
        /// The name.
        name!: String,
        /// The description.
        description: String,
        /// Whether categories are filtered.
        filter_by_category: bool,
        /// The preset of the actions.
        preset: String,
        /// The actions by category group.
        category_group_actions: [CategoryAction],
        /// The actions by category.
        category_actions: [CategoryAction],
        /// Whether site lists are filtered.
        filter_by_site_list: bool,
        /// The actions by site list.
        site_list_actions: [SiteListAction],
        /// The policies that use the profile.
        consumers: [ProfileConsumer],
    }
}

operation! {
    /// Returns a web filtering profile.
    ///
    /// A public client measured it on a live tenant; it is not published.
    pub struct GetProfile = GET "/web-filters/v1/profiles/:profileId" (tenant) -> Profile {
        /// The profile's id.
        profile_id!: String,
    }
}

operation! {
    /// Replaces a web filtering profile: a missing field is cleared.
    ///
    /// A public client measured it on a live tenant; it is not published.
    pub struct ReplaceProfile = PUT "/web-filters/v1/profiles/:profileId" (tenant) -> Profile {
        /// The profile's id.
        profile_id!: String,
        /// The name.
        name!: String,
        /// The description.
        description: String,
        /// Whether categories are filtered.
        filter_by_category: bool,
        /// The preset of the actions.
        preset: String,
        /// The actions by category group.
        category_group_actions: [CategoryAction],
        /// The actions by category.
        category_actions: [CategoryAction],
        /// Whether site lists are filtered.
        filter_by_site_list: bool,
        /// The actions by site list.
        site_list_actions: [SiteListAction],
        /// The policies that use the profile.
        consumers: [ProfileConsumer],
    }
}

operation! {
    /// Deletes a web filtering profile.
    ///
    /// Fails with 409 while a policy uses it. A public client measured it on a live
    /// tenant; it is not published.
    pub struct DeleteProfile = DELETE "/web-filters/v1/profiles/:profileId" (tenant) -> Deleted {
        /// The profile's id.
        profile_id!: String,
    }
}

operation! {
    /// Copies a web filtering profile under another name.
    ///
    /// A public client measured it on a live tenant; it is not published.
    pub struct CloneProfile = POST "/web-filters/v1/profiles/:profileId/clone" (tenant) -> Profile {
        /// The profile's id.
        profile_id!: String,
        /// The name of the copy.
        name!: String,
    }
}

model! {
    /// A web filtering profile.
    pub struct Profile {
        /// The profile's id.
        id!: String,
        /// The name.
        name: String,
        /// The description.
        description: String,
        /// Whether categories are filtered.
        filter_by_category: bool,
        /// The preset of the actions.
        preset: String,
        /// The actions by category group.
        category_group_actions: Vec<CategoryAction>,
        /// The actions by category.
        category_actions: Vec<CategoryAction>,
        /// Whether site lists are filtered.
        filter_by_site_list: bool,
        /// The actions by site list.
        site_list_actions: Vec<SiteListAction>,
        /// The policies that use the profile.
        consumers: Vec<ProfileConsumer>,
        /// The time of the last change.
        updated_at: Timestamp,
    }
}

model! {
    /// The action on a category or a category group.
    pub struct CategoryAction with setters {
        /// The name of the category or group.
        name: String,
        /// The action.
        action: WebAction,
    }
}

model! {
    /// The action on the sites of a list.
    pub struct SiteListAction with setters {
        /// The id of the site list.
        id as id: String,
        /// The action.
        action: WebAction,
        /// The priority.
        priority: i64,
    }
}

model! {
    /// A policy that uses a profile.
    pub struct ProfileConsumer with setters {
        /// The type: `computerWebControlPolicy` or `serverWebControlPolicy`.
        r#type: String,
        /// The policy's id.
        id as id: String,
    }
}

open_enum! {
    /// The action on a request of a user.
    pub enum WebAction {
        /// The request is allowed.
        Allow = "allow",
        /// The request is blocked.
        Block = "block",
        /// The user is warned, and may continue.
        Warn = "warn",
    }
}

listed! {
    ListProfiles
    CreateProfile
    GetProfile
    ReplaceProfile
    DeleteProfile
    CloneProfile
}
