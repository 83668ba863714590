//! The paths of the lake's objects, in the layout of Amazon Security Lake.

use jiff::{Timestamp, tz::TimeZone};

use crate::{class::Class, error::Error};

/// The maximum length of a source's name in Security Lake.
const MAX_SOURCE_LEN: usize = 20;

/// The names in paths. Security Lake takes one class for each source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LakeLayout {
    source_prefix: String,
    region: String,
    account: String,
}

/// The prefix `sophos` and the account `external_sophos` in `us-east-1`.
impl Default for LakeLayout {
    fn default() -> Self {
        let [source_prefix, region, account] = ["sophos", "us-east-1", "external_sophos"].map(str::to_owned);
        Self { source_prefix, region, account }
    }
}

impl LakeLayout {
    /// Creates a layout. The source of a class is `<source_prefix>-<class_uid>`; `account`
    /// is an AWS account's id, or a name that begins with `external_`.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`] when a name is not valid in Security Lake.
    pub fn new(source_prefix: &str, region: &str, account: &str) -> Result<Self, Error> {
        let is_plain = |text: &str, and: &[u8]| {
            let valid = |byte: u8| byte.is_ascii_alphanumeric() || and.contains(&byte);
            !text.is_empty() && text.bytes().all(valid)
        };
        let invalid =
            |name, value: &str, expected| Error::InvalidSetting { name, value: value.into(), expected };
        if !is_plain(source_prefix, b"-_") || source_prefix.len() > MAX_SOURCE_LEN - "-2004".len() {
            let expected = "1 to 15 letters, digits, hyphens and underscores";
            return Err(invalid("source prefix", source_prefix, expected));
        }
        if !is_plain(region, b"-") {
            return Err(invalid("region", region, "a Region of AWS, such as eu-west-1"));
        }
        let is_aws = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        let is_external =
            account.len() <= 64 && account.strip_prefix("external_").is_some_and(|id| is_plain(id, b"-_"));
        if !is_aws && !is_external {
            let expected = "the 12 digits of an AWS account, or external_ with letters, digits, - and _";
            return Err(invalid("account", account, expected));
        }
        Ok(Self { source_prefix: source_prefix.into(), region: region.into(), account: account.into() })
    }

    /// The prefix of the sources' names.
    pub fn source_prefix(&self) -> &str {
        &self.source_prefix
    }

    /// The name of the source of a class.
    pub fn source(&self, class: Class) -> String {
        format!("{}-{class}", self.source_prefix)
    }

    /// The account of new batches.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The Region of new batches.
    pub fn region(&self) -> &str {
        &self.region
    }
}

/// The day of a time in UTC, as `yyyyMMdd`. Times outside of the years 1 to 9999 count
/// as the nearest of these.
pub(crate) fn event_day(time_ms: i64) -> u32 {
    let time = match Timestamp::from_millisecond(time_ms) {
        Ok(time) => time,
        Err(_) if time_ms < 0 => Timestamp::MIN,
        Err(_) => Timestamp::MAX,
    };
    let date = TimeZone::UTC.to_datetime(time).date();
    let year = date.year().clamp(1, 9_999).unsigned_abs();
    u32::from(year) * 10_000
        + u32::from(date.month().unsigned_abs()) * 100
        + u32::from(date.day().unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layout_rejects_names_that_security_lake_rejects() {
        assert!(LakeLayout::new("sophos", "eu-west-1", "123456789012").is_ok());
        let layout = LakeLayout::new("sophos", "eu-west-1", "external_partner").expect("a layout");
        assert_eq!(layout.source(Class::FileRemediation), "sophos-7002");
        for (prefix, region, account) in [
            ("", "eu-west-1", "123456789012"),
            ("sophos-central-1", "eu-west-1", "123456789012"),
            ("a/b", "eu-west-1", "123456789012"),
            ("sophos", "", "123456789012"),
            ("sophos", "eu/west", "123456789012"),
            ("sophos", "eu-west-1", "12345678901"),
            ("sophos", "eu-west-1", "external_"),
            ("sophos", "eu-west-1", "external_a/b"),
            ("sophos", "eu-west-1", "partner"),
        ] {
            assert!(LakeLayout::new(prefix, region, account).is_err(), "{prefix} {region} {account}");
        }
    }

    #[test]
    fn event_day_is_the_day_in_utc() {
        for (time, day) in [
            (1_795_428_000_000, 20_261_123),
            (1_795_391_999_999, 20_261_122),
            (1_795_392_000_000, 20_261_123),
            (0, 19_700_101),
            (-1, 19_691_231),
            (i64::MAX, 99_991_230),
        ] {
            assert_eq!(event_day(time), day, "{time}");
        }
    }
}
