use std::{fmt, str::FromStr};

/// A class of OCSF 1.3.0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Class {
    /// 2004: detections of the SIEM feeds.
    DetectionFinding,
    /// 5001: snapshots of endpoints.
    DeviceInventory,
    /// 7001: isolations, and clean-ups of neither a file nor a process.
    Remediation,
    /// 7002: clean-ups of files.
    FileRemediation,
    /// 7003: clean-ups of processes.
    ProcessRemediation,
}

impl Class {
    /// All classes.
    pub const ALL: [Self; 5] = [
        Self::DetectionFinding,
        Self::DeviceInventory,
        Self::Remediation,
        Self::FileRemediation,
        Self::ProcessRemediation,
    ];

    /// The classes that are written if none is chosen.
    pub const DEFAULT: [Self; 3] = [Self::DetectionFinding, Self::DeviceInventory, Self::FileRemediation];

    /// The `class_uid`.
    pub const fn uid(self) -> u32 {
        match self {
            Self::DetectionFinding => 2004,
            Self::DeviceInventory => 5001,
            Self::Remediation => 7001,
            Self::FileRemediation => 7002,
            Self::ProcessRemediation => 7003,
        }
    }

    /// The `class_name`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DetectionFinding => "Detection Finding",
            Self::DeviceInventory => "Device Inventory Info",
            Self::Remediation => "Remediation Activity",
            Self::FileRemediation => "File Remediation Activity",
            Self::ProcessRemediation => "Process Remediation Activity",
        }
    }

    /// The class with this `class_uid`.
    pub fn from_uid(uid: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.uid() == uid)
    }

    pub(crate) const fn category_name(self) -> &'static str {
        match self {
            Self::DetectionFinding => "Findings",
            Self::DeviceInventory => "Discovery",
            Self::Remediation | Self::FileRemediation | Self::ProcessRemediation => "Remediation",
        }
    }

    /// The profiles whose attributes its rows have.
    pub(crate) const fn profiles(self) -> &'static [&'static str] {
        match self {
            Self::DetectionFinding => &["host", "security_control"],
            Self::DeviceInventory => &[],
            Self::Remediation | Self::FileRemediation | Self::ProcessRemediation => &["host"],
        }
    }

    /// The caption of an activity.
    pub(crate) const fn activity_name(self, activity: u32) -> &'static str {
        match (self, activity) {
            (Self::DetectionFinding, 1) => "Create",
            (Self::DetectionFinding, 2) => "Update",
            (Self::DetectionFinding, 3) => "Close",
            (Self::DeviceInventory, 2) => "Collect",
            (Self::Remediation | Self::FileRemediation | Self::ProcessRemediation, 1) => "Isolate",
            (Self::Remediation | Self::FileRemediation | Self::ProcessRemediation, 2) => "Evict",
            (Self::Remediation | Self::FileRemediation | Self::ProcessRemediation, 3) => "Restore",
            _ => "Unknown",
        }
    }
}

/// Shows the `class_uid`.
impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.uid())
    }
}

/// An unknown class.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown class \"{0}\": expected 2004, 5001, 7001, 7002 or 7003")]
pub struct UnknownClass(String);

impl FromStr for Class {
    type Err = UnknownClass;

    fn from_str(text: &str) -> Result<Self, UnknownClass> {
        let uid = text.trim().parse().ok();
        uid.and_then(Self::from_uid).ok_or_else(|| UnknownClass(text.trim().to_owned()))
    }
}
