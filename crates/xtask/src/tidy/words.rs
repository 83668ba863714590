//! Words and phrases that plain technical English does not use.

use std::fmt::Write as _;

use super::{File, Finding, Rule};

/// Phrases in lower case, each with its replacement or advice. A phrase matches whole words.
const BANNED: [(&str, &str); 24] = [
    ("nobody", "name the actor"),
    ("somebody", "name the actor"),
    ("whoever", "name the actor"),
    ("anew", "again"),
    ("is asked", "name the actor: the function requests …"),
    ("are asked", "name the actor"),
    ("asked for", "requested"),
    ("is told", "name the actor: … reports"),
    ("are told", "name the actor"),
    ("it is told", "name the actor"),
    ("be had", "is available"),
    ("of which", "one sentence each"),
    ("is no more", "no longer exists"),
    ("is none", "is missing"),
    ("are none", "are missing"),
    ("mend", "fix"),
    ("mended", "fixed"),
    ("disbelief", "authentication error"),
    ("not believed", "authentication failed"),
    ("put aside", "moved to the dead-letter queue"),
    ("puts aside", "moves to the dead-letter queue"),
    ("put off", "deferred"),
    ("puts off", "defers"),
    ("there is only", "only"),
];

pub(super) fn check(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in file.lines() {
        // Python's operator is no prose.
        let lower = line.replace(" is None", "").to_lowercase();
        for (phrase, instead) in BANNED.iter().filter(|(phrase, _)| contains(&lower, phrase)) {
            findings.push(Finding::at(Rule::Phrases, file, number, format!("\"{phrase}\": {instead}")));
        }
    }
    findings
}

/// Whether a text contains the phrase as whole words.
fn contains(text: &str, phrase: &str) -> bool {
    let is_word = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    text.match_indices(phrase).any(|(start, _)| {
        let bytes = text.as_bytes();
        !is_word(start.checked_sub(1).and_then(|before| bytes.get(before)))
            && !is_word(bytes.get(start + phrase.len()))
    })
}

/// The uses of each phrase.
pub(super) fn report(files: &[File]) -> String {
    let mut report = "banned phrases:".to_owned();
    for (phrase, _) in BANNED {
        let count: usize = files
            .iter()
            .flat_map(File::lines)
            .filter(|(_, line)| contains(&line.to_lowercase(), phrase))
            .count();
        if count > 0 {
            let _ = write!(report, " {phrase} {count},");
        }
    }
    report.trim_end_matches(',').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrase_is_found_at_the_limits_of_words() {
        assert!(contains("nobody knows", "nobody"));
        assert!(contains("(nobody)", "nobody"));
        assert!(!contains("recommended", "mended"));
        assert!(!contains("is_nobody", "nobody"));
    }

    #[test]
    fn phrase_is_not_found_in_a_python_operator() {
        let found = |text: &str| check(&File { path: "a.py".into(), text: text.into() }).len();
        assert_eq!(found("if answer.error is None:"), 0);
        assert_eq!(found("# the answer is none"), 1);
    }
}
