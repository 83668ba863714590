//! The formats of objects: rows a second of one processor, bytes, and memory, beside other
//! programs that convert the same rows.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use clap::Args;
use end_to_end::{CommittedExport, TestEnv};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sophos_export::{Dataset, Encoder, Format, Row, parquet_columns, read_rows};
use sophos_simulator::CredentialKind;

use crate::{BenchResult, MIB, export, measure, print_line};

/// The memory from which the writer compresses or writes an object, of one of four streams.
const MAX_OBJECT_MEMORY: usize = 2 << 20;

/// The options of the benchmark.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The number of events
    #[arg(default_value_t = 100_000)]
    events: u64,
    /// A Python with DuckDB and pyarrow; without it only the export is measured
    #[arg(long, value_name = "PROGRAM")]
    python: Option<PathBuf>,
}

/// The options of one measurement, in a process of its own.
#[derive(Debug, Args)]
pub(crate) struct StepArguments {
    format: Format,
    rows: PathBuf,
}

/// The result of a measurement.
#[derive(Debug, Serialize, Deserialize)]
struct Usage {
    cpu_ms: f64,
    bytes: u64,
    /// Of the export, without the rows themselves.
    peak_bytes: u64,
}

/// Measures each format, and the other programs.
pub(crate) async fn run(arguments: Arguments) -> BenchResult {
    let Arguments { events, python } = arguments;
    let folder = tempfile::tempdir()?;
    let rows = write_rows(events, folder.path()).await?;
    print_line(&format!("{events} events from rows in memory, one processor:"))?;
    print_line("                          rows/s   MiB out  peak MiB")?;
    for format in Format::ALL {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("format-step").arg(format.extension()).arg(&rows);
        show(format.extension(), events, &measure(&mut command)?)?;
    }
    let Some(python) = python else { return Ok(()) };
    print_line("from ndjson.gz to Parquet with the same columns (pyarrow: without the typed ones):")?;
    let columns: serde_json::Map<_, _> = parquet_columns(Dataset::Events)
        .iter()
        .map(|column| (column.name.to_owned(), json!(column.paths[0])))
        .collect();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/readers/convert.py");
    for tool in ["duckdb", "pyarrow"] {
        let mut command = Command::new(&python);
        command.args([script, tool]).arg(&rows).arg(folder.path().join(tool)).arg(json!(columns).to_string());
        show(tool, events, &measure(&mut command)?)?;
    }
    Ok(())
}

/// Exports events and writes all rows as one object in `ndjson.gz`.
async fn write_rows(events: u64, folder: &Path) -> BenchResult<PathBuf> {
    let env = TestEnv::start(export::config(events, 1), CredentialKind::Partner).await?;
    let root = folder.join("export");
    let function = env.export_function(&root.to_string_lossy()).env("EXPORT_DATASETS", "events");
    let mut sandbox = function.start().await?;
    env.run_export(&mut sandbox).await?;
    sandbox.stop().await;
    let committed = CommittedExport::load(&root)?;
    let tenant = env.simulator.tenants().remove(0).id;
    let mut all = Vec::new();
    for record in committed.log("events", &tenant) {
        for object in record["objects"].as_array().into_iter().flatten() {
            // Members of gzip follow each other.
            all.extend(fs::read(root.join(object["path"].as_str().unwrap_or_default()))?);
        }
    }
    let rows = folder.join("rows.ndjson.gz");
    fs::write(&rows, all)?;
    Ok(rows)
}

fn measure(command: &mut Command) -> BenchResult<Usage> {
    let output = command.output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn show(name: &str, events: u64, usage: &Usage) -> BenchResult {
    let rate = events as f64 * 1e3 / usage.cpu_ms;
    let (out, peak) = (usage.bytes as f64 / MIB, usage.peak_bytes as f64 / MIB);
    Ok(print_line(&format!("  {name:<20}  {rate:>9.0}  {out:>8.1}  {peak:>8.1}"))?)
}

/// Encodes the rows, as the writer of the export does, and prints the usage.
pub(crate) fn run_step(arguments: &StepArguments) -> BenchResult {
    let StepArguments { format, rows } = arguments;
    let rows: Vec<_> =
        read_rows(&rows.to_string_lossy(), fs::read(rows)?.into())?.collect::<Result<_, _>>()?;
    let before = peak_rss_bytes()?;
    let begun = measure::cpu_time_ms(&[std::process::id()])?;
    let (mut bytes, mut encoder) = (0, format.encoder());
    for row in &rows {
        encoder.push(&Row {
            id: &row.id,
            tenant: &row.tenant,
            dataset: row.dataset,
            source: "siem/v1/events",
            time: row.time,
            created_at: row.created_at,
            revision: row.revision,
            record: &row.record,
        })?;
        if encoder.size() > MAX_OBJECT_MEMORY {
            encoder.compact()?;
            if encoder.size() > MAX_OBJECT_MEMORY / 2 {
                bytes += finish(std::mem::replace(&mut encoder, format.encoder()))?;
            }
        }
    }
    bytes += finish(encoder)?;
    let usage = Usage {
        cpu_ms: measure::cpu_time_ms(&[std::process::id()])? - begun,
        bytes,
        peak_bytes: peak_rss_bytes()?.saturating_sub(before),
    };
    Ok(print_line(&serde_json::to_string(&usage)?)?)
}

fn finish(encoder: Box<dyn Encoder>) -> BenchResult<u64> {
    Ok(encoder.finish()?.len() as u64)
}

/// The largest resident memory of this process so far, on Linux.
fn peak_rss_bytes() -> BenchResult<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0 kB");
    Ok(line.trim().trim_end_matches("kB").trim().parse::<u64>()? << 10)
}
