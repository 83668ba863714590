//! The export beside a Python script that reads the same feed over TLS: the processor time,
//! duration and memory of each process, and the share of each step of the export.

pub(crate) mod process;
mod steps;

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use clap::Args;
use end_to_end::{CommittedExport, TestEnv, package_dir};
use serde_json::Value;
use sophos_export::Format;
use sophos_simulator::{Config, CredentialKind, Dataset, Scheme};

use self::process::Usage;
use crate::{BenchResult, MIB, export, measure, print_line};

const EVENTS: u64 = 100_000;
const ROUNDS: usize = 5;

/// The formats of the export that are compared.
const FORMATS: [Format; 2] = [Format::NdjsonGzip, Format::NdjsonZstd];

/// A little less than the 24 hours that the feed keeps.
const SINCE_MS: i64 = 24 * 60 * 60 * 1_000 - 120_000;

/// The options of the benchmark.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The number of events
    #[arg(default_value_t = EVENTS)]
    events: u64,
    /// Sophos's `siem.py`, or its folder; by default, a minimal Python program is the peer
    #[arg(long, value_name = "PATH")]
    script: Option<PathBuf>,
    /// The Python that runs the peer
    #[arg(long, value_name = "PROGRAM", default_value = "python3")]
    python: PathBuf,
}

/// The client that is measured beside the export.
#[derive(Debug)]
struct Peer {
    python: PathBuf,
    /// `siem.py` of Sophos-Central-SIEM-Integration, unchanged; otherwise the program in
    /// `tests/peers`.
    script: Option<PathBuf>,
}

impl Peer {
    fn new(python: PathBuf, script: Option<PathBuf>) -> BenchResult<Self> {
        let script = script.map(|path| {
            let script = if path.is_dir() { path.join("siem.py") } else { path };
            fs::canonicalize(&script)
                .map_err(|error| format!("reading {} failed: {error}; name siem.py", script.display()))
        });
        Ok(Self { python, script: script.transpose()? })
    }

    fn name(&self) -> &'static str {
        if self.script.is_some() { "Sophos's script (siem.py)" } else { "minimal Python program (requests)" }
    }

    fn result_file(&self) -> &'static str {
        if self.script.is_some() { "log/result.txt" } else { "result.txt" }
    }

    fn command(&self, env: &TestEnv, home: &Path) -> BenchResult<Command> {
        let mut command = Command::new(&self.python);
        // Python writes no compiled modules beside the caller's sources.
        command.env("PYTHONDONTWRITEBYTECODE", "1").env_remove("HTTPS_PROXY").env_remove("https_proxy");
        match &self.script {
            Some(script) => configure_official(&mut command, env, home, script)?,
            None => configure_minimal(&mut command, env, home)?,
        }
        Ok(command)
    }
}

/// Compares both programs, then measures the steps of the export.
pub(crate) async fn run(arguments: Arguments) -> BenchResult {
    let Arguments { events, script, python } = arguments;
    let peer = Peer::new(python, script)?;
    let folder = tempfile::tempdir()?;
    let certificate = folder.path().join("ca.pem");
    let env = TestEnv::start(over_tls(events, &certificate), CredentialKind::Partner).await?;

    print_line(&format!("{events} events of one tenant over TLS, {ROUNDS} runs of each in turn:"))?;
    print_line("                                       processor s  seconds  peak MiB    MiB out")?;
    let (mut ours, mut theirs) = (FORMATS.map(|_| Vec::new()), Vec::new());
    // Removed at the end: a file system creates files slower soon after a removal.
    let run_folder = |round: usize, program: &str| {
        let path = folder.path().join(format!("{round}-{program}"));
        fs::create_dir(&path).map(|()| path)
    };
    for round in 0..ROUNDS {
        for (format, usages) in FORMATS.into_iter().zip(&mut ours) {
            let root = run_folder(round, format.extension())?;
            usages.push(export_once(&env, &certificate, events, format, &root).await?);
        }
        let home = run_folder(round, "peer")?;
        theirs.push(peer_once(&env, &peer, &certificate, events, &home).await?);
    }
    let theirs = Usage::median(&theirs);
    show(peer.name(), &theirs)?;
    for (format, usages) in FORMATS.into_iter().zip(&ours) {
        let ours = Usage::median(usages);
        show(&format!("alert-export, {format}"), &ours)?;
        print_line(&format!(
            "    1/{:.1} of the processor time and 1/{:.1} of the time",
            theirs.cpu_ms / ours.cpu_ms,
            theirs.wall_ms / ours.wall_ms,
        ))?;
    }
    print_line("")?;
    steps::run(&env, &certificate).await
}

fn over_tls(events: u64, certificate: &Path) -> Config {
    let mut config = export::config(events, 1);
    config.advertise = Scheme::Https;
    config.tls_ca_file = Some(certificate.to_owned());
    config
}

fn show(name: &str, usage: &Usage) -> BenchResult {
    let Usage { cpu_ms, wall_ms, peak_bytes, bytes_out } = usage;
    let (cpu, wall) = (cpu_ms / 1e3, wall_ms / 1e3);
    let (peak, out) = (*peak_bytes as f64 / MIB, *bytes_out as f64 / MIB);
    Ok(print_line(&format!("  {name:<36}  {cpu:>10.2}  {wall:>7.2}  {peak:>8.1}  {out:>9.1}"))?)
}

/// Runs the released export, from the start of its process to its report.
async fn export_once(
    env: &TestEnv,
    certificate: &Path,
    events: u64,
    format: Format,
    root: &Path,
) -> BenchResult<Usage> {
    let function = env.export_function(&root.to_string_lossy());
    let function = function.env("SSL_CERT_FILE", certificate).env("EXPORT_DATASETS", "events");
    let function = function.env("EXPORT_FORMAT", format.extension());
    let started = Instant::now();
    let mut sandbox = function.start().await?;
    let report = env.run_export(&mut sandbox).await?;
    let wall_ms = measure::ms(started.elapsed());
    let cpu_ms = measure::cpu_time_ms(&[sandbox.pid()])?;
    let peak_bytes = sandbox.peak_rss_bytes().unwrap_or(0);
    sandbox.stop().await;

    let committed = CommittedExport::load(root)?;
    if report["rows"].as_u64() != Some(events) {
        return Err(format!("the export wrote {} rows: expected {events}", report["rows"]).into());
    }
    if let Some(defect) = env.defects(&committed).first() {
        return Err(defect.to_string().into());
    }
    Ok(Usage { cpu_ms, wall_ms, peak_bytes, bytes_out: committed.bytes() })
}

/// Runs the peer, from the start of its process to its end.
async fn peer_once(
    env: &TestEnv,
    peer: &Peer,
    certificate: &Path,
    events: u64,
    home: &Path,
) -> BenchResult<Usage> {
    let mut command = peer.command(env, home)?;
    command.env("SSL_CERT_FILE", certificate).current_dir(home);
    let mut usage = process::measure(&mut command, &home.join("stderr")).await?;

    let lines = fs::read_to_string(home.join(peer.result_file()))?;
    usage.bytes_out = lines.len() as u64;
    check(env, &lines, events)?;
    Ok(usage)
}

/// Fails unless the peer wrote each record that the simulator served exactly once.
fn check(env: &TestEnv, lines: &str, events: u64) -> BenchResult {
    let mut ids = HashSet::new();
    for line in lines.lines() {
        let record: Value = serde_json::from_str(line)?;
        ids.insert(record["id"].as_str().unwrap_or_default().to_owned());
    }
    let served: HashSet<_> = env.served_ids(Dataset::Events, &tenant(env)?).into_iter().collect();
    if ids != served || ids.len() as u64 != events || lines.lines().count() as u64 != events {
        let (lines, ids, served) = (lines.lines().count(), ids.len(), served.len());
        return Err(format!(
            "the peer wrote {lines} lines with {ids} ids; {served} ids of {events} were served"
        )
        .into());
    }
    Ok(())
}

/// Adds the arguments of the program in `tests/peers`.
fn configure_minimal(command: &mut Command, env: &TestEnv, home: &Path) -> BenchResult {
    command.arg(package_dir().join("peers/page_to_file.py"));
    command.env("IDENTITY_URL", env.simulator.identity_url());
    command.env("GLOBAL_URL", env.simulator.global_url());
    command.env("CLIENT_ID", &env.credential().client_id);
    command.env("CLIENT_SECRET", &env.credential().client_secret);
    command.env("TENANT_ID", tenant(env)?).env("FROM_DATE", since(env).to_string());
    command.env("RESULT", home.join("result.txt"));
    Ok(())
}

/// Adds the script's arguments and writes its configuration: its sample with local addresses.
fn configure_official(command: &mut Command, env: &TestEnv, home: &Path, script: &Path) -> BenchResult {
    let (credential, simulator) = (env.credential(), &env.simulator);
    let global = simulator.global_url();
    let global = global.strip_prefix("https://").ok_or("the simulator does not speak TLS")?;
    let config = [
        "[login]",
        "format = json",
        "filename = result.txt",
        "endpoint = event",
        "address = /var/run/syslog",
        "facility = daemon",
        "socktype = udp",
        "append_nul = false",
        "state_file_path = state/siem_sophos.json",
        "events_from_date_offset_minutes = 0",
        "alerts_from_date_offset_minutes = 0",
        "convert_dhost_field_to_valid_fqdn = true",
        "logging_level = INFO",
        &format!("client_id = {}", credential.client_id),
        &format!("client_secret = {}", credential.client_secret),
        &format!("tenant_id = {}", tenant(env)?),
        &format!("auth_url = {}/api/v2/oauth2/token", simulator.identity_url()),
        &format!("api_host = {global}"),
    ];
    fs::write(home.join("config.ini"), config.join("\n"))?;
    command.arg(script).args(["--quiet", "--since", &since(env).to_string()]);
    command.env("SOPHOS_SIEM_HOME", home);
    Ok(())
}

fn tenant(env: &TestEnv) -> BenchResult<String> {
    Ok(env.simulator.tenants().first().ok_or("the simulator has no tenant")?.id.clone())
}

/// The start date in seconds since the Unix epoch, by the simulator's clock.
fn since(env: &TestEnv) -> i64 {
    (env.simulator.clock().now_ms() - SINCE_MS) / 1_000
}
