//! Finding an operation by its name or its path.

use serde_json::{Map, Value};
use sophos_api::catalog::{self, OperationDescription};

use crate::{
    api::Found,
    exit::{Exit, Failure},
};

/// The most operations in an error.
const MAX_SUGGESTIONS: usize = 6;

/// Finds the operation of these words: `NAME`, `family/NAME`, `PATH` or `METHOD PATH`.
///
/// # Errors
/// When none or several match, with suggestions.
pub(crate) fn find(words: &[&str], method: Option<&str>, has_fields: bool) -> Result<Found, Failure> {
    match words {
        [path] if path.starts_with('/') => by_path(path, method, has_fields),
        [method, path] if path.starts_with('/') => by_path(path, Some(*method), has_fields),
        [name] => by_name(name),
        [family, name] => by_name(&format!("{family}/{name}")),
        _ => Err(Failure::usage("missing operation: see `sophos api --list`")),
    }
}

fn by_name(name: &str) -> Result<Found, Failure> {
    let (family, short) = match name.split_once(['/', '.']) {
        Some((family, short)) => (Some(family), short),
        None => (None, name),
    };
    let mut found: Vec<_> = catalog::operations()
        .filter(|operation| operation.name().eq_ignore_ascii_case(short))
        .filter(|operation| family.is_none_or(|family| operation.family().eq_ignore_ascii_case(family)))
        .collect();
    match found.len() {
        1 => Ok(Found { operation: found.remove(0), fields: Map::new() }),
        0 => {
            let wanted = short.to_lowercase();
            let similar: Vec<_> = catalog::operations()
                .filter(|operation| operation.name().to_lowercase().contains(&wanted))
                .collect();
            let hint = if similar.is_empty() {
                "run `sophos api --list`".to_owned()
            } else {
                format!("similar: {}", names(&similar))
            };
            Err(Failure::new(
                Exit::Usage,
                format!("unknown operation \"{name}\": expected a name such as ListAlerts, or a path"),
            )
            .hint(hint))
        }
        count => Err(Failure::usage(format!("ambiguous operation \"{name}\": {count} families have it"))
            .hint(format!("use one of: {}", names(&found)))),
    }
}

fn names(operations: &[&'static OperationDescription]) -> String {
    let names: Vec<_> = operations
        .iter()
        .take(MAX_SUGGESTIONS)
        .map(|operation| format!("{}/{}", operation.family(), operation.name()))
        .collect();
    names.join(", ")
}

fn by_path(path: &str, method: Option<&str>, has_fields: bool) -> Result<Found, Failure> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let matching: Vec<_> = catalog::operations()
        .filter_map(|operation| Some((operation, match_path(operation.route().path, path)?)))
        .collect();
    // A fixed segment is a better match than a member of the path.
    let fewest = matching.iter().map(|(_, fields)| fields.len()).min().unwrap_or(0);
    let matching: Vec<_> = matching.into_iter().filter(|(_, fields)| fields.len() == fewest).collect();
    let methods: Vec<_> =
        matching.iter().map(|(operation, _)| operation.route().method.to_string()).collect();
    let wanted = method.map(str::to_uppercase);
    let wanted = wanted.unwrap_or_else(|| match methods.as_slice() {
        [only] => only.clone(),
        _ if has_fields
            && methods.iter().any(|method| method == "POST")
            && !methods.iter().any(|method| method == "GET") =>
        {
            "POST".to_owned()
        }
        _ => "GET".to_owned(),
    });
    let chosen = matching.into_iter().find(|(operation, _)| operation.route().method.as_str() == wanted);
    let Some((operation, mut fields)) = chosen else {
        let failure = Failure::usage(format!("unknown operation {wanted} {path}"));
        return Err(failure.hint(if methods.is_empty() {
            "run `sophos api --list` for the published operations".to_owned()
        } else {
            format!("this path has: {}", methods.join(", "))
        }));
    };
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        fields.insert(name.to_owned(), serde_json::from_str(value).unwrap_or_else(|_| Value::from(value)));
    }
    Ok(Found { operation, fields })
}

/// The fields of a path, if it is one of the template. The placeholders of Sophos's own
/// documentation (`{alertId}`) and of the catalog (`:alertId`) are no values.
fn match_path(template: &str, path: &str) -> Option<Map<String, Value>> {
    let mut fields = Map::new();
    let mut segments = path.trim_end_matches('/').split('/');
    for expected in template.split('/') {
        let segment = segments.next()?;
        match expected.strip_prefix(':') {
            None if segment != expected => return None,
            None => {}
            Some(_) if segment.is_empty() => return None,
            Some(name) if segment.starts_with([':', '{']) => {
                let _ = name;
            }
            Some(name) => {
                fields.insert(name.to_owned(), segment.into());
            }
        }
    }
    segments.next().is_none().then_some(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(words: &[&str], method: Option<&str>, has_fields: bool) -> String {
        match find(words, method, has_fields) {
            Ok(found) => format!(
                "{} {} {}",
                found.operation.family(),
                found.operation.name(),
                Value::Object(found.fields)
            ),
            Err(failure) => format!("{failure}; {}", failure.hint.as_deref().unwrap_or_default()),
        }
    }

    #[test]
    fn find_takes_names_and_paths() {
        assert_eq!(found(&["listalerts"], None, false), "common ListAlerts {}");
        assert_eq!(found(&["partner/ListRoles"], None, false), "partner ListRoles {}");
        assert_eq!(found(&["/common/v1/alerts/7"], None, false), r#"common GetAlert {"alertId":"7"}"#);
        assert_eq!(
            found(&["/endpoint/v1/endpoints?pageSize=5"], None, false),
            r#"endpoint ListEndpoints {"pageSize":5}"#
        );
        assert_eq!(
            found(&["delete", "/common/v1/roles/7"], None, false),
            r#"common DeleteRole {"roleId":"7"}"#
        );
        assert_eq!(
            found(&["/common/v1/alerts/7/actions"], None, true),
            r#"common ActOnAlert {"alertId":"7"}"#
        );
    }

    #[test]
    fn find_suggests_when_nothing_or_several_match() {
        assert!(found(&["ListRoles"], None, false).contains("common/ListRoles, partner/ListRoles"));
        assert!(found(&["Alert"], None, false).contains("common/GetAlert"));
        assert!(found(&["PUT", "/common/v1/alerts"], None, false).contains("this path has: GET"));
        assert!(found(&["/nothing/v1"], None, false).contains("--list"));
    }
}
