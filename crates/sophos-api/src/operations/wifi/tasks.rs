//! Changes that access points apply: `/wifi/v1/tasks`.

use crate::{
    NumberedPage, Timestamp,
    models::{
        Actor, Reference,
        macros::{model, open_enum},
    },
    operation::macros::{listed, operation},
};

operation! {
    /// Lists the changes that access points apply.
    pub struct ListTasks = GET "/wifi/v1/tasks" (tenant) -> NumberedPage<Task> {
        /// The page number, from 1.
        page: u64,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
        /// The number of items per page.
        page_size: u32,
        /// The kind of setting, such as `macFilter`.
        r#type: String,
        /// The fields to return; all if empty.
        fields: [String],
    }
}

model! {
    /// A change that access points apply.
    pub struct Task {
        /// The task's id.
        id!: String,
        /// The kind of setting, such as `macFilter`.
        r#type: String,
        /// The tenant.
        tenant: Reference,
        /// The actor that created it.
        created_by: Actor,
        /// The time of creation.
        created_at: Timestamp,
        /// The actor of the last change.
        updated_by: Actor,
        /// The time of the last change.
        updated_at: Timestamp,
        /// The numbers of access points by status.
        status: TaskCounts,
        /// The access points.
        access_points: Vec<AccessPoint>,
    }
}

model! {
    /// The numbers of access points by status.
    pub struct TaskCounts {
        /// The number of access points with the change.
        succeeded: i64,
        /// The number of access points where it failed.
        failed: i64,
        /// The number of access points in progress.
        pending: i64,
        /// The number of access points without a support subscription.
        no_support_subscription: i64,
        /// The number of access points.
        total: i64,
    }
}

model! {
    /// An access point of a task.
    pub struct AccessPoint {
        /// The access point's id.
        id as id: String,
        /// The status.
        status: TaskStatus,
        /// The failure.
        error: TaskError,
    }
}

model! {
    /// The failure of an access point.
    pub struct TaskError {
        /// The kind of failure, such as `badRequest`.
        error: String,
        /// The message.
        message: String,
        /// The code.
        code: String,
        /// The URL of the documentation.
        doc_url: String,
    }
}

open_enum! {
    /// The status of a task on an access point.
    pub enum TaskStatus {
        /// The change failed.
        Failed = "failed",
        /// The access point has no support subscription.
        NoSupportSubscription = "noSupportSubscription",
        /// The change is in progress.
        Pending = "pending",
        /// The change is in force.
        Succeeded = "succeeded",
    }
}

listed! {
    ListTasks
}
