//! Export and import of firewall configurations: `/firewall/v1/firewall-config/firewalls`.

use crate::{
    Job, JobProgress, Timestamp,
    models::{SecretText, macros::model},
    operation::macros::{listed, operation},
    operations::firewall::mdr_threat_feed::{FirewallTransaction, StartedTransaction},
};

operation! {
    /// Requests the export of a firewall's configuration.
    ///
    /// [`GetConfigTransaction`] returns its state, and the link to the archive at the
    /// end. It needs SFOS 22 MR2, and the primary firewall of a cluster. The published
    /// specification was read in a public copy.
    pub struct ExportFirewallConfig = POST "/firewall/v1/firewall-config/firewalls/:firewallId/export"
        (tenant or partner, "fwcm.firewall.api.config:write") -> StartedTransaction {
        /// The firewall's id.
        firewall_id!: String,
        /// Whether to export the whole configuration.
        full_export!: bool,
        /// Whether to export the objects that the entities depend on.
        include_dependency: bool,
        /// The names of the entities to export, if it is not the whole configuration.
        export_entities: [String],
    }
}

operation! {
    /// Starts the import of a configuration, with the link for its upload.
    ///
    /// Upload the archive with `PUT` to the link, without further headers, then send
    /// [`CompleteConfigUpload`]. The published specification was read in a public copy.
    pub struct ImportFirewallConfig = POST "/firewall/v1/firewall-config/firewalls/import"
        (tenant or partner, "fwcm.firewall.api.config:write") -> ConfigUpload {}
}

operation! {
    /// Imports an uploaded configuration into firewalls.
    ///
    /// [`GetConfigTransaction`] returns its state. The published specification was read
    /// in a public copy.
    pub struct CompleteConfigUpload = POST "/firewall/v1/firewall-config/firewalls/import/:transactionId/upload-complete"
        (tenant or partner, "fwcm.firewall.api.config:write") -> FirewallTransaction {
        /// The id of the import.
        transaction_id!: String,
        /// The ids of the firewalls, 1 to 25.
        firewall_ids!: [String],
        /// The MD5 checksum of the archive.
        checksum_md5!: String,
        /// The size of the archive, in bytes.
        file_size_bytes!: u64,
        /// The key that decrypts the secrets of the configuration, of at most 128 characters.
        secure_master_key: SecretText,
        /// Whether to import the valid part of a configuration with faults; `true` if missing.
        perform_partial_import: bool,
    } where {
        firewall_ids: 1..=25,
        secure_master_key: 0..=128,
    }
}

operation! {
    /// Returns an export or import with its state.
    ///
    /// The published specification was read in a public copy, and a public client
    /// measured it on a live tenant. The archive may be available some minutes after
    /// the transaction is finished.
    pub struct GetConfigTransaction = GET "/firewall/v1/firewall-config/firewalls/transactions/:transactionId"
        (tenant or partner, "fwcm.firewall.api.config:read") -> FirewallTransaction {
        /// The id of the export or import.
        transaction_id!: String,
    }
}

model! {
    /// A started import, with the link for the upload.
    pub struct ConfigUpload {
        /// The id of the import.
        transaction_id: String,
        /// The link, which grants access by itself.
        url: SecretText,
        /// The HTTP method of the upload, `PUT`.
        method: String,
        /// The time when the link expires.
        expires_at: Timestamp,
        /// The description.
        description: String,
    }
}

impl Job for GetConfigTransaction {
    fn progress(transaction: &FirewallTransaction) -> JobProgress {
        transaction.progress()
    }
}

listed! {
    ExportFirewallConfig
    ImportFirewallConfig
    CompleteConfigUpload
    GetConfigTransaction
}
