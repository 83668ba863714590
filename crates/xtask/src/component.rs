//! `cargo xtask component`: the WASI components, one for each world.

use std::path::{Path, PathBuf};

use clap::Args;
use wit_component::{ComponentEncoder, DecodedWasm};

use crate::{error::Error, setup, shell, workspace::Workspace};

pub(crate) const TARGET: &str = "wasm32-unknown-unknown";
const PROFILE: &str = "component";
const LIBRARY: &str = "sophos_component.wasm";

/// The types, and the credentials of the host.
const COMMON_IMPORTS: [&str; 2] = ["sophos:central/types", "sophos:central/credentials"];

/// HTTP with its streams, and the clock of its timeouts.
const WASI_IMPORTS: [&str; 6] = [
    "wasi:clocks/monotonic-clock",
    "wasi:http/outgoing-handler",
    "wasi:http/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
];

/// The host interfaces of isolation, with a wall clock and randomness.
const WEBHOOK_IMPORTS: [&str; 14] = [
    "sophos:central/audit-log",
    "sophos:central/ledger-store",
    "sophos:central/outcomes",
    "sophos:central/policy",
    "sophos:central/queue",
    "sophos:central/webhook-secrets",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:http/outgoing-handler",
    "wasi:http/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/random",
];

/// A world: its build, its permitted imports, and its maximum size.
struct World {
    name: &'static str,
    features: &'static str,
    imports: &'static [&'static str],
    /// The maximum size of the component in bytes. A host loads every byte, and a sudden
    /// growth is an unintended dependency.
    max_bytes: usize,
}

const WITH_HTTP: World = World { name: "", features: "", imports: &WASI_IMPORTS, max_bytes: 850_000 };
const EMBEDDED: World = World { imports: &["sophos:central/transport"], ..WITH_HTTP };

const WORLDS: [World; 5] = [
    World { name: "reader", ..WITH_HTTP },
    World { name: "operator", features: "operator", ..WITH_HTTP },
    World { name: "embedded-reader", features: "embedded", ..EMBEDDED },
    World { name: "embedded", features: "embedded,operator", ..EMBEDDED },
    World { name: "webhook", features: "webhook", imports: &WEBHOOK_IMPORTS, max_bytes: 2_400_000 },
];

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Build this world only: reader, operator, embedded-reader, embedded or webhook
    #[arg(long)]
    world: Option<String>,
}

/// A built component.
struct BuiltComponent {
    world: &'static str,
    file: PathBuf,
    bytes: u64,
    imports: Vec<String>,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<(), Error> {
    setup::check_compiler(workspace)?;
    setup::install_targets(workspace, &[TARGET])?;
    let wanted = arguments.world.as_deref();
    if let Some(name) = wanted.filter(|name| WORLDS.iter().all(|world| world.name != *name)) {
        let names: Vec<_> = WORLDS.iter().map(|world| world.name).collect();
        return Err(Error::new(format!("unknown world `{name}`: expected one of {}", names.join(", "))));
    }
    let worlds = WORLDS.iter().filter(|world| wanted.is_none_or(|name| name == world.name));
    let built = worlds.map(|world| build(workspace, world)).collect::<Result<Vec<_>, _>>()?;
    println!("{:<16} {:>9}  {:<9} file", "world", "bytes", "imports");
    for BuiltComponent { world, file, bytes, imports } in &built {
        println!("{world:<16} {bytes:>9}  {:<9} {}", imports.len(), file.display());
    }
    Ok(())
}

/// Builds every world and returns the folder of the components.
pub(crate) fn build_all(workspace: &Workspace) -> Result<PathBuf, Error> {
    for world in &WORLDS {
        build(workspace, world)?;
    }
    Ok(components_dir(workspace))
}

fn components_dir(workspace: &Workspace) -> PathBuf {
    workspace.target.join("components")
}

fn build(workspace: &Workspace, world: &World) -> Result<BuiltComponent, Error> {
    shell::step(&format!("component {}", world.name), || {
        let mut cargo = shell::cargo(&workspace.root);
        cargo.args(["build", "--quiet", "--locked", "--package", "sophos-component", "--lib"]);
        cargo.args(["--target", TARGET, "--profile", PROFILE, "--features", world.features]);
        shell::run(&mut cargo, "fix the errors above")?;
        let module = workspace.target.join(TARGET).join(PROFILE).join(LIBRARY);
        let module = std::fs::read(&module).map_err(|error| {
            Error::new(format!("reading {} failed: {error}; build it first", module.display()))
        })?;
        let component = componentize(&module)?;
        let imports = imports(&component)?;
        check_imports(world, &imports)?;
        check_size(world, component.len())?;

        let file = components_dir(workspace).join(world.name).with_extension("wasm");
        write_if_changed(&file, &component)?;
        Ok(BuiltComponent { world: world.name, bytes: Workspace::size(&file)?, file, imports })
    })
}

/// Creates a component from a core module with an embedded world, and validates it.
fn componentize(module: &[u8]) -> Result<Vec<u8>, Error> {
    ComponentEncoder::default()
        .validate(true)
        .module(module)
        .and_then(|encoder| encoder.encode())
        .map_err(|error| Error::new(format!("embedding the world failed: {error:#}")))
}

fn check_size(world: &World, bytes: usize) -> Result<(), Error> {
    if bytes <= world.max_bytes {
        return Ok(());
    }
    let (name, max) = (world.name, world.max_bytes);
    let hint = "look for a new dependency with `cargo tree -p sophos-component --edges normal`";
    Err(Error::new(format!("component {name} is {} bytes over the limit of {max}; {hint}", bytes - max)))
}

/// The imports of a component, by name and version.
fn imports(component: &[u8]) -> Result<Vec<String>, Error> {
    match wit_component::decode(component) {
        Ok(DecodedWasm::Component(resolve, world)) => {
            let keys = resolve.worlds[world].imports.keys();
            Ok(keys.map(|key| resolve.name_world_key(key)).collect())
        }
        Ok(_) => Err(Error::new("the built file is not a component")),
        Err(error) => Err(Error::new(format!("parsing the built component failed: {error:#}"))),
    }
}

/// Fails if a component imports more than its world permits.
fn check_imports(world: &World, imports: &[String]) -> Result<(), Error> {
    let allowed = |import: &String| {
        let name = import.split('@').next().unwrap_or(import);
        COMMON_IMPORTS.contains(&name) || world.imports.contains(&name)
    };
    let foreign: Vec<_> = imports.iter().filter(|import| !allowed(import)).map(String::as_str).collect();
    if foreign.is_empty() {
        return Ok(());
    }
    Err(Error::new(format!(
        "the world {} may not import {}; find the dependency with `cargo tree -p sophos-component`",
        world.name,
        foreign.join(", ")
    )))
}

fn write_if_changed(file: &Path, bytes: &[u8]) -> Result<(), Error> {
    // An unchanged file keeps its time, so that dependents are not rebuilt.
    if std::fs::read(file).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    let folder = file.parent().unwrap_or(file);
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(file, bytes))
        .map_err(|error| Error::new(format!("writing {} failed: {error}", file.display())))
}

#[cfg(test)]
mod tests {
    use wasm_encoder::{
        Component, ComponentImportSection, ComponentTypeRef, ComponentTypeSection, InstanceType,
    };

    use super::*;

    /// A component that imports interfaces with these names.
    fn component(names: &[&str]) -> Vec<u8> {
        let (mut types, mut imports) = (ComponentTypeSection::new(), ComponentImportSection::new());
        for (index, name) in names.iter().enumerate() {
            types.instance(&InstanceType::new());
            imports.import(*name, ComponentTypeRef::Instance(index as u32));
        }
        let mut component = Component::new();
        component.section(&types).section(&imports);
        component.finish()
    }

    fn check_import_names(world: &World, names: &[&str]) -> Result<(), Error> {
        check_imports(world, &imports(&component(names)).expect("a component"))
    }

    #[test]
    fn component_with_extra_imports_is_rejected() {
        let reader = &WORLDS[0];
        let own = ["sophos:central/credentials@0.2.0", "wasi:http/types@0.2.12", "wasi:io/poll@0.2.99"];
        check_import_names(reader, &own).expect("permitted imports");
        for more in ["wasi:cli/environment@0.2.12", "wasi:filesystem/types@0.2.12", "wasi:http/types-2@1.0.0"]
        {
            let error = check_import_names(reader, &[own[0], more]).expect_err(more).to_string();
            assert!(error.contains(&format!("may not import {more};")), "{error}");
        }
    }

    #[test]
    fn embedded_component_may_not_import_wasi() {
        for world in WORLDS.iter().filter(|world| world.name.starts_with("embedded")) {
            check_import_names(world, &["sophos:central/transport@0.2.0"]).expect("the host's own HTTP");
            check_import_names(world, &["wasi:clocks/monotonic-clock@0.2.12"]).expect_err("of WASI");
        }
    }

    #[test]
    fn component_over_the_size_limit_is_rejected() {
        let world = &WORLDS[0];
        check_size(world, world.max_bytes).expect("the limit");
        let error = check_size(world, world.max_bytes + 9).expect_err("more").to_string();
        assert!(error.starts_with("component reader is 9 bytes over the limit of 850000"), "{error}");
    }

    #[test]
    fn invalid_webassembly_is_rejected() {
        imports(b"nothing").expect_err("nothing");
        componentize(b"nothing").expect_err("nothing");
    }
}
