//! Runtime Detections: `/cloud-security/v1/profiles` and the operations beside it.

use serde_json::Value;

use crate::{ItemList, NumberedPage, Timestamp, model::{model, open_enum}, operation_macro::{operation, tested}};

model! {
    /// A profile.
    pub struct Profile {
        /// The skipped profiles.
        skipped_profiles: Vec<String>,
        /// The id.
        id as id: String,
        /// The name.
        name: String,
        /// The time of creation.
        created_at: Timestamp,
        /// The version.
        version: String,
        /// The default content id.
        default_content_id: String,
        /// The content version.
        content_version: String,
        /// The policies.
        policies: Vec<ProfilePolicy>,
        /// The profile description.
        profile_description: String,
        /// The diff.
        diff: String,
        /// The versions.
        versions: Vec<String>,
    }
}

model! {
    /// A profile policy.
    pub struct ProfilePolicy {
        /// The id.
        id as id: String,
        /// The name.
        name: String,
        /// The version.
        version: String,
    }
}

model! {
    /// A profile setting.
    pub struct ProfileSetting {
        /// The rules.
        rules: Vec<ProfileSettingRule>,
        /// The lists.
        lists: Vec<ProfileSettingList>,
    }
}

model! {
    /// A profile setting rule.
    pub struct ProfileSettingRule {
        /// The name.
        name: String,
        /// Whether it is enabled.
        enabled: bool,
    }
}

model! {
    /// A profile setting list.
    pub struct ProfileSettingList {
        /// The name.
        name: String,
        /// The operations.
        operations: Vec<ProfileSettingListOperation>,
    }
}

model! {
    /// A profile setting list operation.
    pub struct ProfileSettingListOperation {
        /// The behavior.
        behavior: ProfileSettingListOperationBehavior,
        /// The list.
        list: Vec<String>,
    }
}

model! {
    /// A default content.
    pub struct DefaultContent {
        /// The id.
        id as id: String,
        /// The version.
        version: String,
    }
}

open_enum! {
    /// The profile setting list operation behavior.
    pub enum ProfileSettingListOperationBehavior {
        /// `add`.
        Add = "add",
        /// `remove`.
        Remove = "remove",
    }
}

operation! {
    /// Deletes profiles with provided IDs.
    pub struct DeleteProfiles = DELETE "/cloud-security/v1/profiles" (tenant)
        -> Profile {
        /// The profile ids.
        profile_ids: [String],
    }
}

operation! {
    /// Lists runtime detection profiles (Latest version).
    pub struct ListProfiles = GET "/cloud-security/v1/profiles" (tenant)
        -> NumberedPage<Profile> {
        /// The page number, from 1.
        page: u64,
        /// The number of items per page.
        page_size: u32,
        /// The search term.
        search_term: String,
    }
}

operation! {
    /// Creates runtime detection profile or new version of existing profile.
    pub struct CreateProfile = POST "/cloud-security/v1/profiles" (tenant)
        -> Profile {
        /// The content version.
        content_version: String,
        /// The settings.
        settings: ProfileSetting,
        /// The name.
        name: String,
        /// The profile description.
        profile_description: String,
        /// The profile id.
        profile_id: String,
    }
}

operation! {
    /// Gets runtime detection profile details.
    pub struct GetProfile = GET "/cloud-security/v1/profiles/:profileId" (tenant)
        -> Profile {
        /// The profile id.
        profile_id!: String,
        /// The version.
        version: String,
    }
}

operation! {
    /// Updates the name of a runtime detection profile.
    pub struct UpdateProfile = PUT "/cloud-security/v1/profiles/:profileId" (tenant)
        -> Value {
        /// The profile id.
        profile_id!: String,
        /// The name.
        query name: String,
    }
}

operation! {
    /// Lists available default contents.
    pub struct ListDefaultContents = GET "/cloud-security/v1/profiles/default-contents" (tenant)
        -> ItemList<DefaultContent> {
    }
}

tested! {
    DeleteProfiles
    ListProfiles
    CreateProfile
    GetProfile
    UpdateProfile
    ListDefaultContents
}
