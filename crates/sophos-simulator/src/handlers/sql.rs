//! The SQL of queries, as far as generated results need it: columns and `LIMIT`.

use serde_json::{Map, Value, json};

use crate::hash::Rng;
use crate::time;

/// The columns of `SELECT *`.
const TABLES: &[(&str, &[&str])] = &[
    ("processes", &["pid", "name", "path", "cmdline", "parent", "start_time"]),
    ("users", &["uid", "username", "description"]),
    ("listening_ports", &["pid", "port", "address"]),
    ("os_version", &["name", "version", "platform"]),
    (
        "xdr_data",
        &["meta_hostname", "meta_endpoint_id", "query_name", "name", "path", "sha256", "username", "time"],
    ),
];
const PROCESSES: &[&str] = &["svchost.exe", "chrome.exe", "powershell.exe", "outlook.exe", "lsass.exe"];
const USERS: &[&str] = &["SYSTEM", "ada.abbott", "grace.fischer", "NETWORK SERVICE"];

/// A column of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// A data type of the API, such as `integer`.
    pub(crate) data_type: &'static str,
}

/// A statement that selects rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Statement {
    pub(crate) columns: Vec<Column>,
    pub(crate) limit: Option<u64>,
}

/// The endpoint that a row describes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Subject {
    pub(crate) id: String,
    pub(crate) hostname: String,
    pub(crate) platform: String,
}

/// The offset of `keyword` outside parentheses and quotes; the last one if `is_last`.
fn find_keyword(text: &str, keyword: &str, is_last: bool) -> Option<usize> {
    let (mut depth, mut quote, mut found) = (0, None, None);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') => depth -= 1,
            (None, _) if depth == 0 && (is_last || found.is_none()) => {
                let part = text.get(at..at + keyword.len()).unwrap_or_default();
                if part.eq_ignore_ascii_case(keyword) {
                    found = Some(at);
                }
            }
            _ => {}
        }
    }
    found
}

fn split_columns(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(at) = find_keyword(rest, ",", false) {
        parts.push(rest[..at].trim());
        rest = &rest[at + 1..];
    }
    parts.push(rest.trim());
    parts
}

/// The name of a column: its alias, or its expression without the table.
fn column_name(expression: &str) -> String {
    let last = expression.rsplit(' ').next().unwrap_or_default();
    let name = if expression.ends_with(')') { expression } else { last };
    let name = if name.contains('(') { name } else { name.rsplit('.').next().unwrap_or(name) };
    name.trim_matches(['"', '`', '\'']).to_owned()
}

fn data_type(name: &str) -> &'static str {
    let name = name.to_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
    match name.as_str() {
        "pid" | "uid" | "gid" | "parent" | "size" => "integer",
        _ if name.starts_with("is_") => "boolean",
        "port" | "count" => "integer",
        _ if name.ends_with("_port") || name.ends_with("_count") || name.starts_with("count(") => "integer",
        _ if name.parse::<i64>().is_ok() => "integer",
        _ if name.ends_with("time") || name.ends_with("_at") => "dateTime",
        _ if has(&["avg", "average", "percent"]) => "double",
        _ => "text",
    }
}

impl Statement {
    /// Parses a `SELECT`, also after `WITH`. The error is the message of the SQL engine.
    pub(crate) fn parse(sql: &str) -> Result<Self, String> {
        let text = sql.split_whitespace().collect::<Vec<_>>().join(" ");
        let text = text.trim_end_matches(';').trim();
        let first = text.split(' ').next().unwrap_or_default();
        let wrong = |near: &str| format!("near \"{near}\": syntax error");
        let start = match first.to_lowercase().as_str() {
            "select" => 0,
            "with" => find_keyword(text, "select ", true).ok_or_else(|| wrong(first))?,
            _ => return Err(wrong(first)),
        };
        let text = text[start..].get(6..).unwrap_or_default();
        let end = find_keyword(text, " from ", false);
        let list = &text[..end.unwrap_or(text.len())];
        let list = list.trim().strip_prefix("distinct ").unwrap_or(list);
        let after = end.map_or("", |at| &text[at + 6..]);
        let table = after.split(' ').next().unwrap_or_default().trim_matches(['"', '`', '(', ')']);
        if list.trim().is_empty() || (end.is_some() && table.is_empty()) {
            return Err(wrong(first));
        }
        let mut columns = Vec::new();
        for part in split_columns(list) {
            if part.is_empty() {
                return Err(wrong(","));
            }
            if part == "*" || part.ends_with(".*") {
                let known = TABLES.iter().find(|(name, _)| table.eq_ignore_ascii_case(name));
                let names = known.map_or(&["name", "value"][..], |(_, names)| names);
                columns.extend(names.iter().map(|name| (*name).to_owned()));
            } else {
                columns.push(column_name(part));
            }
        }
        let limit = find_keyword(after, " limit ", true).and_then(|at| {
            let number = after[at + 7..].split(' ').next()?;
            number.parse().ok()
        });
        let limit = if end.is_none() { Some(1) } else { limit };
        let columns = columns.into_iter().map(|name| Column { data_type: data_type(&name), name }).collect();
        Ok(Self { columns, limit })
    }

    /// `[{"name": …, "type": …}]` of the columns.
    pub(crate) fn metadata(&self) -> Value {
        self.columns.iter().map(|column| json!({ "name": column.name, "type": column.data_type })).collect()
    }

    /// A generated row, with times in `from..to`.
    pub(crate) fn row(&self, rng: &mut Rng, subject: &Subject, (from, to): (i64, i64)) -> Map<String, Value> {
        let process = rng.pick(PROCESSES);
        let member =
            |column: &Column| (column.name.clone(), value(column, rng, subject, process, (from, to)));
        self.columns.iter().map(member).collect()
    }
}

fn value(column: &Column, rng: &mut Rng, subject: &Subject, process: &str, (from, to): (i64, i64)) -> Value {
    let name = column.name.to_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
    match column.data_type {
        "integer" if name.ends_with("port") => json!(rng.pick(&[443, 445, 3_389, 8_080])),
        "integer" => json!(rng.below(40_000)),
        "boolean" => json!(rng.chance(0.5)),
        "double" => json!((rng.unit() * 1e4).round() / 1e4),
        "dateTime" => {
            let span = u64::try_from((to - from).max(1)).unwrap_or(1);
            json!(time::format_millis(from + i64::try_from(rng.below(span)).unwrap_or_default()))
        }
        _ if has(&["hostname", "ep_name", "device_name"]) => json!(subject.hostname),
        _ if has(&["endpoint_id", "ep_id", "device_id"]) => json!(subject.id),
        _ if has(&["platform", "os_name"]) => json!(subject.platform),
        _ if has(&["sha256"]) => json!(rng.hex(64)),
        _ if has(&["user"]) => json!(rng.pick(USERS)),
        _ if has(&["address", "_ip"]) || name == "ip" => {
            json!(format!("10.0.{}.{}", rng.below(256), rng.below(256)))
        }
        _ if has(&["path"]) => json!(format!("C:\\Windows\\System32\\{process}")),
        _ if has(&["cmdline", "cmd_line"]) => json!(format!("{process} -k netsvcs")),
        _ if has(&["version"]) => json!("10.0.22631"),
        _ if has(&["query_name"]) => json!("running_processes_windows_sophos"),
        _ if has(&["name"]) => json!(process),
        _ => json!(rng.hex(8)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(sql: &str) -> Vec<String> {
        Statement::parse(sql).unwrap().columns.into_iter().map(|column| column.name).collect()
    }

    #[test]
    fn statement_has_the_columns_of_its_select() {
        assert_eq!(names("select p.pid, max(a, b) AS top, name from processes p"), ["pid", "top", "name"]);
        assert_eq!(names("SELECT *\nFROM listening_ports;"), ["pid", "port", "address"]);
        assert_eq!(
            names("with x as (select a from b) select count(*), ' from ' as c from x"),
            ["count(*)", "c"]
        );
        assert_eq!(names("select é, name from users"), ["é", "name"]);
        let limited = Statement::parse("select * from \"xdr_data\" limit 10").unwrap();
        assert_eq!((limited.limit, limited.columns.len()), (Some(10), 8));
    }

    #[test]
    fn statement_rejects_other_sql() {
        for sql in ["", "drop table x", "select", "select from processes", "select a,, b from c", "with x"] {
            assert!(Statement::parse(sql).is_err(), "{sql}");
        }
    }
}
