//! Migrations: `/endpoint/v1/migrations` and the operations beside it.

use crate::{NumberedPage, Timestamp, models::{Actor}, model::{model, open_enum}, operation_macro::{operation, tested}};

model! {
    /// A migration.
    pub struct Migration {
        /// The id.
        id!: String,
        /// The token.
        token: String,
        /// The mode.
        mode: MigrationMode,
        /// The time of creation.
        created_at: Timestamp,
        /// The time of expiry.
        expires_at: Timestamp,
        /// The account that created it.
        created_by: Actor,
    }
}

model! {
    /// A migration endpoint.
    pub struct MigrationEndpoint {
        /// The id.
        id as id: String,
        /// The status.
        status: MigrationEndpointStatus,
        /// The new id.
        new_id: String,
        /// The migrated at.
        migrated_at: Timestamp,
        /// The failed at.
        failed_at: Timestamp,
        /// The reason.
        reason: String,
    }
}

open_enum! {
    /// The migration mode.
    pub enum MigrationMode {
        /// `receiving`.
        Receiving = "receiving",
        /// `sending`.
        Sending = "sending",
    }
}

open_enum! {
    /// The migration endpoint status.
    pub enum MigrationEndpointStatus {
        /// `failed`.
        Failed = "failed",
        /// `pending`.
        Pending = "pending",
        /// `succeeded`.
        Succeeded = "succeeded",
    }
}

operation! {
    /// Gets all migration jobs for the tenant.
    pub struct ListMigrations = GET "/endpoint/v1/migrations" (tenant)
        -> NumberedPage<Migration> {
        /// The mode.
        mode: MigrationMode,
        /// The page number, from 1.
        page: u64,
        /// The number of items per page.
        page_size: u32,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
    }
}

operation! {
    /// Starts a migration job in the receiving tenant.
    pub struct ReceiveMigration = POST "/endpoint/v1/migrations" (tenant)
        -> Migration {
        /// The from tenant.
        from_tenant: String,
        /// The endpoints.
        endpoints: [String],
    }
}

operation! {
    /// Gets a single migration job.
    pub struct GetMigration = GET "/endpoint/v1/migrations/:migrationJobId" (tenant)
        -> Migration {
        /// The migration job id.
        migration_job_id!: String,
    }
}

operation! {
    /// Starts a migration job in the sending tenant.
    pub struct SendMigration = PUT "/endpoint/v1/migrations/:migrationJobId" (tenant)
        -> Migration {
        /// The migration job id.
        migration_job_id!: String,
        /// The id.
        id: String,
        /// The token.
        token: String,
        /// The endpoints.
        endpoints: [String],
    }
}

operation! {
    /// Gets the status of endpoints that are being migrated.
    pub struct ListMigrationEndpoints = GET "/endpoint/v1/migrations/:migrationJobId/endpoints" (tenant)
        -> NumberedPage<MigrationEndpoint> {
        /// The migration job id.
        migration_job_id!: String,
        /// The page number, from 1.
        page: u64,
        /// The number of items per page.
        page_size: u32,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
    }
}

tested! {
    ListMigrations
    ReceiveMigration
    GetMigration
    SendMigration
    ListMigrationEndpoints
}
