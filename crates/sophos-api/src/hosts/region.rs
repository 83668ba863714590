use std::fmt;

/// A data region of Sophos Central: the location of a tenant's data, and of its host.
///
/// ```
/// use sophos_api::DataRegion;
///
/// let region = DataRegion::from_code("EU01").expect("a documented region");
/// assert_eq!(region.to_string(), "eu01 (Ireland)");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct DataRegion {
    /// The code in tenant records, such as `eu01`.
    pub code: &'static str,
    /// The location.
    pub location: &'static str,
}

/// The documented data regions. Others work as well: a tenant's host comes from its
/// record.
pub const DATA_REGIONS: [DataRegion; 11] = [
    DataRegion { code: "us01", location: "United States (West)" },
    DataRegion { code: "us02", location: "United States" },
    DataRegion { code: "us03", location: "United States (East)" },
    DataRegion { code: "eu01", location: "Ireland" },
    DataRegion { code: "eu02", location: "Germany" },
    DataRegion { code: "ca01", location: "Canada" },
    DataRegion { code: "au01", location: "Australia" },
    DataRegion { code: "jp01", location: "Japan" },
    DataRegion { code: "br01", location: "Brazil" },
    DataRegion { code: "in01", location: "India" },
    DataRegion { code: "ae01", location: "United Arab Emirates" },
];

impl DataRegion {
    /// The documented region of this code, in either case.
    pub fn from_code(code: &str) -> Option<Self> {
        DATA_REGIONS.into_iter().find(|region| region.code.eq_ignore_ascii_case(code))
    }
}

impl fmt::Display for DataRegion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.code, self.location)
    }
}
