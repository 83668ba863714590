//! Base policies, one for each policy type: `/endpoint/v1/policies/{policyType}/base`.

use crate::{
    operation::macros::{listed, operation},
    operations::endpoint::policies::{Policy, PolicySetting, PolicySettings, PolicyType},
};

operation! {
    /// Returns the base policy of a type.
    pub struct GetBasePolicy = GET "/endpoint/v1/policies/:policyType/base" (tenant) -> Policy {
        /// The policy type.
        policy_type!: PolicyType,
    }
}

operation! {
    /// Changes settings of the base policy of a type.
    ///
    /// Fails with 409 for a policy that the managing account locked.
    pub struct UpdateBasePolicy = PATCH "/endpoint/v1/policies/:policyType/base" (tenant) -> Policy {
        /// The policy type.
        policy_type!: PolicyType,
        /// The settings, by key.
        settings!: PolicySettings,
    }
}

operation! {
    /// Creates a policy from the base policy of a type.
    pub struct CloneBasePolicy = POST "/endpoint/v1/policies/:policyType/base/clone" (tenant) -> Policy {
        /// The policy type.
        policy_type!: PolicyType,
        /// The name of the copy.
        name!: String,
    }
}

operation! {
    /// Returns the settings of the base policy of a type.
    pub struct GetBasePolicySettings = GET "/endpoint/v1/policies/:policyType/base/settings" (tenant)
        -> PolicySettings {
        /// The policy type.
        policy_type!: PolicyType,
    }
}

operation! {
    /// Changes settings of the base policy of a type.
    ///
    /// Fails with 409 for a policy that the managing account locked.
    pub struct UpdateBasePolicySettings = PATCH "/endpoint/v1/policies/:policyType/base/settings" (tenant)
        -> PolicySettings {
        /// The policy type.
        policy_type!: PolicyType,
        /// The changed settings, by key.
        #[serde(flatten)]
        settings!: PolicySettings,
    }
}

operation! {
    /// Returns a setting of the base policy of a type.
    pub struct GetBasePolicySetting = GET "/endpoint/v1/policies/:policyType/base/settings/:settingKey" (tenant)
        -> PolicySetting {
        /// The policy type.
        policy_type!: PolicyType,
        /// The setting's key, such as `endpoint.malware.enabled`.
        setting_key!: String,
    }
}

operation! {
    /// Changes one setting of the base policy of a type.
    ///
    /// Fails with 409 for a policy that the managing account locked.
    pub struct UpdateBasePolicySetting = PATCH "/endpoint/v1/policies/:policyType/base/settings/:settingKey" (tenant)
        -> PolicySetting {
        /// The policy type.
        policy_type!: PolicyType,
        /// The setting's key, such as `endpoint.malware.enabled`.
        setting_key!: String,
        /// The changed setting, by its key.
        #[serde(flatten)]
        settings!: PolicySettings,
    }
}

operation! {
    /// Resets a setting of the base policy of a type to its default.
    ///
    /// Fails with 409 for a policy that the managing account locked.
    pub struct ResetBasePolicySetting = POST "/endpoint/v1/policies/:policyType/base/settings/:settingKey/reset" (tenant)
        -> PolicySetting {
        /// The policy type.
        policy_type!: PolicyType,
        /// The setting's key, such as `endpoint.malware.enabled`.
        setting_key!: String,
    }
}

operation! {
    /// Resets all settings of the base policy of a type.
    ///
    /// Fails with 409 for a policy that the managing account locked.
    pub struct ResetBasePolicySettings = POST "/endpoint/v1/policies/:policyType/base/settings/reset" (tenant)
        -> PolicySettings {
        /// The policy type.
        policy_type!: PolicyType,
    }
}

listed! {
    GetBasePolicy
    UpdateBasePolicy
    CloneBasePolicy
    GetBasePolicySettings
    UpdateBasePolicySettings
    GetBasePolicySetting
    UpdateBasePolicySetting
    ResetBasePolicySetting
    ResetBasePolicySettings
}
