//! Tasks: `/switch/v1/tasks` and the operations beside it.

use crate::{NumberedPage, Timestamp, models::{Actor, Reference}, model::{model, open_enum}, operation_macro::{operation, tested}};

model! {
    /// A task.
    pub struct Task {
        /// The id.
        id!: String,
        /// The type.
        r#type: TaskType,
        /// The tenant.
        tenant: Reference,
        /// The account that created it.
        created_by: Actor,
        /// The time of creation.
        created_at: Timestamp,
        /// The account that changed it last.
        updated_by: Actor,
        /// The time of the last change.
        updated_at: Timestamp,
        /// The status.
        status: TaskStatus,
        /// The switches.
        switches: Vec<TaskSwitch>,
    }
}

model! {
    /// A task status.
    pub struct TaskStatus {
        /// The succeeded.
        succeeded: i64,
        /// The failed.
        failed: i64,
        /// The pending.
        pending: i64,
        /// The no support subscription.
        no_support_subscription: i64,
        /// The total.
        total: i64,
    }
}

model! {
    /// A task switch.
    pub struct TaskSwitch {
        /// The id.
        id as id: String,
        /// The status.
        status: TaskSwitchStatus,
        /// The error.
        error: TaskSwitchError,
    }
}

model! {
    /// A task switch error.
    pub struct TaskSwitchError {
        /// The error.
        error: String,
        /// The message.
        message: String,
        /// The code.
        code: String,
        /// The doc url.
        doc_url: String,
    }
}

open_enum! {
    /// The task type.
    pub enum TaskType {
        /// `macFilter`.
        MacFilter = "macFilter",
        /// `vlan`.
        Vlan = "vlan",
    }
}

open_enum! {
    /// The task switch status.
    pub enum TaskSwitchStatus {
        /// `failed`.
        Failed = "failed",
        /// `noSupportSubscription`.
        NoSupportSubscription = "noSupportSubscription",
        /// `pending`.
        Pending = "pending",
        /// `succeeded`.
        Succeeded = "succeeded",
    }
}

operation! {
    /// Gets task details for the tenant.
    pub struct ListTasks = GET "/switch/v1/tasks" (tenant)
        -> NumberedPage<Task> {
        /// The page number, from 1.
        page: u64,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
        /// The number of items per page.
        page_size: u32,
        /// The type.
        r#type: String,
        /// The fields to return.
        fields: [String],
    }
}

tested! {
    ListTasks
}
