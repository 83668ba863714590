//! The outputs in `docs/cli` are the ones that the golden tests compare.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// A command that prints something else on a terminal; `terminal.rs` tests it.
const ASKING: &str = "sophos endpoints isolate LAPTOP-4711 --tenant Acme";

/// The commands of a text with their outputs. On a terminal `-o table` is the default.
fn commands(text: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut is_output = false;
    for line in text.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            found.push((command.replace(" -o table", ""), String::new()));
            is_output = true;
        } else if line.starts_with("```") {
            is_output = false;
        } else if let Some((_, output)) = found.last_mut().filter(|_| is_output && !line.starts_with("? ")) {
            output.push_str(line);
            output.push('\n');
        }
    }
    found.into_iter().map(|(command, output)| (command, output.trim_end().to_owned())).collect()
}

/// The files with this extension in a folder and its folders.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let found = paths.flat_map(|path| if path.is_dir() { files(&path, extension) } else { vec![path] });
    found.filter(|path| path.extension().is_some_and(|end| end == extension)).collect()
}

#[test]
fn documented_outputs_are_the_recorded_ones() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut recorded: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in files(&package.join("tests/cmd"), "trycmd") {
        let text = fs::read_to_string(file).unwrap();
        let text = text.replace("[GLOBAL]", "https://api.central.sophos.com");
        let text = text.replace("[FUSION]", "https://api.taegis.sophos.com");
        let text = text.replace("[EUROPE]", "https://api-eu01.central.sophos.com");
        for (command, output) in commands(&text) {
            recorded.entry(command).or_default().push(output);
        }
    }
    let mut compared = 0;
    for file in files(&package.join("../../docs/cli"), "md") {
        for (command, output) in commands(&fs::read_to_string(&file).unwrap()) {
            if command == ASKING {
                continue;
            }
            let expected = recorded.get(&command);
            let expected = expected.unwrap_or_else(|| panic!("{}: no test of `{command}`", file.display()));
            assert!(expected.contains(&output), "{}: {command}\n{output}\n{expected:#?}", file.display());
            compared += 1;
        }
    }
    assert!(compared >= 7, "{compared} outputs");
}
