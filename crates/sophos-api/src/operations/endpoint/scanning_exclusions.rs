//! Scanning Exclusions: `/endpoint/v1/settings/exclusions/scanning` and the operations beside it.

use crate::{NumberedPage, models::{Deleted}, model::{model, open_enum}, operation_macro::{operation, tested}};

model! {
    /// A scanning exclusion.
    pub struct ScanningExclusion {
        /// The id.
        id!: String,
        /// The value.
        value: String,
        /// The type.
        r#type: ScanningExclusionType,
        /// The scan mode.
        scan_mode: ScanningExclusionScanMode,
        /// The description.
        description: String,
        /// The comment.
        comment: String,
        /// Whether `lockedByManagingAccount` is set.
        locked_by_managing_account: bool,
    }
}

open_enum! {
    /// The scanning exclusion type.
    pub enum ScanningExclusionType {
        /// `amsi`.
        Amsi = "amsi",
        /// `behavioral`.
        Behavioral = "behavioral",
        /// `detectedExploit`.
        DetectedExploit = "detectedExploit",
        /// `journalHashingPath`.
        JournalHashingPath = "journalHashingPath",
        /// `journalHashingProcess`.
        JournalHashingProcess = "journalHashingProcess",
        /// `path`.
        Path = "path",
        /// `posixPath`.
        PosixPath = "posixPath",
        /// `process`.
        Process = "process",
        /// `pua`.
        Pua = "pua",
        /// `virtualPath`.
        VirtualPath = "virtualPath",
        /// `web`.
        Web = "web",
        /// `exploitMitigation`.
        ExploitMitigation = "exploitMitigation",
    }
}

open_enum! {
    /// The scanning exclusion scan mode.
    pub enum ScanningExclusionScanMode {
        /// `onAccess`.
        OnAccess = "onAccess",
        /// `onDemand`.
        OnDemand = "onDemand",
        /// `onDemandAndOnAccess`.
        OnDemandAndOnAccess = "onDemandAndOnAccess",
    }
}

operation! {
    /// Gets all scanning exclusions.
    pub struct ListScanningExclusions = GET "/endpoint/v1/settings/exclusions/scanning" (tenant)
        -> NumberedPage<ScanningExclusion> {
        /// The type.
        r#type: ScanningExclusionType,
        /// The page number, from 1.
        page: u64,
        /// The number of items per page.
        page_size: u32,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
    }
}

operation! {
    /// Adds a new scanning exclusion.
    pub struct CreateScanningExclusion = POST "/endpoint/v1/settings/exclusions/scanning" (tenant)
        -> ScanningExclusion {
        /// The value.
        value: String,
        /// The type.
        r#type: ScanningExclusionType,
        /// The scan mode.
        scan_mode: ScanningExclusionScanMode,
        /// The comment.
        comment: String,
    }
}

operation! {
    /// Deletes a scanning exclusion.
    pub struct DeleteScanningExclusion = DELETE "/endpoint/v1/settings/exclusions/scanning/:exclusionId" (tenant)
        -> Deleted {
        /// The exclusion id.
        exclusion_id!: String,
    }
}

operation! {
    /// Gets a scanning exclusion by ID.
    pub struct GetScanningExclusion = GET "/endpoint/v1/settings/exclusions/scanning/:exclusionId" (tenant)
        -> ScanningExclusion {
        /// The exclusion id.
        exclusion_id!: String,
    }
}

operation! {
    /// Updates a scanning exclusion by ID.
    pub struct UpdateScanningExclusion = PATCH "/endpoint/v1/settings/exclusions/scanning/:exclusionId" (tenant)
        -> ScanningExclusion {
        /// The exclusion id.
        exclusion_id!: String,
        /// The value.
        value: String,
        /// The scan mode.
        scan_mode: ScanningExclusionScanMode,
        /// The comment.
        comment: String,
    }
}

tested! {
    ListScanningExclusions
    CreateScanningExclusion
    DeleteScanningExclusion
    GetScanningExclusion
    UpdateScanningExclusion
}
