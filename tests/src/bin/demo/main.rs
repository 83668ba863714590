//! The demo: the built functions export and isolate against a local Sophos Central, and the
//! command line reads both.

mod cli;
mod dashboard;
mod export;
mod isolation;

use std::{
    error::Error,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use clap::Parser;

/// Runs the built functions against a local Sophos Central: an export, isolations, and the
/// command line.
#[derive(Debug, Parser)]
#[command(name = "demo")]
struct Arguments {
    /// The folder for the output, empty or missing; by default, a new temporary folder
    #[arg(value_name = "FOLDER")]
    folder: Option<PathBuf>,

    /// Only draw the dashboard of twelve simulated hours, as SVG, into this file
    #[arg(long, value_name = "FILE")]
    dashboard: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let Arguments { folder, dashboard: picture } = Arguments::parse();
    let folder = output_dir(folder)?;
    if let Some(picture) = picture {
        return dashboard::run(&create_sub_dir(&folder, "export")?, &picture).await;
    }
    print_line("ONE: EXPORT ALERTS AND EVENTS\n")?;
    let exported = create_sub_dir(&folder, "export")?;
    export::run(&exported).await?;
    print_line("\n\nTWO: ISOLATE ENDPOINTS ON ALERTS OF OTHER TOOLS\n")?;
    isolation::run(&create_sub_dir(&folder, "isolation")?).await?;
    print_line("\n\nTHREE: THE COMMAND LINE\n")?;
    cli::run(&exported, &create_sub_dir(&folder, "home")?).await?;
    Ok(())
}

/// Creates the folder for the output. Fails if it is not empty.
fn output_dir(folder: Option<PathBuf>) -> io::Result<PathBuf> {
    let folder = match folder {
        Some(folder) => folder,
        None => tempfile::Builder::new().prefix("sophos-demo-").tempdir()?.keep(),
    };
    fs::create_dir_all(&folder)?;
    if fs::read_dir(&folder)?.next().is_some() {
        let message = format!("invalid output folder {}: expected an empty folder", folder.display());
        return Err(io::Error::other(message));
    }
    Path::canonicalize(&folder)
}

fn create_sub_dir(folder: &Path, name: &str) -> io::Result<PathBuf> {
    let folder = folder.join(name);
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn print_line(line: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{line}")
}
