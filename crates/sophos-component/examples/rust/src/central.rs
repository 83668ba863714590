//! Compiled components and their sessions.

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

/// Returns an engine that allocates memory per instance. It loads artifacts of
/// [`compile`] from the same release of wasmtime.
///
/// # Errors
/// If wasmtime does not support this machine.
pub fn engine() -> Result<Engine> {
    Engine::new(&Config::new())
}

/// Returns an engine with a pool for this many concurrent instances, for servers that
/// create one per request.
///
/// # Errors
/// If the address space is too small.
pub fn pooling_engine(instances: u32) -> Result<Engine> {
    let mut pool = PoolingAllocationConfig::new();
    // A component has one main module and two small ones that connect it to its host.
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

/// Compiles a component to an artifact that [`CentralComponent::load`] loads in less than
/// a millisecond. Name it `.cwasm` and protect it: it is machine code.
///
/// # Errors
/// If `component` is not a component.
pub fn compile(engine: &Engine, component: &[u8]) -> Result<Vec<u8>> {
    engine.precompile_component(component)
}

/// Compiles a component, or loads a compiled one.
pub(crate) fn load(engine: &Engine, file: &Path) -> Result<Component> {
    let loaded = if file.extension().is_some_and(|extension| extension == "cwasm") {
        // SAFETY: the operator names this file, so it is as trusted as this program.
        unsafe { Component::deserialize_file(engine, file) }
    } else {
        Component::from_file(engine, file)
    };
    loaded.with_context(|| format!("loading {} failed", file.display()))
}

/// A compiled component of any world but the webhook, linked with this host.
#[derive(Clone)]
pub struct CentralComponent {
    instance_pre: InstancePre<HostState>,
}

impl CentralComponent {
    /// Loads `file`: a component, or an artifact of [`compile`] with the extension
    /// `.cwasm`. Compiling takes tenths of a second, so share the result.
    ///
    /// # Errors
    /// If the file is neither, or has an import that this host does not offer.
    pub fn load(engine: &Engine, file: &Path) -> Result<Self> {
        Self::new(&load(engine, file)?)
    }

    /// Links a loaded component.
    ///
    /// # Errors
    /// If it has an import that this host does not offer.
    pub fn new(component: &Component) -> Result<Self> {
        let mut linker = Linker::new(component.engine());
        state::add_to_linker(&mut linker)?;
        Ok(Self { instance_pre: linker.instantiate_pre(component)? })
    }

    /// Returns the component's imports, by interface.
    pub fn imports(&self) -> Vec<String> {
        let component = self.instance_pre.component();
        let imports = component.component_type();
        imports.imports(component.engine()).map(|(name, _)| name.to_owned()).collect()
    }

    /// Starts a session in a new instance.
    ///
    /// # Errors
    /// If there is no memory for it, or the pool is full.
    pub async fn session(&self, obtain: AuthProvider, requests: AllowedHttp) -> Result<Session> {
        let mut store = HostState::new((), obtain, requests).store(self.instance_pre.engine());
        let instance = self.instance_pre.instantiate_async(&mut store).await?;
        Ok(Session { store, instance })
    }
}

/// An instance and its store.
pub struct Session<H: 'static = ()> {
    /// The store, which every call needs.
    pub store: Store<HostState<H>>,
    /// The instance.
    pub instance: Instance,
}

impl Session {
    /// Returns the typed interfaces of the world `embedded`.
    ///
    /// # Errors
    /// If the component lacks one of them: a reader has no `isolation-actions`.
    pub fn interfaces(&mut self) -> Result<Embedded> {
        Embedded::new(&mut self.store, &self.instance)
    }
}
