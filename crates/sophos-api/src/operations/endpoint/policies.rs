//! Policies of endpoints and the descriptions of their settings: `/endpoint/v1/policies`.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    NumberedPage, Timestamp,
    models::{
        Actor, Deleted, Reference,
        macros::{model, open_enum},
    },
    operation::macros::{listed, operation},
};

/// The policy settings, by key.
pub type PolicySettings = BTreeMap<String, PolicySetting>;

operation! {
    /// Lists the policies of a tenant.
    pub struct ListPolicies = GET "/endpoint/v1/policies" (tenant) -> NumberedPage<Policy> {
        /// The policy type.
        policy_type: PolicyType,
        /// The page number, from 1.
        page: u64,
        /// The number of items per page.
        page_size: u32,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
        /// The fields to return; all if empty.
        fields: [String],
    }
}

operation! {
    /// Creates a policy.
    pub struct CreatePolicy = POST "/endpoint/v1/policies" (tenant) -> Policy {
        /// The name.
        name!: String,
        /// The policy type.
        r#type!: PolicyType,
        /// Whether the policy is in force.
        enabled: bool,
        /// The time when the policy is disabled.
        disable_at: Timestamp,
        /// The users and endpoints that the policy applies to.
        applies_to: PolicyTargets,
        /// The priority among the policies of the type.
        priority: i64,
        /// The settings, by key.
        settings: PolicySettings,
    }
}

operation! {
    /// Deletes a policy.
    ///
    /// Fails with 409 for a base policy and for a policy that the managing account locked.
    pub struct DeletePolicy = DELETE "/endpoint/v1/policies/:policyId" (tenant) -> Deleted {
        /// The policy's id.
        policy_id!: String,
    }
}

operation! {
    /// Returns a policy.
    pub struct GetPolicy = GET "/endpoint/v1/policies/:policyId" (tenant) -> Policy {
        /// The policy's id.
        policy_id!: String,
    }
}

operation! {
    /// Changes a policy; of a base policy only the settings.
    ///
    /// Fails with 409 for a policy that the managing account locked. A failure with 500 may have
    /// taken effect: read the policy before a repetition.
    pub struct UpdatePolicy = PATCH "/endpoint/v1/policies/:policyId" (tenant) -> Policy {
        /// The policy's id.
        policy_id!: String,
        /// The name.
        name: String,
        /// The priority among the policies of the type.
        priority: i64,
        /// Whether the policy is in force.
        enabled: bool,
        /// The time when the policy is disabled.
        disable_at: Timestamp,
        /// The users and endpoints that the policy applies to.
        applies_to: PolicyTargets,
        /// The settings, by key.
        settings: PolicySettings,
    }
}

operation! {
    /// Creates a copy of a policy.
    pub struct ClonePolicy = POST "/endpoint/v1/policies/:policyId/clone" (tenant) -> Policy {
        /// The policy's id.
        policy_id!: String,
        /// The name of the copy.
        name!: String,
    }
}

operation! {
    /// Returns the settings of a policy.
    pub struct GetPolicySettings = GET "/endpoint/v1/policies/:policyId/settings" (tenant) -> PolicySettings {
        /// The policy's id.
        policy_id!: String,
    }
}

operation! {
    /// Changes settings of a policy.
    ///
    /// Fails with 409 for a policy that the managing account locked.
    pub struct UpdatePolicySettings = PATCH "/endpoint/v1/policies/:policyId/settings" (tenant)
        -> PolicySettings {
        /// The policy's id.
        policy_id!: String,
        /// The changed settings, by key.
        #[serde(flatten)]
        settings!: PolicySettings,
    }
}

operation! {
    /// Returns a setting of a policy.
    pub struct GetPolicySetting = GET "/endpoint/v1/policies/:policyId/settings/:settingKey" (tenant)
        -> PolicySetting {
        /// The policy's id.
        policy_id!: String,
        /// The setting's key, such as `endpoint.malware.enabled`.
        setting_key!: String,
    }
}

operation! {
    /// Resets a setting of a policy to its default.
    ///
    /// Fails with 409 for a policy that the managing account locked.
    pub struct ResetPolicySetting = POST "/endpoint/v1/policies/:policyId/settings/:settingKey/reset" (tenant)
        -> PolicySetting {
        /// The policy's id.
        policy_id!: String,
        /// The setting's key, such as `endpoint.malware.enabled`.
        setting_key!: String,
    }
}

operation! {
    /// Resets all settings of a policy to their defaults.
    ///
    /// Fails with 409 for a policy that the managing account locked.
    pub struct ResetPolicySettings = POST "/endpoint/v1/policies/:policyId/settings/reset" (tenant)
        -> PolicySettings {
        /// The policy's id.
        policy_id!: String,
    }
}

operation! {
    /// Returns the descriptions of the settings of all policy types, or one.
    pub struct ListPolicySettingMetadata = GET "/endpoint/v1/policies/settings" (tenant)
        -> PolicySettingMetadata {
        /// The policy type.
        policy_type: PolicyType,
    }
}

model! {
    /// A policy of endpoints.
    pub struct Policy {
        /// The policy's id.
        id!: String,
        /// The name.
        name: String,
        /// The policy type.
        r#type: PolicyType,
        /// Whether the managing account locked the policy.
        locked_by_managing_account: bool,
        /// The priority among the policies of the type.
        priority: i64,
        /// The tenant.
        tenant: Reference,
        /// Whether the policy is in force.
        enabled: bool,
        /// The settings, by key.
        settings: PolicySettings,
        /// The users and endpoints that the policy applies to.
        applies_to: PolicyTargets,
        /// The time when the policy is disabled.
        disable_at: Timestamp,
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
    /// A setting of a policy.
    pub struct PolicySetting with setters {
        /// The value.
        value: Value,
        /// The value that Sophos recommends.
        recommended_value: Value,
        /// The format of the value, such as `date-time`.
        format: String,
        /// The unit of the value, such as `hours`.
        unit: String,
    }
}

model! {
    /// The users and endpoints that a policy applies to.
    pub struct PolicyTargets with setters {
        /// The ids of endpoints.
        endpoints: Vec<String>,
        /// The ids of users.
        users: Vec<String>,
        /// The ids of user groups.
        user_groups: Vec<String>,
        /// The ids of endpoint groups.
        endpoint_groups: Vec<String>,
    }
}

model! {
    /// The descriptions of policy settings.
    pub struct PolicySettingMetadata {
        /// The descriptions, by policy type.
        items: Vec<PolicyTypeMetadata>,
        /// The version of the descriptions.
        version: String,
        /// The schemas of settings that are objects, by name.
        schemas: BTreeMap<String, SettingSchema>,
    }
}

model! {
    /// The descriptions of the settings of a policy type.
    pub struct PolicyTypeMetadata {
        /// The descriptions of the settings.
        items: Vec<SettingMetadata>,
        /// The policy type.
        r#type: PolicyType,
    }
}

model! {
    /// The description of a setting.
    pub struct SettingMetadata {
        /// The setting's key.
        name: String,
        /// The description.
        description: String,
        /// The type of the value.
        r#type: SettingType,
        /// The default.
        default_value: Value,
        /// Whether only a base policy may hold the setting.
        use_valid_only_in_base_policy: bool,
        /// Whether a base policy may not hold the setting.
        use_valid_only_in_additional_policies: bool,
        /// Whether the setting of a base policy cannot be changed.
        read_only_in_base_policy: bool,
        /// Whether the setting of other policies cannot be changed.
        read_only_in_additional_policies: bool,
        /// The name of the schema.
        schema: String,
        /// The default format.
        default_format: String,
        /// The formats that a value may have.
        allowed_formats: Vec<String>,
        /// The default unit.
        default_unit: String,
        /// The units that a value may have.
        allowed_units: Vec<String>,
        /// The limits of a number.
        limit: SettingLimits,
        /// The example values.
        examples: Vec<String>,
    }
}

model! {
    /// The limits of a number.
    pub struct SettingLimits {
        /// The minimum.
        min: i64,
        /// The maximum.
        max: i64,
    }
}

model! {
    /// A JSON schema of settings that are objects.
    pub struct SettingSchema {
        /// The JSON type.
        r#type: String,
        /// The description.
        description: String,
        /// The schemas of the members, by name.
        properties: BTreeMap<String, BTreeMap<String, Value>>,
        /// The names of required members.
        required: Vec<String>,
    }
}

open_enum! {
    /// The type of a policy.
    pub enum PolicyType {
        /// Threat protection.
        ThreatProtection = "threat-protection",
        /// Peripheral control.
        PeripheralControl = "peripheral-control",
        /// Application control.
        ApplicationControl = "application-control",
        /// Web control.
        WebControl = "web-control",
        /// Device encryption.
        DeviceEncryption = "device-encryption",
        /// Windows firewall.
        WindowsFirewall = "windows-firewall",
        /// Server threat protection.
        ServerThreatProtection = "server-threat-protection",
        /// Server peripheral control.
        ServerPeripheralControl = "server-peripheral-control",
        /// Server application control.
        ServerApplicationControl = "server-application-control",
        /// Server web control.
        ServerWebControl = "server-web-control",
        /// Server windows firewall.
        ServerWindowsFirewall = "server-windows-firewall",
        /// Server lockdown.
        ServerLockdown = "server-lockdown",
        /// Server data loss prevention.
        ServerDataLossPrevention = "server-data-loss-prevention",
        /// Server agent updating.
        ServerAgentUpdating = "server-agent-updating",
    }
}

open_enum! {
    /// The type of a setting's value.
    pub enum SettingType {
        /// Boolean.
        Boolean = "boolean",
        /// Integer.
        Integer = "integer",
        /// Object.
        Object = "object",
        /// Array of booleans.
        ArrayOfBooleans = "arrayOfBooleans",
        /// Array of integers.
        ArrayOfIntegers = "arrayOfIntegers",
        /// Array of objects.
        ArrayOfObjects = "arrayOfObjects",
        /// Array of strings.
        ArrayOfStrings = "arrayOfStrings",
    }
}

listed! {
    ListPolicies
    CreatePolicy
    DeletePolicy
    GetPolicy
    UpdatePolicy
    ClonePolicy
    GetPolicySettings
    UpdatePolicySettings
    GetPolicySetting
    ResetPolicySetting
    ResetPolicySettings
    ListPolicySettingMetadata
}
