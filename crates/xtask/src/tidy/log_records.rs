//! The `event` field of log records.

use super::{File, Finding, Rule};

/// The macros that write a record.
const MACROS: [&str; 6] = ["debug!", "error!", "event!", "info!", "trace!", "warn!"];

/// Finds the `tracing` calls without an `event` in the sources, outside of tests.
pub(super) fn check(file: &File) -> Vec<Finding> {
    let is_source = file.is_rust() && file.path.contains("/src/") && !file.path.starts_with("tests/");
    if !is_source {
        return Vec::new();
    }
    let source = without_tests(&file.text);
    let calls = source.match_indices("tracing::").filter_map(|(start, prefix)| {
        let rest = &source[start + prefix.len()..];
        let name = MACROS.iter().find(|name| rest.starts_with(**name))?;
        let arguments = arguments(rest[name.len()..].strip_prefix('(')?);
        let line = source[..start].matches('\n').count() + 1;
        (!is_comment(source, start) && !has_event(arguments)).then_some((line, name))
    });
    calls
        .map(|(line, name)| {
            Finding::at(Rule::LogEvents, file, line, format!("tracing::{name} has no `event`"))
        })
        .collect()
}

/// The text before the module of unit tests.
fn without_tests(text: &str) -> &str {
    let start = ["#[cfg(test)]\nmod tests {", "#[cfg(test)]\npub(crate) mod tests {"]
        .iter()
        .find_map(|module| text.find(module));
    start.map_or(text, |start| &text[..start])
}

fn is_comment(source: &str, position: usize) -> bool {
    let line = source[..position].rsplit('\n').next().unwrap_or_default();
    line.trim_start().starts_with("//")
}

/// The text up to the parenthesis that closes the call. Texts in quotes do not count.
fn arguments(text: &str) -> &str {
    let (mut depth, mut in_quotes, mut escaped) = (1_usize, false, false);
    for (index, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if in_quotes => escaped = true,
            '"' => in_quotes = !in_quotes,
            '(' if !in_quotes => depth += 1,
            ')' if !in_quotes => {
                depth -= 1;
                if depth == 0 {
                    return &text[..index];
                }
            }
            _ => {}
        }
    }
    text
}

/// Whether one of the fields is `event`, as `event = …` or `event,`.
fn has_event(arguments: &str) -> bool {
    arguments.match_indices("event").any(|(start, word)| {
        let before = arguments[..start].trim_end();
        let after = arguments[start + word.len()..].trim_start();
        (before.is_empty() || before.ends_with(',')) && after.starts_with(['=', ','])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<usize> {
        let file = File { path: "crates/a/src/b.rs".into(), text: text.into() };
        check(&file).into_iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn log_records_are_findings_without_an_event() {
        let text = "fn a() {\n    tracing::warn!(%error, \"the event = (x\");\n    tracing::info!(\n        \
                    event = \"a_b\",\n        \"text\"\n    );\n    tracing::error!(target: T, event, \"text\");\n}\n";
        assert_eq!(lines(text), [2]);
    }

    #[test]
    fn log_records_are_not_checked_in_tests_and_comments() {
        let text =
            "/// `tracing::warn!(x)`\nfn a() {}\n#[cfg(test)]\nmod tests {\n    tracing::warn!(x);\n}\n";
        assert_eq!(lines(text), Vec::<usize>::new());
    }
}
