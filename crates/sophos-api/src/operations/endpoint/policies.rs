//! Policy Management: `/endpoint/v1/policies` and the operations beside it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{NumberedPage, Timestamp, models::{Actor, Deleted, Reference}, model::{model, open_enum}, operation_macro::{operation, tested}};

model! {
    /// A policy.
    pub struct Policy {
        /// The id.
        id!: String,
        /// The name.
        name: String,
        /// The type.
        r#type: PolicyType,
        /// Whether `lockedByManagingAccount` is set.
        locked_by_managing_account: bool,
        /// The priority.
        priority: i64,
        /// The tenant.
        tenant: Reference,
        /// Whether it is enabled.
        enabled: bool,
        /// The settings.
        settings: BTreeMap<String, PolicySetting>,
        /// The applies to.
        applies_to: Value,
        /// The time: disable.
        disable_at: Timestamp,
        /// The time of creation.
        created_at: Timestamp,
        /// The account that created it.
        created_by: Actor,
        /// The time of the last change.
        updated_at: Timestamp,
        /// The account that changed it last.
        updated_by: Actor,
    }
}

model! {
    /// A policy setting.
    pub struct PolicySetting {
        /// The value.
        value: Value,
        /// The recommended value.
        recommended_value: Value,
        /// The format.
        format: String,
        /// The unit.
        unit: String,
    }
}

model! {
    /// A policy applies to.
    pub struct PolicyAppliesTo {
        /// The endpoints.
        endpoints: Vec<String>,
        /// The users.
        users: Vec<String>,
        /// The user groups.
        user_groups: Vec<String>,
    }
}

model! {
    /// A policy setting metadata.
    pub struct PolicySettingMetadata {
        /// The items.
        items: Vec<PolicySettingMetadataItem>,
        /// The version.
        version: String,
        /// The schemas.
        schemas: BTreeMap<String, PolicySettingMetadataSchema>,
    }
}

model! {
    /// A policy setting metadata item.
    pub struct PolicySettingMetadataItem {
        /// The items.
        items: Vec<PolicySettingMetadataItemItem>,
        /// The type.
        r#type: PolicySettingMetadataItemType,
    }
}

model! {
    /// A policy setting metadata item item.
    pub struct PolicySettingMetadataItemItem {
        /// The name.
        name: String,
        /// The description.
        description: String,
        /// The type.
        r#type: PolicySettingMetadataItemItemType,
        /// The default value.
        default_value: Value,
        /// Whether `useValidOnlyInBasePolicy` is set.
        use_valid_only_in_base_policy: bool,
        /// Whether `useValidOnlyInAdditionalPolicies` is set.
        use_valid_only_in_additional_policies: bool,
        /// Whether `readOnlyInBasePolicy` is set.
        read_only_in_base_policy: bool,
        /// Whether `readOnlyInAdditionalPolicies` is set.
        read_only_in_additional_policies: bool,
        /// The schema.
        schema: String,
        /// The default format.
        default_format: String,
        /// The allowed formats.
        allowed_formats: Vec<PolicySettingMetadataItemItemAllowedFormat>,
        /// The default unit.
        default_unit: String,
        /// The allowed units.
        allowed_units: Vec<PolicySettingMetadataItemItemAllowedUnit>,
        /// The limit.
        limit: PolicySettingMetadataItemItemLimit,
        /// The examples.
        examples: Vec<String>,
    }
}

model! {
    /// A policy setting metadata item item limit.
    pub struct PolicySettingMetadataItemItemLimit {
        /// The min.
        min: i64,
        /// The max.
        max: i64,
    }
}

model! {
    /// A policy setting metadata schema.
    pub struct PolicySettingMetadataSchema {
        /// The type.
        r#type: PolicySettingMetadataSchemaType,
        /// The description.
        description: String,
        /// The properties.
        properties: BTreeMap<String, BTreeMap<String, Value>>,
        /// The required.
        required: Vec<String>,
    }
}

open_enum! {
    /// The policy type.
    pub enum PolicyType {
        /// `application-control`.
        ApplicationControl = "application-control",
        /// `arrayOfBooleans`.
        ArrayOfBooleans = "arrayOfBooleans",
        /// `arrayOfIntegers`.
        ArrayOfIntegers = "arrayOfIntegers",
        /// `arrayOfObjects`.
        ArrayOfObjects = "arrayOfObjects",
        /// `arrayOfStrings`.
        ArrayOfStrings = "arrayOfStrings",
        /// `boolean`.
        Boolean = "boolean",
        /// `device-encryption`.
        DeviceEncryption = "device-encryption",
        /// `integer`.
        Integer = "integer",
        /// `object`.
        Object = "object",
        /// `peripheral-control`.
        PeripheralControl = "peripheral-control",
        /// `server-agent-updating`.
        ServerAgentUpdating = "server-agent-updating",
        /// `server-application-control`.
        ServerApplicationControl = "server-application-control",
        /// `server-data-loss-prevention`.
        ServerDataLossPrevention = "server-data-loss-prevention",
        /// `server-lockdown`.
        ServerLockdown = "server-lockdown",
        /// `server-peripheral-control`.
        ServerPeripheralControl = "server-peripheral-control",
        /// `server-threat-protection`.
        ServerThreatProtection = "server-threat-protection",
        /// `server-web-control`.
        ServerWebControl = "server-web-control",
        /// `server-windows-firewall`.
        ServerWindowsFirewall = "server-windows-firewall",
        /// `threat-protection`.
        ThreatProtection = "threat-protection",
        /// `web-control`.
        WebControl = "web-control",
        /// `windows-firewall`.
        WindowsFirewall = "windows-firewall",
    }
}

open_enum! {
    /// The policy setting metadata item item type.
    pub enum PolicySettingMetadataItemItemType {
        /// `application-control`.
        ApplicationControl = "application-control",
        /// `arrayOfBooleans`.
        ArrayOfBooleans = "arrayOfBooleans",
        /// `arrayOfIntegers`.
        ArrayOfIntegers = "arrayOfIntegers",
        /// `arrayOfObjects`.
        ArrayOfObjects = "arrayOfObjects",
        /// `arrayOfStrings`.
        ArrayOfStrings = "arrayOfStrings",
        /// `boolean`.
        Boolean = "boolean",
        /// `device-encryption`.
        DeviceEncryption = "device-encryption",
        /// `integer`.
        Integer = "integer",
        /// `object`.
        Object = "object",
        /// `peripheral-control`.
        PeripheralControl = "peripheral-control",
        /// `server-agent-updating`.
        ServerAgentUpdating = "server-agent-updating",
        /// `server-application-control`.
        ServerApplicationControl = "server-application-control",
        /// `server-data-loss-prevention`.
        ServerDataLossPrevention = "server-data-loss-prevention",
        /// `server-lockdown`.
        ServerLockdown = "server-lockdown",
        /// `server-peripheral-control`.
        ServerPeripheralControl = "server-peripheral-control",
        /// `server-threat-protection`.
        ServerThreatProtection = "server-threat-protection",
        /// `server-web-control`.
        ServerWebControl = "server-web-control",
        /// `server-windows-firewall`.
        ServerWindowsFirewall = "server-windows-firewall",
        /// `threat-protection`.
        ThreatProtection = "threat-protection",
        /// `web-control`.
        WebControl = "web-control",
        /// `windows-firewall`.
        WindowsFirewall = "windows-firewall",
    }
}

open_enum! {
    /// The policy setting metadata item item allowed format.
    pub enum PolicySettingMetadataItemItemAllowedFormat {
        /// `dMp`.
        DMp = "dMp",
        /// `jH`.
        JH = "jH",
        /// `jdXC`.
        JdXC = "jdXC",
        /// `mlb`.
        Mlb = "mlb",
        /// `pxYLHIicDR892`.
        PxYLHIicDR892 = "pxYLHIicDR892",
        /// `sORpzJoIzAnEw`.
        SORpzJoIzAnEw = "sORpzJoIzAnEw",
        /// `tuhNSlbXoE3`.
        TuhNSlbXoE3 = "tuhNSlbXoE3",
        /// `uJv25`.
        UJv25 = "uJv25",
        /// `wzt`.
        Wzt = "wzt",
    }
}

open_enum! {
    /// The policy setting metadata item item allowed unit.
    pub enum PolicySettingMetadataItemItemAllowedUnit {
        /// `aZCQ`.
        AZCQ = "aZCQ",
        /// `dVE`.
        DVE = "dVE",
        /// `gH`.
        GH = "gH",
        /// `gkLxWJnTcEcYaORPvhEyhDxcn`.
        GkLxWJnTcEcYaORPvhEyhDxcn = "gkLxWJnTcEcYaORPvhEyhDxcn",
        /// `kE`.
        KE = "kE",
        /// `kMWBasHIrXfAkcNHsbAc`.
        KMWBasHIrXfAkcNHsbAc = "kMWBasHIrXfAkcNHsbAc",
        /// `kOBBQe`.
        KOBBQe = "kOBBQe",
        /// `kss`.
        Kss = "kss",
        /// `mifQxEQjpnINsxNth`.
        MifQxEQjpnINsxNth = "mifQxEQjpnINsxNth",
        /// `nyaEXBjPBk`.
        NyaEXBjPBk = "nyaEXBjPBk",
        /// `pM`.
        PM = "pM",
        /// `sY`.
        SY = "sY",
        /// `upPujhpTOoliE`.
        UpPujhpTOoliE = "upPujhpTOoliE",
        /// `xKpvAWP`.
        XKpvAWP = "xKpvAWP",
        /// `yU`.
        YU = "yU",
    }
}

open_enum! {
    /// The policy setting metadata item type.
    pub enum PolicySettingMetadataItemType {
        /// `application-control`.
        ApplicationControl = "application-control",
        /// `arrayOfBooleans`.
        ArrayOfBooleans = "arrayOfBooleans",
        /// `arrayOfIntegers`.
        ArrayOfIntegers = "arrayOfIntegers",
        /// `arrayOfObjects`.
        ArrayOfObjects = "arrayOfObjects",
        /// `arrayOfStrings`.
        ArrayOfStrings = "arrayOfStrings",
        /// `boolean`.
        Boolean = "boolean",
        /// `device-encryption`.
        DeviceEncryption = "device-encryption",
        /// `integer`.
        Integer = "integer",
        /// `object`.
        Object = "object",
        /// `peripheral-control`.
        PeripheralControl = "peripheral-control",
        /// `server-agent-updating`.
        ServerAgentUpdating = "server-agent-updating",
        /// `server-application-control`.
        ServerApplicationControl = "server-application-control",
        /// `server-data-loss-prevention`.
        ServerDataLossPrevention = "server-data-loss-prevention",
        /// `server-lockdown`.
        ServerLockdown = "server-lockdown",
        /// `server-peripheral-control`.
        ServerPeripheralControl = "server-peripheral-control",
        /// `server-threat-protection`.
        ServerThreatProtection = "server-threat-protection",
        /// `server-web-control`.
        ServerWebControl = "server-web-control",
        /// `server-windows-firewall`.
        ServerWindowsFirewall = "server-windows-firewall",
        /// `threat-protection`.
        ThreatProtection = "threat-protection",
        /// `web-control`.
        WebControl = "web-control",
        /// `windows-firewall`.
        WindowsFirewall = "windows-firewall",
    }
}

open_enum! {
    /// The policy setting metadata schema type.
    pub enum PolicySettingMetadataSchemaType {
        /// `array`.
        Array = "array",
        /// `boolean`.
        Boolean = "boolean",
        /// `integer`.
        Integer = "integer",
        /// `object`.
        Object = "object",
    }
}

operation! {
    /// Gets policies of a tenant.
    pub struct ListPolicies = GET "/endpoint/v1/policies" (tenant)
        -> NumberedPage<Policy> {
        /// The policy type.
        policy_type: String,
        /// The page number, from 1.
        page: u64,
        /// The number of items per page.
        page_size: u32,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
        /// The fields to return.
        fields: [String],
    }
}

operation! {
    /// Creates new policy.
    pub struct CreatePolicy = POST "/endpoint/v1/policies" (tenant)
        -> Policy {
        /// The name.
        name: String,
        /// The type.
        r#type: PolicyType,
        /// Whether it is enabled.
        enabled: bool,
        /// The time: disable.
        disable_at: Timestamp,
        /// The applies to.
        applies_to: PolicyAppliesTo,
        /// The priority.
        priority: i64,
        /// The settings.
        settings: BTreeMap<String, PolicySetting>,
    }
}

operation! {
    /// Deletes policy.
    pub struct DeletePolicy = DELETE "/endpoint/v1/policies/:policyId" (tenant)
        -> Deleted {
        /// The policy id.
        policy_id!: String,
    }
}

operation! {
    /// Gets the policy.
    pub struct GetPolicy = GET "/endpoint/v1/policies/:policyId" (tenant)
        -> Policy {
        /// The policy id.
        policy_id!: String,
    }
}

operation! {
    /// Updates policy.
    pub struct UpdatePolicy = PATCH "/endpoint/v1/policies/:policyId" (tenant)
        -> Policy {
        /// The policy id.
        policy_id!: String,
        /// The name.
        name: String,
        /// The priority.
        priority: i64,
        /// Whether it is enabled.
        enabled: bool,
        /// The time: disable.
        disable_at: Timestamp,
        /// The applies to.
        applies_to: PolicyAppliesTo,
        /// The settings.
        settings: BTreeMap<String, PolicySetting>,
    }
}

operation! {
    /// Clones policy.
    pub struct ClonePolicy = POST "/endpoint/v1/policies/:policyId/clone" (tenant)
        -> Policy {
        /// The policy id.
        policy_id!: String,
        /// The name.
        name: String,
    }
}

/// The policy settings, by key.
pub type PolicySettings = BTreeMap<String, PolicySetting>;

operation! {
    /// Gets the policy settings.
    pub struct GetPolicySettings = GET "/endpoint/v1/policies/:policyId/settings" (tenant)
        -> PolicySettings {
        /// The policy id.
        policy_id!: String,
    }
}

operation! {
    /// Updates policy settings.
    pub struct UpdatePolicySettings = PATCH "/endpoint/v1/policies/:policyId/settings" (tenant)
        -> PolicySettings {
        /// The policy id.
        policy_id!: String,
    }
}

operation! {
    /// Gets the value of a setting key in a policy.
    pub struct GetPolicySetting = GET "/endpoint/v1/policies/:policyId/settings/:settingKey" (tenant)
        -> Value {
        /// The policy id.
        policy_id!: String,
        /// The setting key.
        setting_key!: String,
    }
}

operation! {
    /// Resets a setting to its default value.
    pub struct ResetPolicySetting = POST "/endpoint/v1/policies/:policyId/settings/:settingKey/reset" (tenant)
        -> Value {
        /// The policy id.
        policy_id!: String,
        /// The setting key.
        setting_key!: String,
    }
}

operation! {
    /// Resets policy settings.
    pub struct ResetPolicySettings = POST "/endpoint/v1/policies/:policyId/settings/reset" (tenant)
        -> PolicySettings {
        /// The policy id.
        policy_id!: String,
    }
}

operation! {
    /// Gets base policy for a policy type.
    pub struct GetBasePolicy = GET "/endpoint/v1/policies/:policyType/base" (tenant)
        -> Policy {
        /// The policy type.
        policy_type!: String,
    }
}

operation! {
    /// Updates base policy.
    pub struct UpdateBasePolicy = PATCH "/endpoint/v1/policies/:policyType/base" (tenant)
        -> Policy {
        /// The policy type.
        policy_type!: String,
        /// The settings.
        settings: BTreeMap<String, PolicySetting>,
    }
}

operation! {
    /// Clones a new policy from the base policy for a policy type.
    pub struct CloneBasePolicy = POST "/endpoint/v1/policies/:policyType/base/clone" (tenant)
        -> Policy {
        /// The policy type.
        policy_type!: String,
        /// The name.
        name: String,
    }
}

operation! {
    /// Gets settings of the base policy for a policy type.
    pub struct GetBasePolicySettings = GET "/endpoint/v1/policies/:policyType/base/settings" (tenant)
        -> PolicySettings {
        /// The policy type.
        policy_type!: String,
    }
}

operation! {
    /// Updates settings in the base policy for a policy type.
    pub struct UpdateBasePolicySettings = PATCH "/endpoint/v1/policies/:policyType/base/settings" (tenant)
        -> PolicySettings {
        /// The policy type.
        policy_type!: String,
    }
}

operation! {
    /// Gets the value of a setting in the base policy for a policy type.
    pub struct GetBasePolicySetting = GET "/endpoint/v1/policies/:policyType/base/settings/:settingKey" (tenant)
        -> Value {
        /// The policy type.
        policy_type!: String,
        /// The setting key.
        setting_key!: String,
    }
}

operation! {
    /// Updates a setting in the base policy.
    pub struct UpdateBasePolicySetting = PATCH "/endpoint/v1/policies/:policyType/base/settings/:settingKey" (tenant)
        -> Value {
        /// The policy type.
        policy_type!: String,
        /// The setting key.
        setting_key!: String,
    }
}

operation! {
    /// Resets a setting in the base policy to its default value.
    pub struct ResetBasePolicySetting = POST "/endpoint/v1/policies/:policyType/base/settings/:settingKey/reset" (tenant)
        -> Value {
        /// The policy type.
        policy_type!: String,
        /// The setting key.
        setting_key!: String,
    }
}

operation! {
    /// Resets the settings in a base policy.
    pub struct ResetBasePolicySettings = POST "/endpoint/v1/policies/:policyType/base/settings/reset" (tenant)
        -> PolicySettings {
        /// The policy type.
        policy_type!: String,
    }
}

operation! {
    /// Lists the policy setting metadata.
    pub struct ListPolicySettingMetadata = GET "/endpoint/v1/policies/settings" (tenant)
        -> PolicySettingMetadata {
        /// The policy type.
        policy_type: String,
    }
}

tested! {
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
    GetBasePolicy
    UpdateBasePolicy
    CloneBasePolicy
    GetBasePolicySettings
    UpdateBasePolicySettings
    GetBasePolicySetting
    UpdateBasePolicySetting
    ResetBasePolicySetting
    ResetBasePolicySettings
    ListPolicySettingMetadata
}
