//! The simulator as a program.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use sophos_simulator::{Config, Simulator};
use tokio::signal::unix::{SignalKind, signal};

/// A local Sophos Central. Prints its addresses as one line of JSON and serves until SIGINT or
/// SIGTERM.
#[derive(Debug, Parser)]
#[command(name = "sophos-simulator", version)]
struct Arguments {
    /// The configuration file; by default, the default configuration
    #[arg(long)]
    config: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sophos-simulator: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let config = match arguments.config {
        Some(path) => Config::load(path)?,
        None => Config::default(),
    };
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let simulator = Simulator::start(config).await?;
    println!("{}", serde_json::to_string(&simulator.addresses())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
