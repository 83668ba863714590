//! Names of constants and tests, and the errors of public functions.

use super::{File, Finding, Rule};

/// The maximum length of a test's name, in characters.
const MAX_TEST_NAME: usize = 60;

/// Prefixes of constants, each with the standard prefix.
const BOUNDS: [(&str, &str); 6] = [
    ("FEWEST_", "MIN_"),
    ("LARGEST_", "MAX_"),
    ("LEAST_", "MIN_"),
    ("LONGEST_", "MAX_"),
    ("MOST_", "MAX_"),
    ("SHORTEST_", "MIN_"),
];

pub(super) fn check(files: &[File]) -> Vec<Finding> {
    files.iter().filter(|file| file.is_rust()).flat_map(in_file).collect()
}

fn in_file(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut is_test = false;
    for (number, line) in file.lines() {
        let line = line.trim();
        for (start, instead) in BOUNDS.iter().filter(|(start, _)| defines(line, start)) {
            findings.push(Finding::at(
                Rule::Constants,
                file,
                number,
                format!("{start}…: name it {instead}…"),
            ));
        }
        if has_text_error(file, line) {
            findings.push(Finding::at(Rule::TextErrors, file, number, "public `Result<_, String>`"));
        }
        if let Some(name) = function(line) {
            if is_test && name.chars().count() > MAX_TEST_NAME {
                findings.push(Finding::at(Rule::TestNames, file, number, format!("long test name {name}")));
            }
            is_test = false;
        } else {
            is_test |= line == "#[test]" || line.starts_with("#[tokio::test");
        }
    }
    findings
}

/// Whether a line defines a constant with this prefix.
fn defines(line: &str, start: &str) -> bool {
    let rest = line.strip_prefix("pub(crate) ").or_else(|| line.strip_prefix("pub(super) ")).unwrap_or(line);
    let rest = rest.strip_prefix("pub ").unwrap_or(rest);
    rest.strip_prefix("const ")
        .or_else(|| rest.strip_prefix("static "))
        .is_some_and(|name| name.starts_with(start))
}

/// The name of the function that a line begins.
fn function(line: &str) -> Option<&str> {
    let name = line.split_once("fn ").filter(|(before, _)| !before.contains("//"))?.1;
    name.split(['(', '<']).next()
}

/// Whether a public function of a library returns a `String` as its error.
fn has_text_error(file: &File, line: &str) -> bool {
    let is_library =
        file.path.starts_with("crates/") && file.path.contains("/src/") && !file.path.contains("xtask");
    is_library
        && line.starts_with("pub ")
        && line.contains("fn ")
        && line.contains(", String>")
        && line.contains("Result<")
}

/// The figures of names.
pub(super) fn report(files: &[File]) -> String {
    let rust = || files.iter().filter(|file| file.is_rust());
    let count = |test: &dyn Fn(&str) -> bool| {
        rust().flat_map(File::lines).filter(|(_, line)| test(line.trim())).count()
    };
    let bounds = count(&|line| BOUNDS.iter().any(|(start, _)| defines(line, start)));
    let standard = count(&|line| defines(line, "MAX_") || defines(line, "MIN_"));
    let texts =
        count(&|line| function(line).is_some() && line.contains("Result<") && line.contains(", String>"));
    let read = count(&|line| function(line) == Some("read"));
    format!(
        "constants MOST_, LARGEST_, LONGEST_ … {bounds} against MAX_, MIN_ {standard}; functions with \
         Result<_, String> {texts}; functions named read {read}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<Finding> {
        check(&[File { path: "crates/a/src/b.rs".into(), text: text.into() }])
    }

    #[test]
    fn names_of_bounds_are_findings_where_they_are_defined() {
        assert_eq!(found("pub const MOST_IDS: u8 = 1;\nuse MOST_IDS;\nconst MAX_IDS: u8 = 1;\n").len(), 1);
    }

    #[test]
    fn names_of_tests_are_findings_when_they_are_long() {
        let name = "a".repeat(61);
        assert_eq!(found(&format!("#[test]\nfn {name}() {{}}\nfn {name}() {{}}\n")).len(), 1);
    }

    #[test]
    fn text_errors_are_findings_in_public_functions() {
        let text = "pub fn a() -> Result<u8, String> {}\npub(crate) fn b() -> Result<u8, String> {}\n";
        assert_eq!(found(text).len(), 1);
    }
}
