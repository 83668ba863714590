//! Components, compiled once, and sessions with them.

use std::path::Path;

use wasmtime::{
    Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Result, Store,
    component::{Component, Instance, InstancePre, Linker},
    error::Context,
};

use crate::{
    bindings::Embedded,
    http_client::AllowedHttp,
    state::{self, AuthProvider, HostState, MAX_MEMORY_LEN},
};

/// An engine that makes room for an instance when there is one. An artifact of
/// [`compile`] is good in engines of this kind, and of one release of wasmtime.
///
/// # Errors
/// When wasmtime does not run on this machine.
pub fn engine() -> Result<Engine> {
    Engine::new(&Config::new())
}

/// An engine that has room for so many instances at once, and keeps it: for
/// servers, which make one for each request.
///
/// # Errors
/// When there is not so much address space.
pub fn pooling_engine(instances: u32) -> Result<Engine> {
    let mut pool = PoolingAllocationConfig::new();
    // A component is made of a module and two small ones that tie it to its host.
    pool.total_component_instances(instances)
        .total_core_instances(3 * instances)
        .total_tables(3 * instances)
        .total_memories(instances)
        .total_stacks(instances)
        .max_memory_size(MAX_MEMORY_LEN);
    let mut config = Config::new();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    Engine::new(&config)
}

/// Compiles a component into an artifact that [`Central::load`] takes within a
/// millisecond. Name it `.cwasm`, and keep it where nobody else writes.
///
/// # Errors
/// When `component` is no component.
pub fn compile(engine: &Engine, component: &[u8]) -> Result<Vec<u8>> {
    engine.precompile_component(component)
}

/// Compiles a component, or takes one that was compiled before.
pub(crate) fn load(engine: &Engine, file: &Path) -> Result<Component> {
    let loaded = if file.extension().is_some_and(|extension| extension == "cwasm") {
        // SAFETY: an artifact is machine code. It is the operator who names this
        // file, as trusted as this program's own.
        unsafe { Component::deserialize_file(engine, file) }
    } else {
        Component::from_file(engine, file)
    };
    loaded.with_context(|| format!("{} cannot be loaded", file.display()))
}

/// A component of any world, compiled and tied to what this host offers.
#[derive(Clone)]
pub struct CentralComponent {
    instance_pre: InstancePre<HostState>,
}

impl CentralComponent {
    /// Loads `file`: a component, or an artifact of [`compile`] if its name ends
    /// with `.cwasm`. Compiling takes some tenths of a second; share what it makes.
    ///
    /// # Errors
    /// When the file is neither, or asks for more than this host offers.
    pub fn load(engine: &Engine, file: &Path) -> Result<Self> {
        Self::new(&load(engine, file)?)
    }

    /// The same with a component that is loaded already.
    ///
    /// # Errors
    /// When it asks for more than this host offers.
    pub fn new(component: &Component) -> Result<Self> {
        let mut linker = Linker::new(component.engine());
        state::add_to_linker(&mut linker)?;
        Ok(Self { instance_pre: linker.instantiate_pre(component)? })
    }

    /// What the component asks its host for, by interface.
    pub fn imports(&self) -> Vec<String> {
        let component = self.instance_pre.component();
        let imports = component.component_type();
        imports.imports(component.engine()).map(|(name, _)| name.to_owned()).collect()
    }

    /// Begins a session: an instance of its own, with its own token.
    ///
    /// # Errors
    /// When there is no memory for it, or no place left in a pool.
    pub async fn session(&self, obtain: AuthProvider, requests: AllowedHttp) -> Result<Session> {
        let mut store = HostState::new((), obtain, requests).store(self.instance_pre.engine());
        let instance = self.instance_pre.instantiate_async(&mut store).await?;
        Ok(Session { store, instance })
    }
}

/// An instance and its store.
pub struct Session<H: 'static = ()> {
    /// What every call wants.
    pub store: Store<HostState<H>>,
    /// The instance.
    pub instance: Instance,
}

impl Session {
    /// The component's interfaces, typed.
    ///
    /// # Errors
    /// When it lacks one of them: a reader has no `isolation-actions`.
    pub fn interfaces(&mut self) -> Result<Embedded> {
        Embedded::new(&mut self.store, &self.instance)
    }
}
