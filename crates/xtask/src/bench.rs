//! `cargo xtask bench`: how fast and how lean the functions are as they are shipped,
//! and the components.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::{
    component, end_to_end,
    error::Error,
    hosts,
    package::{self, Architecture},
    setup, shell,
    workspace::Workspace,
};

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// What to measure; without it, all functions
    #[arg(value_enum)]
    benchmark: Option<Benchmark>,
    /// Sophos's own script (siem.py, or its folder), to be measured beside the export by `peers`;
    /// without it, a minimal program in Python is
    #[arg(long, value_name = "PATH")]
    script: Option<PathBuf>,
    /// How many events `peers` reads
    #[arg(long, value_name = "N")]
    events: Option<u64>,
    /// What to pass on to the bench, after `--`; without a subject it is the export's
    #[arg(last = true)]
    passthrough: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum Benchmark {
    /// All functions, from the start of the process to the first question for work
    Starts,
    /// Events of tenants, into a folder and to an S3 server
    Export,
    /// The export beside a Python script that reads the same feed, and the share of each step
    Peers,
    /// Other tools' alerts, from the request to the isolated endpoint
    Isolation,
    /// Rotations of credentials, and the watch over many
    Rotation,
    /// Thousands of tenants through a queue, within a rate limit
    Tenants,
    /// The components under wasmtime, beside the native client
    Component,
}

impl Benchmark {
    fn name(self) -> &'static str {
        match self {
            Self::Starts => "starts",
            Self::Export => "export",
            Self::Peers => "peers",
            Self::Isolation => "isolation",
            Self::Rotation => "rotation",
            Self::Tenants => "tenants",
            Self::Component => "component",
        }
    }

    fn functions(self) -> &'static [&'static str] {
        match self {
            Self::Export | Self::Peers | Self::Tenants => &["alert-export"],
            Self::Isolation => &["isolation-webhook", "isolation-worker"],
            Self::Rotation => &["credential-rotation"],
            Self::Starts => &["alert-export", "credential-rotation", "isolation-webhook", "isolation-worker"],
            Self::Component => &[],
        }
    }
}

/// The script to compare with, and the Python that runs the other program.
const SCRIPT_VARIABLE: &str = "PEER_SCRIPT";
const PYTHON_VARIABLE: &str = "PEER_PYTHON";

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<(), Error> {
    let peers = arguments.benchmark == Some(Benchmark::Peers);
    if !peers && (arguments.script.is_some() || arguments.events.is_some()) {
        return Err(Error::new("invalid option: `--script` and `--events` belong to `bench peers`"));
    }
    if arguments.benchmark == Some(Benchmark::Component) {
        return bench_components(workspace);
    }
    let subject = arguments.benchmark.unwrap_or(Benchmark::Starts);
    let functions = package::build_runnable(workspace, subject.functions(), Architecture::HOST)?;
    let rest = ["--profile", "tools", "--bins", "-p", "end-to-end"];
    end_to_end::build(workspace, "the simulator and the benchmark", &rest)?;
    let subject = arguments.benchmark.map(|subject| subject.name().to_owned());
    let events = arguments.events.map(|events| events.to_string());
    let passed_on: Vec<_> =
        subject.into_iter().chain(events).chain(arguments.passthrough.iter().cloned()).collect();
    let mut variables = Vec::new();
    match &arguments.script {
        Some(script) => variables.push((SCRIPT_VARIABLE, script.clone())),
        None if peers => variables.push((PYTHON_VARIABLE, setup::requests(workspace)?)),
        None => {}
    }
    if arguments
        .benchmark
        .is_none_or(|only| matches!(only, Benchmark::Isolation | Benchmark::Rotation | Benchmark::Tenants))
    {
        // Secrets are in Secrets Manager, if there is an emulator of it.
        match setup::install_emulator(workspace) {
            Ok(emulator) => variables.push((setup::EMULATOR_VARIABLE, emulator)),
            Err(error) => println!("without Secrets Manager: {error}"),
        }
    }
    end_to_end::run(workspace, "tools", "bench", &functions, &passed_on, &variables)
}

/// The benchmark of the components, which is the Rust host's.
fn bench_components(workspace: &Workspace) -> Result<(), Error> {
    setup::install_targets(workspace, &[component::TARGET])?;
    let components = component::build_all(workspace)?;
    let simulator = ["--profile", "tools", "--bins", "-p", "sophos-simulator"];
    end_to_end::build(workspace, "the simulator", &simulator)?;
    let mut bench = hosts::rust_package(workspace, "bench");
    bench.args(["--bench", "component"]);
    bench
        .env("COMPONENTS_DIR", components)
        .env("SIMULATOR_PROGRAM", workspace.binary("tools", "sophos-simulator"));
    shell::step("bench", || shell::run(&mut bench, "the lines above say what the benchmark met"))
}
