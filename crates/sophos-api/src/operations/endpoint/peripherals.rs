//! Peripherals that endpoints reported: `/endpoint/v1/settings/peripheral-control`.

use crate::{
    NumberedPage, Timestamp,
    models::macros::{model, open_enum},
    operation::macros::{listed, operation},
};

operation! {
    /// Lists the peripherals that endpoints reported.
    pub struct ListPeripherals = GET "/endpoint/v1/settings/peripheral-control/peripherals" (tenant)
        -> NumberedPage<Peripheral> {
        /// The page number, from 1.
        page: u64,
        /// The number of items per page.
        page_size: u32,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
        /// The UTC time, or the ISO 8601 duration before now such as `-P1D`, of the earliest
        /// report, inclusive.
        last_seen_after: String,
        /// The UTC time, or the ISO 8601 duration before now, of the latest report, exclusive.
        last_seen_before: String,
        /// The types to match; all if empty.
        r#type: [PeripheralType],
    }
}

operation! {
    /// Returns a peripheral.
    pub struct GetPeripheral = GET "/endpoint/v1/settings/peripheral-control/peripherals/:peripheralId" (tenant)
        -> Peripheral {
        /// The peripheral's id.
        peripheral_id!: String,
    }
}

model! {
    /// A peripheral that an endpoint reported.
    pub struct Peripheral {
        /// The peripheral's id.
        id!: String,
        /// The type.
        r#type: PeripheralType,
        /// The category, such as `storage`, `media` or `network`.
        category: String,
        /// The model.
        model: String,
        /// The id of the model.
        model_id: String,
        /// The id of the instance.
        instance_id: String,
        /// The endpoint that reported it last.
        last_endpoint: PeripheralEndpoint,
        /// The last user.
        last_used_by: String,
        /// The last action of Peripheral Control.
        last_action_taken: PeripheralAction,
        /// The time of the first report.
        first_seen_at: Timestamp,
        /// The time of the last report.
        last_seen_at: Timestamp,
        /// The hostname of the endpoint that reported it last.
        last_endpoint_hostname: String,
    }
}

model! {
    /// The endpoint of a peripheral.
    pub struct PeripheralEndpoint {
        /// The endpoint's id.
        id as id: String,
        /// The hostname.
        hostname: String,
    }
}

open_enum! {
    /// The type of a peripheral.
    pub enum PeripheralType {
        /// Bluetooth.
        Bluetooth = "bluetooth",
        /// Encrypted storage.
        EncryptedStorage = "encryptedStorage",
        /// Floppy drive.
        FloppyDrive = "floppyDrive",
        /// Infrared.
        Infrared = "infrared",
        /// A device of the Media Transfer Protocol.
        Mtp = "mtp",
        /// Optical drive.
        OpticalDrive = "opticalDrive",
        /// Removable storage.
        RemovableStorage = "removableStorage",
        /// Wireless.
        Wireless = "wireless",
        /// Modem.
        Modem = "modem",
    }
}

open_enum! {
    /// The action of Peripheral Control.
    pub enum PeripheralAction {
        /// An alert without a block.
        AlertedOnly = "alertedOnly",
        /// Full access.
        Allowed = "allowed",
        /// No access.
        Blocked = "blocked",
        /// Read access.
        ReadOnly = "readOnly",
    }
}

listed! {
    ListPeripherals
    GetPeripheral
}
