//! The demo: the export and the isolation at work, each the built functions
//! against a Sophos Central on this machine.

mod export;
mod isolation;

use std::{
    env,
    error::Error,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = output_dir()?;
    print_line("ONE: ALERTS AND EVENTS ARE EXPORTED\n")?;
    export::run(&create_sub_dir(&folder, "export")?).await?;
    print_line("\n\nTWO: OTHER TOOLS HAVE ENDPOINTS ISOLATED\n")?;
    isolation::run(&create_sub_dir(&folder, "isolation")?).await?;
    Ok(())
}

/// Where everything goes: the argument, which must be empty or not there, or a
/// new folder for temporary files.
fn output_dir() -> io::Result<PathBuf> {
    let folder = match env::args_os().nth(1) {
        Some(folder) => PathBuf::from(folder),
        None => tempfile::Builder::new().prefix("sophos-demo-").tempdir()?.keep(),
    };
    fs::create_dir_all(&folder)?;
    if fs::read_dir(&folder)?.next().is_some() {
        let why = format!("{} is not empty; name a folder that is", folder.display());
        return Err(io::Error::other(why));
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
