//! The benchmark of the release builds of the functions: `bench --help`.

mod cli;
mod export;
mod formats;
mod isolation;
mod measure;
mod peers;
mod rotation;
mod starts;
mod tenants;

use std::{
    error::Error,
    io::{self, Write as _},
    process::Command,
};

use clap::{Parser, Subcommand};

type BenchResult<T = ()> = Result<T, Box<dyn Error>>;

const MIB: f64 = 1_048_576.0;

/// Measures the built functions against a local Sophos Central.
#[derive(Debug, Parser)]
#[command(name = "bench")]
struct Arguments {
    /// By default, all but `cli`, `formats` and `peers`
    #[command(subcommand)]
    benchmark: Option<Benchmark>,
}

#[derive(Debug, Subcommand)]
enum Benchmark {
    /// Measure the start of each function
    Starts {
        /// The number of starts of each function
        #[arg(default_value_t = starts::DEFAULT_STARTS)]
        starts: usize,
    },
    /// Measure exports to a folder and to an S3 server
    Export {
        /// The numbers of events to export
        #[arg(default_values_t = export::SIZES)]
        events: Vec<u64>,
    },
    /// Measure the formats of objects, beside other programs that convert the same rows
    Formats(formats::Arguments),
    /// Measure one format, in a process of its own
    #[command(hide = true)]
    FormatStep(formats::StepArguments),
    /// Measure the command line beside clients in Python
    Cli(cli::Arguments),
    /// Compare the export with a Python script that reads the same feed
    Peers(peers::Arguments),
    /// Measure isolations, from the request to the isolated endpoint
    Isolation {
        /// The rates of events, per second
        #[arg(default_values_t = isolation::RATES)]
        rates: Vec<u64>,
    },
    /// Measure rotations, and audits of many credentials
    Rotation {
        /// The numbers of credentials to audit
        #[arg(default_values_t = rotation::AUDIT_SIZES)]
        credentials: Vec<u64>,
    },
    /// Measure exports of many tenants through the queue
    Tenants {
        /// The numbers of tenants
        #[arg(default_values_t = [tenants::TENANTS])]
        tenants: Vec<u64>,
    },
}

#[tokio::main]
async fn main() -> BenchResult {
    match Arguments::parse().benchmark {
        Some(Benchmark::Starts { starts }) => starts::run(starts).await?,
        Some(Benchmark::Export { events }) => export::run(&events).await?,
        Some(Benchmark::Formats(arguments)) => formats::run(arguments).await?,
        Some(Benchmark::FormatStep(arguments)) => return formats::run_step(&arguments),
        Some(Benchmark::Cli(arguments)) => cli::run(arguments).await?,
        Some(Benchmark::Peers(arguments)) => peers::run(arguments).await?,
        Some(Benchmark::Isolation { rates }) => isolation::run(&rates).await?,
        Some(Benchmark::Rotation { credentials }) => rotation::run(&credentials).await?,
        Some(Benchmark::Tenants { tenants }) => tenants::run(&tenants).await?,
        None => {
            starts::run(starts::DEFAULT_STARTS).await?;
            print_line("")?;
            export::run(&export::SIZES).await?;
            print_line("")?;
            isolation::run(&isolation::RATES).await?;
            print_line("")?;
            rotation::run(&rotation::AUDIT_SIZES).await?;
            print_line("")?;
            tenants::run(&[tenants::TENANTS]).await?;
        }
    }
    print_machine()
}

/// Prints the processors and the kernel, to compare figures between machines.
fn print_machine() -> BenchResult {
    let kernel = Command::new("uname").arg("-sr").output()?;
    let processors = std::thread::available_parallelism()?;
    let kernel = String::from_utf8_lossy(&kernel.stdout).trim().to_owned();
    print_line(&format!("\nEverything ran on this machine: {processors} processors, {kernel}."))?;
    Ok(())
}

fn print_line(line: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{line}")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn arguments_are_consistent() {
        super::Arguments::command().debug_assert();
    }
}
