use std::fmt;

/// A data region of Sophos Central: where a tenant's data lives, and so which
/// host answers for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct DataRegion {
    /// The code in tenant records, such as `eu01`.
    pub code: &'static str,
    /// Where that is.
    pub location: &'static str,
}

/// The data regions that Sophos has named. An open list: a tenant's host comes
/// from its record, and a region that is not listed here works as well.
pub const DATA_REGIONS: [DataRegion; 9] = [
    DataRegion { code: "us01", location: "United States (West)" },
    DataRegion { code: "us03", location: "United States (East)" },
    DataRegion { code: "eu01", location: "Ireland" },
    DataRegion { code: "eu02", location: "Germany" },
    DataRegion { code: "ca01", location: "Canada" },
    DataRegion { code: "au01", location: "Australia" },
    DataRegion { code: "jp01", location: "Japan" },
    DataRegion { code: "br01", location: "Brazil" },
    DataRegion { code: "in01", location: "India" },
];

impl DataRegion {
    /// The named region of this code, whatever the case of its letters.
    pub fn from_code(code: &str) -> Option<Self> {
        DATA_REGIONS.into_iter().find(|region| region.code.eq_ignore_ascii_case(code))
    }
}

impl fmt::Display for DataRegion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.code, self.location)
    }
}
