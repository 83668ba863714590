//! The parts of the names of some events, as the script splits them.

use Part::{Greedy, Lazy, LazyDigits, Literal, Rest, Zero};

/// The compared characters after which a match is given up. Names have parts that
/// attackers choose.
const MAX_STEPS: usize = 1_000_000;

const THREATS: [&str; 9] = [
    "Detected",
    "CleanedUp",
    "HIPSDismissed",
    "HIPSDetected",
    "PuaDetected",
    "PuaCleanupFailed",
    "CleanupFailed",
    "CommandAndControlDismissed",
    "HIPSCleanupFailed",
];

/// A part of a pattern. Texts are of one line; a named one is a field.
#[derive(Debug, Clone, Copy)]
enum Part {
    Literal(&'static str),
    /// As short as possible, also empty.
    Zero(&'static str),
    /// As short as possible, not empty.
    Lazy(&'static str),
    /// As short as possible, digits alone.
    LazyDigits(&'static str),
    /// As long as possible, not empty. Without a name it is no field.
    Greedy(&'static str),
    /// The rest of the text, not empty, apart from a line break at its end.
    Rest(&'static str),
}

/// A quoted name, and the last quoted text as a path.
const THREAT: &[Part] = &[
    Literal("'"),
    Zero("detection_identity_name"),
    Literal("'"),
    Greedy(""),
    Literal("'"),
    Zero("filePath"),
    Literal("'"),
];

const DATA_LOSS: &[Part] = &[
    Literal("An \u{2033}"),
    Greedy("name"),
    Literal("\u{2033}"),
    Greedy(""),
    Literal(" Username: "),
    Lazy("user"),
    Literal("  Rule names: \u{2032}"),
    Lazy("rule"),
    Literal("\u{2032}  User action: "),
    Lazy("user_action"),
    Literal("  Application Name: "),
    Lazy("app_name"),
    Literal("  Data Control action: "),
    Lazy("action"),
    Literal("  File type: "),
    Lazy("file_type"),
    Literal("  File size: "),
    LazyDigits("file_size"),
    Literal("  Source path: "),
    Rest("file_path"),
];

/// Splits the name of an event of this type. `None` if it is not split.
pub(super) fn split(event_type: &str, name: &str) -> Option<Vec<(&'static str, String)>> {
    let short = event_type.strip_prefix("Event::Endpoint::")?;
    let pattern = match short.strip_prefix("Threat::") {
        Some(threat) if THREATS.contains(&threat) => THREAT,
        None if short == "DataLossPreventionUserAllowed" => DATA_LOSS,
        _ => return None,
    };
    let mut search = Search { text: name, steps: 0, found: Vec::new() };
    let starts = name.char_indices().map(|(at, _)| at);
    for start in starts {
        search.found.clear();
        if search.matches(pattern, start)? {
            let fields = search.found.into_iter().filter(|(name, _)| !name.is_empty());
            return Some(fields.map(|(name, text)| (name, text.to_owned())).collect());
        }
    }
    None
}

struct Search<'t> {
    text: &'t str,
    steps: usize,
    found: Vec<(&'static str, &'t str)>,
}

impl<'t> Search<'t> {
    /// Whether the text from `at` has the form of the pattern; `None` after too many steps.
    fn matches(&mut self, pattern: &[Part], at: usize) -> Option<bool> {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return None;
        }
        let Some((part, rest)) = pattern.split_first() else { return Some(true) };
        let tail = self.text.get(at..)?;
        let line = tail.split('\n').next().unwrap_or_default();
        match *part {
            Literal(literal) => {
                if tail.starts_with(literal) {
                    self.matches(rest, at + literal.len())
                } else {
                    Some(false)
                }
            }
            Zero(name) => {
                self.first_of(name, at, line.char_indices().map(|(end, _)| end).chain([line.len()]), rest)
            }
            Lazy(name) => self.first_of(name, at, ends(line), rest),
            LazyDigits(name) => {
                let digits = line.find(|char: char| !char.is_ascii_digit()).unwrap_or(line.len());
                self.first_of(name, at, ends(&line[..digits]), rest)
            }
            Greedy(name) => {
                self.steps += line.len();
                let ends: Vec<usize> = ends(line).collect();
                self.first_of(name, at, ends.into_iter().rev(), rest)
            }
            Rest(name) => {
                let is_last = tail.len() == line.len() || tail.len() == line.len() + 1;
                if line.is_empty() || !is_last {
                    return Some(false);
                }
                self.found.push((name, line));
                Some(true)
            }
        }
    }

    /// Whether one of these lengths of a text lets the rest of the pattern match.
    fn first_of(
        &mut self,
        name: &'static str,
        at: usize,
        lengths: impl Iterator<Item = usize>,
        rest: &[Part],
    ) -> Option<bool> {
        let next = match rest.first() {
            Some(Literal(literal)) => *literal,
            _ => "",
        };
        for length in lengths {
            self.steps += 1;
            // Most lengths end here.
            if !self.text[at + length..].starts_with(next) {
                continue;
            }
            let known = self.found.len();
            self.found.push((name, &self.text[at..at + length]));
            if self.matches(rest, at + length)? {
                return Some(true);
            }
            self.found.truncate(known);
        }
        Some(false)
    }
}

/// The lengths of the prefixes of a text, without the empty one.
fn ends(text: &str) -> impl Iterator<Item = usize> {
    text.char_indices().map(|(at, char)| at + char.len_utf8())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn threat(name: &str) -> Option<(String, String)> {
        let parts = split("Event::Endpoint::Threat::CleanedUp", name)?;
        assert_eq!(
            parts.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
            ["detection_identity_name", "filePath"]
        );
        let [name, path] = <[_; 2]>::try_from(parts).ok()?;
        Some((name.1, path.1))
    }

    #[test]
    fn name_parts_are_the_first_and_the_last_quoted_text() {
        for (name, expected) in [
            ("Threat 'EICAR' at 'C:\\x.com' ", Some(("EICAR", "C:\\x.com"))),
            ("'a' 'b' 'c'", Some(("a", "c"))),
            ("'a'b'c'", Some(("a", "c"))),
            ("'' ''", Some(("", ""))),
            ("Ann's 'x' at 'y'", Some(("s ", "y"))),
            ("'a''b'", None),
            ("'a''b'c'", Some(("a", "c"))),
            ("'a'\n'b' at 'c'", Some(("b", "c"))),
            ("no quotes", None),
        ] {
            let expected = expected.map(|(name, path)| (name.to_owned(), path.to_owned()));
            assert_eq!(threat(name), expected, "{name}");
        }
        assert_eq!(split("Event::Endpoint::Threat::Unknown", "'a' at 'b'"), None);
        assert_eq!(split("Event::Endpoint::Compliant", "'a' at 'b'"), None);
    }

    #[test]
    fn name_parts_of_a_data_loss_event_are_fields() {
        let name = "An \u{2033}ask\u{2033} action was taken.  Username: PC\\Ann  Rule names: \u{2032}Cards\u{2032}  \
                    User action: File open  Application Name: Mail  Data Control action: Allow  \
                    File type: Text  File size: 36  Source path: C:\\a b.txt";
        let parts = split("Event::Endpoint::DataLossPreventionUserAllowed", name).expect("parts");
        let expected = [
            ("name", "ask"),
            ("user", "PC\\Ann"),
            ("rule", "Cards"),
            ("user_action", "File open"),
            ("app_name", "Mail"),
            ("action", "Allow"),
            ("file_type", "Text"),
            ("file_size", "36"),
            ("file_path", "C:\\a b.txt"),
        ];
        assert_eq!(parts, expected.map(|(name, part)| (name, part.to_owned())));
        assert_eq!(split("Event::Endpoint::DataLossPreventionUserAllowed", "An \u{2033}x\u{2033}"), None);
    }

    #[test]
    fn name_parts_give_up_on_a_hostile_name() {
        let hostile = "'".repeat(100_000);
        // In bounded time; the result is that of a name without parts.
        let _ = split("Event::Endpoint::Threat::Detected", &hostile);
        let hostile = format!("An \u{2033}x\u{2033}{}", " Username: u  Rule names: \u{2032}".repeat(5_000));
        assert_eq!(split("Event::Endpoint::DataLossPreventionUserAllowed", &hostile), None);
    }
}
