//! Exclusions from scanning: `/endpoint/v1/settings/exclusions/scanning`.

use crate::{
    NumberedPage,
    models::{
        Deleted,
        macros::{model, open_enum},
    },
    operation::macros::{listed, operation},
};

operation! {
    /// Lists the exclusions from scanning.
    pub struct ListScanningExclusions = GET "/endpoint/v1/settings/exclusions/scanning" (tenant)
        -> NumberedPage<ScanningExclusion> {
        /// The kind of value.
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
    /// Creates an exclusion from scanning.
    ///
    /// Fails with 403 if a partner or an organization manages the exclusions.
    pub struct CreateScanningExclusion = POST "/endpoint/v1/settings/exclusions/scanning" (tenant)
        -> ScanningExclusion {
        /// The excluded path, process, website or detection.
        value!: String,
        /// The kind of value.
        r#type!: ScanningExclusionType,
        /// The scans that the exclusion applies to. Only exclusions of paths have it.
        scan_mode: ScanMode,
        /// The comment.
        comment: String,
    }
}

operation! {
    /// Deletes an exclusion; succeeds as well if it does not exist.
    ///
    /// Fails with 403 if a partner or an organization manages the exclusions.
    pub struct DeleteScanningExclusion = DELETE "/endpoint/v1/settings/exclusions/scanning/:exclusionId" (tenant)
        -> Deleted {
        /// The exclusion's id.
        exclusion_id!: String,
    }
}

operation! {
    /// Returns an exclusion from scanning.
    pub struct GetScanningExclusion = GET "/endpoint/v1/settings/exclusions/scanning/:exclusionId" (tenant)
        -> ScanningExclusion {
        /// The exclusion's id.
        exclusion_id!: String,
    }
}

operation! {
    /// Changes an exclusion from scanning.
    ///
    /// Fails with 403 if a partner or an organization manages the exclusions.
    pub struct UpdateScanningExclusion = PATCH "/endpoint/v1/settings/exclusions/scanning/:exclusionId" (tenant)
        -> ScanningExclusion {
        /// The exclusion's id.
        exclusion_id!: String,
        /// The excluded path, process, website or detection.
        value: String,
        /// The scans that the exclusion applies to. Only exclusions of paths have it.
        scan_mode: ScanMode,
        /// The comment.
        comment: String,
    }
}

model! {
    /// An exclusion from scanning.
    pub struct ScanningExclusion {
        /// The exclusion's id.
        id!: String,
        /// The excluded path, process, website or detection.
        value: String,
        /// The kind of value.
        r#type: ScanningExclusionType,
        /// The scans that the exclusion applies to. Only exclusions of paths have it.
        scan_mode: ScanMode,
        /// The description.
        description: String,
        /// The comment.
        comment: String,
        /// Whether the managing account locked the exclusion.
        locked_by_managing_account: bool,
    }
}

open_enum! {
    /// The kind of an exclusion's value.
    pub enum ScanningExclusionType {
        /// A detection of the Antimalware Scan Interface.
        Amsi = "amsi",
        /// A behavioral detection.
        Behavioral = "behavioral",
        /// A detected exploit.
        DetectedExploit = "detectedExploit",
        /// A path that the event journal does not hash.
        JournalHashingPath = "journalHashingPath",
        /// A process whose files the event journal does not hash.
        JournalHashingProcess = "journalHashingProcess",
        /// A path of Windows.
        Path = "path",
        /// A path of macOS or Linux.
        PosixPath = "posixPath",
        /// A process.
        Process = "process",
        /// A potentially unwanted application.
        Pua = "pua",
        /// A path of a virtual machine.
        VirtualPath = "virtualPath",
        /// A website.
        Web = "web",
        /// An application that Exploit Mitigation exempts.
        ExploitMitigation = "exploitMitigation",
    }
}

open_enum! {
    /// The scans that an exclusion applies to.
    pub enum ScanMode {
        /// On-access scans.
        OnAccess = "onAccess",
        /// On-demand scans.
        OnDemand = "onDemand",
        /// Both kinds of scan.
        OnDemandAndOnAccess = "onDemandAndOnAccess",
    }
}

listed! {
    ListScanningExclusions
    CreateScanningExclusion
    DeleteScanningExclusion
    GetScanningExclusion
    UpdateScanningExclusion
}
