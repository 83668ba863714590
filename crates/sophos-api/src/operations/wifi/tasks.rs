//! Tasks: `/wifi/v1/tasks` and the operations beside it.

use serde_json::Value;

use crate::{NumberedPage, Timestamp, models::{Actor, Reference}, model::{model, open_enum}, operation_macro::{operation, tested}};

model! {
    /// A task.
    pub struct Task {
        /// The id.
        id!: String,
        /// The type.
        r#type: String,
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
        /// The access points.
        access_points: Vec<TaskAccessPoint>,
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
    /// A task access point.
    pub struct TaskAccessPoint {
        /// The id.
        id as id: String,
        /// The status.
        status: TaskAccessPointStatus,
        /// The error.
        error: TaskAccessPointError,
    }
}

model! {
    /// A task access point error.
    pub struct TaskAccessPointError {
        /// The error.
        error: String,
        /// The message.
        message: String,
        /// The code.
        code: Value,
        /// The doc url.
        doc_url: Value,
    }
}

open_enum! {
    /// The task access point status.
    pub enum TaskAccessPointStatus {
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
    pub struct ListTasks = GET "/wifi/v1/tasks" (tenant)
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
