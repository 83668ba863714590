//! The tables of Athena have the columns that the export writes.

use sophos_export::{ColumnKind, Dataset, DatasetKind, FormatSelection, parquet_columns};

const TEMPLATE: &str = include_str!("../../infra/athena.yaml");

/// The columns of a table in the template: first those for Parquet, then those for NDJSON.
fn columns(dataset: Dataset) -> [Vec<(String, String)>; 2] {
    let table = TEMPLATE.split_once(&format!("\n        Name: {dataset}\n")).expect("a table").1;
    let table = table.split("\n  # Views.").next().expect("the table");
    let table = table.split("\n    Type: AWS::Glue::Table\n").next().expect("the table");
    let (parquet, ndjson) =
        table.split_once("org.apache.hadoop.mapred.TextInputFormat").expect("two formats");
    [parquet, ndjson].map(|part| {
        let part = part.split_once("Columns:\n").expect("columns").1;
        let lines = part.lines().filter_map(|line| line.trim().strip_prefix("- { Name: "));
        let column = |line: &str| {
            let (name, rest) = line.split_once(", Type: ")?;
            Some((name.to_owned(), rest.split([',', ' ']).next()?.to_owned()))
        };
        lines.filter_map(column).collect()
    })
}

#[test]
fn athena_tables_have_the_columns_of_each_format() {
    for dataset in Dataset::ALL {
        let [parquet, ndjson] = columns(dataset);
        let common = |time| {
            let text = ["id", "tenant", "dataset", "source"].map(|name| (name, "string"));
            text.into_iter().chain([("time", time), ("created_at", time), ("revision", "int")])
        };
        let record = ("record", "string");
        let typed = parquet_columns(dataset).iter().map(|column| {
            let kind = match column.kind {
                ColumnKind::Boolean => "boolean",
                ColumnKind::Integer => "bigint",
                ColumnKind::Time => "timestamp",
                _ => "string",
            };
            (column.name, kind)
        });
        let owned = |columns: Vec<(&str, &str)>| -> Vec<(String, String)> {
            columns.into_iter().map(|(name, kind)| (name.to_owned(), kind.to_owned())).collect()
        };
        assert_eq!(parquet, owned(common("timestamp").chain(typed).chain([record]).collect()), "{dataset}");
        assert_eq!(ndjson, owned(common("string").chain([record]).collect()), "{dataset}");
        let location = format!("${{ExportPrefix}}/{dataset}/tenant_id=${{!tenant_id}}/day=${{!day}}\n");
        assert!(TEMPLATE.contains(&location), "{dataset}");
    }
}

/// `SnapshotFormat` is the format of all snapshots and their changes, and their tables read it.
#[test]
fn snapshot_format_is_of_all_snapshots() {
    let stack = include_str!("../../infra/template.yaml");
    let formats = stack.split_once("- ${Format},").expect("the formats").1.lines().next().expect("a line");
    let formats = format!("ndjson.gz,{formats}").replace("${Of}", "parquet");
    let formats: FormatSelection = formats.parse().expect("formats");
    for dataset in Dataset::ALL {
        let is_snapshot = matches!(dataset.kind(), DatasetKind::Snapshot | DatasetKind::Changes);
        assert_eq!(formats.format(dataset).extension() == "parquet", is_snapshot, "{dataset}");
        let table = TEMPLATE.split_once(&format!("\n        Name: {dataset}\n")).expect("a table").1;
        let condition =
            if is_snapshot { "[SnapshotIsParquet, parquet, json]" } else { "[IsParquet, parquet, json]" };
        let classification = table.split_once("classification: !If ").expect("a condition").1;
        assert!(classification.starts_with(condition), "{dataset}");
    }
}

const FORMATS: &str = include_str!("../../docs/export/formats.md");

#[test]
fn formats_page_lists_every_column() {
    for dataset in Dataset::ALL {
        let section = FORMATS.split_once(&format!("\n### {dataset}\n")).expect("a section").1;
        let section = section.split("\n### ").next().expect("the section");
        let listed: Vec<_> =
            section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
        let columns: Vec<_> = parquet_columns(dataset).iter().map(|column| column.name).collect();
        assert_eq!(listed, columns, "{dataset}");
    }
}
