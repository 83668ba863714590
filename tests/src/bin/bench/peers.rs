//! The export beside a Python script that reads the same feed over TLS: processor time,
//! time and memory of each process. Then the share of each step of the export.

mod process;
mod steps;

use std::{
    collections::HashSet,
    env, fs,
    path::{Path, PathBuf},
    time::Instant,
};

use end_to_end::{CommittedExport, TestEnv};
use serde_json::Value;
use sophos_simulator::{Config, CredentialKind, Dataset, Scheme};
use tempfile::TempDir;

use self::process::Usage;
use crate::{BenchResult, MIB, export, measure, print_line};

const EVENTS: u64 = 100_000;
const ROUNDS: usize = 5;

/// The feed keeps 24 hours. A little less, so that the request is not refused.
const SINCE_MS: i64 = 24 * 60 * 60 * 1_000 - 120_000;

/// The script of Sophos, if the caller has it, and the Python that runs either peer.
const SCRIPT_VARIABLE: &str = "PEER_SCRIPT";
const PYTHON_VARIABLE: &str = "PEER_PYTHON";

/// The client that is measured beside the export.
#[derive(Debug)]
enum Peer {
    /// `siem.py` of Sophos-Central-SIEM-Integration, unchanged.
    Official(PathBuf),
    /// The program in `tests/peers`.
    Minimal,
}

impl Peer {
    fn chosen() -> BenchResult<Self> {
        let Some(path) = env::var_os(SCRIPT_VARIABLE).map(PathBuf::from) else { return Ok(Self::Minimal) };
        let script = if path.is_dir() { path.join("siem.py") } else { path };
        let script = fs::canonicalize(&script)
            .map_err(|error| format!("reading {} failed: {error}; name siem.py", script.display()))?;
        Ok(Self::Official(script))
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Official(_) => "Sophos's script (siem.py)",
            Self::Minimal => "minimal Python program (requests)",
        }
    }
}

/// Compares the two over this many events, and measures the steps of the export.
pub(crate) async fn run(numbers: &[u64]) -> BenchResult {
    let events = numbers.first().copied().unwrap_or(EVENTS);
    let peer = Peer::chosen()?;
    let folder = tempfile::tempdir()?;
    let certificate = folder.path().join("ca.pem");
    let world = TestEnv::start(over_tls(events, &certificate), CredentialKind::Partner).await?;

    print_line(&format!("{events} events of one tenant over TLS, {ROUNDS} runs of each in turn:"))?;
    print_line("                                       processor s  seconds  peak MiB    MiB out")?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(export_once(&world, &certificate, events).await?);
        theirs.push(peer_once(&world, &peer, &certificate, events).await?);
    }
    let (ours, theirs) = (Usage::median(&ours), Usage::median(&theirs));
    show("alert-export", &ours)?;
    show(peer.name(), &theirs)?;
    print_line(&format!(
        "  the export takes 1/{:.1} of the processor time and 1/{:.1} of the time",
        theirs.cpu_ms / ours.cpu_ms,
        theirs.wall_ms / ours.wall_ms,
    ))?;
    print_line("")?;
    steps::run(&world, &certificate).await
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

/// The export as it is shipped, from the start of its process to the report.
async fn export_once(world: &TestEnv, certificate: &Path, events: u64) -> BenchResult<Usage> {
    let root = tempfile::tempdir()?;
    let function = world.export_function(&root.path().to_string_lossy());
    let function = function.env("SSL_CERT_FILE", certificate).env("EXPORT_DATASETS", "events");
    let started = Instant::now();
    let mut sandbox = function.start().await?;
    let report = world.run_export(&mut sandbox).await?;
    let wall_ms = measure::ms(started.elapsed());
    let cpu_ms = measure::cpu_time_ms(&[sandbox.pid()])?;
    let peak_bytes = sandbox.peak_rss_bytes().unwrap_or(0);
    sandbox.stop().await;

    let committed = CommittedExport::load(root.path())?;
    if report["rows"].as_u64() != Some(events) {
        return Err(format!("{} rows of {events}", report["rows"]).into());
    }
    if let Some(defect) = world.defects(&committed).first() {
        return Err(defect.to_string().into());
    }
    Ok(Usage { cpu_ms, wall_ms, peak_bytes, bytes_out: committed.bytes() })
}

/// The peer, from the start of its process to its end.
async fn peer_once(world: &TestEnv, peer: &Peer, certificate: &Path, events: u64) -> BenchResult<Usage> {
    let home = tempfile::tempdir()?;
    let mut command = match peer {
        Peer::Official(script) => official(world, &home, script)?,
        Peer::Minimal => minimal(world, &home)?,
    };
    command.env("SSL_CERT_FILE", certificate).current_dir(home.path());
    let mut usage = process::measure(&mut command, &home.path().join("stderr")).await?;

    let result = home.path().join(match peer {
        Peer::Official(_) => "log/result.txt",
        Peer::Minimal => "result.txt",
    });
    let lines = fs::read_to_string(&result)?;
    usage.bytes_out = lines.len() as u64;
    check(world, &lines, events)?;
    Ok(usage)
}

/// Both must have written the same records.
fn check(world: &TestEnv, lines: &str, events: u64) -> BenchResult {
    let mut ids = HashSet::new();
    for line in lines.lines() {
        let record: Value = serde_json::from_str(line)?;
        ids.insert(record["id"].as_str().unwrap_or_default().to_owned());
    }
    let served: HashSet<_> = world.served_ids(Dataset::Events, &tenant(world)?).into_iter().collect();
    if ids != served || ids.len() as u64 != events || lines.lines().count() as u64 != events {
        let (lines, ids, served) = (lines.lines().count(), ids.len(), served.len());
        return Err(format!(
            "the peer wrote {lines} lines with {ids} ids; {served} ids of {events} were served"
        )
        .into());
    }
    Ok(())
}

/// The program of `tests/peers`.
fn minimal(world: &TestEnv, home: &TempDir) -> BenchResult<std::process::Command> {
    let mut command = python();
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/page_to_file.py"));
    command.env("IDENTITY_URL", world.simulator.identity_url());
    command.env("GLOBAL_URL", world.simulator.global_url());
    command.env("CLIENT_ID", &world.credential().client_id);
    command.env("CLIENT_SECRET", &world.credential().client_secret);
    command.env("TENANT_ID", tenant(world)?).env("FROM_DATE", since(world).to_string());
    command.env("RESULT", home.path().join("result.txt"));
    Ok(command)
}

/// The script with a configuration like its sample, but for the addresses.
fn official(world: &TestEnv, home: &TempDir, script: &Path) -> BenchResult<std::process::Command> {
    let (credential, simulator) = (world.credential(), &world.simulator);
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
        &format!("tenant_id = {}", tenant(world)?),
        &format!("auth_url = {}/api/v2/oauth2/token", simulator.identity_url()),
        &format!("api_host = {global}"),
    ];
    fs::write(home.path().join("config.ini"), config.join("\n"))?;
    let mut command = python();
    command.arg(script).args(["--quiet", "--since", &since(world).to_string()]);
    command.env("SOPHOS_SIEM_HOME", home.path());
    Ok(command)
}

fn python() -> std::process::Command {
    let mut python = std::process::Command::new(env::var_os(PYTHON_VARIABLE).unwrap_or("python3".into()));
    // Compiled modules are not written beside the caller's sources.
    python.env("PYTHONDONTWRITEBYTECODE", "1").env_remove("HTTPS_PROXY").env_remove("https_proxy");
    python
}

fn tenant(world: &TestEnv) -> BenchResult<String> {
    Ok(world.simulator.tenants().first().ok_or("the simulator has no tenant")?.id.clone())
}

/// In seconds since the Unix epoch, by the simulator's clock.
fn since(world: &TestEnv) -> i64 {
    (world.simulator.clock().now_ms() - SINCE_MS) / 1_000
}
