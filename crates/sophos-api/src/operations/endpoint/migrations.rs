//! Moves of endpoints between tenants: `/endpoint/v1/migrations`.

use crate::{
    NumberedPage, Timestamp,
    models::{
        Actor, SecretText,
        macros::{model, open_enum},
    },
    operation::macros::{listed, operation},
};

operation! {
    /// Lists the migration jobs of a tenant.
    pub struct ListMigrations = GET "/endpoint/v1/migrations" (tenant) -> NumberedPage<Migration> {
        /// The side to match.
        mode: MigrationMode,
        /// The page number, from 1.
        page: u64,
        /// The number of items per page; 500 if missing.
        page_size: u32,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
    }
}

operation! {
    /// Starts a migration job in the receiving tenant.
    ///
    /// The response holds the token that [`SendMigration`] needs. A job expires after 14 days; no
    /// operation cancels it.
    pub struct ReceiveMigration = POST "/endpoint/v1/migrations" (tenant) -> Migration {
        /// The id of the sending tenant.
        from_tenant!: String,
        /// The ids of the endpoints, at most 1,000.
        endpoints!: [String],
    } where {
        endpoints: 1..=1_000,
    }
}

operation! {
    /// Returns a migration job.
    pub struct GetMigration = GET "/endpoint/v1/migrations/:migrationJobId" (tenant) -> Migration {
        /// The job's id.
        migration_job_id!: String,
    }
}

operation! {
    /// Starts a migration job in the sending tenant.
    ///
    /// Succeeds with 200 instead of 201 if it was started before.
    pub struct SendMigration = PUT "/endpoint/v1/migrations/:migrationJobId" (tenant) -> Migration {
        /// The job's id.
        migration_job_id!: String,
        /// The token that the receiving tenant's job returned.
        token!: SecretText,
        /// The ids of the endpoints, at most 1,000.
        endpoints!: [String],
    } where {
        endpoints: 1..=1_000,
    }
}

operation! {
    /// Lists the endpoints of a migration job with their states.
    ///
    /// An endpoint succeeds before it arrives in the receiving tenant, under a new id.
    pub struct ListMigrationEndpoints = GET "/endpoint/v1/migrations/:migrationJobId/endpoints" (tenant)
        -> NumberedPage<MigrationEndpoint> {
        /// The job's id.
        migration_job_id!: String,
        /// The page number, from 1.
        page: u64,
        /// The number of items per page.
        page_size: u32,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
    }
}

model! {
    /// A migration job.
    pub struct Migration {
        /// The job's id.
        id!: String,
        /// The token of the job.
        token: SecretText,
        /// The side of this tenant.
        mode: MigrationMode,
        /// The time of creation.
        created_at: Timestamp,
        /// The time of expiry.
        expires_at: Timestamp,
        /// The actor that created it.
        created_by: Actor,
    }
}

model! {
    /// An endpoint of a migration job.
    pub struct MigrationEndpoint {
        /// The endpoint's id in the sending tenant.
        id as id: String,
        /// The state.
        status: MigrationEndpointStatus,
        /// The endpoint's id in the receiving tenant.
        new_id: String,
        /// The time of the migration.
        migrated_at: Timestamp,
        /// The time of the failure.
        failed_at: Timestamp,
        /// The reason of the failure.
        reason: String,
    }
}

open_enum! {
    /// The side of a migration job.
    pub enum MigrationMode {
        /// The tenant receives the endpoints.
        Receiving = "receiving",
        /// The tenant sends the endpoints.
        Sending = "sending",
    }
}

open_enum! {
    /// The state of an endpoint in a migration job.
    pub enum MigrationEndpointStatus {
        /// The endpoint stays in the sending tenant.
        Failed = "failed",
        /// The migration has not started yet.
        Pending = "pending",
        /// The endpoint moves to the receiving tenant.
        Succeeded = "succeeded",
    }
}

listed! {
    ListMigrations
    ReceiveMigration
    GetMigration
    SendMigration
    ListMigrationEndpoints
}
