//! Benchmarks of the components: size, start, calls beside the native client, and a
//! thousand concurrent instances.
//!
//! `COMPONENTS_DIR` is the folder of the components and `SIMULATOR_PROGRAM` the simulator.
//! `cargo xtask bench component` builds both and sets them.

mod cached_transport;
mod calls;
mod concurrency;
mod simulator;
mod startup;

use std::{
    env, fs,
    path::{Path, PathBuf},
    time::Duration,
};

use wasmtime::{Result, error::Context};

fn main() -> Result<()> {
    let components = PathBuf::from(env::var_os("COMPONENTS_DIR").context("missing COMPONENTS_DIR")?);
    let program = env::var_os("SIMULATOR_PROGRAM").context("missing SIMULATOR_PROGRAM")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        startup::run(&components).await?;
        let simulator = simulator::start(program.as_ref()).await?;
        calls::run(&components, &simulator).await?;
        concurrency::run(&components, &simulator, 1_000).await
    })
}

/// Returns the components of a folder with the names of their worlds.
fn find_components(folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    let mut worlds = Vec::new();
    for file in fs::read_dir(folder)? {
        let file = file?.path();
        if file.extension().is_some_and(|extension| extension == "wasm") {
            let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            worlds.push((name, file));
        }
    }
    worlds.sort();
    Ok(worlds)
}

/// Sorted durations.
struct Times(Vec<Duration>);

impl Times {
    fn new(mut times: Vec<Duration>) -> Self {
        times.sort();
        Self(times)
    }

    fn min(&self) -> Duration {
        self.0.first().copied().unwrap_or_default()
    }

    fn median(&self) -> Duration {
        self.0.get(self.0.len() / 2).copied().unwrap_or_default()
    }
}

fn us(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
