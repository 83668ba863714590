//! Changes that switches apply: `/switch/v1/tasks`.

use crate::{
    NumberedPage, Timestamp,
    models::{
        Actor, Reference,
        macros::{model, open_enum},
    },
    operation::macros::{listed, operation},
};

operation! {
    /// Lists the changes that switches apply.
    pub struct ListTasks = GET "/switch/v1/tasks" (tenant) -> NumberedPage<Task> {
        /// The page number, from 1.
        page: u64,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
        /// The number of items per page.
        page_size: u32,
        /// The kind of setting, such as `macFilter` or `vlan`.
        r#type: String,
        /// The fields to return; all if empty.
        fields: [String],
    }
}

model! {
    /// A change that switches apply.
    pub struct Task {
        /// The task's id.
        id!: String,
        /// The kind of setting, such as `macFilter` or `vlan`.
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
        /// The numbers of switches by status.
        status: TaskCounts,
        /// The switches.
        switches: Vec<Switch>,
    }
}

model! {
    /// The numbers of switches by status.
    pub struct TaskCounts {
        /// The number of switches with the change.
        succeeded: i64,
        /// The number of switches where it failed.
        failed: i64,
        /// The number of switches in progress.
        pending: i64,
        /// The number of switches without a support subscription.
        no_support_subscription: i64,
        /// The number of switches.
        total: i64,
    }
}

model! {
    /// A switch of a task.
    pub struct Switch {
        /// The switch's id.
        id as id: String,
        /// The status.
        status: TaskStatus,
        /// The failure.
        error: TaskError,
    }
}

model! {
    /// The failure of a switch.
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
    /// The status of a task on a switch.
    pub enum TaskStatus {
        /// The change failed.
        Failed = "failed",
        /// The switch has no support subscription.
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
