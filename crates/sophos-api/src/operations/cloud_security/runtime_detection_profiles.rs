//! Runtime detection profiles of Linux: `/cloud-security/v1/profiles`.

use crate::{
    ItemList, NumberedPage, Timestamp,
    models::macros::{model, open_enum},
    operation::macros::{listed, operation},
};

operation! {
    /// Deletes profiles.
    ///
    /// Succeeds although some are skipped; the response lists them.
    pub struct DeleteProfiles = DELETE "/cloud-security/v1/profiles" (tenant) -> DeletedProfiles {
        /// The ids of the profiles.
        profile_ids!: [String],
    }
}

operation! {
    /// Lists the latest versions of the profiles.
    pub struct ListProfiles = GET "/cloud-security/v1/profiles" (tenant) -> NumberedPage<Profile> {
        /// The page number, from 1.
        page: u64,
        /// The number of items per page.
        page_size: u32,
        /// The text in the profile's name.
        search_term: String,
    }
}

operation! {
    /// Creates a profile, or a version of a profile.
    ///
    /// Fails with 404 if `profile_id` does not exist.
    pub struct CreateProfile = POST "/cloud-security/v1/profiles" (tenant) -> Profile {
        /// The version of the content.
        content_version!: String,
        /// The differences from the content.
        settings!: ProfileSettings,
        /// The name.
        name: String,
        /// The description.
        profile_description: String,
        /// The id of the profile that gets a version; a new profile if missing.
        profile_id: String,
    }
}

operation! {
    /// Returns a profile.
    ///
    /// Fails with 404 if the profile or its version does not exist.
    pub struct GetProfile = GET "/cloud-security/v1/profiles/:profileId" (tenant) -> Profile {
        /// The profile's id.
        profile_id!: String,
        /// The version; the latest if missing.
        version: String,
    }
}

operation! {
    /// Changes the name of a profile.
    pub struct UpdateProfile = PUT "/cloud-security/v1/profiles/:profileId" (tenant) -> Profile {
        /// The profile's id.
        profile_id!: String,
        /// The name.
        query name!: String,
    }
}

operation! {
    /// Lists the contents that profiles build on.
    pub struct ListDefaultContents = GET "/cloud-security/v1/profiles/default-contents" (tenant)
        -> ItemList<DefaultContent> {}
}

model! {
    /// A runtime detection profile.
    pub struct Profile {
        /// The profile's id.
        id as id: String,
        /// The name.
        name: String,
        /// The time of creation.
        created_at: Timestamp,
        /// The number of the version.
        version as id: String,
        /// The id of the content.
        default_content_id: String,
        /// The version of the content.
        content_version: String,
        /// The policies that use the profile.
        policies: Vec<ProfilePolicy>,
        /// The description.
        profile_description: String,
        /// The differences from the content, as YAML.
        diff: String,
        /// The versions.
        versions: Vec<ProfileVersion>,
    }
}

model! {
    /// A policy that uses a profile.
    pub struct ProfilePolicy {
        /// The policy's id.
        id as id: String,
        /// The name.
        name: String,
        /// The version of the profile.
        version: String,
    }
}

model! {
    /// The differences of a profile from its content.
    pub struct ProfileSettings with setters {
        /// The rules.
        rules: Vec<RuleSetting>,
        /// The lists.
        lists: Vec<ListSetting>,
    }
}

model! {
    /// A rule that is turned on or off.
    pub struct RuleSetting with setters {
        /// The name.
        name: String,
        /// Whether the rule is turned on.
        enabled: bool,
    }
}

model! {
    /// The changes of a list.
    pub struct ListSetting with setters {
        /// The name.
        name: String,
        /// The changes.
        operations: Vec<ListOperation>,
    }
}

model! {
    /// A change of a list.
    pub struct ListOperation with setters {
        /// The kind of change.
        behavior: ListBehavior,
        /// The values.
        list: Vec<String>,
    }
}

model! {
    /// The content that a profile builds on.
    pub struct DefaultContent {
        /// The content's id.
        id as id: String,
        /// The version.
        version: String,
    }
}

model! {
    /// The result of a deletion.
    pub struct DeletedProfiles {
        /// The ids of profiles that were not deleted.
        skipped_profiles: Vec<String>,
    }
}

model! {
    /// A version of a profile. No published example shows its fields.
    pub struct ProfileVersion {
        /// The version's id.
        id as id: String,
        /// The number of the version.
        version as id: String,
        /// The version of the content.
        content_version: String,
        /// The time of creation.
        created_at: Timestamp,
    }
}

open_enum! {
    /// The kind of change of a list.
    pub enum ListBehavior {
        /// The values are added.
        Add = "add",
        /// The values are removed.
        Remove = "remove",
    }
}

listed! {
    DeleteProfiles
    ListProfiles
    CreateProfile
    GetProfile
    UpdateProfile
    ListDefaultContents
}
