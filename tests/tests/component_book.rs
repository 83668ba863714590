//! The component chapters of the book, compared with the files that they print.

use std::fs;

use end_to_end::package_dir;

/// The chapters, and the programs in `crates/sophos-component/examples` that they print.
const PROGRAMS: [(&str, &str); 5] = [
    ("rust-wasmtime.md", "rust/examples/list-endpoints.rs"),
    ("python-wasmtime.md", "python/list_endpoints.py"),
    ("node-jco.md", "node/list-endpoints.mjs"),
    ("jco-serve.md", "node/jco-serve.mjs"),
    ("jco-serve.md", "node/jco-follow-up.mjs"),
];

fn read(file: &str) -> String {
    let root = package_dir().join("..");
    fs::read_to_string(root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

#[test]
fn chapters_print_the_example_programs() {
    for (chapter, program) in PROGRAMS {
        let printed = read(&format!("docs/component/{chapter}"));
        let code = read(&format!("crates/sophos-component/examples/{program}"));
        assert!(printed.contains(code.trim()), "{chapter} does not print {program} as it is");
    }
}

#[test]
fn chapters_name_the_locked_versions() {
    let manifest = read("crates/sophos-component/examples/rust/Cargo.toml");
    let rust = read("docs/component/rust-wasmtime.md");
    for line in manifest.lines().filter(|line| line.starts_with("wasmtime")) {
        assert!(rust.contains(line), "{line}");
    }
    let wasmtime = read("crates/sophos-component/examples/python/requirements.in");
    assert!(read("docs/component/python-wasmtime.md").contains(wasmtime.trim()), "{wasmtime}");

    let package: serde_json::Value =
        serde_json::from_str(&read("crates/sophos-component/examples/node/package.json")).expect("JSON");
    let node = read("docs/component/node-jco.md");
    for (name, version) in package["dependencies"].as_object().expect("dependencies") {
        let install = format!("{name}@{}", version.as_str().expect("a version"));
        assert!(node.contains(&install), "{install}");
    }
}

#[test]
fn overview_lists_every_world() {
    let overview = read("docs/component/index.md");
    let worlds = read("wit/worlds.wit");
    let names = worlds.lines().filter_map(|line| line.strip_prefix("world ")?.strip_suffix(" {"));
    let helpers = ["read-operations", "write-operations", "wasi-imports"];
    let mut count = 0;
    for name in names.filter(|name| !helpers.contains(name)) {
        assert!(overview.contains(&format!("| `{name}` |")), "{name}");
        count += 1;
    }
    assert_eq!(count, 5);
}
