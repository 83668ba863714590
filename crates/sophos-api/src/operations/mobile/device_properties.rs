//! Properties of a mobile device: `/mobile/v1/devices/{id}/properties`.

use crate::{
    NumberedPage,
    models::{
        Deleted,
        macros::{model, open_enum},
    },
    operation::macros::{listed, operation},
    operations::mobile::devices::View,
};

operation! {
    /// Lists the properties of a device.
    pub struct ListDeviceProperties = GET "/mobile/v1/devices/:id/properties" (tenant)
        -> NumberedPage<DeviceProperty> {
        /// The device's id.
        id!: String,
        /// The fields to return; all if empty.
        fields: [String],
        /// The amount of detail to return.
        view: View,
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
        /// The origin to match.
        device_property_type: PropertyType,
        /// The key to match.
        device_property_key: String,
    }
}

operation! {
    /// Adds a custom property to a device.
    ///
    /// Fails with 409 at a conflicting change, and with 422 if there are too many properties.
    pub struct CreateDeviceProperty = POST "/mobile/v1/devices/:id/properties" (tenant) -> DeviceProperty {
        /// The device's id.
        id!: String,
        /// The key, such as `custom.someKey`.
        key!: String,
        /// The value.
        value!: String,
        /// The fields to return; all if empty.
        query fields: [String],
        /// The amount of detail to return.
        query view: View,
    }
}

operation! {
    /// Deletes a property of a device.
    pub struct DeleteDeviceProperty = DELETE "/mobile/v1/devices/:id/properties/:propertyKey" (tenant)
        -> Deleted {
        /// The device's id.
        id!: String,
        /// The key.
        property_key!: String,
    }
}

operation! {
    /// Changes a property of a device.
    pub struct UpdateDeviceProperty = PUT "/mobile/v1/devices/:id/properties/:propertyKey" (tenant)
        -> DeviceProperty {
        /// The device's id.
        id!: String,
        /// The key.
        property_key!: String,
        /// The value.
        value!: String,
        /// The fields to return; all if empty.
        query fields: [String],
        /// The amount of detail to return.
        query view: View,
    }
}

model! {
    /// A property of a device.
    pub struct DeviceProperty {
        /// The key, such as `custom.someKey`.
        key: String,
        /// The value.
        value: String,
        /// The origin.
        r#type: PropertyType,
    }
}

open_enum! {
    /// The origin of a property.
    pub enum PropertyType {
        /// Set by the tenant.
        Custom = "custom",
        /// Set by Sophos Mobile.
        System = "system",
    }
}

listed! {
    ListDeviceProperties
    CreateDeviceProperty
    DeleteDeviceProperty
    UpdateDeviceProperty
}
