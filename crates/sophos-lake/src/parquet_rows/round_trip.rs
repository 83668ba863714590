//! Tests that a reader of Parquet finds the rows that were written.

use bytes::Bytes;
use parquet::{
    file::reader::{FileReader, SerializedFileReader},
    record::{Field as Read, Row},
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{
    check, encode,
    schema::{Field, Kind, fields},
};
use crate::class::Class;

fn to_value(read: &Read) -> Value {
    match read {
        Read::Null => Value::Null,
        Read::Bool(flag) => json!(flag),
        Read::Int(number) => json!(number),
        Read::Long(number) => json!(number),
        Read::Str(text) => json!(text),
        Read::Group(row) => row_value(row),
        Read::ListInternal(list) => list.elements().iter().map(to_value).collect(),
        Read::MapInternal(map) => {
            let text = |read: &Read| to_value(read).as_str().expect("a text").to_owned();
            map.entries()
                .iter()
                .map(|(name, value)| (text(name), to_value(value)))
                .collect::<Map<_, _>>()
                .into()
        }
        other => panic!("unexpected {other:?}"),
    }
}

/// The row without its null attributes.
fn row_value(row: &Row) -> Value {
    let members = row.get_column_iter().map(|(name, read)| (name.clone(), to_value(read)));
    members.filter(|(_, value)| !value.is_null()).collect::<Map<_, _>>().into()
}

fn read(object: Vec<u8>) -> Vec<Value> {
    let reader = SerializedFileReader::new(Bytes::from(object)).expect("a Parquet file");
    reader.get_row_iter(None).expect("rows").map(|row| row_value(&row.expect("a row"))).collect()
}

fn value_of(kind: &'static Kind) -> BoxedStrategy<Value> {
    match kind {
        Kind::Text => "[a-zäß\\\\\"\u{0}]{0,12}".prop_map(Value::from).boxed(),
        Kind::Int => any::<i32>().prop_map(Value::from).boxed(),
        Kind::Long => any::<i64>().prop_map(Value::from).boxed(),
        Kind::Bool => any::<bool>().prop_map(Value::from).boxed(),
        Kind::Struct(members) => value_of_members(members),
        Kind::List(element) => {
            prop::collection::vec(value_of(&element.kind), 1..4).prop_map(Value::from).boxed()
        }
        Kind::TextMap => prop::collection::btree_map("[a-z]{1,6}", "[a-z]{0,6}", 1..4)
            .prop_map(|map| {
                map.into_iter().map(|(name, text)| (name, text.into())).collect::<Map<_, _>>().into()
            })
            .boxed(),
    }
}

/// An object with any of these members.
fn value_of_members(members: &'static [Field]) -> BoxedStrategy<Value> {
    let all: Vec<_> =
        members.iter().map(|field| prop::option::weighted(0.5, value_of(&field.kind))).collect();
    all.prop_map(|values| {
        let names = members.iter().map(|field| field.name.to_owned());
        names.zip(values).filter_map(|(name, value)| Some((name, value?))).collect::<Map<_, _>>().into()
    })
    .boxed()
}

fn rows_of(class: Class) -> impl Strategy<Value = Vec<Value>> {
    prop::collection::vec(value_of_members(fields(class)), 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn reader_finds_the_rows_of_a_finding(rows in rows_of(Class::DetectionFinding)) {
        assert_round_trip(Class::DetectionFinding, &rows);
    }

    #[test]
    fn reader_finds_the_rows_of_other_classes(index in 1..5_usize, rows in rows_of(Class::DeviceInventory)) {
        // These have the attributes of the inventory and more.
        let class = Class::ALL[index];
        assert_round_trip(class, &rows);
    }
}

fn assert_round_trip(class: Class, rows: &[Value]) {
    for row in rows {
        check(class, row).expect("a row of the schema");
    }
    let object = encode(class, rows.iter().cloned().map(Ok)).expect("an object");
    assert_eq!(read(object), rows);
}

#[test]
fn check_names_an_attribute_without_a_column() {
    for (row, path) in [
        (json!({ "time": "soon" }), "time: expected Long"),
        (json!({ "severity_id": 1_i64 << 40 }), "severity_id: expected Int"),
        (json!({ "evidences": [{ "file": { "size": 1 } }] }), "evidences: file: size: no column"),
        (json!({ "unmapped": { "data": { "a": 1 } } }), "unmapped: expected TextMap"),
        (json!([]), "expected an object"),
    ] {
        assert_eq!(check(Class::DetectionFinding, &row).expect_err("invalid"), path);
    }
}

/// Pages stay below a megabyte, though records have kilobytes.
#[test]
fn pages_are_small_with_large_records() {
    let raw = |index: u64| format!("{index:08}").repeat(2_000);
    let rows = (0..400).map(|index| Ok(json!({ "time": index, "raw_data": raw(index) })));
    let object = encode(Class::DetectionFinding, rows).expect("an object");
    let reader = SerializedFileReader::new(Bytes::from(object)).expect("a Parquet file");
    assert_eq!(reader.metadata().num_row_groups(), 1);
    let group = reader.get_row_group(0).expect("a row group");
    let mut pages = 0;
    for column in 0..group.num_columns() {
        let mut page_reader = group.get_column_page_reader(column).expect("pages");
        while let Some(page) = page_reader.get_next_page().expect("a page") {
            assert!(page.buffer().len() <= 1 << 20, "{} bytes", page.buffer().len());
            pages += 1;
        }
    }
    assert!(pages > group.num_columns() + 6, "six megabytes are several pages: {pages}");
}

#[test]
fn encoding_is_reproducible() {
    let rows = || (0..50).map(|index| Ok(json!({ "time": index, "unmapped": { "group": "MALWARE" } })));
    let encoded = || encode(Class::FileRemediation, rows()).expect("an object");
    assert_eq!(encoded(), encoded());
}
