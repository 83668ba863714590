//! The parameters of a list of alerts: the query of a GET, or the body of a search.

use serde_json::Value;

use crate::call::{Query, invalid_parameter};
use crate::data::alerts::AlertAttributes;
use crate::hash::parse_uuid;
use crate::response::ApiError;
use crate::time;

/// Page keys are decimal numbers from this one.
const KEY_BASE: u64 = 2_000_000_000_000;

/// The parsed parameters.
#[derive(Debug)]
pub(crate) struct AlertQuery {
    pub(crate) from: Option<i64>,
    pub(crate) to: Option<i64>,
    pub(crate) ids: Vec<u128>,
    pub(crate) fields: Vec<String>,
    pub(crate) descending: bool,
    pub(crate) page_size: u64,
    /// The index of the page's first alert.
    pub(crate) from_key: Option<u64>,
    pub(crate) total: bool,
    product: Vec<String>,
    category: Vec<String>,
    severity: Vec<String>,
    group_key: Option<String>,
}

pub(crate) fn page_key(index: u64) -> String {
    (KEY_BASE + index).to_string()
}

fn owned(list: Vec<&str>) -> Vec<String> {
    list.into_iter().map(str::to_owned).collect()
}

impl AlertQuery {
    pub(crate) fn parse(query: &Query, maximum: u64) -> Result<Self, ApiError> {
        let at = |name: &str| match query.get(name) {
            None => Ok(None),
            Some(text) => time::parse_lenient(text).map(Some).ok_or_else(|| invalid_parameter(name)),
        };
        let ids = query.list("ids").into_iter().map(parse_uuid);
        let ids: Option<Vec<u128>> = ids.collect();
        let descending = match query.get("sort") {
            None | Some("raisedAt" | "raisedAt:asc") => false,
            Some("raisedAt:desc") => true,
            Some(_) => return Err(invalid_parameter("sort")),
        };
        let severity = owned(query.list("severity"));
        if severity.iter().any(|s| !matches!(s.as_str(), "high" | "medium" | "low")) {
            return Err(invalid_parameter("severity"));
        }
        let from_key = match query.get("pageFromKey") {
            None => None,
            Some(text) => {
                let index = text.parse::<u64>().ok().and_then(|k| k.checked_sub(KEY_BASE));
                Some(index.ok_or_else(|| invalid_parameter("pageFromKey"))?)
            }
        };
        Ok(Self {
            from: at("from")?,
            to: at("to")?,
            ids: ids.ok_or_else(|| invalid_parameter("ids"))?,
            fields: owned(query.list("fields")),
            descending,
            page_size: query.page_size(maximum)?,
            from_key,
            total: query.boolean("pageTotal")?.unwrap_or(false),
            product: owned(query.list("product")),
            category: owned(query.list("category")),
            severity,
            group_key: query.get("groupKey").map(str::to_owned),
        })
    }

    /// Parses the body of a search: the same names, with lists as arrays.
    pub(crate) fn parse_body(body: &Value, maximum: u64) -> Result<Self, ApiError> {
        let mut pairs = Vec::new();
        let Value::Object(members) = body else {
            return Err(ApiError::bad_request("Invalid request"));
        };
        for (name, value) in members {
            match value {
                Value::Null => {}
                Value::Array(values) => {
                    for value in values {
                        let text = value.as_str().ok_or_else(|| invalid_parameter(name))?;
                        pairs.push((name.clone(), text.to_owned()));
                    }
                }
                Value::String(text) => pairs.push((name.clone(), text.clone())),
                Value::Bool(_) | Value::Number(_) => pairs.push((name.clone(), value.to_string())),
                Value::Object(_) => return Err(invalid_parameter(name)),
            }
        }
        Self::parse(&Query(pairs), maximum)
    }

    /// Whether the query filters by more than time.
    pub(crate) fn has_attribute_filters(&self) -> bool {
        !(self.product.is_empty() && self.category.is_empty() && self.severity.is_empty())
            || self.group_key.is_some()
    }

    pub(crate) fn matches(&self, facts: &AlertAttributes) -> bool {
        let among = |list: &[String], value: &str| list.is_empty() || list.iter().any(|v| v == value);
        among(&self.product, facts.product)
            && among(&self.category, facts.kind.category)
            && among(&self.severity, facts.kind.severity)
            && self.group_key.as_ref().is_none_or(|k| *k == facts.group_key)
    }
}
