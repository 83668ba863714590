//! The columns of rows with lists and objects, as in the Dremel paper: the values, and
//! for each the repetition and the definition level.

use parquet::data_type::ByteArray;
use serde_json::Value;

use super::schema::{Field, Kind};

/// The values of a column.
#[derive(Debug)]
pub(crate) enum Values {
    Text(Vec<ByteArray>),
    Int(Vec<i32>),
    Long(Vec<i64>),
    Bool(Vec<bool>),
}

impl Values {
    /// Adds a value; false if it has another type.
    fn push(&mut self, value: &Value) -> bool {
        match self {
            Self::Text(values) => value.as_str().map(|text| values.push(text.into())).is_some(),
            Self::Int(values) => {
                let number = value.as_i64().and_then(|number| i32::try_from(number).ok());
                number.map(|number| values.push(number)).is_some()
            }
            Self::Long(values) => value.as_i64().map(|number| values.push(number)).is_some(),
            Self::Bool(values) => value.as_bool().map(|flag| values.push(flag)).is_some(),
        }
    }
}

/// A column.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) values: Values,
    pub(crate) definition: Vec<i16>,
    pub(crate) repetition: Vec<i16>,
    /// Whether it is within a list or a map.
    pub(crate) is_repeated: bool,
}

/// The columns of rows.
#[derive(Debug)]
pub(crate) struct Columns {
    fields: &'static [Field],
    pub(crate) columns: Vec<Column>,
}

/// The place of a value in its row.
#[derive(Debug, Clone, Copy)]
struct Level {
    repetition: i16,
    definition: i16,
    /// The number of lists around it.
    depth: i16,
}

impl Columns {
    pub(crate) fn new(fields: &'static [Field]) -> Self {
        let mut columns = Vec::new();
        fields.iter().for_each(|field| add_columns(&mut columns, field, false));
        Self { fields, columns }
    }

    /// Adds a row. Members without a column are left out.
    pub(crate) fn push(&mut self, row: &Value) {
        let level = Level { repetition: 0, definition: 0, depth: 0 };
        let mut at = 0;
        for field in self.fields {
            at = self.put(field, row.get(field.name), at, level);
        }
    }

    /// Adds the value of `field`, whose columns begin at `at`. Returns the index after
    /// its last column.
    fn put(&mut self, field: &Field, value: Option<&Value>, at: usize, level: Level) -> usize {
        let value = value.filter(|value| !value.is_null());
        match &field.kind {
            Kind::Struct(members) => {
                let value = value.filter(|value| value.is_object());
                let level = Level { definition: level.definition + i16::from(value.is_some()), ..level };
                members.iter().fold(at, |at, member| {
                    self.put(member, value.and_then(|value| value.get(member.name)), at, level)
                })
            }
            Kind::List(element) => {
                let items = value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
                let inner = Level { depth: level.depth + 1, ..level };
                if items.is_empty() {
                    return self.put(element, None, at, inner);
                }
                let mut next = at;
                for (index, item) in items.iter().enumerate() {
                    next = self.put(element, Some(item), at, inner.item(index));
                }
                next
            }
            Kind::TextMap => {
                let mut is_empty = true;
                let inner = Level { depth: level.depth + 1, ..level };
                for (index, (name, value)) in
                    value.and_then(Value::as_object).into_iter().flatten().enumerate()
                {
                    is_empty = false;
                    let item = inner.item(index);
                    // A name is required, so it adds no level.
                    let name = Value::String(name.clone());
                    self.put_leaf(Some(&name), at, Level { definition: item.definition - 1, ..item });
                    self.put_leaf(Some(value), at + 1, item);
                }
                if is_empty {
                    self.put_leaf(None, at, inner);
                    self.put_leaf(None, at + 1, inner);
                }
                at + 2
            }
            Kind::Text | Kind::Int | Kind::Long | Kind::Bool => {
                self.put_leaf(value, at, level);
                at + 1
            }
        }
    }

    fn put_leaf(&mut self, value: Option<&Value>, at: usize, level: Level) {
        let column = &mut self.columns[at];
        let is_some = value.is_some_and(|value| column.values.push(value));
        column.definition.push(level.definition + i16::from(is_some));
        column.repetition.push(level.repetition);
    }
}

impl Level {
    /// The level of an item of a list that is not empty.
    fn item(self, index: usize) -> Self {
        let repetition = if index == 0 { self.repetition } else { self.depth };
        // The list itself, and its repeated group.
        Self { repetition, definition: self.definition + 2, ..self }
    }
}

fn add_columns(columns: &mut Vec<Column>, field: &Field, is_repeated: bool) {
    let mut add = |values| {
        columns.push(Column { values, definition: Vec::new(), repetition: Vec::new(), is_repeated });
    };
    match &field.kind {
        Kind::Text => add(Values::Text(Vec::new())),
        Kind::Int => add(Values::Int(Vec::new())),
        Kind::Long => add(Values::Long(Vec::new())),
        Kind::Bool => add(Values::Bool(Vec::new())),
        Kind::Struct(members) => members.iter().for_each(|member| add_columns(columns, member, is_repeated)),
        Kind::List(element) => add_columns(columns, element, true),
        Kind::TextMap => {
            for _ in 0..2 {
                columns.push(Column {
                    values: Values::Text(Vec::new()),
                    definition: Vec::new(),
                    repetition: Vec::new(),
                    is_repeated: true,
                });
            }
        }
    }
}
