//! The format of each dataset.

use std::{collections::BTreeMap, fmt, str::FromStr};

use super::{Format, UnknownFormat};
use crate::dataset::{Dataset, UnknownDataset};

/// The formats of an export: one for all datasets, and others for some.
///
/// As text: `ndjson.gz`, or `ndjson.gz,endpoints=parquet,health=parquet`. Without a format
/// for all datasets it is [`Format::default`].
///
/// # Examples
/// ```
/// use sophos_export::{Dataset, Format, FormatSelection};
///
/// let formats: FormatSelection = "ndjson.gz,endpoints=ndjson.gz".parse().expect("formats");
/// assert_eq!(formats.format(Dataset::Endpoints), Format::NdjsonGzip);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FormatSelection {
    default: Format,
    datasets: BTreeMap<Dataset, Format>,
}

impl FormatSelection {
    /// The format of a dataset.
    pub fn format(&self, dataset: Dataset) -> Format {
        self.datasets.get(&dataset).copied().unwrap_or(self.default)
    }

    /// Sets the format of a dataset.
    #[must_use]
    pub fn with_dataset(mut self, dataset: Dataset, format: Format) -> Self {
        self.datasets.insert(dataset, format);
        self
    }
}

impl From<Format> for FormatSelection {
    fn from(default: Format) -> Self {
        Self { default, datasets: BTreeMap::new() }
    }
}

impl fmt::Display for FormatSelection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.default)?;
        self.datasets.iter().try_for_each(|(dataset, format)| write!(f, ",{dataset}={format}"))
    }
}

/// An invalid selection of formats.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidFormatSelection {
    /// A format is unknown.
    #[error(transparent)]
    Format(#[from] UnknownFormat),
    /// A dataset is unknown.
    #[error(transparent)]
    Dataset(#[from] UnknownDataset),
    /// A dataset, or all datasets, have two formats.
    #[error(
        "invalid format \"{0}\": expected one format for each dataset, such as `ndjson.gz,endpoints=parquet`"
    )]
    Repeated(String),
}

impl FromStr for FormatSelection {
    type Err = InvalidFormatSelection;

    fn from_str(text: &str) -> Result<Self, InvalidFormatSelection> {
        let mut default = None;
        let mut datasets = BTreeMap::new();
        for item in text.split(',') {
            let repeated = match item.split_once('=') {
                Some((dataset, format)) => datasets.insert(dataset.parse()?, format.parse()?).is_some(),
                None => default.replace(item.parse()?).is_some(),
            };
            if repeated {
                return Err(InvalidFormatSelection::Repeated(item.trim().to_owned()));
            }
        }
        Ok(Self { default: default.unwrap_or_default(), datasets })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selection_has_a_format_for_each_dataset() {
        let all: FormatSelection = " ndjson.gz ".parse().expect("a format");
        assert_eq!(all, FormatSelection::default());
        let some: FormatSelection = "endpoints=ndjson.gz , ndjson.gz".parse().expect("formats");
        assert_eq!(some.to_string(), "ndjson.gz,endpoints=ndjson.gz");
        assert_eq!(some.to_string().parse(), Ok(some));
    }

    #[cfg(feature = "parquet")]
    #[test]
    fn selection_prefers_the_format_of_the_dataset() {
        let some: FormatSelection = "ndjson.gz,endpoints=parquet,health=parquet".parse().expect("formats");
        assert_eq!(some.format(Dataset::Endpoints), Format::Parquet);
        assert_eq!(some.format(Dataset::Events), Format::NdjsonGzip);
        let other: FormatSelection = "parquet,events=ndjson.gz".parse().expect("formats");
        assert_eq!(other.format(Dataset::Alerts), Format::Parquet);
        assert_eq!(other.format(Dataset::Events), Format::NdjsonGzip);
    }

    #[test]
    fn selection_rejects_unknown_and_repeated_names() {
        for (text, part) in [
            ("xml", "unknown format \"xml\""),
            ("", "unknown format \"\""),
            ("ndjson.gz,", "unknown format \"\""),
            ("events=xml", "unknown format \"xml\""),
            ("logs=ndjson.gz", "invalid dataset \"logs\""),
            ("ndjson.gz,ndjson.gz", "one format for each dataset"),
            ("events=ndjson.gz,events=ndjson.gz", "one format for each dataset"),
        ] {
            let error = text.parse::<FormatSelection>().expect_err(text).to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
