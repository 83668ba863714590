//! GraphQL documents: parsing, validation, and the selection of members.

use graphql_parser::query::{
    Definition, Document, FragmentDefinition, OperationDefinition, Selection, SelectionSet, Type,
    TypeCondition, Value as Literal, VariableDefinition, parse_query,
};
use serde_json::{Map, Value};

use crate::handlers::fusion_schema::{TypeRef, base_name, schema};

/// The most levels of a selection, and of its fragments.
const MAX_DEPTH: usize = 20;

/// A valid document with its variables.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) is_mutation: bool,
    pub(crate) fields: Vec<RootField>,
}

/// One field of the document.
#[derive(Debug)]
pub(crate) struct RootField {
    pub(crate) key: String,
    pub(crate) name: String,
    /// The value of the only argument.
    pub(crate) argument: Value,
    pub(crate) selection: Vec<Selected>,
    /// Whether an error leaves no data at all.
    pub(crate) is_required: bool,
}

/// A selected member.
#[derive(Debug)]
pub(crate) struct Selected {
    key: String,
    name: String,
    /// The name of the type, for `__typename`.
    object: String,
    selection: Vec<Self>,
}

/// Parses a document and validates it against the schema.
pub(crate) fn plan(query: &str, variables: &Value, operation: Option<&str>) -> Result<Plan, String> {
    let document = parse_query::<&str>(query).map_err(|error| format!("Syntax Error: {error}"))?;
    let (is_mutation, definitions, selection) = find_operation(&document, operation)?;
    let variables = check_variables(definitions, variables)?;
    let planner = Planner { document: &document, variables: &variables };
    let root = if is_mutation { "Mutation" } else { "Query" };
    let fields = planner.root_fields(root, selection)?;
    Ok(Plan { is_mutation, fields })
}

type Operation<'d, 'a> = (bool, &'d [VariableDefinition<'a, &'a str>], &'d SelectionSet<'a, &'a str>);

fn find_operation<'d, 'a>(
    document: &'d Document<'a, &'a str>,
    wanted: Option<&str>,
) -> Result<Operation<'d, 'a>, String> {
    let operations = document.definitions.iter().filter_map(|definition| match definition {
        Definition::Operation(operation) => Some(operation),
        Definition::Fragment(_) => None,
    });
    let named = |operation: &&OperationDefinition<'a, &'a str>| {
        let name = match operation {
            OperationDefinition::Query(query) => query.name,
            OperationDefinition::Mutation(mutation) => mutation.name,
            _ => None,
        };
        wanted.is_none_or(|wanted| name == Some(wanted))
    };
    let found: Vec<_> = operations.filter(named).collect();
    match found.as_slice() {
        [OperationDefinition::Query(query)] => Ok((false, &query.variable_definitions, &query.selection_set)),
        [OperationDefinition::Mutation(mutation)] => {
            Ok((true, &mutation.variable_definitions, &mutation.selection_set))
        }
        [OperationDefinition::SelectionSet(selection)] => Ok((false, &[], selection)),
        [OperationDefinition::Subscription(_)] => Err("Schema is not configured for subscriptions.".into()),
        [] => Err("Must provide an operation.".into()),
        _ => Err("Must provide operation name if query contains multiple operations.".into()),
    }
}

/// The values of the declared variables.
fn check_variables<'a>(
    definitions: &[VariableDefinition<'a, &'a str>],
    given: &Value,
) -> Result<Map<String, Value>, String> {
    let mut values = Map::new();
    for definition in definitions {
        let (name, reference) = (definition.name, to_static(&definition.var_type)?);
        let value = match (given.get(name), &definition.default_value) {
            (Some(value), _) => value.clone(),
            (None, Some(default)) => to_json(default, &Map::new()),
            (None, None) => Value::Null,
        };
        schema().check(&reference, &value, &format!("${name}"))?;
        values.insert(name.to_owned(), value);
    }
    Ok(values)
}

/// The type of a variable, with the name of the schema.
fn to_static<'a>(reference: &Type<'a, &'a str>) -> Result<TypeRef, String> {
    Ok(match reference {
        Type::ListType(inner) => Type::ListType(Box::new(to_static(inner)?)),
        Type::NonNullType(inner) => Type::NonNullType(Box::new(to_static(inner)?)),
        Type::NamedType(name) => {
            Type::NamedType(schema().input_name(name).ok_or_else(|| format!("Unknown type \"{name}\"."))?)
        }
    })
}

fn to_json<'a>(literal: &Literal<'a, &'a str>, variables: &Map<String, Value>) -> Value {
    match literal {
        Literal::Variable(name) => variables.get(*name).cloned().unwrap_or_default(),
        Literal::Int(number) => number.as_i64().into(),
        Literal::Float(number) => (*number).into(),
        Literal::String(text) => text.as_str().into(),
        Literal::Boolean(value) => (*value).into(),
        Literal::Null => Value::Null,
        Literal::Enum(name) => (*name).into(),
        Literal::List(items) => items.iter().map(|item| to_json(item, variables)).collect(),
        Literal::Object(members) => {
            members.iter().map(|(name, value)| ((*name).to_owned(), to_json(value, variables))).collect()
        }
    }
}

struct Planner<'d, 'a> {
    document: &'d Document<'a, &'a str>,
    variables: &'d Map<String, Value>,
}

impl<'a> Planner<'_, 'a> {
    fn root_fields(&self, root: &str, set: &SelectionSet<'a, &'a str>) -> Result<Vec<RootField>, String> {
        set.items
            .iter()
            .map(|item| {
                let Selection::Field(field) = item else {
                    return Err("Fragments of root fields are not available in this simulator.".to_owned());
                };
                let unknown = || format!("Cannot query field \"{}\" on type \"{root}\".", field.name);
                let known = schema().field(root, field.name).ok_or_else(unknown)?;
                let mut argument = Value::Null;
                for (name, literal) in &field.arguments {
                    let expected = known.arguments.iter().find(|argument| argument.name == *name);
                    let expected = expected.ok_or_else(|| {
                        format!("Unknown argument \"{name}\" on field \"{root}.{}\".", field.name)
                    })?;
                    self.check_variable_type(literal, &expected.value_type)?;
                    argument = to_json(literal, self.variables);
                    schema().check(&expected.value_type, &argument, name)?;
                }
                for expected in &known.arguments {
                    if matches!(expected.value_type, Type::NonNullType(_)) && argument.is_null() {
                        return Err(format!(
                            "Field \"{}\" argument \"{}\" is required, but it was not provided.",
                            field.name, expected.name
                        ));
                    }
                }
                Ok(RootField {
                    key: field.alias.unwrap_or(field.name).to_owned(),
                    name: field.name.to_owned(),
                    argument,
                    selection: self.members(
                        base_name(&known.field_type),
                        &field.selection_set,
                        field.name,
                        0,
                    )?,
                    is_required: matches!(known.field_type, Type::NonNullType(_)),
                })
            })
            .collect()
    }

    /// A variable must have the type of its argument.
    fn check_variable_type(&self, literal: &Literal<'a, &'a str>, expected: &TypeRef) -> Result<(), String> {
        let Literal::Variable(name) = literal else { return Ok(()) };
        let definitions = self.document.definitions.iter().flat_map(|definition| match definition {
            Definition::Operation(OperationDefinition::Query(query)) => query.variable_definitions.as_slice(),
            Definition::Operation(OperationDefinition::Mutation(query)) => {
                query.variable_definitions.as_slice()
            }
            _ => &[],
        });
        let declared = definitions.into_iter().find(|definition| definition.name == *name);
        let declared = declared.ok_or_else(|| format!("Variable \"${name}\" is not defined."))?;
        let declared = to_static(&declared.var_type)?;
        if base_name(&declared) == base_name(expected) {
            return Ok(());
        }
        Err(format!(
            "Variable \"${name}\" of type \"{declared}\" used in position expecting type \"{expected}\"."
        ))
    }

    /// The members of an object, or none for a scalar.
    fn members(
        &self,
        object: &str,
        set: &SelectionSet<'a, &'a str>,
        field: &str,
        depth: usize,
    ) -> Result<Vec<Selected>, String> {
        if depth > MAX_DEPTH {
            return Err("The document exceeds the maximum depth.".into());
        }
        match (schema().is_object(object), set.items.is_empty()) {
            (true, true) => {
                return Err(format!(
                    "Field \"{field}\" of type \"{object}\" must have a selection of subfields."
                ));
            }
            (false, false) => {
                return Err(format!(
                    "Field \"{field}\" must not have a selection since type \"{object}\" has no subfields."
                ));
            }
            _ => {}
        }
        let mut selected = Vec::new();
        for item in &set.items {
            match item {
                Selection::Field(field) => selected.push(self.member(object, field, depth)?),
                Selection::InlineFragment(fragment) => {
                    check_condition(fragment.type_condition.as_ref(), object)?;
                    selected.extend(self.members(object, &fragment.selection_set, field, depth + 1)?);
                }
                Selection::FragmentSpread(spread) => {
                    let fragment = self.fragment(spread.fragment_name)?;
                    check_condition(Some(&fragment.type_condition), object)?;
                    selected.extend(self.members(object, &fragment.selection_set, field, depth + 1)?);
                }
            }
        }
        Ok(selected)
    }

    fn member(
        &self,
        object: &str,
        field: &graphql_parser::query::Field<'a, &'a str>,
        depth: usize,
    ) -> Result<Selected, String> {
        let key = field.alias.unwrap_or(field.name).to_owned();
        let (name, object) = (field.name, object.to_owned());
        if name == "__typename" {
            return Ok(Selected { key, name: name.to_owned(), object, selection: Vec::new() });
        }
        let unknown = || format!("Cannot query field \"{name}\" on type \"{object}\".");
        let known = schema().field(&object, name).ok_or_else(unknown)?;
        if let Some((argument, _)) = field.arguments.first() {
            return Err(format!("Unknown argument \"{argument}\" on field \"{object}.{name}\"."));
        }
        let selection = self.members(base_name(&known.field_type), &field.selection_set, name, depth + 1)?;
        Ok(Selected { key, name: name.to_owned(), object, selection })
    }

    fn fragment(&self, name: &str) -> Result<&FragmentDefinition<'a, &'a str>, String> {
        let found = self.document.definitions.iter().find_map(|definition| match definition {
            Definition::Fragment(fragment) if fragment.name == name => Some(fragment),
            _ => None,
        });
        found.ok_or_else(|| format!("Unknown fragment \"{name}\"."))
    }
}

fn check_condition<'a>(condition: Option<&TypeCondition<'a, &'a str>>, object: &str) -> Result<(), String> {
    match condition {
        Some(TypeCondition::On(name)) if *name != object => {
            Err(format!("A fragment on \"{name}\" cannot be spread here: the type is \"{object}\"."))
        }
        _ => Ok(()),
    }
}

/// The selected members of a value.
pub(crate) fn project(value: &Value, selection: &[Selected]) -> Value {
    match value {
        Value::Array(items) => items.iter().map(|item| project(item, selection)).collect(),
        Value::Object(members) if !selection.is_empty() => {
            let member = |selected: &Selected| {
                let value = if selected.name == "__typename" {
                    Value::from(selected.object.as_str())
                } else {
                    members
                        .get(&selected.name)
                        .map(|value| project(value, &selected.selection))
                        .unwrap_or_default()
                };
                (selected.key.clone(), value)
            };
            selection.iter().map(member).collect()
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn project_returns_selected_members_alone() {
        let query = "query Q($a: CaseTypesArguments!) { t: caseTypes(arguments: $a) \
                     { types { ...T } } } fragment T on CaseType { id label: name __typename }";
        let plan = plan(query, &json!({"a": {}}), None).expect("a plan");
        let value = json!({"types": [{"id": "1", "name": "n", "title": "t"}], "more": 1});
        assert_eq!(
            project(&value, &plan.fields[0].selection),
            json!({"types": [{"id": "1", "label": "n", "__typename": "CaseType"}]})
        );
        assert_eq!((plan.fields[0].key.as_str(), plan.fields[0].name.as_str()), ("t", "caseTypes"));
    }

    #[test]
    fn plan_rejects_an_invalid_document() {
        for (query, variables, expected) in [
            ("{", json!({}), "Syntax Error"),
            ("{ nothing }", json!({}), "Cannot query field \"nothing\""),
            ("{ case(arguments: {id: \"1\"}) { id nothing } }", json!({}), "\"nothing\" on type \"Case\""),
            ("{ case(arguments: {id: \"1\"}) }", json!({}), "must have a selection"),
            ("{ case(arguments: {id: \"1\"}) { id { x } } }", json!({}), "must not have a selection"),
            ("{ case(arguments: {}) { id } }", json!({}), "not null"),
            ("{ case { id } }", json!({}), "is required"),
            ("query Q($a: CaseArguments!) { case(arguments: $a) { id } }", json!({}), "not null"),
            (
                "query Q($a: CaseArguments!) { case(arguments: $a) { id } }",
                json!({"a": {"id": "1", "more": 1}}),
                "\"more\" is not defined",
            ),
            ("query Q($a: Nothing!) { case(arguments: $a) { id } }", json!({}), "Unknown type"),
            (
                "query Q($a: CasesArguments!) { case(arguments: $a) { id } }",
                json!({"a": {}}),
                "used in position",
            ),
        ] {
            let error = plan(query, &variables, None).expect_err(query);
            assert!(error.contains(expected), "{query}: {error}");
        }
    }
}
