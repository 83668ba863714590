//! Filters, search, order and projection of lists.

use std::cmp::Ordering;

use serde_json::Value;

use crate::call::{Query, invalid_parameter};
use crate::response::ApiError;
use crate::time;

#[derive(Debug, Clone, Copy)]
enum Rule {
    Equals,
    OneOf(&'static [&'static str]),
    Boolean,
    Contains,
    StartsWith,
    After,
    Before,
    Above,
    Below,
}

/// A query parameter that selects records by a member.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Filter {
    parameter: &'static str,
    member: &'static str,
    rule: Rule,
}

impl Filter {
    /// Selects records whose member equals a value of the parameter's list, in any case. The
    /// member is a path such as `source.type`; arrays on it count item by item.
    pub(crate) const fn equals(parameter: &'static str, member: &'static str) -> Self {
        Self { parameter, member, rule: Rule::Equals }
    }

    /// Like [`Self::equals`], and rejects other values than `values`.
    pub(crate) const fn one_of(
        parameter: &'static str,
        member: &'static str,
        values: &'static [&'static str],
    ) -> Self {
        Self { parameter, member, rule: Rule::OneOf(values) }
    }

    /// Selects by a member that is a boolean; a missing one counts as `false`.
    pub(crate) const fn boolean(parameter: &'static str, member: &'static str) -> Self {
        Self { parameter, member, rule: Rule::Boolean }
    }

    /// Selects by a part of a text, in any case.
    pub(crate) const fn contains(parameter: &'static str, member: &'static str) -> Self {
        Self { parameter, member, rule: Rule::Contains }
    }

    /// Selects by the start of a text, in any case.
    pub(crate) const fn starts_with(parameter: &'static str, member: &'static str) -> Self {
        Self { parameter, member, rule: Rule::StartsWith }
    }

    /// Selects records whose number is greater than the parameter.
    pub(crate) const fn above(parameter: &'static str, member: &'static str) -> Self {
        Self { parameter, member, rule: Rule::Above }
    }

    /// Selects records whose number is less than the parameter.
    pub(crate) const fn below(parameter: &'static str, member: &'static str) -> Self {
        Self { parameter, member, rule: Rule::Below }
    }

    /// Selects records whose time is at or after the parameter.
    pub(crate) const fn after(parameter: &'static str, member: &'static str) -> Self {
        Self { parameter, member, rule: Rule::After }
    }

    /// Selects records whose time is at or before the parameter.
    pub(crate) const fn before(parameter: &'static str, member: &'static str) -> Self {
        Self { parameter, member, rule: Rule::Before }
    }

    /// Whether the record passes; an error if the parameter is invalid.
    fn matches(&self, query: &Query, record: &Value, now_ms: i64) -> Result<bool, ApiError> {
        let Some(given) = query.get(self.parameter) else { return Ok(true) };
        let found = values_at(record, self.member);
        let wrong = || invalid_parameter(self.parameter);
        match self.rule {
            Rule::Equals => Ok(has_any(&found, &query.list(self.parameter))),
            Rule::OneOf(values) => {
                let wanted = query.list(self.parameter);
                if wanted.iter().any(|value| !values.contains(value)) {
                    return Err(wrong());
                }
                Ok(has_any(&found, &wanted))
            }
            Rule::Boolean => {
                let wanted = query.boolean(self.parameter)?;
                Ok(wanted == Some(found.iter().any(|value| value.as_bool() == Some(true))))
            }
            Rule::Contains => Ok(found.iter().any(|value| contains(value, given))),
            Rule::StartsWith => {
                let start = given.to_lowercase();
                Ok(found.iter().any(|value| scalar_text(value).to_lowercase().starts_with(&start)))
            }
            Rule::Above | Rule::Below => {
                let limit: f64 = given.parse().map_err(|_| wrong())?;
                let is_above = matches!(self.rule, Rule::Above);
                let passes = |number: f64| if is_above { number > limit } else { number < limit };
                Ok(found.iter().filter_map(|value| value.as_f64()).any(passes))
            }
            Rule::After | Rule::Before => {
                let limit = time::parse_or_duration(given, now_ms)
                    .or_else(|| time::parse_lenient(given))
                    .or_else(|| time::parse(&format!("{given}T00:00:00Z")))
                    .ok_or_else(wrong)?;
                let is_after = matches!(self.rule, Rule::After);
                let times = found.iter().filter_map(|value| time::parse_lenient(value.as_str()?));
                Ok(times.into_iter().any(|at| if is_after { at >= limit } else { at <= limit }))
            }
        }
    }
}

/// A scalar as text.
pub(crate) fn scalar_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn has_any(found: &[&Value], wanted: &[&str]) -> bool {
    found.iter().any(|value| wanted.iter().any(|text| scalar_text(value).eq_ignore_ascii_case(text)))
}

fn contains(value: &Value, part: &str) -> bool {
    scalar_text(value).to_lowercase().contains(&part.to_lowercase())
}

/// The values at a path such as `roleAssignments.roleId`; arrays on it count item by item.
pub(crate) fn values_at<'v>(record: &'v Value, path: &str) -> Vec<&'v Value> {
    let flat = |value: &'v Value| match value {
        Value::Array(items) => items.iter().collect(),
        value => vec![value],
    };
    let mut found = flat(record);
    for name in path.split('.') {
        found = found.into_iter().filter_map(|value| value.get(name)).flat_map(flat).collect();
    }
    found
}

/// The records that pass all filters and the parameters `ids` and `search`, in the order of `sort`.
pub(crate) fn select(
    query: &Query,
    mut records: Vec<Value>,
    filters: &[Filter],
    searched: &[&str],
    id_member: &str,
    now_ms: i64,
) -> Result<Vec<Value>, ApiError> {
    // An invalid parameter is an error even if no record exists.
    for filter in filters {
        filter.matches(query, &Value::Null, now_ms)?;
    }
    let ids = query.list("ids");
    if !ids.is_empty() {
        records.retain(|record| has_any(&values_at(record, id_member), &ids));
    }
    let mut kept = Vec::with_capacity(records.len());
    for record in records {
        let mut passes = true;
        for filter in filters {
            passes = passes && filter.matches(query, &record, now_ms)?;
        }
        if passes {
            kept.push(record);
        }
    }
    if let Some(term) = query.get("search").filter(|_| !searched.is_empty()) {
        let fields = query.list("searchFields");
        let known = |field: &&str| searched.iter().any(|path| path.rsplit('.').next() == Some(*field));
        if fields.iter().any(|field| !known(field)) {
            return Err(invalid_parameter("searchFields"));
        }
        let paths: Vec<&str> = searched
            .iter()
            .copied()
            .filter(|path| fields.is_empty() || fields.iter().any(|f| path.rsplit('.').next() == Some(*f)))
            .collect();
        kept.retain(|record| {
            paths.iter().any(|path| values_at(record, path).iter().any(|value| contains(value, term)))
        });
    }
    sort(query, &mut kept)?;
    Ok(kept)
}

/// Sorts by `sort=name:desc,createdAt`.
fn sort(query: &Query, records: &mut [Value]) -> Result<(), ApiError> {
    // The first criterion weighs most, so it is applied last to a stable sort.
    for criterion in query.list("sort").into_iter().rev() {
        let (member, direction) = criterion.split_once(':').unwrap_or((criterion, "asc"));
        if !matches!(direction, "asc" | "desc") {
            return Err(invalid_parameter("sort"));
        }
        records.sort_by(|a, b| {
            let order = compare(&values_at(a, member), &values_at(b, member));
            if direction == "desc" { order.reverse() } else { order }
        });
    }
    Ok(())
}

fn compare(a: &[&Value], b: &[&Value]) -> Ordering {
    match (a.first(), b.first()) {
        (Some(a), Some(b)) => match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            _ => scalar_text(a).to_lowercase().cmp(&scalar_text(b).to_lowercase()),
        },
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

/// Keeps the members in the parameter `fields`, and the id.
pub(crate) fn project(query: &Query, record: &mut Value, id_member: &str) {
    let fields = query.list("fields");
    if let Some(members) = record.as_object_mut().filter(|_| !fields.is_empty()) {
        members.retain(|name, _| name == id_member || fields.contains(&name.as_str()));
    }
}
