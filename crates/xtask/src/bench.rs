//! `cargo xtask bench`: the speed and memory of the packaged functions and the components.

use std::{ffi::OsString, path::PathBuf};

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
    /// The benchmark; by default, all functions
    #[arg(value_enum)]
    benchmark: Option<Benchmark>,
    /// Sophos's `siem.py`, or its folder, for `peers`; by default, a minimal Python program is the peer
    #[arg(long, value_name = "PATH")]
    script: Option<PathBuf>,
    /// The number of events that `peers` reads
    #[arg(long, value_name = "N")]
    events: Option<u64>,
    /// Arguments for the benchmark, after `--`; see `bench export -- --help`
    #[arg(last = true)]
    passthrough: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum Benchmark {
    /// The start of each function, from its process to its first poll
    Starts,
    /// Exports to a folder and to an S3 server
    Export,
    /// The formats of objects, beside DuckDB and pyarrow
    Formats,
    /// The export beside a Python script that reads the same feed, and the share of each step
    Peers,
    /// The start of the command line, and its listings beside clients in Python
    Cli,
    /// Isolations, from the request to the isolated endpoint
    Isolation,
    /// Rotations of credentials, and audits of many
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
            Self::Formats => "formats",
            Self::Peers => "peers",
            Self::Cli => "cli",
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
            Self::Cli | Self::Component | Self::Formats => &[],
        }
    }
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<(), Error> {
    let peers = arguments.benchmark == Some(Benchmark::Peers);
    if !peers && (arguments.script.is_some() || arguments.events.is_some()) {
        return Err(Error::new("invalid option: `--script` and `--events` belong to `bench peers`"));
    }
    if arguments.benchmark == Some(Benchmark::Component) {
        return bench_components(workspace);
    }
    if arguments.benchmark == Some(Benchmark::Cli) {
        return bench_cli(workspace, arguments);
    }
    if arguments.benchmark == Some(Benchmark::Formats) {
        return bench_formats(workspace, arguments);
    }
    let subject = arguments.benchmark.unwrap_or(Benchmark::Starts);
    let functions = package::build_runnable(workspace, subject.functions(), Architecture::HOST)?;
    let rest = ["--profile", "tools", "--bins", "-p", "end-to-end"];
    end_to_end::build(workspace, "the simulator and the benchmark", &rest)?;
    let mut passed_on: Vec<OsString> = Vec::new();
    passed_on.extend(arguments.benchmark.map(|benchmark| benchmark.name().into()));
    passed_on.extend(arguments.events.map(|events| events.to_string().into()));
    match &arguments.script {
        Some(script) => passed_on.extend(["--script".into(), script.into()]),
        None if peers => passed_on.extend(["--python".into(), setup::requests(workspace)?.into()]),
        None => {}
    }
    passed_on.extend(arguments.passthrough.iter().map(OsString::from));
    let mut variables = Vec::new();
    if arguments
        .benchmark
        .is_none_or(|only| matches!(only, Benchmark::Isolation | Benchmark::Rotation | Benchmark::Tenants))
    {
        // Credentials are in Secrets Manager if its emulator is installed.
        match setup::install_emulator(workspace) {
            Ok(emulator) => variables.push((setup::EMULATOR_VARIABLE, emulator)),
            Err(error) => println!("skipped: Secrets Manager: {error}"),
        }
    }
    end_to_end::run(workspace, "tools", "bench", &functions, &passed_on, &variables)
}

/// Runs the benchmark of the command line.
fn bench_cli(workspace: &Workspace, arguments: &Arguments) -> Result<(), Error> {
    // The profile has no link-time optimization, which takes many minutes here.
    let programs = ["--profile", "tools", "--bins", "-p", "end-to-end", "-p", "sophos-cli"];
    end_to_end::build(workspace, "the command line, the simulator and the benchmark", &programs)?;
    let mut passed_on: Vec<OsString> = vec![Benchmark::Cli.name().into()];
    // Without the clients in Python the command line is measured alone.
    match setup::install_peers(workspace) {
        Ok(python) => passed_on.extend(["--python".into(), python.into()]),
        Err(error) => println!("skipped: clients in Python: {error}"),
    }
    passed_on.extend(arguments.passthrough.iter().map(OsString::from));
    let folder = workspace.target.join("tools");
    end_to_end::run(workspace, "tools", "bench", &folder, &passed_on, &[])
}

/// Runs the benchmark of the formats, which needs no function.
fn bench_formats(workspace: &Workspace, arguments: &Arguments) -> Result<(), Error> {
    let programs = ["--profile", "tools", "--bin", "bench", "-p", "end-to-end"];
    end_to_end::build(workspace, "the benchmark", &programs)?;
    let mut passed_on: Vec<OsString> = vec![Benchmark::Formats.name().into()];
    passed_on.extend(["--python".into(), setup::readers(workspace)?.into()]);
    passed_on.extend(arguments.passthrough.iter().map(OsString::from));
    let folder = workspace.target.join("tools");
    end_to_end::run(workspace, "tools", "bench", &folder, &passed_on, &[])
}

/// Runs the benchmark of the components in the Rust host.
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
    shell::step("bench", || shell::run(&mut bench, "see the lines above"))
}
