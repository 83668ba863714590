//! The columns of Parquet objects.

mod datasets;

use jiff::Timestamp;
use sophos_api::Timestamp as ServiceTime;

use crate::{dataset::Dataset, json_scan::for_each_member};

/// The version of the schema, in the metadata of each object.
pub(super) const SCHEMA_VERSION: u32 = 1;

/// A typed column, whose values are members of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParquetColumn {
    /// The name.
    pub name: &'static str,
    /// The kind of values.
    pub kind: ColumnKind,
    /// The members with the value, such as `source_info.ip`. The first with a value of
    /// this kind counts.
    pub paths: &'static [&'static str],
}

/// The kind of a column's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ColumnKind {
    /// The text of a string.
    Text,
    /// A list, an object or another value as JSON, as written.
    Json,
    /// `true` or `false`.
    Boolean,
    /// An integer of 64 bits.
    Integer,
    /// A time in UTC, in milliseconds.
    Time,
}

/// The typed columns of a dataset in Parquet. They follow the common columns `id`,
/// `tenant`, `dataset`, `source`, `time`, `created_at` and `revision`, and precede
/// `record`. A member of another kind is null.
pub const fn parquet_columns(dataset: Dataset) -> &'static [ParquetColumn] {
    datasets::of_dataset(dataset)
}

/// A value of a column.
#[derive(Debug, PartialEq)]
pub(super) enum ColumnValue<'r> {
    Text(std::borrow::Cow<'r, str>),
    Boolean(bool),
    Integer(i64),
    /// Milliseconds since the Unix epoch.
    Time(i64),
}

impl ColumnKind {
    /// The value of a member, as written; `None` for a value of another kind.
    fn parse(self, json: &str) -> Option<ColumnValue<'_>> {
        let first = json.as_bytes().first()?;
        match self {
            Self::Text if *first == b'"' => {
                let inner = json.get(1..json.len() - 1)?;
                let text = if inner.contains('\\') {
                    serde_json::from_str::<String>(json).ok()?.into()
                } else {
                    inner.into()
                };
                Some(ColumnValue::Text(text))
            }
            Self::Json if json != "null" => Some(ColumnValue::Text(json.into())),
            Self::Boolean => json.parse().ok().map(ColumnValue::Boolean),
            Self::Integer => json.parse().ok().map(ColumnValue::Integer),
            Self::Time if *first == b'"' => {
                let text = serde_json::from_str::<String>(json).ok()?;
                let time = ServiceTime::parse_instant(&text)?;
                Some(ColumnValue::Time(Timestamp::as_millisecond(time)))
            }
            _ => None,
        }
    }
}

/// The members that the columns of a dataset need, as a tree.
#[derive(Debug, Default)]
pub(super) struct MemberTree {
    members: Vec<Member>,
}

/// A member that columns need, or whose members they need.
#[derive(Debug)]
struct Member {
    /// With its quotes.
    key: String,
    /// The columns, with the ranks of their paths.
    targets: Vec<(usize, usize)>,
    children: MemberTree,
}

impl MemberTree {
    pub(super) fn new(columns: &[ParquetColumn]) -> Self {
        let mut tree = Self::default();
        for (column, spec) in columns.iter().enumerate() {
            for (rank, path) in spec.paths.iter().enumerate() {
                tree.insert(path, (column, rank));
            }
        }
        tree
    }

    fn insert(&mut self, path: &str, target: (usize, usize)) {
        let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
        let key = format!("\"{name}\"");
        let index = self.members.iter().position(|member| member.key == key).unwrap_or_else(|| {
            self.members.push(Member { key, targets: Vec::new(), children: Self::default() });
            self.members.len() - 1
        });
        let Member { targets, children, .. } = &mut self.members[index];
        match rest {
            Some(rest) => children.insert(rest, target),
            None => targets.push(target),
        }
    }

    /// Sets the values of a record, one for each column, with the rank of their paths.
    /// Of a repeated member the last counts.
    pub(super) fn extract<'r>(
        &self,
        json: &'r str,
        columns: &[ParquetColumn],
        values: &mut [Option<(usize, ColumnValue<'r>)>],
    ) {
        for_each_member(json, |key, value| {
            let Some(member) = self.members.iter().find(|member| member.key == key) else { return };
            for (column, rank) in &member.targets {
                let slot = &mut values[*column];
                if slot.as_ref().is_some_and(|(known, _)| known < rank) {
                    continue;
                }
                let parsed = columns[*column].kind.parse(value);
                let is_own = slot.as_ref().is_none_or(|(known, _)| known == rank);
                if parsed.is_some() || is_own {
                    *slot = parsed.map(|value| (*rank, value));
                }
            }
            if !member.children.members.is_empty() {
                member.children.extract(value, columns, values);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The value of the only column.
    fn extract(kind: ColumnKind, paths: &'static [&'static str], json: &str) -> Option<String> {
        let columns = [ParquetColumn { name: "c", kind, paths }];
        let mut values = [None];
        MemberTree::new(&columns).extract(json, &columns, &mut values);
        let [value] = values;
        value.map(|(_, value)| match value {
            ColumnValue::Text(text) => text.into_owned(),
            ColumnValue::Boolean(value) => value.to_string(),
            ColumnValue::Integer(value) | ColumnValue::Time(value) => value.to_string(),
        })
    }

    #[test]
    fn columns_take_members_of_their_kind() {
        use ColumnKind::{Boolean, Integer, Json, Text, Time};
        for (kind, value, expected) in [
            (Text, r#""a\u0062\n""#, Some("ab\n")),
            (Text, "\"\"", Some("")),
            (Text, "7", None),
            (Text, "null", None),
            (Text, r#""\ud800""#, None),
            (Json, r#"[1, "x"]"#, Some(r#"[1, "x"]"#)),
            (Json, "null", None),
            (Boolean, "true", Some("true")),
            (Boolean, "\"true\"", None),
            (Integer, "-7", Some("-7")),
            (Integer, "1.0", None),
            (Integer, "9223372036854775808", None),
            (Integer, "\"7\"", None),
            (Time, "\"1970-01-01T00:00:02.5Z\"", Some("2500")),
            (Time, "\"soon\"", None),
            (Time, "{}", None),
        ] {
            let json = format!("{{\"x\":1,\"m\" : {value} ,\"y\":[{{\"m\":\"inner\"}}]}}");
            assert_eq!(extract(kind, &["m"], &json).as_deref(), expected, "{json}");
        }
    }

    #[test]
    fn columns_prefer_the_first_path_and_the_last_repetition() {
        let paths = &["a.b", "c"];
        let text = |json: &str| extract(ColumnKind::Text, paths, json);
        assert_eq!(text(r#"{"c":"2","a":{"b":"1"}}"#).as_deref(), Some("1"));
        assert_eq!(text(r#"{"a":{"b":"1"},"c":"2"}"#).as_deref(), Some("1"));
        assert_eq!(text(r#"{"c":"2","a":{"b":7}}"#).as_deref(), Some("2"));
        assert_eq!(text(r#"{"a":"text","c":"2"}"#).as_deref(), Some("2"));
        assert_eq!(text(r#"{"c":"2","c":"3"}"#).as_deref(), Some("3"));
        assert_eq!(text(r#"{"c":"2","c":null}"#), None);
        assert_eq!(text(r#"{"C":"2"}"#), None);
        for other in ["null", "7", "[]", "\"c\"", "{}"] {
            assert_eq!(text(other), None);
        }
    }

    #[test]
    fn columns_have_plain_unique_names() {
        let common = ["id", "tenant", "dataset", "source", "time", "created_at", "revision", "record"];
        // Partition keys of the tables.
        let reserved = ["tenant_id", "day"];
        for dataset in Dataset::ALL {
            let mut names: BTreeSet<_> = common.into_iter().chain(reserved).collect();
            for column in parquet_columns(dataset) {
                let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
                assert!(column.name.bytes().all(plain), "{}", column.name);
                assert!(names.insert(column.name), "{dataset}: {} occurs twice", column.name);
                assert!(!column.paths.is_empty());
            }
        }
    }
}
