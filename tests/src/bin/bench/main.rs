//! The benchmark of the functions as they are shipped.
//!
//! `bench [starts|export|peers|isolation|rotation|tenants] [numbers …]` measures one of them,
//! or all but `peers`. The numbers are those of starts, of events to export, of events a second that
//! the webhook is sent, of credentials that are watched over, or of tenants; without a
//! subject they are the export's.

mod export;
mod isolation;
mod measure;
mod peers;
mod rotation;
mod starts;
mod tenants;

use std::{
    env,
    error::Error,
    io::{self, Write as _},
    process::Command,
};

type BenchResult<T = ()> = Result<T, Box<dyn Error>>;

const MIB: f64 = 1_048_576.0;

#[tokio::main]
async fn main() -> BenchResult {
    let mut words: Vec<String> = env::args().skip(1).collect();
    let named = words.first().is_some_and(|word| word.parse::<u64>().is_err());
    let subject = if named { words.remove(0) } else { String::new() };
    let numbers: Vec<u64> = words.iter().map(|word| word.parse()).collect::<Result<_, _>>()?;
    match subject.as_str() {
        "starts" => starts::run(&numbers).await?,
        "export" => export::run(&numbers).await?,
        "peers" => peers::run(&numbers).await?,
        "isolation" => isolation::run(&numbers).await?,
        "rotation" => rotation::run(&numbers).await?,
        "tenants" => tenants::run(&numbers).await?,
        "" if !numbers.is_empty() => export::run(&numbers).await?,
        "" => {
            starts::run(&[]).await?;
            print_line("")?;
            export::run(&[]).await?;
            print_line("")?;
            isolation::run(&[]).await?;
            print_line("")?;
            rotation::run(&[]).await?;
            print_line("")?;
            tenants::run(&[]).await?;
        }
        other => {
            return Err(format!(
                "there is no benchmark of {other}: name starts, export, peers, isolation, rotation or tenants"
            )
            .into());
        }
    }
    print_machine()
}

/// What the machine is, so that figures can be held against others.
fn print_machine() -> BenchResult {
    let kernel = Command::new("uname").arg("-sr").output()?;
    let processors = std::thread::available_parallelism()?;
    let kernel = String::from_utf8_lossy(&kernel.stdout).trim().to_owned();
    print_line(&format!("\nAll of it ran on the same machine: {processors} processors, {kernel}."))?;
    Ok(())
}

fn print_line(line: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{line}")
}
