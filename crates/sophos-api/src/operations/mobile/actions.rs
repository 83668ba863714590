//! Actions: `/mobile/v1/actions` and the operations beside it.

use serde_json::Value;

use crate::{NumberedPage, models::{Actor, Deleted, Reference}, model::{model, open_enum}, operation_macro::{operation, tested}};

model! {
    /// An action.
    pub struct Action {
        /// The id.
        id!: String,
        /// The tenant.
        tenant: Reference,
        /// The device.
        device: Reference,
        /// The type.
        r#type: ActionType,
        /// The state.
        state: String,
        /// The error.
        error: String,
        /// The scheduled at.
        scheduled_at: Value,
        /// The executed at.
        executed_at: Value,
        /// The time of creation.
        created_at: Value,
        /// The account that created it.
        created_by: Actor,
        /// The time of the last change.
        updated_at: Value,
        /// The account that changed it last.
        updated_by: Actor,
    }
}

model! {
    /// A log.
    pub struct Log {
        /// The created.
        created: Vec<LogCreated>,
    }
}

model! {
    /// A log created.
    pub struct LogCreated {
        /// The id.
        id as id: String,
        /// The tenant.
        tenant: Reference,
        /// The device.
        device: Reference,
        /// The type.
        r#type: LogCreatedType,
        /// The state.
        state: String,
    }
}

model! {
    /// A locate devices response.
    pub struct LocateDevicesResponse {
        /// The created.
        created: Vec<LocateDevicesResponseCreated>,
    }
}

model! {
    /// A locate devices response created.
    pub struct LocateDevicesResponseCreated {
        /// The id.
        id as id: String,
        /// The tenant.
        tenant: Reference,
        /// The device.
        device: Reference,
        /// The type.
        r#type: LocateDevicesResponseCreatedType,
        /// The state.
        state: String,
    }
}

model! {
    /// A locate devices response argument.
    pub struct LocateDevicesResponseArgument {
        /// The reason.
        reason: String,
    }
}

model! {
    /// A lock devices response argument.
    pub struct LockDevicesResponseArgument {
        /// The lock code.
        lock_code: i64,
    }
}

model! {
    /// A message.
    pub struct Message {
        /// The created.
        created: Vec<MessageCreated>,
    }
}

model! {
    /// A message created.
    pub struct MessageCreated {
        /// The id.
        id as id: String,
        /// The tenant.
        tenant: Reference,
        /// The device.
        device: Reference,
        /// The type.
        r#type: MessageCreatedType,
        /// The state.
        state: String,
    }
}

model! {
    /// A message argument.
    pub struct MessageArgument {
        /// The message.
        message: String,
    }
}

model! {
    /// A sync devices response.
    pub struct SyncDevicesResponse {
        /// The created.
        created: Vec<SyncDevicesResponseCreated>,
        /// The errors.
        errors: SyncDevicesResponseError,
    }
}

model! {
    /// A sync devices response created.
    pub struct SyncDevicesResponseCreated {
        /// The id.
        id as id: String,
        /// The tenant.
        tenant: Reference,
        /// The device.
        device: Reference,
        /// The type.
        r#type: SyncDevicesResponseCreatedType,
        /// The state.
        state: String,
    }
}

model! {
    /// A sync devices response error.
    pub struct SyncDevicesResponseError {
        /// The failed to create.
        failed_to_create: SyncDevicesResponseErrorFailedToCreate,
    }
}

model! {
    /// A sync devices response error failed to create.
    pub struct SyncDevicesResponseErrorFailedToCreate {
        /// The endpoint not found.
        endpoint_not_found: Vec<String>,
    }
}

model! {
    /// An unenroll devices response.
    pub struct UnenrollDevicesResponse {
        /// The created.
        created: Vec<UnenrollDevicesResponseCreated>,
    }
}

model! {
    /// An unenroll devices response created.
    pub struct UnenrollDevicesResponseCreated {
        /// The id.
        id as id: String,
        /// The tenant.
        tenant: Reference,
        /// The device.
        device: Reference,
        /// The type.
        r#type: UnenrollDevicesResponseCreatedType,
        /// The state.
        state: String,
    }
}

model! {
    /// A wipe devices response.
    pub struct WipeDevicesResponse {
        /// The created.
        created: Vec<WipeDevicesResponseCreated>,
    }
}

model! {
    /// A wipe devices response created.
    pub struct WipeDevicesResponseCreated {
        /// The id.
        id as id: String,
        /// The tenant.
        tenant: Reference,
        /// The device.
        device: Reference,
        /// The type.
        r#type: WipeDevicesResponseCreatedType,
        /// The state.
        state: String,
    }
}

model! {
    /// A wipe devices response argument.
    pub struct WipeDevicesResponseArgument {
        /// The wipe code.
        wipe_code: i64,
    }
}

open_enum! {
    /// The action view.
    pub enum ActionView {
        /// `basic`.
        Basic = "basic",
        /// `full`.
        Full = "full",
        /// `summary`.
        Summary = "summary",
    }
}

open_enum! {
    /// The action type.
    pub enum ActionType {
        /// `scan`.
        Scan = "scan",
        /// `sendMessage`.
        SendMessage = "sendMessage",
    }
}

open_enum! {
    /// The log created type.
    pub enum LogCreatedType {
        /// `getLogs`.
        GetLogs = "getLogs",
        /// `locate`.
        Locate = "locate",
        /// `lock`.
        Lock = "lock",
        /// `scan`.
        Scan = "scan",
        /// `sendMessage`.
        SendMessage = "sendMessage",
        /// `sync`.
        Sync = "sync",
        /// `unenroll`.
        Unenroll = "unenroll",
        /// `wipe`.
        Wipe = "wipe",
    }
}

open_enum! {
    /// The log view.
    pub enum LogView {
        /// `basic`.
        Basic = "basic",
        /// `full`.
        Full = "full",
        /// `summary`.
        Summary = "summary",
    }
}

open_enum! {
    /// The locate devices response created type.
    pub enum LocateDevicesResponseCreatedType {
        /// `getLogs`.
        GetLogs = "getLogs",
        /// `locate`.
        Locate = "locate",
        /// `lock`.
        Lock = "lock",
        /// `scan`.
        Scan = "scan",
        /// `sendMessage`.
        SendMessage = "sendMessage",
        /// `sync`.
        Sync = "sync",
        /// `unenroll`.
        Unenroll = "unenroll",
        /// `wipe`.
        Wipe = "wipe",
    }
}

open_enum! {
    /// The locate devices response view.
    pub enum LocateDevicesResponseView {
        /// `basic`.
        Basic = "basic",
        /// `full`.
        Full = "full",
        /// `summary`.
        Summary = "summary",
    }
}

open_enum! {
    /// The lock devices response view.
    pub enum LockDevicesResponseView {
        /// `basic`.
        Basic = "basic",
        /// `full`.
        Full = "full",
        /// `summary`.
        Summary = "summary",
    }
}

open_enum! {
    /// The scan devices response view.
    pub enum ScanDevicesResponseView {
        /// `basic`.
        Basic = "basic",
        /// `full`.
        Full = "full",
        /// `summary`.
        Summary = "summary",
    }
}

open_enum! {
    /// The message created type.
    pub enum MessageCreatedType {
        /// `getLogs`.
        GetLogs = "getLogs",
        /// `locate`.
        Locate = "locate",
        /// `lock`.
        Lock = "lock",
        /// `scan`.
        Scan = "scan",
        /// `sendMessage`.
        SendMessage = "sendMessage",
        /// `sync`.
        Sync = "sync",
        /// `unenroll`.
        Unenroll = "unenroll",
        /// `wipe`.
        Wipe = "wipe",
    }
}

open_enum! {
    /// The message view.
    pub enum MessageView {
        /// `basic`.
        Basic = "basic",
        /// `full`.
        Full = "full",
        /// `summary`.
        Summary = "summary",
    }
}

open_enum! {
    /// The sync devices response created type.
    pub enum SyncDevicesResponseCreatedType {
        /// `getLogs`.
        GetLogs = "getLogs",
        /// `locate`.
        Locate = "locate",
        /// `lock`.
        Lock = "lock",
        /// `scan`.
        Scan = "scan",
        /// `sendMessage`.
        SendMessage = "sendMessage",
        /// `sync`.
        Sync = "sync",
        /// `unenroll`.
        Unenroll = "unenroll",
        /// `wipe`.
        Wipe = "wipe",
    }
}

open_enum! {
    /// The sync devices response view.
    pub enum SyncDevicesResponseView {
        /// `basic`.
        Basic = "basic",
        /// `full`.
        Full = "full",
        /// `summary`.
        Summary = "summary",
    }
}

open_enum! {
    /// The unenroll devices response created type.
    pub enum UnenrollDevicesResponseCreatedType {
        /// `getLogs`.
        GetLogs = "getLogs",
        /// `locate`.
        Locate = "locate",
        /// `lock`.
        Lock = "lock",
        /// `scan`.
        Scan = "scan",
        /// `sendMessage`.
        SendMessage = "sendMessage",
        /// `sync`.
        Sync = "sync",
        /// `unenroll`.
        Unenroll = "unenroll",
        /// `wipe`.
        Wipe = "wipe",
    }
}

open_enum! {
    /// The unenroll devices response view.
    pub enum UnenrollDevicesResponseView {
        /// `basic`.
        Basic = "basic",
        /// `full`.
        Full = "full",
        /// `summary`.
        Summary = "summary",
    }
}

open_enum! {
    /// The wipe devices response created type.
    pub enum WipeDevicesResponseCreatedType {
        /// `getLogs`.
        GetLogs = "getLogs",
        /// `locate`.
        Locate = "locate",
        /// `lock`.
        Lock = "lock",
        /// `scan`.
        Scan = "scan",
        /// `sendMessage`.
        SendMessage = "sendMessage",
        /// `sync`.
        Sync = "sync",
        /// `unenroll`.
        Unenroll = "unenroll",
        /// `wipe`.
        Wipe = "wipe",
    }
}

open_enum! {
    /// The wipe devices response view.
    pub enum WipeDevicesResponseView {
        /// `basic`.
        Basic = "basic",
        /// `full`.
        Full = "full",
        /// `summary`.
        Summary = "summary",
    }
}

operation! {
    /// Gets list of actions.
    pub struct ListActions = GET "/mobile/v1/actions" (tenant)
        -> NumberedPage<Action> {
        /// The fields to return.
        fields: [String],
        /// The view.
        view: ActionView,
        /// The order, such as `name:asc`.
        sort: [String],
        /// The page number, from 1.
        page: u64,
        /// The number of items per page.
        page_size: u32,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
        /// The ids.
        ids: [String],
        /// The endpoint ids.
        endpoint_ids: [String],
        /// The action type.
        action_type: String,
        /// The action state.
        action_state: String,
        /// The action error.
        action_error: String,
        /// The scheduled before.
        scheduled_before: String,
        /// The scheduled after.
        scheduled_after: String,
        /// The executed before.
        executed_before: String,
        /// The executed after.
        executed_after: String,
    }
}

operation! {
    /// Deletes action.
    pub struct DeleteAction = DELETE "/mobile/v1/actions/:id" (tenant)
        -> Deleted {
        /// The id.
        id!: String,
    }
}

operation! {
    /// Gets action by ID.
    pub struct GetAction = GET "/mobile/v1/actions/:id" (tenant)
        -> Action {
        /// The id.
        id!: String,
        /// The fields to return.
        fields: [String],
        /// The view.
        view: ActionView,
    }
}

operation! {
    /// Creates Get Log action.
    pub struct RequestLogs = POST "/mobile/v1/actions/get-logs" (tenant)
        -> Log {
        /// The fields to return.
        query fields: [String],
        /// The view.
        query view: LogView,
        /// The endpoints.
        endpoints: [String],
    }
}

operation! {
    /// Creates Locate action.
    pub struct LocateDevices = POST "/mobile/v1/actions/locate" (tenant)
        -> LocateDevicesResponse {
        /// The fields to return.
        query fields: [String],
        /// The view.
        query view: LocateDevicesResponseView,
        /// The arguments.
        arguments: LocateDevicesResponseArgument,
        /// The endpoints.
        endpoints: [String],
    }
}

operation! {
    /// Creates Lock action.
    pub struct LockDevices = POST "/mobile/v1/actions/lock" (tenant)
        -> Value {
        /// The fields to return.
        query fields: [String],
        /// The view.
        query view: LockDevicesResponseView,
        /// The arguments.
        arguments: LockDevicesResponseArgument,
        /// The endpoints.
        endpoints: [String],
    }
}

operation! {
    /// Creates Scan action.
    pub struct ScanDevices = POST "/mobile/v1/actions/scan" (tenant)
        -> Value {
        /// The fields to return.
        query fields: [String],
        /// The view.
        query view: ScanDevicesResponseView,
        /// The endpoints.
        endpoints: [String],
    }
}

operation! {
    /// Creates Send Message action.
    pub struct SendMessage = POST "/mobile/v1/actions/send-message" (tenant)
        -> Message {
        /// The fields to return.
        query fields: [String],
        /// The view.
        query view: MessageView,
        /// The arguments.
        arguments: MessageArgument,
        /// The endpoints.
        endpoints: [String],
    }
}

operation! {
    /// Creates Sync action.
    pub struct SyncDevices = POST "/mobile/v1/actions/sync" (tenant)
        -> SyncDevicesResponse {
        /// The fields to return.
        query fields: [String],
        /// The view.
        query view: SyncDevicesResponseView,
        /// The endpoints.
        endpoints: [String],
    }
}

operation! {
    /// Creates Unenroll action.
    pub struct UnenrollDevices = POST "/mobile/v1/actions/unenroll" (tenant)
        -> UnenrollDevicesResponse {
        /// The fields to return.
        query fields: [String],
        /// The view.
        query view: UnenrollDevicesResponseView,
        /// The endpoints.
        endpoints: [String],
    }
}

operation! {
    /// Creates Wipe action.
    pub struct WipeDevices = POST "/mobile/v1/actions/wipe" (tenant)
        -> WipeDevicesResponse {
        /// The fields to return.
        query fields: [String],
        /// The view.
        query view: WipeDevicesResponseView,
        /// The arguments.
        arguments: WipeDevicesResponseArgument,
        /// The endpoints.
        endpoints: [String],
    }
}

tested! {
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
