//! Setup, demo, deployment, tests, fuzzing, benchmarks, components and packages: `cargo xtask
//! <command>`.

mod advisories;
mod bench;
mod book;
mod component;
mod core_crates;
mod demo;
mod deploy;
mod end_to_end;
mod error;
mod fuzz;
mod hosts;
mod ignored;
mod infra;
mod openapi;
mod openapi_validator;
mod package;
mod peers;
mod python;
mod setup;
mod shell;
mod test;
mod test_counts;
mod tidy;
mod tools;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::{error::Error, workspace::Workspace};

/// Setup, demo, deployment, tests, fuzzing, benchmarks, components and packages of this
/// project.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check the compiler and install the WebAssembly targets of the tests
    Setup(setup::Arguments),
    /// Run an export and isolations on this machine, against a local Sophos Central
    Demo(demo::Arguments),
    /// Deploy the stack into an emulator of AWS on this machine and run a smoke test
    Deploy(deploy::Arguments),
    /// Check the templates of the stack: lints, permissions and transformed templates
    Infra(infra::Arguments),
    /// Check the crates of all lock files for known vulnerabilities, if the database is
    /// available, and for yanked releases
    Advisories,
    /// Build `docs/` as a book, into the target folder
    Book,
    /// Check names, prose, log records, file sizes and links
    Tidy(tidy::Arguments),
    /// Build the binaries and components, run all tests, and build the core for WebAssembly
    Test(test::Arguments),
    /// Fuzz the parsers of other tools' messages and the choice of the endpoint, for a
    /// bounded time
    Fuzz(fuzz::Arguments),
    /// Measure the release builds of the functions against the simulator
    Bench(bench::Arguments),
    /// Run clients of other projects against the simulator
    Peers(peers::Arguments),
    /// Write the REST operations as an OpenAPI document, and validate it
    Openapi(openapi::Arguments),
    /// Build the WASI components, one for each world of `wit/`
    Component(component::Arguments),
    /// Build the zip files for Lambda, for x86_64 and arm64
    Package(package::Arguments),
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<(), Error> {
    let workspace = Workspace::find()?;
    match command {
        Command::Setup(arguments) => setup::run(&workspace, &arguments),
        Command::Demo(arguments) => demo::run(&workspace, &arguments),
        Command::Deploy(arguments) => deploy::run(&workspace, &arguments),
        Command::Infra(arguments) => infra::run(&workspace, &arguments),
        Command::Advisories => advisories::run(&workspace),
        Command::Book => book::run(&workspace),
        Command::Tidy(arguments) => tidy::run(&workspace, &arguments),
        Command::Test(arguments) => test::run(&workspace, &arguments),
        Command::Fuzz(arguments) => fuzz::run(&workspace, &arguments),
        Command::Bench(arguments) => bench::run(&workspace, &arguments),
        Command::Peers(arguments) => peers::run(&workspace, &arguments),
        Command::Openapi(arguments) => openapi::run(&workspace, &arguments),
        Command::Component(arguments) => component::run(&workspace, &arguments),
        Command::Package(arguments) => package::run(&workspace, &arguments),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Arguments::command().debug_assert();
    }
}
