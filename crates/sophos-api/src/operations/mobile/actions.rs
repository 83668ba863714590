//! Actions on mobile devices: `/mobile/v1/actions`.

use crate::{
    Job, JobProgress, JobState, NumberedPage, Timestamp,
    models::{
        Actor, Deleted, Reference, SecretNumber,
        macros::{model, open_enum},
    },
    operation::macros::{listed, operation},
    operations::mobile::devices::View,
};

operation! {
    /// Lists the actions on mobile devices.
    pub struct ListActions = GET "/mobile/v1/actions" (tenant) -> NumberedPage<Action> {
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
        /// The ids to match.
        ids: [String],
        /// The ids of devices; only their actions match.
        endpoint_ids: [String],
        /// The type to match.
        action_type: ActionType,
        /// The state to match.
        action_state: String,
        /// The error to match.
        action_error: String,
        /// The UTC time, or the ISO 8601 duration before now, of the latest schedule, exclusive.
        scheduled_before: String,
        /// The UTC time, or the ISO 8601 duration before now, of the earliest schedule, inclusive.
        scheduled_after: String,
        /// The UTC time, or the ISO 8601 duration before now, of the latest execution, exclusive.
        executed_before: String,
        /// The UTC time, or the ISO 8601 duration before now, of the earliest execution, inclusive.
        executed_after: String,
    }
}

operation! {
    /// Deletes an action.
    ///
    /// Fails with 409 at a conflicting change.
    pub struct DeleteAction = DELETE "/mobile/v1/actions/:id" (tenant) -> Deleted {
        /// The action's id.
        id!: String,
    }
}

operation! {
    /// Returns an action.
    pub struct GetAction = GET "/mobile/v1/actions/:id" (tenant) -> Action {
        /// The action's id.
        id!: String,
        /// The fields to return; all if empty.
        fields: [String],
        /// The amount of detail to return.
        view: View,
    }
}

operation! {
    /// Requests the logs of devices.
    ///
    /// Fails with 422 if there are too many actions.
    pub struct RequestLogs = POST "/mobile/v1/actions/get-logs" (tenant) -> CreatedActions {
        /// The ids of the devices.
        endpoints!: [String],
        /// The fields to return; all if empty.
        query fields: [String],
        /// The amount of detail to return.
        query view: View,
    }
}

operation! {
    /// Requests the location of devices.
    ///
    /// Fails with 422 if there are too many actions.
    pub struct LocateDevices = POST "/mobile/v1/actions/locate" (tenant) -> CreatedActions {
        /// The arguments.
        arguments!: LocateArguments,
        /// The ids of the devices.
        endpoints!: [String],
        /// The fields to return; all if empty.
        query fields: [String],
        /// The amount of detail to return.
        query view: View,
    }
}

operation! {
    /// Locks devices.
    ///
    /// Fails with 422 if there are too many actions.
    pub struct LockDevices = POST "/mobile/v1/actions/lock" (tenant) -> CreatedActions {
        /// The ids of the devices.
        endpoints!: [String],
        /// The fields to return; all if empty.
        query fields: [String],
        /// The amount of detail to return.
        query view: View,
        /// The arguments.
        arguments: LockArguments,
    }
}

operation! {
    /// Starts scans of devices.
    ///
    /// Fails with 422 if there are too many actions.
    pub struct ScanDevices = POST "/mobile/v1/actions/scan" (tenant) -> CreatedActions {
        /// The ids of the devices.
        endpoints!: [String],
        /// The fields to return; all if empty.
        query fields: [String],
        /// The amount of detail to return.
        query view: View,
    }
}

operation! {
    /// Displays a message on devices.
    ///
    /// Fails with 422 if there are too many actions.
    pub struct SendMessage = POST "/mobile/v1/actions/send-message" (tenant) -> CreatedActions {
        /// The arguments.
        arguments!: MessageArguments,
        /// The ids of the devices.
        endpoints!: [String],
        /// The fields to return; all if empty.
        query fields: [String],
        /// The amount of detail to return.
        query view: View,
    }
}

operation! {
    /// Synchronizes devices with Sophos Mobile.
    ///
    /// Fails with 422 if there are too many actions.
    pub struct SyncDevices = POST "/mobile/v1/actions/sync" (tenant) -> CreatedActions {
        /// The ids of the devices.
        endpoints!: [String],
        /// The fields to return; all if empty.
        query fields: [String],
        /// The amount of detail to return.
        query view: View,
    }
}

operation! {
    /// Ends the management of devices.
    ///
    /// Fails with 422 if there are too many actions.
    pub struct UnenrollDevices = POST "/mobile/v1/actions/unenroll" (tenant) -> CreatedActions {
        /// The ids of the devices.
        endpoints!: [String],
        /// The fields to return; all if empty.
        query fields: [String],
        /// The amount of detail to return.
        query view: View,
    }
}

operation! {
    /// Deletes all data on devices. No operation restores them.
    ///
    /// Fails with 422 if there are too many actions.
    pub struct WipeDevices = POST "/mobile/v1/actions/wipe" (tenant) -> CreatedActions {
        /// The ids of the devices.
        endpoints!: [String],
        /// The fields to return; all if empty.
        query fields: [String],
        /// The amount of detail to return.
        query view: View,
        /// The arguments.
        arguments: WipeArguments,
    }
}

model! {
    /// An action on a mobile device.
    pub struct Action {
        /// The action's id.
        id!: String,
        /// The tenant.
        tenant: Reference,
        /// The device.
        device: Reference,
        /// The type.
        r#type: ActionType,
        /// The state, such as `successful`, `failed` or `skipped`.
        state: String,
        /// The failure, such as `system.processing-failed`.
        error: String,
        /// The time when it was scheduled.
        scheduled_at: Timestamp,
        /// The time of its execution.
        executed_at: Timestamp,
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
    /// The created actions.
    pub struct CreatedActions {
        /// The created actions.
        created: Vec<Action>,
        /// The failures.
        errors: ActionErrors,
    }
}

model! {
    /// The arguments of a location.
    pub struct LocateArguments with setters {
        /// The reason.
        reason: String,
    }
}

model! {
    /// The arguments of a lock.
    pub struct LockArguments with setters {
        /// The code that unlocks the device.
        lock_code: SecretNumber,
    }
}

model! {
    /// The arguments of a message.
    pub struct MessageArguments with setters {
        /// The text.
        message: String,
    }
}

model! {
    /// The actions that were not created.
    pub struct ActionErrors {
        /// The failures.
        failed_to_create: ActionFailures,
    }
}

model! {
    /// The devices without an action.
    pub struct ActionFailures {
        /// The ids of devices that do not exist.
        endpoint_not_found: Vec<String>,
    }
}

model! {
    /// The arguments of a wipe.
    pub struct WipeArguments with setters {
        /// The code that the device needs after the wipe.
        wipe_code: SecretNumber,
    }
}

open_enum! {
    /// The type of an action.
    pub enum ActionType {
        /// Upload of the logs.
        GetLogs = "getLogs",
        /// Location of the device.
        Locate = "locate",
        /// Lock of the device.
        Lock = "lock",
        /// Scan of the device.
        Scan = "scan",
        /// Display of a message.
        SendMessage = "sendMessage",
        /// Synchronization with Sophos Mobile.
        Sync = "sync",
        /// End of the management.
        Unenroll = "unenroll",
        /// Deletion of all data on the device.
        Wipe = "wipe",
    }
}

impl Job for GetAction {
    fn progress(action: &Action) -> JobProgress {
        match action.state.as_deref() {
            Some("successful" | "skipped") => JobProgress::new(JobState::Finished),
            Some("failed") => JobProgress::failed(action.error.as_deref().unwrap_or("failed")),
            _ => JobProgress::new(JobState::Running),
        }
    }
}

listed! {
    ListActions
    DeleteAction
    GetAction
    RequestLogs
    LocateDevices
    LockDevices
    ScanDevices
    SendMessage
    SyncDevices
    UnenrollDevices
    WipeDevices
}
