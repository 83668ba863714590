//! Peripheral Control: `/endpoint/v1/settings/peripheral-control/peripherals` and the operations beside it.

use crate::{NumberedPage, Timestamp, model::{model, open_enum}, operation_macro::{operation, tested}};

model! {
    /// A peripheral.
    pub struct Peripheral {
        /// The id.
        id!: String,
        /// The type.
        r#type: PeripheralType,
        /// The category.
        category: PeripheralCategory,
        /// The model.
        model: String,
        /// The model id.
        model_id: String,
        /// The instance id.
        instance_id: String,
        /// The last endpoint.
        last_endpoint: PeripheralLastEndpoint,
        /// The last used by.
        last_used_by: String,
        /// The last action taken.
        last_action_taken: PeripheralLastActionTaken,
        /// The time: first seen.
        first_seen_at: Timestamp,
        /// The time: last seen.
        last_seen_at: Timestamp,
        /// The last endpoint hostname.
        last_endpoint_hostname: String,
    }
}

model! {
    /// A peripheral last endpoint.
    pub struct PeripheralLastEndpoint {
        /// The id.
        id as id: String,
        /// The hostname.
        hostname: String,
    }
}

open_enum! {
    /// The peripheral type.
    pub enum PeripheralType {
        /// `bluetooth`.
        Bluetooth = "bluetooth",
        /// `encryptedStorage`.
        EncryptedStorage = "encryptedStorage",
        /// `floppyDrive`.
        FloppyDrive = "floppyDrive",
        /// `infrared`.
        Infrared = "infrared",
        /// `mtp`.
        Mtp = "mtp",
        /// `opticalDrive`.
        OpticalDrive = "opticalDrive",
        /// `removableStorage`.
        RemovableStorage = "removableStorage",
        /// `wireless`.
        Wireless = "wireless",
        /// `modem`.
        Modem = "modem",
    }
}

open_enum! {
    /// The peripheral category.
    pub enum PeripheralCategory {
        /// `media`.
        Media = "media",
        /// `network`.
        Network = "network",
        /// `storage`.
        Storage = "storage",
    }
}

open_enum! {
    /// The peripheral last action taken.
    pub enum PeripheralLastActionTaken {
        /// `alertedOnly`.
        AlertedOnly = "alertedOnly",
        /// `allowed`.
        Allowed = "allowed",
        /// `blocked`.
        Blocked = "blocked",
        /// `readOnly`.
        ReadOnly = "readOnly",
    }
}

operation! {
    /// Gets all peripherals.
    pub struct ListPeripherals = GET "/endpoint/v1/settings/peripheral-control/peripherals" (tenant)
        -> NumberedPage<Peripheral> {
        /// The page number, from 1.
        page: u64,
        /// The number of items per page.
        page_size: u32,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
        /// The last seen after.
        last_seen_after: String,
        /// The last seen before.
        last_seen_before: String,
        /// The type.
        r#type: PeripheralType,
    }
}

operation! {
    /// Gets a peripheral by ID.
    pub struct GetPeripheral = GET "/endpoint/v1/settings/peripheral-control/peripherals/:peripheralId" (tenant)
        -> Peripheral {
        /// The peripheral id.
        peripheral_id!: String,
    }
}

tested! {
    ListPeripherals
    GetPeripheral
}
