//! The formats of objects: rows a second of one processor, bytes, and memory, beside other
//! programs that convert the same rows.

use std::{
    borrow::Borrow,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use clap::Args;
use end_to_end::{CommittedExport, TestEnv, package_dir};
use local_lambda::peak_rss_bytes;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sophos_api::{Client, Credentials, Hosts, RateLimit, ReqwestTransport};
use sophos_export::{
    Dataset, Encoder, ExportScope, ExportSettings, Exporter, Format, Row, Store, StoredRow, parquet_columns,
    read_rows,
};
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
    /// Measures the reading of the rows as well
    #[arg(long)]
    convert: bool,
}

/// The result of a measurement.
#[derive(Debug, Serialize, Deserialize)]
struct Usage {
    rows: u64,
    cpu_ms: f64,
    bytes: u64,
    /// The peak resident memory of the process. With rows in memory it is mostly these.
    peak_bytes: u64,
}

/// Measures each format, and the other programs.
pub(crate) async fn run(arguments: Arguments) -> BenchResult {
    let Arguments { events, python } = arguments;
    let folder = tempfile::tempdir()?;
    let rows = write_rows(events, folder.path()).await?;
    let step = |format: Format| -> BenchResult<Command> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("format-step").arg(format.extension()).arg(&rows);
        Ok(command)
    };
    print_line(&format!("{events} events from rows in memory, one processor; peak: of a conversion"))?;
    print_line("                          rows/s   MiB out  peak MiB")?;
    for &format in Format::ALL {
        let usage = measure(&mut step(format)?)?;
        let peak_bytes = measure(step(format)?.arg("--convert"))?.peak_bytes;
        show(format.extension(), events, &Usage { peak_bytes, ..usage })?;
    }
    print_line("from ndjson.gz to Parquet with the same columns (pyarrow: without the typed ones):")?;
    show("sophos-export", events, &measure(step(Format::Parquet)?.arg("--convert"))?)?;
    let Some(python) = python else { return Ok(()) };
    let columns: serde_json::Map<_, _> = parquet_columns(Dataset::Events)
        .iter()
        .map(|column| (column.name.to_owned(), json!(column.paths[0])))
        .collect();
    let script = package_dir().join("readers/convert.py");
    for tool in ["duckdb", "pyarrow"] {
        let mut command = Command::new(&python);
        command
            .arg(&script)
            .arg(tool)
            .arg(&rows)
            .arg(folder.path().join(tool))
            .arg(json!(columns).to_string());
        show(tool, events, &measure(&mut command)?)?;
    }
    Ok(())
}

/// Exports events and writes all rows as one object in `ndjson.gz`.
async fn write_rows(events: u64, folder: &Path) -> BenchResult<PathBuf> {
    let env = TestEnv::start(export::config(events, 1), CredentialKind::Partner).await?;
    let credential = env.credential();
    let credentials = Credentials::new(&credential.client_id, credential.client_secret.as_str());
    let hosts = Hosts::new(env.simulator.identity_url().parse()?, env.simulator.global_url().parse()?);
    let client = Client::builder(ReqwestTransport::new()?, credentials)
        .hosts(hosts)
        .rate_limit(RateLimit::unlimited())
        .build();
    let root = folder.join("export");
    let mut settings = ExportSettings::default();
    // The simulator's clock differs from this machine's.
    settings.max_service_skew = Duration::from_secs(100 * 365 * 24 * 60 * 60);
    let scope = ExportScope { datasets: vec![Dataset::Events], ..ExportScope::default() };
    let store = Store::open(&root.to_string_lossy())?;
    Exporter::new(client, store, settings).run(&scope, None).await?;
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
    if usage.rows < events {
        return Err(format!("{name} wrote {} of {events} rows", usage.rows).into());
    }
    let rate = usage.rows as f64 * 1e3 / usage.cpu_ms;
    let (out, peak) = (usage.bytes as f64 / MIB, usage.peak_bytes as f64 / MIB);
    Ok(print_line(&format!("  {name:<20}  {rate:>9.0}  {out:>8.1}  {peak:>8.1}"))?)
}

/// Measures one format and prints the usage.
pub(crate) fn run_step(arguments: &StepArguments) -> BenchResult {
    let StepArguments { format, rows, convert } = arguments;
    let mut begun = cpu_ms()?;
    let stored = read_rows(&rows.to_string_lossy(), fs::read(rows)?.into())?;
    let (rows, bytes) = if *convert {
        encode(*format, stored)?
    } else {
        let stored: Vec<_> = stored.collect::<Result<_, _>>()?;
        begun = cpu_ms()?;
        encode(*format, stored.iter().map(Ok))?
    };
    let usage = Usage {
        rows,
        cpu_ms: cpu_ms()? - begun,
        bytes,
        peak_bytes: peak_rss_bytes(std::process::id()).unwrap_or(0),
    };
    Ok(print_line(&serde_json::to_string(&usage)?)?)
}

/// Encodes rows, as the writer of the export does. Returns the numbers of rows and bytes.
fn encode<R: Borrow<StoredRow>>(
    format: Format,
    stored: impl Iterator<Item = Result<R, sophos_export::Error>>,
) -> BenchResult<(u64, u64)> {
    let (mut rows, mut bytes, mut encoder) = (0, 0, format.encoder());
    for row in stored {
        rows += 1;
        let row = row?;
        let row: &StoredRow = row.borrow();
        encoder.push(&Row::from(row))?;
        if encoder.size() > MAX_OBJECT_MEMORY {
            encoder.compact()?;
            if encoder.size() > MAX_OBJECT_MEMORY / 2 {
                bytes += finish(std::mem::replace(&mut encoder, format.encoder()))?;
            }
        }
    }
    Ok((rows, bytes + finish(encoder)?))
}

/// The processor time of this process in milliseconds.
fn cpu_ms() -> BenchResult<f64> {
    Ok(measure::cpu_time_ms(&[std::process::id()])?)
}

fn finish(encoder: Box<dyn Encoder>) -> BenchResult<u64> {
    Ok(encoder.finish()?.len() as u64)
}
