//! The names of models that more than one family has.

use std::collections::{BTreeMap, BTreeSet};

use schemars::SchemaGenerator;
use serde_json::{Map, Value};

use crate::text;

/// The start of a reference to a model.
const SCHEMAS: &str = "#/components/schemas/";

/// The models with the family that first refers to them.
#[derive(Debug, Default)]
pub(crate) struct ComponentNames {
    families: BTreeMap<String, &'static str>,
}

impl ComponentNames {
    /// Records the models that an operation of the family added to the generator.
    pub(crate) fn record(&mut self, generator: &SchemaGenerator, family: &'static str) {
        for name in generator.definitions().keys() {
            if !self.families.contains_key(name) {
                self.families.insert(name.clone(), family);
            }
        }
    }

    /// Puts the family in front of each name that several models have. The generator
    /// numbers them, so a new model would change the names of others.
    pub(crate) fn rename_ambiguous(&self, document: &mut Value) {
        let names = self.new_names();
        rename_references(document, &names);
        if let Some(Value::Object(schemas)) = document.pointer_mut("/components/schemas") {
            let renamed: Map<_, _> = std::mem::take(schemas)
                .into_iter()
                .map(|(name, schema)| (names.get(&name).cloned().unwrap_or(name), schema))
                .collect();
            *schemas = renamed;
        }
    }

    /// The new name of each ambiguous name. Models of one family keep the number.
    fn new_names(&self) -> BTreeMap<String, String> {
        let base =
            |name: &str| name.trim_end_matches(|character: char| character.is_ascii_digit()).to_owned();
        let is_numbered = |name: &str| base(name) != name && self.families.contains_key(&base(name));
        let ambiguous: BTreeSet<_> =
            self.families.keys().filter(|name| is_numbered(name)).map(|name| base(name)).collect();
        let mut taken: BTreeSet<_> = self.families.keys().cloned().collect();
        let mut names = BTreeMap::new();
        for (name, family) in &self.families {
            if is_numbered(name) || ambiguous.contains(name) {
                let family = text::pascal_case(family);
                let candidates = [format!("{family}{}", base(name)), format!("{family}{name}")];
                if let Some(new) = candidates.into_iter().find(|candidate| !taken.contains(candidate)) {
                    taken.insert(new.clone());
                    names.insert(name.clone(), new);
                }
            }
        }
        names
    }
}

fn rename_references(value: &mut Value, names: &BTreeMap<String, String>) {
    match value {
        Value::Object(object) => {
            if let Some(Value::String(reference)) = object.get_mut("$ref")
                && let Some(new) = reference.strip_prefix(SCHEMAS).and_then(|name| names.get(name))
            {
                *reference = format!("{SCHEMAS}{new}");
            }
            object.values_mut().for_each(|value| rename_references(value, names));
        }
        Value::Array(list) => list.iter_mut().for_each(|value| rename_references(value, names)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rename_ambiguous_puts_the_family_in_front() {
        let families = [("Role", "partner"), ("Role2", "common"), ("Role3", "common"), ("Sha256", "x")];
        let families = families.map(|(name, family)| (name.to_owned(), family));
        let names = ComponentNames { families: families.into() };
        let reference = |name: &str| json!({ "$ref": format!("{SCHEMAS}{name}") });
        let mut document = json!({
            "paths": [reference("Role"), reference("Role2"), reference("Sha256")],
            "components": { "schemas": { "Role": 1, "Role2": 2, "Role3": 3, "Sha256": 4 } },
        });
        names.rename_ambiguous(&mut document);
        assert_eq!(
            document["paths"],
            json!([reference("PartnerRole"), reference("CommonRole"), reference("Sha256")])
        );
        assert_eq!(
            document["components"]["schemas"],
            json!({ "PartnerRole": 1, "CommonRole": 2, "CommonRole3": 3, "Sha256": 4 })
        );
    }
}
