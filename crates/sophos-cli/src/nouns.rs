//! The nouns of the command line, each in its own file.

mod access;
mod accounts;
mod alerts;
mod directory;
mod endpoints;
mod firewalls;
mod health;
mod investigations;
mod policies;
mod queries;
mod settings;

use crate::verb::Noun;

/// All nouns, in the order of the help.
pub(crate) const NOUNS: &[&Noun] = &[
    &accounts::TENANTS,
    &access::ADMINS,
    &access::ROLES,
    &endpoints::ENDPOINTS,
    &endpoints::GROUPS,
    &alerts::ALERTS,
    &alerts::EVENTS,
    &alerts::AUDIT,
    &directory::USERS,
    &directory::USER_GROUPS,
    &policies::POLICIES,
    &settings::EXCLUSIONS,
    &settings::ALLOWED,
    &settings::BLOCKED,
    &settings::WEB_CONTROL,
    &queries::QUERIES,
    &investigations::DETECTIONS,
    &investigations::CASES,
    &health::HEALTH,
    &health::LICENSES,
    &firewalls::FIREWALLS,
];

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::NOUNS;
    use crate::{
        output::Column,
        verb::{ALL_MEMBERS, Kind, Op, camel_case, resolve},
    };

    /// Whether a schema has the member at this path. Any member of an open object counts.
    fn has_member<'p>(schema: &Value, root: &Value, path: impl IntoIterator<Item = &'p str>) -> bool {
        let mut schema = resolve(schema, root);
        for name in path {
            let Some(properties) = schema["properties"].as_object() else { return true };
            match properties.get(name) {
                Some(property) => schema = resolve(property, root),
                None => return false,
            }
        }
        true
    }

    fn parameters(call: Op) -> Value {
        call.describe().expect("the catalogue has the operation").parameters()
    }

    #[test]
    fn options_are_fields_of_their_operations() {
        let mut unknown = Vec::new();
        for (noun, verb) in NOUNS.iter().flat_map(|noun| noun.verbs.iter().map(move |verb| (noun, verb))) {
            let schemas: Vec<_> = verb.calls.iter().map(|call| parameters(*call)).collect();
            for param in verb.params {
                let field =
                    if param.field.is_empty() { camel_case(param.name) } else { param.field.to_owned() };
                if field == ALL_MEMBERS {
                    continue;
                }
                if !schemas.iter().any(|schema| has_member(schema, schema, field.split('/'))) {
                    unknown.push(format!("{} {} --{}", noun.name, verb.name, param.name));
                }
            }
            for (name, _) in verb.fixed {
                if !schemas.iter().all(|schema| has_member(schema, schema, [*name])) {
                    unknown.push(format!("{} {} {name}", noun.name, verb.name));
                }
            }
        }
        assert!(unknown.is_empty(), "{unknown:#?}");
    }

    #[test]
    fn columns_are_members_of_the_responses() {
        let mut unknown = Vec::new();
        for (noun, verb) in NOUNS.iter().flat_map(|noun| noun.verbs.iter().map(move |verb| (noun, verb))) {
            let calls = match verb.kind {
                Kind::List => verb.calls.to_vec(),
                Kind::Query(_, results) => vec![results],
                Kind::Get | Kind::Change(_) => continue,
            };
            let columns = if verb.columns.is_empty() { noun.columns } else { verb.columns };
            for column in columns.iter().filter(|column| **column != "*") {
                let column = Column::parse(column);
                let is_known = calls.iter().any(|call| {
                    let mut generator = Default::default();
                    let description = call.describe().expect("the catalogue has the operation");
                    let response = description.schemas(&mut generator).response.to_value();
                    let root = serde_json::json!({ "$defs": generator.take_definitions(true) });
                    let page = resolve(&response, &root);
                    let items = resolve(&page["properties"][verb.items], &root);
                    let item = if items["items"].is_null() { page } else { &items["items"] };
                    column.pointer.split('|').any(|pointer| {
                        has_member(item, &root, pointer.split('/').filter(|name| !name.is_empty()))
                    })
                });
                if !is_known {
                    unknown.push(format!("{} {}: {}", noun.name, verb.name, column.pointer));
                }
            }
        }
        assert!(unknown.is_empty(), "{unknown:#?}");
    }
}
