//! The command line: its start, and a listing of endpoints over TLS beside clients in Python.

use std::{
    collections::HashSet,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use clap::Args;
use end_to_end::{package_dir, program};
use sophos_simulator::{Config, Scheme, Simulator};
use tempfile::TempDir;

use crate::{
    BenchResult, MIB,
    measure::{Percentiles, ms},
    peers::process::{self, Usage},
    print_line,
};

/// The numbers of endpoints; the clients in Python list the second.
const SIZES: [u64; 3] = [1_000, 10_000, 100_000];
const ROUNDS: usize = 5;
const STARTS: usize = 101;

/// The clients in `tests/peers/list_endpoints.py`.
const PEERS: [&str; 2] = ["pysophoscentral", "sophoscentral"];

/// The options of the benchmark.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The number of runs of each program
    #[arg(long, default_value_t = ROUNDS)]
    rounds: usize,
    /// The Python with the clients of `cargo xtask peers`; by default, none are measured
    #[arg(long, value_name = "PROGRAM")]
    python: Option<PathBuf>,
}

/// A simulator whose only tenant has this number of endpoints.
struct Estate {
    simulator: Simulator,
    certificate: PathBuf,
    endpoints: u64,
    folder: TempDir,
}

impl Estate {
    async fn start(endpoints: u64) -> BenchResult<Self> {
        let folder = tempfile::tempdir()?;
        let certificate = folder.path().join("ca.pem");
        // One client has the host of eu02 in its source, and another does not encode secrets.
        let mut config = Config::from_toml(&format!(
            "regions = [\"eu02\"]\n\
             [[tenants]]\nname = \"Acme\"\nowner = \"both\"\nendpoints = {endpoints}\n\
             [[credentials]]\nkind = \"partner\"\nclient_secret = \"7d1c5f0a93b24e6f8a\"\n\
             [[credentials]]\nkind = \"tenant\"\ntenant = \"Acme\"\nclient_secret = \"c84f3a6017e94d2b9e\"\n\
             [data]\nevents_per_hour = 0.0\nalerts_per_hour = 0.0\nclone_share = 0.0\n"
        ))?;
        config.advertise = Scheme::Https;
        config.tls_ca_file = Some(certificate.clone());
        let simulator = Simulator::start(config).await?;
        Ok(Self { simulator, certificate, endpoints, folder })
    }

    /// The command line with the credential of the tenant.
    fn sophos(&self, arguments: &[&str]) -> BenchResult<Command> {
        let credentials = self.simulator.credentials();
        let credential = credentials.iter().find(|credential| credential.id_type == "tenant");
        let credential = credential.ok_or("the simulator has no credential of a tenant")?;
        let mut command = Command::new(program("sophos"));
        command.args(arguments).env_clear().env("HOME", self.folder.path());
        command.env("SOPHOS_CLIENT_ID", &credential.client_id);
        command.env("SOPHOS_CLIENT_SECRET", &credential.client_secret);
        command.env("SOPHOS_IDENTITY_URL", self.simulator.identity_url());
        command.env("SOPHOS_GLOBAL_URL", self.simulator.global_url());
        command.env("SOPHOS_RATE_LIMIT", "unlimited").env("SSL_CERT_FILE", &self.certificate);
        Ok(command)
    }

    /// A client in Python, which writes the ids into a file.
    fn peer(&self, python: &Path, client: &str) -> BenchResult<Command> {
        let scripts = package_dir().join("peers");
        let mut command = Command::new(python);
        command.arg(scripts.join("list_endpoints.py")).arg(client).arg(self.ids());
        command.env("PYTHONPATH", env::join_paths([scripts.join("redirect"), scripts])?);
        command.env("SIMULATOR", serde_json::to_string(&self.simulator.addresses())?);
        command.env("PYTHONDONTWRITEBYTECODE", "1").current_dir(self.folder.path());
        for variable in ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"] {
            command.env(variable, &self.certificate);
        }
        for variable in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
            command.env_remove(variable).env_remove(variable.to_lowercase());
        }
        Ok(command)
    }

    fn ids(&self) -> PathBuf {
        self.folder.path().join("ids")
    }

    /// Lists the endpoints once, with the output discarded.
    async fn list(&self) -> BenchResult<Usage> {
        process::measure(&mut self.sophos(&["endpoints", "list"])?, &self.folder.path().join("stderr")).await
    }

    async fn list_by_peer(&self, python: &Path, client: &str) -> BenchResult<Usage> {
        let mut command = self.peer(python, client)?;
        let usage = process::measure(&mut command, &self.folder.path().join("stderr")).await?;
        self.check(client, &fs::read_to_string(self.ids())?)?;
        Ok(usage)
    }

    /// Fails unless each endpoint is listed once.
    fn check(&self, name: &str, lines: &str) -> BenchResult {
        let (lines, ids): (Vec<_>, HashSet<_>) = (lines.lines().collect(), lines.lines().collect());
        if lines.len() as u64 != self.endpoints || ids.len() != lines.len() {
            let (lines, ids) = (lines.len(), ids.len());
            return Err(format!("{name} listed {lines} ids, {ids} of them distinct").into());
        }
        Ok(())
    }
}

pub(crate) async fn run(arguments: Arguments) -> BenchResult {
    let Arguments { rounds, python } = arguments;
    let rounds = rounds.max(1);
    starts()?;
    print_line(&format!("\nendpoints list of one tenant over TLS, medians of {rounds} runs in turn:"))?;
    print_line("  program                endpoints  processor s  seconds  peak MiB")?;
    for (number, endpoints) in SIZES.into_iter().enumerate() {
        let estate = Estate::start(endpoints).await?;
        let output = estate.sophos(&["endpoints", "list", "--jq", ".id"])?.output()?;
        estate.check("sophos", &String::from_utf8_lossy(&output.stdout))?;
        let peers: Vec<_> = python.iter().filter(|_| number == 1).flat_map(|_| PEERS).collect();
        let mut ours = Vec::new();
        let mut theirs = vec![Vec::new(); peers.len()];
        for _ in 0..rounds {
            ours.push(estate.list().await?);
            for (client, usages) in peers.iter().zip(&mut theirs) {
                let python = python.as_deref().unwrap_or(Path::new("python3"));
                usages.push(estate.list_by_peer(python, client).await?);
            }
        }
        show("sophos", endpoints, &Usage::median(&ours))?;
        for (client, usages) in peers.iter().zip(&theirs) {
            show(client, endpoints, &Usage::median(usages))?;
        }
    }
    Ok(())
}

/// Measures the time from the start of the process to its end.
fn starts() -> BenchResult {
    let mut times = Vec::new();
    for _ in 0..STARTS {
        let started = Instant::now();
        let output = Command::new(program("sophos")).arg("--help").env_clear().output()?;
        times.push(ms(started.elapsed()));
        if !output.status.success() {
            return Err(format!("sophos --help failed: {}", output.status).into());
        }
    }
    let times = Percentiles::new(times);
    let (least, median, most) = (times.percentile(0.0), times.percentile(0.5), times.max());
    let line = format!("sophos --help, {STARTS} starts: {least:.1}, {median:.1}, {most:.1} ms");
    Ok(print_line(&format!("{line} (minimum, median, maximum)"))?)
}

fn show(name: &str, endpoints: u64, usage: &Usage) -> BenchResult {
    let (cpu, wall) = (usage.cpu_ms / 1e3, usage.wall_ms / 1e3);
    let peak = usage.peak_bytes as f64 / MIB;
    Ok(print_line(&format!("  {name:<20}  {endpoints:>10}  {cpu:>11.2}  {wall:>7.2}  {peak:>8.1}"))?)
}
